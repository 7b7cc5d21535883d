//! Durations as Gateway API writes them (GEP-2257): `24h`, `1h30m`, `90s`.

use std::str::FromStr;

/// A duration in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration such as `24h`, `1h30m` or `90s`, got `{0}`")]
pub struct NotADuration(String);

impl FromStr for Seconds {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        read(text).ok_or_else(|| NotADuration(text.chars().take(40).collect()))
    }
}

/// One to four parts of one to five digits and a unit; of milliseconds no whole second is made.
fn read(text: &str) -> Option<Seconds> {
    let mut rest = text;
    let mut total = 0_u64;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        if !(1..=5).contains(&digits) {
            return None;
        }
        let mut unit = tail.chars();
        let seconds = match unit.next()? {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(seconds)?)?;
        rest = unit.as_str();
        if rest.is_empty() {
            return Some(Seconds(total));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn reads_what_gateway_api_writes() {
        for (text, seconds) in [("24h", 86_400), ("1h30m", 5_400), ("90s", 90), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "24",
            "h",
            "1d",
            "-1h",
            "1.5h",
            "100000h",
            "1h 2m",
            "5ms",
            "1h1h1h1h1h",
            "é",
        ] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        let said = "1d".parse::<Seconds>().unwrap_err().to_string();
        assert_eq!(
            said,
            "expected a duration such as `24h`, `1h30m` or `90s`, got `1d`"
        );
    }
}
