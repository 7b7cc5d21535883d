//! The long poll: what a caller prefers, and when it is let go.

use http::{HeaderMap, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest that a request is held.
pub(super) const LONGEST: Duration = Duration::from_mins(1);

/// Over how long those are let go that wait for one change, for each of them and at most.
const FOR_EACH: Duration = Duration::from_millis(1);
const AT_MOST: Duration = Duration::from_secs(2);

/// How long a caller would wait for a change (RFC 7240 §4.3); `None` is not at all.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all("prefer").iter();
    let mut words = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split([',', ';']));
    let seconds = words.find_map(|word| {
        let (name, value) = word.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse().ok())?
    });
    seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST))
}

/// Says that it was waited, and for how long at most.
pub(super) fn applied(wait: Duration) -> HeaderValue {
    let text = format!("wait={}", wait.as_secs());
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("wait"))
}

/// Who waits at the moment.
#[derive(Debug, Default)]
pub(super) struct Waiting(AtomicU64);

/// One who waits, until this is dropped.
#[derive(Debug)]
pub(super) struct OneWaits<'w>(&'w AtomicU64);

impl Drop for OneWaits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waiting {
    pub(super) fn one(&self) -> OneWaits<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        OneWaits(&self.0)
    }

    /// How long one is held on after a change, so that thousands do not ask for its blobs at once; a
    /// few are let go at once. `chance` is from 0 to 65,535.
    pub(super) fn release(&self, chance: u16) -> Duration {
        let others = self.0.load(Ordering::Relaxed).saturating_sub(1);
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let spread = FOR_EACH.saturating_mul(others).min(AT_MOST);
        spread.mul_f64(f64::from(chance) / f64::from(u16::MAX))
    }
}

/// Between three quarters and the whole, so that those who began together do not end so.
pub(super) fn hold(wait: Duration, chance: u16) -> Duration {
    wait.mul_f64(0.75 + f64::from(chance) / f64::from(u16::MAX) / 4.0)
}

/// A number that nobody foresees.
pub(super) fn chance() -> u16 {
    let mut bytes = [0; 2];
    // without randomness they are let go together, which is not worth failing for
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u16::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Waiting, hold, wait};
    use http::{HeaderMap, HeaderValue};
    use std::time::Duration;

    #[test]
    fn a_caller_says_how_long_it_would_wait() {
        for (field, expected) in [
            ("wait=50", Some(50)),
            ("respond-async, WAIT = \"7\"", Some(7)),
            ("wait=86400", Some(60)),
            ("wait=-1", None),
            ("wait", None),
            ("waits=5", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(field));
            assert_eq!(wait(&headers), expected.map(Duration::from_secs), "{field}");
        }
        assert_eq!(wait(&HeaderMap::new()), None);
    }

    #[test]
    fn one_is_let_go_at_once_and_many_over_two_seconds() {
        let waiting = Waiting::default();
        let one = waiting.one();
        assert_eq!(waiting.release(u16::MAX), Duration::ZERO);
        let many: Vec<_> = (0..100).map(|_| waiting.one()).collect();
        assert_eq!(waiting.release(u16::MAX), Duration::from_millis(100));
        assert_eq!(waiting.release(0), Duration::ZERO);
        let more: Vec<_> = (0..10_000).map(|_| waiting.one()).collect();
        assert_eq!(waiting.release(u16::MAX), Duration::from_secs(2));
        drop((one, many, more));
        let one = waiting.one();
        assert_eq!(waiting.release(u16::MAX), Duration::ZERO);
        drop(one);
    }

    #[test]
    fn a_wait_ends_in_its_last_quarter() {
        let minute = Duration::from_mins(1);
        assert_eq!(hold(minute, 0), Duration::from_secs(45));
        assert_eq!(hold(minute, u16::MAX), minute);
    }
}
