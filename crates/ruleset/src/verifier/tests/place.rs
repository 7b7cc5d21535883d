//! Step 6: nothing that is older than what was accepted, and nothing beside it.

use super::world::World;
use super::{accepted, order, refused, shop, unchanged};
use crate::refusal::Refusal;

fn rolled_back(floor: (u64, u64), got: (u64, u64)) -> Refusal {
    let (floor, got) = (order(floor.0, floor.1), order(got.0, got.1));
    Refusal::RolledBack { floor, got }
}

#[test]
fn refuses_a_rollback() {
    let mut world = World::new();
    let old = world.carrier.manifest.clone();
    accepted(&mut world);
    world.next(|_| {});
    accepted(&mut world);
    world.carrier.manifest = old;
    assert_eq!(refused(&mut world), rolled_back((1, 2), (1, 1)));
}

#[test]
fn refuses_a_rollback_after_a_restart() {
    let mut world = World::new();
    let old = world.carrier.manifest.clone();
    world.next(|_| {});
    accepted(&mut world);
    world.start().unwrap();
    world.carrier.manifest = old;
    assert_eq!(refused(&mut world), rolled_back((1, 2), (1, 1)));
}

/// H4: an edge without a disk has no floor but the one of its deployment.
#[test]
fn a_diskless_edge_refuses_what_is_below_the_floor_of_its_deployment() {
    let mut world = World::new();
    world.options.serial_floor = Some("1:2".parse().unwrap());
    assert_eq!(refused(&mut world), rolled_back((1, 2), (1, 1)));
    world.next(|_| {});
    accepted(&mut world);
    assert_eq!(
        world.verifier().floor(&shop()).unwrap().order(),
        order(1, 2),
        "just the floor is enough"
    );
}

#[test]
fn the_higher_of_two_floors_counts() {
    let mut world = World::new();
    world.next(|_| {});
    world.next(|_| {});
    accepted(&mut world);
    for (floor, expected) in [("1:2", (1, 3)), ("1:9", (1, 9)), ("2:1", (2, 1))] {
        world.options.serial_floor = Some(floor.parse().unwrap());
        world.start().unwrap();
        world.change(|m| m.serial = 2);
        assert_eq!(refused(&mut world), rolled_back(expected, (1, 2)));
    }
}

#[test]
fn refuses_two_rulesets_of_one_place() {
    let mut world = World::new();
    accepted(&mut world);
    world.change(|m| m.stale.seconds = 1);
    let order = order(1, 1);
    assert_eq!(refused(&mut world), Refusal::Equivocated { order });
}

/// H1: below the floor is old; at the floor it is the same one, if its payload is.
#[test]
fn a_restart_at_the_floor_takes_the_same_ruleset_again() {
    let mut world = World::new();
    accepted(&mut world);
    world.start().unwrap();
    accepted(&mut world);
    unchanged(&world.cycle());
}

#[test]
fn the_same_payload_may_be_in_another_envelope() {
    let mut world = World::new();
    accepted(&mut world);
    world.signing = vec![2, 9];
    world.change(|_| {});
    unchanged(&world.cycle());
}

#[test]
fn each_scope_has_a_floor_of_its_own() {
    let mut world = World::new();
    world.next(|_| {});
    accepted(&mut world);
    let ops: crate::names::Scope = "ops".parse().unwrap();
    assert!(world.verifier().floor(&ops).is_none());
    assert_eq!(world.verifier().floor(&shop()).unwrap().serial, 2);
}

#[test]
fn a_floor_is_written_as_trust_and_serial() {
    assert_eq!("2:17".parse(), Ok(order(2, 17)));
    assert_eq!(order(2, 17).to_string(), "2:17");
    for bad in ["", "1", "1:", ":1", "1:2:3", "-1:2", "1:x", "1: 2"] {
        let refusal = bad.parse::<crate::verifier::Order>().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("expected `TRUST:SERIAL`, two whole numbers, got `{bad}`")
        );
    }
}
