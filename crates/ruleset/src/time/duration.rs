//! Durations as Gateway API writes them (GEP-2257): `24h`, `1h30m`, `90s`.

use std::str::FromStr;

/// The units, in milliseconds; `ms` before `m`, which it begins with.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// A duration in whole seconds: one to four times a number of at most five digits and a unit.
///
/// ```
/// use countersign_ruleset::time::Seconds;
/// assert_eq!("1h30m".parse(), Ok(Seconds(5_400)));
/// assert!("1.5h".parse::<Seconds>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

/// A text that is no such duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration of whole seconds such as `24h`, `1h30m` or `90s`, got `{0}`")]
pub struct NotADuration(String);

impl FromStr for Seconds {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        let milliseconds = milliseconds(text).filter(|all| all.is_multiple_of(1_000));
        milliseconds
            .map(|all| Self(all / 1_000))
            .ok_or_else(|| NotADuration(text.chars().take(40).collect()))
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let number = number.parse::<u64>().ok().filter(|_| digits <= 5)?;
        let mut units = UNITS.iter();
        let (after, of) = units.find_map(|(unit, of)| Some((after.strip_prefix(unit)?, of)))?;
        total = total.saturating_add(number.saturating_mul(*of));
        rest = after;
        if rest.is_empty() {
            return Some(total);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Seconds;
    use proptest::prelude::proptest;

    #[test]
    fn reads_the_durations_of_gep_2257() {
        for (text, seconds) in [
            ("0s", 0),
            ("10s", 10),
            ("1h30m", 5_400),
            ("24h", 86_400),
            ("30m1h", 5_400),
            ("1h1h1h1h", 14_400),
            ("99999h", 359_996_400),
            ("1000ms", 1),
            ("1s500ms500ms", 2),
        ] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_other_durations() {
        for text in [
            "",
            "0",
            "10",
            "h",
            "1d",
            "1.5h",
            "-1s",
            "+1s",
            " 1s",
            "1s ",
            "1H",
            "1h 30m",
            "100000s",
            "1h1h1h1h1h",
            "1µs",
            "１s",
            "1ns",
            "1é",
            "1ms",
        ] {
            let refusal = text.parse::<Seconds>().unwrap_err().to_string();
            let expected = format!(
                "expected a duration of whole seconds such as `24h`, `1h30m` or `90s`, got `{text}`"
            );
            assert_eq!(refusal, expected);
        }
    }

    proptest! {
        #[test]
        fn takes_any_text(text in "\\PC{0,40}") {
            let _ = text.parse::<Seconds>();
        }
    }
}
