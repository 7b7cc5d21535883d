//! A restart: the state directory is a carrier like any other, and is tried first.

use super::world::{NOW, World};
use super::{accepted, refused};
use crate::refusal::Refusal;
use crate::time::UnixTime;

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
