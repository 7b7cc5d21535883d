//! Steps 1 to 5: who signed it, and that it is a manifest of this cluster and this scope.

use super::world::{World, key, public};
use super::{accepted, order, refused, shop};
use crate::envelope::{NoEnvelope, Unopened};
use crate::json::Malformed;
use crate::manifest::{MAX_BYTES, Unfit};
use crate::refusal::Refusal;
use crate::sign::Signer;

#[test]
fn refuses_a_scope_that_nobody_may_sign() {
    let mut world = World::new();
    world.document.rulesets[0].scopes = vec!["ops".into()];
    assert_eq!(refused(&mut world), Refusal::NotDelegated { scope: shop() });
    let mut world = World::new();
    world.document.rulesets[0].scopes = vec!["ops".into(), "shop".into()];
    accepted(&mut world);
}

#[test]
fn a_team_may_sign_its_own_scope_and_no_other() {
    let mut world = World::new();
    let mut own = world.document.rulesets[0].clone();
    own.scopes = vec!["ops".into()];
    own.keys = public(&[3]);
    world.document.rulesets.push(own);
    world.signing = vec![3];
    world.change(|_| {});
    let id = key(3).public_key().id().clone();
    assert_eq!(
        refused(&mut world),
        Unopened::RemovedKey(id).into(),
        "known, and not for this scope"
    );
    world.signing = vec![2];
    world.change(|_| {});
    accepted(&mut world);
}

#[test]
fn refuses_what_cannot_be_had() {
    let mut world = World::new();
    let there = world.carrier.manifest.take();
    assert_eq!(refused(&mut world), Refusal::NotFound { scope: shop() });
    world.carrier.failing = Some("the manifest");
    let refusal = Refusal::FetchFailed {
        what: "the manifest",
        reason: "connection reset".into(),
    };
    assert_eq!(refused(&mut world), refusal);
    world.carrier.failing = None;
    world.carrier.manifest = there;
    accepted(&mut world);
}

#[test]
fn refuses_more_than_is_read() {
    let mut world = World::new();
    let most = MAX_BYTES;
    let text = world.carrier.manifest.as_mut().unwrap();
    text.resize(most, b' ');
    accepted(&mut world);
    let mut world = World::new();
    let text = world.carrier.manifest.as_mut().unwrap();
    text.resize(most + 1, b' ');
    let got = most + 1;
    assert_eq!(refused(&mut world), Unopened::TooLarge { most, got }.into());
}

#[test]
fn refuses_what_is_no_envelope() {
    let mut world = World::new();
    world.carrier.manifest = Some(b"[]".to_vec());
    let refusal = refused(&mut world);
    let Refusal::Unopened(Unopened::Malformed(NoEnvelope::Json(Malformed::Shape { .. }))) = refusal
    else {
        panic!("{refusal:?}")
    };
}

/// A trust document is signed by a root, and a manifest never stands in for one or the other.
#[test]
fn refuses_a_payload_of_another_type() {
    let mut world = World::new();
    let payload = serde_json::to_vec(&world.manifest).unwrap();
    let signed = World::signed_payload(crate::trust::PAYLOAD_TYPE, &payload, &[2]);
    world.carrier.manifest = Some(signed);
    let refusal = Unopened::WrongPayloadType {
        expected: crate::manifest::PAYLOAD_TYPE,
        got: crate::trust::PAYLOAD_TYPE.into(),
    };
    assert_eq!(refused(&mut world), refusal.into());
}

