//! A restart: the state directory is a carrier like any other, and is tried first.

use super::world::{NOW, World, public};
use super::{accepted, refused, shop};
use crate::refusal::Refusal;
use crate::time::UnixTime;
use crate::verifier::{State, Verifier};

const END: u64 = NOW + 86_400;

fn expired(now: u64) -> Refusal {
    let (end, now) = (UnixTime(END), UnixTime(now));
    Refusal::Expired { end, now }
}

#[test]
fn only_a_restart_takes_up_what_is_stale() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 3_600);
    accepted(&mut world);
    world.now = END + 3_599;
    world.start().unwrap();
    assert_eq!(refused(&mut world), expired(END + 3_599), "from a carrier");
    world.restart = true;
    accepted(&mut world);
}

#[test]
fn a_restart_takes_up_nothing_past_its_last_hour() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 3_600);
    accepted(&mut world);
    world.restart = true;
    world.now = END + 3_600;
    world.start().unwrap();
    assert_eq!(refused(&mut world), expired(END + 3_600));
}

#[test]
fn a_restart_takes_up_only_what_was_in_force() {
    let mut world = World::new();
    accepted(&mut world);
    world.next(|m| m.stale.seconds = 3_600);
    world.now = END;
    world.restart = true;
    world.start().unwrap();
    assert_eq!(refused(&mut world), expired(END), "another one");
}

#[test]
fn a_first_start_takes_nothing_expired_in_any_mode() {
    let mut first = World::new();
    first.change(|m| m.stale.seconds = 3_600);
    first.now = END;
    first.restart = true;
    assert_eq!(refused(&mut first), expired(END));
}

/// A chain of three, each by the root before and its own.
fn rotated() -> World {
    let mut world = World::new();
    world.publish_trust(2, |t| t.root.keys = public(&[3]), &[1, 3]);
    world.publish_trust(3, |t| t.root.keys = public(&[4]), &[3, 4]);
    world.publish_trust(4, |t| t.root.keys = public(&[4]), &[4]);
    accepted(&mut world);
    world
}

fn written(world: &World) -> serde_json::Value {
    serde_json::to_value(world.verifier().state()).unwrap()
}

fn started(world: &World, state: serde_json::Value) -> Verifier {
    let state: State = serde_json::from_value(state).unwrap();
    Verifier::start(&world.pinned(), world.options.clone(), state).unwrap()
}

#[test]
fn an_honest_chain_survives_a_restart() {
    let world = rotated();
    let verifier = started(&world, written(&world));
    assert_eq!(verifier.trust().version, 4);
    assert!(verifier.floor(&shop()).is_some());
    assert_eq!(verifier.state(), world.verifier().state());
}

#[test]
fn a_chain_with_a_gap_counts_as_lost() {
    let world = rotated();
    for at in 0..3 {
        let mut state = written(&world);
        state["chain"].as_array_mut().unwrap().remove(at);
        let verifier = started(&world, state);
        assert_eq!(verifier.trust().version, 1, "without {at}");
        assert_eq!(verifier.floor(&shop()), None, "without {at}");
    }
}

/// Whoever writes the state is no root, whatever he signs for himself.
#[test]
fn another_root_in_the_state_is_not_in_force() {
    let mut world = World::new();
    accepted(&mut world);
    let mut own = world.document.clone();
    (own.version, own.root.keys) = (2, public(&[8]));
    own.rulesets[0].keys = public(&[9]);
    let own = String::from_utf8(World::sign_document(&own, &[8])).unwrap();
    let mut state = written(&world);
    state["trust"] = own.clone().into();
    for chain in [vec![], vec![own]] {
        state["chain"] = chain.into();
        let verifier = started(&world, state.clone());
        assert_eq!(verifier.trust(), &world.document);
    }
    world.resume(serde_json::from_value(state).unwrap());
    world.signing = vec![9];
    world.next(|_| {});
    let refusal = refused(&mut world);
    assert!(matches!(refusal, Refusal::Unopened(_)), "{refusal:?}");
}
