//! Time as an argument: whole seconds since 1970-01-01T00:00:00Z.

use serde::{Deserialize, Serialize};
use std::fmt;

mod duration;

pub use duration::{NotADuration, Seconds};

/// An instant, in whole seconds since the Unix epoch.
///
/// Nothing in this crate reads a clock: whoever calls says what time it is, so that every rule
/// about time can be tested without waiting and two readers of one ruleset cannot disagree.
///
/// ```
/// use countersign_ruleset::time::UnixTime;
/// let noon = UnixTime(1_795_521_600);
/// assert_eq!(noon.plus(60), UnixTime(1_795_521_660));
/// assert_eq!(noon.since(UnixTime(1_795_521_700)), 0);
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// The instant `seconds` later; the end of time instead of an overflow.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The instant `seconds` earlier; the epoch instead of an underflow.
    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Whole seconds from `earlier` to this; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339, in UTC: `2026-11-24T02:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil(days);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

/// Days since the epoch to a date of the proleptic Gregorian calendar (Hinnant, `civil_from_days`).
const fn civil(days: u64) -> (u64, u64, u64) {
    let z = days.saturating_add(719_468);
    let (era, doe) = (z / 146_097, z % 146_097);
    let leaps = (doe / 1_460).saturating_add(doe / 146_096);
    let yoe = doe.saturating_add(doe / 36_524).saturating_sub(leaps) / 365;
    let before = (365_u64.saturating_mul(yoe))
        .saturating_add(yoe / 4)
        .saturating_sub(yoe / 100);
    let doy = doe.saturating_sub(before);
    let mp = doy.saturating_mul(5).saturating_add(2) / 153;
    let day = doy
        .saturating_sub(mp.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(1);
    let month = if mp < 10 {
        mp.saturating_add(3)
    } else {
        mp.saturating_sub(9)
    };
    let year = yoe.saturating_add(era.saturating_mul(400));
    (
        if month <= 2 {
            year.saturating_add(1)
        } else {
            year
        },
        month,
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    #[test]
    fn prints_known_instants() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_485_600, "2026-11-24T02:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(UnixTime(seconds).to_string(), text);
        }
    }

    #[test]
    fn saturates_at_both_ends() {
        assert_eq!(UnixTime(u64::MAX).plus(1), UnixTime(u64::MAX));
        assert_eq!(UnixTime(1).minus(2), UnixTime(0));
    }
}