#[test]
fn refuses_a_signature_that_is_missing_bad_or_of_nobody() {
    let mut world = World::new();
    world.signing = vec![9];
    world.change(|_| {});
    let nobody = key(9).public_key().id().to_string();
    assert_eq!(refused(&mut world), Unopened::UnknownKey(nobody).into());
    world.signing = vec![2];
    world.change(|_| {});
    let text = String::from_utf8(world.carrier.manifest.take().unwrap()).unwrap();
    let (head, rest) = text.split_once(r#""sig":""#).unwrap();
    let turned = if rest.starts_with('A') { 'B' } else { 'A' };
    let spoilt = format!("{head}\"sig\":\"{turned}{}", rest.get(1..).unwrap());
    world.carrier.manifest = Some(spoilt.into_bytes());
    let ours = key(2).public_key().id().clone();
    assert_eq!(refused(&mut world), Unopened::BadSignature(ours).into());
    world.carrier.manifest = Some(text.into_bytes());
    accepted(&mut world);
}

#[test]
fn refuses_schemas_it_cannot_read() {
    let mut world = World::new();
    world.change(|m| m.schema = 0);
    let (got, oldest, newest) = (0, 1, 1);
    assert_eq!(
        refused(&mut world),
        Unfit::SchemaTooOld { got, oldest }.into()
    );
    world.change(|m| m.schema = 2);
    let got = 2;
    assert_eq!(
        refused(&mut world),
        Unfit::SchemaTooNew { got, newest }.into()
    );
}

/// The schema is read first, so that a newer one is named as what it is, whatever else it has.
#[test]
fn a_newer_schema_is_told_from_a_malformed_manifest() {
    let mut world = World::new();
    world.sign_text(|text| text.replace(r#""schema":1"#, r#""more":[1],"schema":2"#));
    let (got, newest) = (2, 1);
    assert_eq!(
        refused(&mut world),
        Unfit::SchemaTooNew { got, newest }.into()
    );
    for change in [
        |text: &str| text.replacen('{', r#"{"more":1,"#, 1),
        |text: &str| text.replacen('{', r#"{"serial":1,"#, 1),
        |text: &str| text.replace(r#""serial":1"#, r#""serial":9007199254740992"#),
        |text: &str| text.replace(r#""scope":"shop""#, r#""scope":"../shop""#),
        |text: &str| text.replace(r#""digest":""#, r#""digest":"../"#),
        |text: &str| text.replace(r#""identity""#, r#""gzip""#),
        |text: &str| text.replace(r#","scopeUID":"""#, ""),
        |text: &str| format!("{text} x"),
    ] {
        let mut world = World::new();
        world.sign_text(change);
        let refusal = refused(&mut world);
        assert!(
            matches!(refusal, Refusal::Unfit(Unfit::Json(_))),
            "{refusal:?}"
        );
        assert_eq!(refusal.as_str(), "Malformed");
    }
}

#[test]
fn what_may_be_ignored_lives_under_info() {
    let mut world = World::new();
    world.change(|m| drop(m.info.insert("writer".into(), "later".into())));
    accepted(&mut world);
}

#[test]
fn refuses_another_cluster() {
    let mut world = World::new();
    world.change(|m| m.cluster = "other".parse().unwrap());
    let refusal = Refusal::WrongCluster {
        expected: "prod".parse().unwrap(),
        got: "other".parse().unwrap(),
    };
    assert_eq!(refused(&mut world), refusal);
}

fn wrong_scope(expected: &str, got: &str) -> Refusal {
    let (expected, got) = (expected.into(), got.into());
    Refusal::WrongScope { expected, got }
}

#[test]
fn refuses_another_scope() {
    let mut world = World::new();
    world.change(|m| m.scope = "ops".parse().unwrap());
    assert_eq!(refused(&mut world), wrong_scope("shop", "ops"));
}

#[test]
fn refuses_another_uid_than_the_one_that_is_pinned() {
    let mut world = World::new();
    world.options.scope_uids.insert(shop(), "u1".into());
    assert_eq!(refused(&mut world), wrong_scope("shop@u1", "shop@"));
    world.change(|m| m.scope_uid = "u2".into());
    assert_eq!(refused(&mut world), wrong_scope("shop@u1", "shop@u2"));
    world.change(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
}

/// H12: the namespace was deleted, and somebody else has made one of that name.
#[test]
fn an_empty_uid_may_become_real_once_and_never_goes_back() {
    let mut world = World::new();
    accepted(&mut world);
    world.next(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
    for uid in ["", "u2"] {
        world.next(|m| m.scope_uid = uid.into());
        let got = format!("shop@{uid}");
        assert_eq!(refused(&mut world), wrong_scope("shop@u1", &got));
    }
    world.next(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
}

/// Who may sign trust documents may also say that the namespace is another one now.
#[test]
fn a_later_trust_document_frees_the_uid_that_was_seen() {
    let mut world = World::new();
    world.change(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
    world.publish_trust(2, |_| {}, &[1]);
    world.change(|m| (m.trust, m.serial, m.scope_uid) = (2, 1, "u2".into()));
    accepted(&mut world);
    assert_eq!(
        world.verifier().floor(&shop()).unwrap().order(),
        order(2, 1)
    );
}

#[test]
fn refuses_a_manifest_of_trust_to_come() {
    let mut world = World::new();
    world.change(|m| m.trust = 2);
    let (needs, known) = (2, 1);
    assert_eq!(refused(&mut world), Refusal::TrustUnknown { needs, known });
    world.publish_trust(2, |_| {}, &[1]);
    accepted(&mut world);
}
