//! The algorithm, refusal by refusal: each is provoked alone, and beside it the same without the fault.

mod attacks;
mod world;

use super::{Outcome, Standing};
use crate::manifest::{BlobName, Encoding, MAX_BLOB};
use crate::refusal::Refusal;
use crate::time::UnixTime;
use world::{NOW, World};

fn refused(world: &mut World) -> &'static str {
    world.cycle().outcome.unwrap_err().as_str()
}

fn accepted(world: &mut World) {
    let outcome = world.cycle().outcome;
    assert!(matches!(outcome, Ok(Outcome::InForce(_))), "{outcome:?}");
}

#[test]
fn accepts_what_is_signed_whole_and_new() {
    let mut world = World::new();
    accepted(&mut world);
    assert!(matches!(world.cycle().outcome, Ok(Outcome::Unchanged)));
}

#[test]
fn refuses_another_clusters_pinned_trust() {
    let mut world = World::new();
    world.document.cluster = "other".parse().unwrap();
    assert_eq!(world.start().unwrap_err().as_str(), "WrongCluster");
}

#[test]
fn a_pinned_document_must_be_the_one_that_was_trusted() {
    let mut world = World::new();
    accepted(&mut world);
    world.document.expires_at = UnixTime(1);
    assert!(matches!(
        world.start().unwrap_err(),
        Refusal::TrustMismatch { version: 1 }
    ));
}

#[test]
fn a_higher_pinned_document_wins_over_what_was_remembered() {
    let mut world = World::new();
    accepted(&mut world);
    world.document.version = 5;
    assert_eq!(world.start().unwrap().trust().version, 5);
}

#[test]
fn refuses_a_scope_that_nobody_may_sign() {
    let mut world = World::new();
    world.document.rulesets[0].scopes = vec!["ops".into()];
    assert_eq!(refused(&mut world), "NotDelegated");
}

#[test]
fn refuses_what_cannot_be_had() {
    let mut world = World::new();
    world.carrier.manifest = None;
    assert_eq!(refused(&mut world), "NotFound");
    world.carrier.failing = true;
    assert_eq!(refused(&mut world), "FetchFailed");
}

#[test]
fn refuses_schemas_it_cannot_read() {
    for (schema, reason) in [(0, "SchemaTooOld"), (2, "SchemaTooNew")] {
        let mut world = World::new();
        world.change(|m| m.schema = schema);
        assert_eq!(refused(&mut world), reason);
    }
}

