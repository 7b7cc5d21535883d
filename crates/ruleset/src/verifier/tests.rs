//! The algorithm, refusal by refusal: each is provoked alone, and beside it the same without the fault.

mod attacks;
mod blobs;
mod manifest;
mod place;
mod restart;
mod rotation;
mod start;
mod steps;
mod time;
mod trust;
mod world;

use super::{Cycle, Order, Outcome};
use crate::envelope::Unopened;
use crate::names::Scope;
use crate::refusal::Refusal;
use crate::sign::Signer;
use world::{World, key};

fn refused(world: &mut World) -> Refusal {
    world.cycle().outcome.unwrap_err()
}

#[track_caller]
fn accepted(world: &mut World) {
    let outcome = world.cycle().outcome;
    assert!(matches!(outcome, Ok(Outcome::InForce(_))), "{outcome:?}");
}

#[track_caller]
fn unchanged(cycle: &Cycle) {
    let Cycle {
        outcome, withdrawn, ..
    } = cycle;
    assert!(matches!(outcome, Ok(Outcome::Unchanged)), "{outcome:?}");
    assert!(!withdrawn);
}

fn order(trust: u64, serial: u64) -> Order {
    Order { trust, serial }
}

fn shop() -> Scope {
    "shop".parse().unwrap()
}

/// The refusal of what was signed by a key that was trusted once.
fn removed(seed: u8) -> Unopened {
    Unopened::RemovedKey(key(seed).public_key().id().clone())
}

#[test]
fn accepts_what_is_signed_whole_and_new() {
    let mut world = World::new();
    let cycle = world.cycle();
    assert!(cycle.state_changed && !cycle.withdrawn);
    let Ok(Outcome::InForce(taken)) = cycle.outcome else {
        panic!("refused: {:?}", cycle.outcome)
    };
    assert_eq!(taken.ruleset.manifest, world.manifest);
    assert_eq!(Some(&taken.envelope), world.carrier.manifest.as_ref());
    for (digest, bytes) in &taken.blobs {
        assert_eq!(world.carrier.blobs.get(digest), Some(bytes));
    }
    let floor = world.verifier().floor(&shop()).unwrap();
    assert_eq!(
        (floor.order(), &floor.digest),
        (order(1, 1), &taken.ruleset.digest)
    );
}

#[test]
fn a_second_look_changes_nothing() {
    let mut world = World::new();
    accepted(&mut world);
    let cycle = world.cycle();
    unchanged(&cycle);
    assert!(!cycle.state_changed);
}

#[test]
fn a_refusal_keeps_what_is_in_force_and_what_is_remembered() {
    let mut world = World::new();
    accepted(&mut world);
    let before = world.verifier().state();
    world.next(|m| m.cluster = "other".parse().unwrap());
    let cycle = world.cycle();
    assert!(cycle.outcome.is_err() && !cycle.withdrawn && !cycle.state_changed);
    assert_eq!(world.verifier().state(), before);
}
