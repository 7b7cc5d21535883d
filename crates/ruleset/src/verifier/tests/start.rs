//! The start: what is pinned, what was remembered, and which of them counts.

use super::world::{World, key};
use super::{accepted, order, shop};
use crate::envelope::{NoEnvelope, Unopened};
use crate::json::Malformed;
use crate::refusal::Refusal;
use crate::sign::Signer;
use crate::time::UnixTime;
use crate::trust::{Distrusted, Fault};
use crate::verifier::{State, Verifier};

fn other_cluster() -> Refusal {
    Refusal::WrongCluster {
        expected: "prod".parse().unwrap(),
        got: "other".parse().unwrap(),
    }
}

#[test]
fn refuses_another_clusters_pinned_trust() {
    let mut world = World::new();
    world.document.cluster = "other".parse().unwrap();
    assert_eq!(world.start().unwrap_err(), other_cluster());
}

#[test]
fn refuses_what_was_remembered_of_another_cluster() {
    let mut other = World::new();
    other.document.cluster = "other".parse().unwrap();
    other.options.cluster = "other".parse().unwrap();
    let state = other.start().unwrap().state();
    let world = World::new();
    let refusal = Verifier::start(&world.pinned(), world.options.clone(), state).unwrap_err();
    assert_eq!(refusal, other_cluster());
}

#[test]
fn a_pinned_document_must_be_the_one_that_was_trusted() {
    let mut world = World::new();
    accepted(&mut world);
    world.document.expires_at = UnixTime(1);
    let refusal = world.start().unwrap_err();
    assert_eq!(refusal, Refusal::TrustMismatch { version: 1 });
}

/// What is compared are the payloads: ECDSA signs the same anew with other bytes.
#[test]
fn a_pinned_document_may_be_signed_anew() {
    let mut world = World::new();
    accepted(&mut world);
    let state = world.verifier().state();
    let text = String::from_utf8(world.pinned()).unwrap();
    let spelt = text.replacen('{', r#"{"more":1,"#, 1);
    assert!(Verifier::start(spelt.as_bytes(), world.options.clone(), state).is_ok());
}

#[test]
fn a_higher_pinned_document_wins_and_the_floors_stay() {
    let mut world = World::new();
    accepted(&mut world);
    world.document.version = 5;
    let verifier = world.start().unwrap();
    assert_eq!(verifier.trust().version, 5);
    assert_eq!(verifier.floor(&shop()).unwrap().order(), order(1, 1));
}

#[test]
fn a_lower_pinned_document_does_not_undo_what_was_followed() {
    let mut world = World::new();
    world.publish_trust(2, |_| {}, &[1]);
    accepted(&mut world);
    assert_eq!(world.start().unwrap().trust().version, 2);
}

#[test]
fn a_pinned_document_must_open_under_its_own_root() {
    let world = World::new();
    let start = |bytes: &[u8]| Verifier::start(bytes, world.options.clone(), State::default());
    let unopened = |unopened| Refusal::Trust(Distrusted::Unopened(unopened));
    let by_another = World::sign_document(&world.document, &[9]);
    let id = key(9).public_key().id().to_string();
    assert_eq!(
        start(&by_another).unwrap_err(),
        unopened(Unopened::UnknownKey(id))
    );
    let nothing = Malformed::NotJson { line: 1, column: 0 };
    assert_eq!(
        start(b"").unwrap_err(),
        unopened(Unopened::Malformed(NoEnvelope::Json(nothing)))
    );
    let mut empty = world.document.clone();
    empty.rulesets[0].scopes.clear();
    assert_eq!(
        start(&World::sign_document(&empty, &[1])).unwrap_err(),
        Refusal::Trust(Distrusted::Invalid(Fault::NoScope))
    );
}

/// Whoever can write the state can also delete it; he must not be able to put in keys of his own.
#[test]
fn what_is_remembered_opens_its_trust_document_anew() {
    let mut world = World::new();
    accepted(&mut world);
    let written = serde_json::to_string(&world.verifier().state()).unwrap();
    assert_eq!(
        serde_json::from_str::<State>(&written).unwrap(),
        world.verifier().state()
    );
    let forged = written.replace("payloadType", "payloadTyp");
    assert!(serde_json::from_str::<State>(&forged).is_err());
    let more = written.replacen('{', r#"{"more":1,"#, 1);
    assert!(serde_json::from_str::<State>(&more).is_err());
}
