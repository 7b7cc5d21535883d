//! How long to wait before a carrier is asked again.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// After many.
const LONGEST: Duration = Duration::from_mins(1);

/// Says some number, each as likely as another.
pub(super) type Jitter = fn() -> u16;

/// The number that nobody foresees: thousands of edges that lost one server must not all come back to
/// it at once.
pub(super) fn random() -> u16 {
    let mut bytes = [0; 2];
    // without randomness they come back together, which is not worth failing for
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u16::from_ne_bytes(bytes)
}

/// The pace at which one carrier is asked.
#[derive(Debug)]
pub(super) struct Pace {
    jitter: Jitter,
    failures: u32,
}

impl Pace {
    pub(super) const fn new(jitter: Jitter) -> Self {
        Self {
            jitter,
            failures: 0,
        }
    }

    /// It could not be asked: twice as long as before, up to a minute.
    pub(super) fn failed(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(16);
        self.spread(whole.min(LONGEST))
    }

    /// It could be asked.
    pub(super) const fn went_well(&mut self) {
        self.failures = 0;
    }

    /// Between a half of it and the whole.
    pub(super) fn spread(&self, whole: Duration) -> Duration {
        let share = f64::from((self.jitter)()) / f64::from(u16::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    fn seconds(jitter: super::Jitter, times: usize) -> Vec<u64> {
        let mut pace = Pace::new(jitter);
        let failed = |_| pace.failed().as_secs();
        (0..times).map(failed).collect()
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_minute() {
        assert_eq!(seconds(|| u16::MAX, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(seconds(|| 0, 8), [0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(seconds(|| 0, 100).last(), Some(&30));
    }

    #[test]
    fn what_goes_well_begins_anew() {
        let mut pace = Pace::new(|| u16::MAX);
        pace.failed();
        pace.failed();
        pace.went_well();
        assert_eq!(pace.failed(), Duration::from_secs(1));
    }

    #[test]
    fn nobody_comes_back_at_the_same_time() {
        let pace = Pace::new(super::random);
        let all = (0..64).map(|_| pace.spread(Duration::from_mins(1)));
        let all: std::collections::BTreeSet<_> = all.collect();
        assert!(all.len() > 32, "{all:?}");
        let within = |wait: &Duration| (30..=60).contains(&wait.as_secs());
        assert!(all.iter().all(within), "{all:?}");
    }
}
