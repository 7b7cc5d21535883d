//! Attacks with valid signatures: what is old, forked, withheld, or signed by a stolen key.

use super::world::{NOW, World, public};
use super::{accepted, refused};
use crate::refusal::Refusal;
use crate::time::UnixTime;
use proptest::prelude::*;

#[test]
fn refuses_a_rollback() {
    let mut world = World::new();
    let old = world.carrier.manifest.clone();
    accepted(&mut world);
    world.next(|_| {});
    accepted(&mut world);
    world.carrier.manifest = old;
    let outcome = world.cycle().outcome.unwrap_err();
    assert_eq!(
        outcome,
        Refusal::RolledBack {
            floor: (1, 2),
            got: (1, 1)
        }
    );
}

#[test]
fn refuses_a_rollback_after_a_restart() {
    let mut world = World::new();
    let old = world.carrier.manifest.clone();
    world.next(|_| {});
    accepted(&mut world);
    world.start().unwrap();
    world.carrier.manifest = old;
    assert_eq!(refused(&mut world), "RolledBack");
}

#[test]
fn a_diskless_edge_refuses_what_is_below_the_floor_of_its_deployment() {
    let mut world = World::new();
    world.options.serial_floor = Some((1, 2));
    assert_eq!(refused(&mut world), "RolledBack");
    world.next(|_| {});
    accepted(&mut world);
}

#[test]
fn refuses_two_rulesets_of_one_serial() {
    let mut world = World::new();
    accepted(&mut world);
    world.change(|m| m.stale.seconds = 1);
    assert_eq!(refused(&mut world), "Equivocated");
}

#[test]
fn a_restart_at_the_floor_takes_the_same_ruleset_again() {
    let mut world = World::new();
    accepted(&mut world);
    world.start().unwrap();
    accepted(&mut world);
}

#[test]
fn only_a_restart_takes_up_what_is_stale_and_only_what_was_in_force() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 3600);
    accepted(&mut world);
    world.now = NOW + 86_400 + 3599;
    world.start().unwrap();
    assert_eq!(
        refused(&mut world),
        "Expired",
        "from a carrier it is expired"
    );
    world.restart = true;
    accepted(&mut world);
    world.start().unwrap();
    world.now += 1;
    assert_eq!(refused(&mut world), "Expired", "stale.for is over");
    let mut first = World::new();
    first.change(|m| m.stale.seconds = 3600);
    first.now = NOW + 86_400;
    first.restart = true;
    assert_eq!(
        refused(&mut first),
        "Expired",
        "a first start takes nothing expired"
    );
}

#[test]
fn a_clock_set_back_does_not_revive_what_has_expired() {
    let mut world = World::new();
    let old = world.carrier.manifest.clone();
    world.next(|m| {
        m.issued_at = UnixTime(NOW + 90_000);
        m.expires_at = UnixTime(NOW + 100_000);
    });
    world.now = NOW + 90_000;
    accepted(&mut world);
    // a fresh scope's floor would let serial 1 in; the signed lower bound of the time does not
    world.options.serial_floor = None;
    world.now = NOW;
    world.carrier.manifest = old;
    world.manifest.serial = 3;
    world.change(|_| {});
    assert_eq!(refused(&mut world), "Expired");
}

#[test]
fn a_stolen_key_cannot_stop_the_owner_for_good() {
    let mut world = World::new();
    accepted(&mut world);
    // the thief signs the highest serial there is
    world.change(|m| m.serial = crate::json::MAX_INTEGER);
    accepted(&mut world);
    // the owner publishes trust 2 without the key, and signs with the new one from serial 1 on
    world.publish_trust(2, |t| t.rulesets[0].keys = public(&[4]), &[1]);
    world.signing = vec![4];
    world.change(|m| (m.trust, m.serial) = (2, 1));
    accepted(&mut world);
    // and the thief's are refused
    world.signing = vec![2];
    world.change(|m| (m.trust, m.serial) = (2, 2));
    assert_eq!(refused(&mut world), "RemovedKey");
}

#[test]
fn what_a_removed_key_signed_is_withdrawn() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, |t| t.rulesets[0].keys = public(&[4]), &[1]);
    let cycle = world.cycle();
    assert_eq!(cycle.outcome.unwrap_err().as_str(), "RemovedKey");
    assert!(cycle.withdrawn && cycle.state_changed);
}

#[test]
fn a_planned_rotation_has_no_gap() {
    let mut world = World::new();
    accepted(&mut world);
    world.publish_trust(2, |t| t.rulesets[0].keys = public(&[2, 4]), &[1]);
    assert!(!world.cycle().withdrawn);
    world.signing = vec![4];
    world.next(|m| m.trust = 2);
    accepted(&mut world);
    let without = |t: &mut crate::trust::Trust| t.rulesets[0].keys = public(&[4]);
    world.publish_trust(3, without, &[1]);
    assert!(!world.cycle().withdrawn);
}

#[test]
fn a_threshold_of_two_survives_one_stolen_key() {
    let mut world = World::new();
    world.document.rulesets[0].keys = public(&[2, 3]);
    world.document.rulesets[0].threshold = 2;
    world.change(|_| {});
    assert_eq!(refused(&mut world), "ThresholdNotMet");
    world.signing = vec![2, 2];
    world.change(|_| {});
    assert_eq!(refused(&mut world), "ThresholdNotMet");
    world.signing = vec![2, 3];
    world.change(|_| {});
    accepted(&mut world);
}

#[test]
fn the_chain_of_trust_has_no_gap_and_no_detour() {
    let mut world = World::new();
    world.publish_trust(3, |_| {}, &[1]);
    accepted(&mut world);
    assert_eq!(
        world.verifier().trust().version,
        1,
        "3 is not looked for before 2"
    );
    world
        .carrier
        .trust
        .insert(2, world.carrier.trust[&3].clone());
    assert_eq!(refused(&mut world), "TrustOutOfOrder");
    world.publish_trust(2, |t| t.cluster = "other".parse().unwrap(), &[1]);
    assert_eq!(refused(&mut world), "WrongCluster");
    world.publish_trust(2, |t| t.rulesets[0].threshold = 9, &[1]);
    assert_eq!(refused(&mut world), "TrustInvalid");
    world.publish_trust(2, |_| {}, &[9]);
    assert_eq!(refused(&mut world), "UnknownKey");
    world.publish_trust(2, |_| {}, &[1]);
    world.cycle().outcome.unwrap();
    assert_eq!(world.verifier().trust().version, 3);
}

#[test]
fn expired_trust_accepts_nothing_new_but_an_expired_step_is_passed() {
    let mut world = World::new();
    world.document.expires_at = UnixTime(NOW);
    assert_eq!(refused(&mut world), "TrustExpired");
    world.publish_trust(2, |t| t.expires_at = UnixTime(NOW + 1), &[1]);
    accepted(&mut world);
}

proptest! {
    #[test]
    fn no_bit_of_what_is_published_can_be_flipped(at in any::<prop::sample::Index>(), bit in 0..8_u8, which in 0..3_usize) {
        let mut world = World::new();
        let bytes = match which {
            0 => world.carrier.manifest.as_mut().unwrap(),
            n => world.carrier.blobs.values_mut().nth(n - 1).unwrap(),
        };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let intact = World::new();
        if let Ok(super::Outcome::InForce(taken)) = world.cycle().outcome {
            // only what nobody signs can differ: the key id, or a member's name that is ignored
            prop_assert_eq!(which, 0);
            prop_assert_eq!(&taken.ruleset.manifest, &intact.manifest);
        }
    }
}
