//! Keys that come and go: what a removed one signed ends, and what is planned has no gap.

use super::world::{World, public};
use super::{accepted, order, refused, removed, shop, unchanged};
use crate::envelope::Unopened;
use crate::json::MAX_INTEGER;
use crate::refusal::Refusal;
use crate::trust::{Distrusted, Trust};

/// Trust document N + 1 without the key 2, with the key 4 instead.
fn without_the_stolen(trust: &mut Trust) {
    trust.rulesets[0].keys = public(&[4]);
}

/// H2: after the highest serial that there is, the owner goes on under the next trust document.
#[test]
fn a_stolen_key_cannot_stop_the_owner_for_good() {
    let mut world = World::new();
    accepted(&mut world);
    world.change(|m| m.serial = MAX_INTEGER);
    accepted(&mut world);
    world.publish_trust(2, without_the_stolen, &[1]);
    world.signing = vec![4];
    world.change(|m| (m.trust, m.serial) = (2, 1));
    accepted(&mut world);
    assert_eq!(
        world.verifier().floor(&shop()).unwrap().order(),
        order(2, 1)
    );
    world.signing = vec![2];
    world.change(|m| (m.trust, m.serial) = (2, 2));
    assert_eq!(refused(&mut world), removed(2).into());
}

/// H6: it goes also though nothing newer came.
#[test]
fn what_a_removed_key_signed_is_withdrawn() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 3_600);
    accepted(&mut world);
    world.publish_trust(2, without_the_stolen, &[1]);
    let cycle = world.cycle();
    assert_eq!(cycle.outcome.unwrap_err(), removed(2).into());
    assert!(cycle.withdrawn && cycle.state_changed);
    assert!(!world.cycle().withdrawn, "once");
}

#[test]
fn what_a_removed_key_signed_is_withdrawn_also_if_the_carrier_fails_then() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, without_the_stolen, &[1]);
    world.carrier.failing = Some("the manifest");
    let cycle = world.cycle();
    assert!(matches!(cycle.outcome, Err(Refusal::FetchFailed { .. })));
    assert!(cycle.withdrawn);
}

#[test]
fn what_is_withdrawn_may_come_back_if_a_trusted_key_signs_it() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, without_the_stolen, &[1]);
    assert!(world.cycle().withdrawn);
    world.signing = vec![4];
    world.change(|_| {});
    accepted(&mut world);
}

#[test]
fn what_a_removed_key_signed_is_not_taken_up_at_a_restart() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, without_the_stolen, &[1]);
    assert!(world.cycle().withdrawn);
    world.restart = true;
    world.start().unwrap();
    assert_eq!(refused(&mut world), removed(2).into());
}

#[test]
fn a_planned_rotation_has_no_gap() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, |t| t.rulesets[0].keys = public(&[2, 4]), &[1]);
    unchanged(&world.cycle());
    world.signing = vec![4];
    world.next(|m| m.trust = 2);
    accepted(&mut world);
    world.publish_trust(3, without_the_stolen, &[1]);
    unchanged(&world.cycle());
}

/// The same payload, signed by the next key before the old one went: nothing is withdrawn.
#[test]
fn what_is_signed_anew_in_time_stays() {
    let mut world = World::new();
    accepted(&mut world);
    world.signing = vec![2, 4];
    world.change(|_| {});
    world.publish_trust(2, without_the_stolen, &[1]);
    unchanged(&world.cycle());
    world.publish_trust(3, without_the_stolen, &[1]);
    unchanged(&world.cycle());
}

#[test]
fn a_scope_that_is_delegated_no_longer_is_withdrawn() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, |t| t.rulesets[0].scopes = vec!["ops".into()], &[1]);
    let cycle = world.cycle();
    assert_eq!(
        cycle.outcome.unwrap_err(),
        Refusal::NotDelegated { scope: shop() }
    );
    assert!(cycle.withdrawn);
}

/// A root key that was lost or stolen, below the threshold: the next document names another.
#[test]
fn a_root_key_is_replaced_by_itself_and_its_successor() {
    let mut world = World::new();
    world.publish_trust(2, |t| t.root.keys = public(&[5]), &[1, 5]);
    accepted(&mut world);
    world.publish_trust(3, |t| t.root.keys = public(&[5]), &[1]);
    assert_eq!(
        refused(&mut world),
        Refusal::Trust(Distrusted::Unopened(removed(1)))
    );
    world.publish_trust(3, |t| t.root.keys = public(&[5]), &[5]);
    unchanged(&world.cycle());
}

#[test]
fn a_threshold_of_two_survives_one_stolen_key() {
    let mut world = World::new();
    world.document.rulesets[0].keys = public(&[2, 3]);
    world.document.rulesets[0].threshold = 2;
    let (threshold, got) = (2, 1);
    let refusal = Refusal::Unopened(Unopened::ThresholdNotMet { threshold, got });
    for stolen in [vec![2], vec![2, 2]] {
        world.signing = stolen;
        world.change(|_| {});
        assert_eq!(refused(&mut world), refusal);
    }
    world.signing = vec![2, 3];
    world.change(|_| {});
    accepted(&mut world);
}
