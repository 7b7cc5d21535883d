//! `advance_trust()`: one version after the other, each signed by the one before.

use super::world::{NOW, World, key, public};
use super::{accepted, refused};
use crate::envelope::Unopened;
use crate::json::Malformed;
use crate::refusal::Refusal;
use crate::sign::Signer;
use crate::time::UnixTime;
use crate::trust::{Distrusted, Fault, Trust};
use crate::verifier::{Fetched, MAX_TRUST_STEPS};

#[test]
fn follows_each_version_to_the_last() {
    let mut world = World::new();
    for version in 2..=5 {
        world.publish_trust(version, |_| {}, &[1]);
    }
    accepted(&mut world);
    assert_eq!(world.verifier().trust().version, 5);
}

#[test]
fn a_version_is_not_looked_for_before_the_one_that_it_follows() {
    let mut world = World::new();
    world.publish_trust(3, |_| {}, &[1]);
    accepted(&mut world);
    assert_eq!(world.verifier().trust().version, 1);
}

#[test]
fn refuses_a_version_in_the_place_of_another() {
    let mut world = World::new();
    world.publish_trust(3, |_| {}, &[1]);
    let third = world.carrier.trust.remove(&3).unwrap();
    world.carrier.trust.insert(2, third);
    let (expected, got) = (2, 3);
    let refusal = Refusal::Trust(Distrusted::OutOfOrder { expected, got });
    assert_eq!(refused(&mut world), refusal);
    world.publish_trust(2, |_| {}, &[1]);
    accepted(&mut world);
}

#[test]
fn refuses_the_next_of_another_cluster() {
    let mut world = World::new();
    world.publish_trust(2, |t| t.cluster = "other".parse().unwrap(), &[1]);
    let refusal = Distrusted::WrongCluster {
        expected: "prod".parse().unwrap(),
        got: "other".parse().unwrap(),
    };
    assert_eq!(refused(&mut world), Refusal::Trust(refusal));
}

#[test]
fn refuses_the_next_if_it_says_what_it_may_not() {
    let mut world = World::new();
    world.publish_trust(2, |t| t.rulesets[0].threshold = 9, &[1]);
    let fault = Fault::Threshold {
        of: "rulesets",
        keys: 1,
        threshold: 9,
    };
    assert_eq!(
        refused(&mut world),
        Refusal::Trust(Distrusted::Invalid(fault))
    );
}

#[test]
fn refuses_the_next_if_the_root_did_not_sign_it() {
    let mut world = World::new();
    world.publish_trust(2, |_| {}, &[9]);
    let unknown = Unopened::UnknownKey(key(9).public_key().id().to_string());
    assert_eq!(
        refused(&mut world),
        Refusal::Trust(Distrusted::Unopened(unknown))
    );
    assert_eq!(world.verifier().trust().version, 1);
}

/// C1: who steals the key that signs rulesets cannot appoint its successor.
#[test]
fn a_signing_key_cannot_appoint_its_successor() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, |t| t.root.keys = public(&[2]), &[2]);
    // the key is known, but not as a root
    let cycle = world.cycle();
    let removed = Unopened::RemovedKey(key(2).public_key().id().clone());
    assert_eq!(
        cycle.outcome.unwrap_err(),
        Refusal::Trust(Distrusted::Unopened(removed))
    );
    assert!(!cycle.withdrawn, "what the owner signed stays in force");
}

#[test]
fn refuses_a_payload_that_is_not_a_trust_document() {
    let mut world = World::new();
    let bytes = World::signed_payload(crate::trust::PAYLOAD_TYPE, b"{}", &[1]);
    world.carrier.trust.insert(2, bytes);
    let refusal = refused(&mut world);
    let Refusal::Trust(Distrusted::Malformed(Malformed::Shape { .. })) = refusal else {
        panic!("{refusal:?}")
    };
}

#[test]
fn a_carrier_that_fails_is_not_one_that_has_none() {
    let mut world = World::new();
    world.carrier.failing = Some("the next trust document");
    let refusal = Refusal::FetchFailed {
        what: "the next trust document",
        reason: "connection reset".into(),
    };
    assert_eq!(refused(&mut world), refusal);
    world.carrier.failing = None;
    accepted(&mut world);
}

#[test]
fn expired_trust_accepts_nothing_new_but_an_expired_step_is_passed() {
    let mut world = World::new();
    world.document.expires_at = UnixTime(NOW);
    let at = UnixTime(NOW);
    assert_eq!(refused(&mut world), Refusal::TrustExpired { at });
    world.publish_trust(2, |t| t.expires_at = UnixTime(NOW + 1), &[1]);
    accepted(&mut world);
}

#[test]
fn one_cycle_follows_so_many_and_no_more() {
    let mut world = World::new();
    let document = world.document.clone();
    world.carrier.endless = Some(Box::new(move |version| {
        let next = Trust {
            version,
            ..document.clone()
        };
        Fetched::Bytes(World::sign_document(&next, &[1]))
    }));
    accepted(&mut world);
    let most = u64::try_from(MAX_TRUST_STEPS).unwrap();
    assert_eq!(world.verifier().trust().version, 1 + most);
}
