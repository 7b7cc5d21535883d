//! Step 7: when it was issued, for how long, and what time it can be at least.

use super::super::{Outcome, Standing, Term};
use super::world::{NOW, World};
use super::{accepted, refused, shop};
use crate::manifest::{MAX_STALE, Unfit};
use crate::refusal::Refusal;
use crate::time::UnixTime;

const DAY: u64 = 86_400;

#[test]
fn refuses_the_future_and_does_not_move_the_floor() {
    let mut world = World::new();
    world.change(|m| {
        m.issued_at = UnixTime(NOW + 301);
        m.expires_at = m.issued_at.plus(60);
    });
    let (issued_at, now) = (UnixTime(NOW + 301), UnixTime(NOW));
    assert_eq!(
        refused(&mut world),
        Refusal::FromTheFuture { issued_at, now }
    );
    assert!(world.verifier().floor(&shop()).is_none());
    world.change(|m| m.issued_at = UnixTime(NOW + 300));
    accepted(&mut world);
}

#[test]
fn refuses_a_validity_that_the_root_does_not_allow() {
    let refusal = |expires_at| {
        let mut world = World::new();
        world.change(|m| m.expires_at = UnixTime(expires_at));
        let (issued_at, latest) = (UnixTime(NOW), UnixTime(NOW + 7 * DAY));
        let expires_at = UnixTime(expires_at);
        let unfit = Unfit::Validity {
            issued_at,
            expires_at,
            latest,
        };
        assert_eq!(refused(&mut world), Refusal::Unfit(unfit));
        world
    };
    refusal(NOW - 1);
    refusal(NOW);
    let mut world = refusal(NOW + 7 * DAY + 1);
    world.change(|m| m.expires_at = UnixTime(NOW + 7 * DAY));
    accepted(&mut world);
}

/// Rulesets baked into images: the root says for how long.
#[test]
fn a_root_may_allow_more() {
    let mut world = World::new();
    world.document.rulesets[0].max_validity = 400 * DAY;
    world.change(|m| m.expires_at = UnixTime(NOW + 399 * DAY));
    accepted(&mut world);
}

/// H5: without a bound, whoever holds the store could freeze an edge for good.
#[test]
fn refuses_to_be_served_on_for_more_than_a_week() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = MAX_STALE + 1);
    assert_eq!(refused(&mut world), Unfit::Stale(MAX_STALE + 1).into());
    world.change(|m| m.stale.seconds = MAX_STALE);
    accepted(&mut world);
}

fn expired(end: u64, now: u64) -> Refusal {
    let (end, now) = (UnixTime(end), UnixTime(now));
    Refusal::Expired { end, now }
}

#[test]
fn refuses_what_has_expired() {
    let mut world = World::new();
    world.now = NOW + DAY;
    assert_eq!(refused(&mut world), expired(NOW + DAY, NOW + DAY));
    world.now = NOW + DAY - 1;
    accepted(&mut world);
}

#[test]
fn refuses_what_is_older_than_allowed_here() {
    let mut world = World::new();
    world.options.max_age = Some(3_600);
    world.now = NOW + 3_600;
    assert_eq!(refused(&mut world), expired(NOW + 3_600, NOW + 3_600));
    world.now = NOW + 3_599;
    accepted(&mut world);
    let mut world = World::new();
    world.options.max_age = Some(400 * DAY);
    world.now = NOW + DAY;
    assert_eq!(
        refused(&mut world),
        expired(NOW + DAY, NOW + DAY),
        "it only tightens"
    );
}

#[test]
fn what_may_be_served_on_is_still_refused_from_a_carrier() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 3_600);
    world.now = NOW + DAY;
    assert_eq!(refused(&mut world), expired(NOW + DAY, NOW + DAY));
}

/// H3: `now() = max(wall, highest issuedAt accepted)`.
#[test]
fn a_clock_set_back_does_not_revive_what_has_expired() {
    let mut world = World::new();
    let old = world.manifest.clone();
    world.next(|m| {
        m.issued_at = UnixTime(NOW + 90_000);
        m.expires_at = UnixTime(NOW + 100_000);
    });
    world.now = NOW + 90_000;
    accepted(&mut world);
    assert_eq!(
        world.verifier().now(UnixTime(NOW)),
        UnixTime(NOW + 90_000),
        "a signed lower bound of what time it is"
    );
    // the old one with a new serial, and the clock set back to when it was good
    world.now = NOW;
    world.manifest = old;
    world.change(|m| m.serial = 3);
    assert_eq!(refused(&mut world), expired(NOW + DAY, NOW + 90_000));
}

fn term(world: &mut World) -> Term {
    match world.cycle().outcome {
        Ok(Outcome::InForce(accepted)) => accepted.ruleset.term,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stands_fresh_then_stale_then_expired() {
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 100);
    let term = term(&mut world);
    for (now, standing, changes) in [
        (0, Standing::Fresh, Some(NOW + DAY)),
        (NOW + DAY - 1, Standing::Fresh, Some(NOW + DAY)),
        (NOW + DAY, Standing::Stale, Some(NOW + DAY + 100)),
        (NOW + DAY + 99, Standing::Stale, Some(NOW + DAY + 100)),
        (NOW + DAY + 100, Standing::Expired, None),
    ] {
        assert_eq!(term.standing(UnixTime(now)), standing, "{now}");
        assert_eq!(term.changes_at(UnixTime(now)), changes.map(UnixTime));
    }
}

#[test]
fn an_operator_may_shorten_how_long_it_is_served_on() {
    let mut world = World::new();
    world.options.max_stale = 10;
    world.change(|m| m.stale.seconds = 100);
    let served_until = term(&mut world).served_until;
    assert_eq!(served_until, UnixTime(NOW + DAY + 10));
    let mut world = World::new();
    world.change(|m| m.stale.seconds = 5);
    assert_eq!(term(&mut world).served_until, UnixTime(NOW + DAY + 5));
}
