//! Who leads, judged as client-go does.
//!
//! Clocks differ, so that the time which a holder writes says nothing of whether it is over. A lease
//! is over when it was *seen* unchanged for its whole duration, by the watch of whoever looks.

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use std::time::{Duration, Instant};

/// For how long a lease holds that is not renewed.
pub(super) const DURATION: Duration = Duration::from_secs(15);

/// For how long a holder that cannot renew it goes on: less than anybody waits for it.
pub(super) const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked at.
pub(super) const PERIOD: Duration = Duration::from_secs(2);

/// What is to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Nothing: somebody else holds it.
    Wait,
    /// This, into a new lease.
    Create(LeaseSpec),
    /// This, if the lease is still what was looked at.
    Replace(LeaseSpec),
}

/// One who wants to lead.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    /// The lease as it was seen last, and since when it is so.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Election {
    pub(super) const fn new(identity: String) -> Self {
        let seen = None;
        Self { identity, seen }
    }

    /// What follows from the lease as it is there. `wall` is what is written, and judged by nobody.
    pub(super) fn step(
        &mut self,
        there: Option<&LeaseSpec>,
        now: Instant,
        wall: Timestamp,
    ) -> Step {
        let Some(there) = there else {
            self.seen = None;
            return Step::Create(self.spec(None, wall));
        };
        if self.holds(there) {
            let renewed = LeaseSpec {
                renew_time: Some(MicroTime(wall)),
                lease_duration_seconds: Some(seconds(DURATION)),
                ..there.clone()
            };
            return Step::Replace(renewed);
        }
        let since = match &self.seen {
            Some((seen, since)) if seen == there => *since,
            Some(_) | None => now,
        };
        self.seen = Some((there.clone(), since));
        let is_held = there
            .holder_identity
            .as_deref()
            .is_some_and(|it| !it.is_empty());
        if is_held && now.saturating_duration_since(since) < duration(there) {
            return Step::Wait;
        }
        Step::Replace(self.spec(Some(there), wall))
    }

    fn holds(&self, there: &LeaseSpec) -> bool {
        there.holder_identity.as_deref() == Some(self.identity.as_str())
    }

    /// The lease of a new holder.
    fn spec(&self, before: Option<&LeaseSpec>, wall: Timestamp) -> LeaseSpec {
        let transitions = before.and_then(|it| it.lease_transitions);
        let transitions = transitions.map_or(0, |it| it.saturating_add(1));
        LeaseSpec {
            acquire_time: Some(MicroTime(wall)),
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(seconds(DURATION)),
            lease_transitions: Some(transitions),
            renew_time: Some(MicroTime(wall)),
            ..LeaseSpec::default()
        }
    }

    /// The lease as its holder gives it up, so that nobody has to wait; `None` if it is another's.
    pub(super) fn released(&self, there: &LeaseSpec) -> Option<LeaseSpec> {
        self.holds(there).then(|| LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            ..there.clone()
        })
    }
}

/// The longest that one holds, whatever it says: a word too many must not keep everybody from leading.
const LONGEST: Duration = Duration::from_mins(1);

