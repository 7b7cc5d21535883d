//! What is to be done, and in which order: each once, soon after it went quiet, and whoever has
//! waited longest first.

use countersign_ruleset::names::Scope;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long nothing may change before what changed is compiled.
const QUIET: Duration = Duration::from_millis(100);

/// How long changes may go on before it is compiled all the same.
const MOST: Duration = Duration::from_secs(1);

/// The first delay after a failure, and the longest.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_mins(1);

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Work {
    /// The resources of the cluster.
    Cluster,
    /// A namespace.
    Namespace(Scope),
}

/// What can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// This; it is not given again before it is `done`.
    Take(Work),
    /// Nothing before then.
    Wait(Instant),
    /// Nothing.
    Idle,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    /// Since when it waits.
    since: Instant,
    /// When it can be done.
    due: Instant,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pending: BTreeMap<Work, Pending>,
    busy: BTreeSet<Work>,
    failures: BTreeMap<Work, u32>,
}

impl Queue {
    /// Something changed.
    pub(crate) fn touch(&mut self, work: Work, now: Instant) {
        let pending = self.pending.entry(work).or_insert(Pending {
            since: now,
            due: now,
        });
        pending.since = pending.since.min(now);
        let latest = after(pending.since, MOST);
        pending.due = after(now, QUIET).min(latest);
    }

    /// It is to be done then, if not before.
    pub(crate) fn schedule(&mut self, work: Work, at: Instant) {
        let new = Pending { since: at, due: at };
        let pending = self.pending.entry(work).or_insert(new);
        pending.since = pending.since.min(at);
        pending.due = pending.due.min(at);
    }

    /// It failed, and is tried again: later each time.
    pub(crate) fn retry(&mut self, work: Work, now: Instant) {
        let failures = self.failures.entry(work.clone()).or_default();
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(*failures));
        *failures = failures.saturating_add(1);
        self.schedule(work, after(now, wait.min(LAST_RETRY)));
    }

    /// It succeeded: a failure after this is the first.
    pub(crate) fn succeeded(&mut self, work: &Work) {
        self.failures.remove(work);
    }

    /// It is no longer being done, whatever came of it.
    pub(crate) fn done(&mut self, work: &Work) {
        self.busy.remove(work);
    }

    /// Whether it is being done.
    pub(crate) fn is_busy(&self, work: &Work) -> bool {
        self.busy.contains(work)
    }

    /// What can be done now. The cluster is first, for it says which keys are to be fetched, and each
    /// namespace is published with them; then what has waited longest: a namespace that never goes quiet
    /// makes no other wait.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        let free = self
            .pending
            .iter()
            .filter(|(work, _)| !self.busy.contains(*work));
        let due = free.clone().filter(|(_, pending)| pending.due <= now);
        let longest = due.min_by_key(|(work, pending)| (**work != Work::Cluster, pending.since));
        if let Some(work) = longest.map(|(work, _)| work.clone()) {
            self.pending.remove(&work);
            self.busy.insert(work.clone());
            return Next::Take(work);
        }
        let soonest = free.map(|(_, pending)| pending.due).min();
        soonest.map_or(Next::Idle, Next::Wait)
    }

    /// How much waits that could be done now.
    pub(crate) fn depth(&self, now: Instant) -> usize {
        let due = self.pending.values().filter(|pending| pending.due <= now);
        due.count()
    }
}

fn after(instant: Instant, duration: Duration) -> Instant {
    instant.checked_add(duration).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_RETRY, MOST, Next, QUIET, Queue, Work};
    use std::time::{Duration, Instant};

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn work(namespace: &str) -> Work {
        Work::Namespace(namespace.parse().unwrap())
    }

    #[test]
    fn what_changes_often_is_done_once_it_is_quiet() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        queue.touch(work("a"), start);
        queue.touch(work("a"), start + QUIET / 2);
        let due = start + QUIET / 2 + QUIET;
        assert_eq!(queue.next(start + QUIET), Next::Wait(due));
        assert_eq!(queue.next(due), Next::Take(work("a")));
        queue.done(&work("a"));
        assert_eq!(queue.next(due), Next::Idle);
    }

    #[test]
    fn what_is_never_quiet_is_done_all_the_same() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        let mut now = start;
        while now < start + MOST {
            assert!(matches!(queue.next(now), Next::Idle | Next::Wait(_)));
            queue.touch(work("a"), now);
            now += QUIET / 2;
        }
        assert_eq!(queue.next(start + MOST), Next::Take(work("a")));
    }

    #[test]
    fn who_has_waited_longest_is_first() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        for name in ["b", "noisy", "a"] {
            queue.touch(work(name), start);
        }
        queue.touch(work("late"), start + MILLISECOND);
        let (before, now) = (start + MOST, start + MOST + QUIET);
        let mut order = Vec::new();
        while let Next::Take(next) = queue.next(now) {
            if order.is_empty() {
                // it is touched again as soon as it is taken, and waits behind all others
                queue.touch(next.clone(), before);
            }
            queue.done(&next);
            order.push(next);
        }
        let expected = ["a", "b", "noisy", "late", "a"];
        assert_eq!(order, expected.map(work));
    }

    /// Who begins to lead with a thousand namespaces would fetch no keys before all are published.
    #[test]
    fn the_cluster_is_before_whoever_has_waited_longer() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        queue.touch(work("a"), start);
        queue.touch(Work::Cluster, start + MILLISECOND);
        let now = start + MOST;
        assert_eq!(queue.next(now), Next::Take(Work::Cluster));
        assert_eq!(queue.next(now), Next::Take(work("a")));
    }

    #[test]
    fn what_is_being_done_is_not_begun_again_before_it_is_done() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        queue.touch(work("a"), start);
        let before = start + MOST;
        assert_eq!(queue.next(before), Next::Take(work("a")));
        queue.touch(work("a"), before);
        let now = before + QUIET;
        assert_eq!(queue.next(now), Next::Idle);
        assert_eq!(queue.depth(now), 1);
        queue.done(&work("a"));
        assert_eq!(queue.next(now), Next::Take(work("a")));
    }

    #[test]
    fn what_is_scheduled_for_later_is_done_at_once_if_it_changes() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        let later = start + Duration::from_mins(15);
        queue.schedule(work("a"), later);
        assert_eq!(queue.next(start), Next::Wait(later));
        queue.touch(work("a"), start);
        assert_eq!(queue.next(start + QUIET), Next::Take(work("a")));
    }

    #[test]
    fn what_fails_is_tried_again_ever_later() {
        let (start, mut queue) = (Instant::now(), Queue::default());
        for wait in [FIRST_RETRY, FIRST_RETRY * 2, FIRST_RETRY * 4] {
            queue.retry(work("a"), start);
            assert_eq!(queue.next(start), Next::Wait(start + wait));
            assert_eq!(queue.next(start + wait), Next::Take(work("a")));
            queue.done(&work("a"));
        }
        queue.succeeded(&work("a"));
        queue.retry(work("a"), start);
        assert_eq!(queue.next(start), Next::Wait(start + FIRST_RETRY));
    }
}