#[test]
fn refuses_an_unknown_member_of_the_manifest() {
    let mut world = World::new();
    world.sign_text(|text| text.replacen('{', r#"{"more":1,"#, 1));
    assert_eq!(refused(&mut world), "Malformed");
}

#[test]
fn refuses_what_is_for_somebody_else() {
    let mut world = World::new();
    world.change(|m| m.cluster = "other".parse().unwrap());
    assert_eq!(refused(&mut world), "WrongCluster");
    let mut world = World::new();
    world.change(|m| m.scope = "ops".parse().unwrap());
    assert_eq!(refused(&mut world), "WrongScope");
    let mut world = World::new();
    world
        .options
        .scope_uids
        .insert("shop".parse().unwrap(), "u1".into());
    world.change(|m| m.scope_uid = "u2".into());
    assert_eq!(refused(&mut world), "WrongScope");
    world.change(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
}

#[test]
fn an_empty_uid_may_become_real_once_and_never_goes_back() {
    let mut world = World::new();
    accepted(&mut world);
    world.next(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
    for uid in ["", "u2"] {
        world.next(|m| m.scope_uid = uid.into());
        assert_eq!(refused(&mut world), "WrongScope");
    }
    world.next(|m| m.scope_uid = "u1".into());
    accepted(&mut world);
}

#[test]
fn refuses_a_manifest_of_trust_to_come() {
    let mut world = World::new();
    world.change(|m| m.trust = 2);
    assert_eq!(refused(&mut world), "TrustUnknown");
}

#[test]
fn refuses_the_future_and_does_not_move_the_floor() {
    let mut world = World::new();
    world.change(|m| {
        m.issued_at = UnixTime(NOW + 301);
        m.expires_at = m.issued_at.plus(60);
    });
    assert_eq!(refused(&mut world), "FromTheFuture");
    assert!(world.verifier().floor(&"shop".parse().unwrap()).is_none());
    world.change(|m| m.issued_at = UnixTime(NOW + 300));
    accepted(&mut world);
}

#[test]
fn refuses_a_validity_that_the_root_does_not_allow() {
    let mut world = World::new();
    world.change(|m| m.expires_at = m.issued_at.plus(7 * 86_400 + 1));
    assert_eq!(refused(&mut world), "Malformed");
    world.change(|m| m.expires_at = m.issued_at);
    assert_eq!(refused(&mut world), "Malformed");
    world.change(|m| m.stale.seconds = 7 * 86_400 + 1);
    assert_eq!(refused(&mut world), "Malformed");
    world.change(|m| {
        m.expires_at = m.issued_at.plus(7 * 86_400);
        m.stale.seconds = 7 * 86_400;
    });
    accepted(&mut world);
}

#[test]
fn refuses_what_has_expired_or_is_older_than_allowed_here() {
    let mut world = World::new();
    world.now = NOW + 86_400;
    assert_eq!(refused(&mut world), "Expired");
    world.now = NOW + 86_399;
    accepted(&mut world);
    let mut world = World::new();
    world.options.max_age = Some(3600);
    world.now = NOW + 3600;
    assert_eq!(refused(&mut world), "Expired");
    world.now = NOW + 3599;
    accepted(&mut world);
}

#[test]
fn refuses_blobs_that_are_not_exactly_rules_and_keys() {
    for change in [
        (|m| drop(m.blobs.pop())) as fn(&mut crate::manifest::Manifest),
        |m| m.blobs[0].name = BlobName::Rules,
        |m| m.blobs.push(m.blobs[0].clone()),
    ] {
        let mut world = World::new();
        world.change(change);
        assert_eq!(refused(&mut world), "Malformed");
    }
    let mut world = World::new();
    world.change(|m| m.blobs[0].size = MAX_BLOB + 1);
    assert_eq!(refused(&mut world), "TooLarge");
}

#[test]
fn refuses_blobs_that_are_not_what_was_signed() {
    let mut world = World::new();
    world.carrier.blobs.clear();
    assert_eq!(refused(&mut world), "BlobMissing");
    let mut world = World::new();
    world
        .carrier
        .blobs
        .values_mut()
        .for_each(|bytes| bytes.push(b' '));
    assert_eq!(refused(&mut world), "BlobSize");
    let mut world = World::new();
    world
        .carrier
        .blobs
        .values_mut()
        .for_each(|bytes| bytes[0] ^= 1);
    assert_eq!(refused(&mut world), "BlobDigest");
    let mut world = World::new();
    world.change(|m| m.blobs[0].decoded_size += 1);
    assert_eq!(world.manifest.blobs[0].encoding, Encoding::Identity);
    assert_eq!(refused(&mut world), "BlobDecoded");
}

#[test]
fn refuses_rules_that_an_edge_cannot_run() {
    let mut world = World::new();
    world.put_rules(b"{}".to_vec());
    assert_eq!(refused(&mut world), "RulesInvalid");
    let mut world = World::new();
    let role = r#"{"AccessRole/a":[{"identity":{"provider":"TrustProvider/gone","all":[]}}]}"#;
    let text = world
        .rules_text()
        .replace(r#""roles":{}"#, &format!(r#""roles":{role}"#));
    world.put_rules(text.into_bytes());
    assert!(
        matches!(world.cycle().outcome, Err(Refusal::ProviderUnknown(p)) if p == "TrustProvider/gone")
    );
    let mut world = World::new();
    let text = world
        .rules_text()
        .replace(r#""scope":"shop""#, r#""scope":"ops""#);
    world.put_rules(text.into_bytes());
    assert_eq!(refused(&mut world), "WrongScope");
}

#[test]
fn a_refusal_keeps_what_is_in_force() {
    let mut world = World::new();
    accepted(&mut world);
    world.next(|m| m.cluster = "other".parse().unwrap());
    let cycle = world.cycle();
    assert!(cycle.outcome.is_err() && !cycle.withdrawn && !cycle.state_changed);
    assert_eq!(
        world
            .verifier()
            .floor(&"shop".parse().unwrap())
            .unwrap()
            .serial,
        1
    );
}

#[test]
fn stands_fresh_then_stale_then_expired() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 100);
    let Ok(Outcome::InForce(accepted)) = world.cycle().outcome else {
        panic!("refused")
    };
    let term = accepted.ruleset.term;
    for (now, standing) in [
        (0, Standing::Fresh),
        (NOW + 86_399, Standing::Fresh),
        (NOW + 86_400, Standing::Stale),
        (NOW + 86_499, Standing::Stale),
        (NOW + 86_500, Standing::Expired),
    ] {
        assert_eq!(term.standing(UnixTime(now)), standing, "{now}");
    }
}