/// For how long it holds, by its own word: a holder may have been told another duration.
fn duration(there: &LeaseSpec) -> Duration {
    let said = there
        .lease_duration_seconds
        .and_then(|it| u64::try_from(it).ok());
    said.map_or(DURATION, |it| Duration::from_secs(it).min(LONGEST))
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{DURATION, Election, LeaseSpec, PERIOD, Step};
    use k8s_openapi::jiff::Timestamp;
    use std::time::{Duration, Instant};

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn held_by(identity: &str, renewed: i64) -> LeaseSpec {
        let mut election = Election::new(identity.to_owned());
        match election.step(None, Instant::now(), wall(renewed)) {
            Step::Create(spec) => spec,
            other => panic!("{other:?}"),
        }
    }

    fn holder(step: &Step) -> (&str, Option<i32>) {
        match step {
            Step::Create(spec) | Step::Replace(spec) => (
                spec.holder_identity.as_deref().unwrap(),
                spec.lease_transitions,
            ),
            Step::Wait => ("", None),
        }
    }

    #[test]
    fn the_first_takes_it_and_renews_it() {
        let (start, mut a) = (Instant::now(), Election::new("a".to_owned()));
        let step = a.step(None, start, wall(0));
        assert_eq!(holder(&step), ("a", Some(0)));
        let renewed = a.step(Some(&held_by("a", 0)), start + PERIOD, wall(2));
        let Step::Replace(spec) = renewed else {
            panic!()
        };
        assert_eq!(spec.renew_time.unwrap().0, wall(2));
        assert_eq!(spec.acquire_time.unwrap().0, wall(0));
        assert_eq!(spec.lease_transitions, Some(0));
    }

    /// The holder's clock may be years off: it is not looked at.
    #[test]
    fn a_lease_is_over_when_it_was_seen_unchanged_for_its_duration() {
        for renewed in [0, 4_000_000_000] {
            let (start, mut b) = (Instant::now(), Election::new("b".to_owned()));
            let lease = held_by("a", renewed);
            assert_eq!(b.step(Some(&lease), start, wall(1_000)), Step::Wait);
            let just = start + Duration::from_millis(14_999);
            assert_eq!(b.step(Some(&lease), just, wall(1_014)), Step::Wait);
            let over = b.step(Some(&lease), start + DURATION, wall(1_015));
            assert_eq!(holder(&over), ("b", Some(1)));
        }
    }

    #[test]
    fn a_renewal_begins_the_wait_anew() {
        let (start, mut b) = (Instant::now(), Election::new("b".to_owned()));
        assert_eq!(b.step(Some(&held_by("a", 0)), start, wall(0)), Step::Wait);
        let later = start + DURATION;
        let renewed = held_by("a", 2);
        assert_eq!(b.step(Some(&renewed), later, wall(15)), Step::Wait);
        let over = b.step(Some(&renewed), later + DURATION, wall(30));
        assert_eq!(holder(&over), ("b", Some(1)));
    }

    #[test]
    fn what_is_given_up_is_taken_at_once() {
        let (start, mut b) = (Instant::now(), Election::new("b".to_owned()));
        let a = Election::new("a".to_owned());
        let released = a.released(&held_by("a", 0)).unwrap();
        let taken = b.step(Some(&released), start, wall(0));
        assert_eq!(holder(&taken), ("b", Some(1)));
        assert_eq!(a.released(&held_by("b", 0)), None);
    }

    #[test]
    fn a_duration_that_another_was_told_counts_for_its_lease() {
        let (start, mut b) = (Instant::now(), Election::new("b".to_owned()));
        let lease = LeaseSpec {
            lease_duration_seconds: Some(60),
            ..held_by("a", 0)
        };
        assert_eq!(b.step(Some(&lease), start, wall(0)), Step::Wait);
        assert_eq!(b.step(Some(&lease), start + DURATION, wall(0)), Step::Wait);
        let minute = start + Duration::from_mins(1);
        assert!(matches!(
            b.step(Some(&lease), minute, wall(0)),
            Step::Replace(_)
        ));
    }

    /// Whoever may write a lease could have nobody lead for years.
    #[test]
    fn no_lease_holds_for_longer_than_a_minute() {
        let (start, mut b) = (Instant::now(), Election::new("b".to_owned()));
        let lease = LeaseSpec {
            lease_duration_seconds: Some(i32::MAX),
            ..held_by("a", 0)
        };
        assert_eq!(b.step(Some(&lease), start, wall(0)), Step::Wait);
        let before = start + Duration::from_secs(59);
        assert_eq!(b.step(Some(&lease), before, wall(0)), Step::Wait);
        let minute = start + Duration::from_mins(1);
        assert!(matches!(
            b.step(Some(&lease), minute, wall(0)),
            Step::Replace(_)
        ));
    }
}
