//! Durations and instants, as resources write them.

use countersign_ruleset::time::UnixTime;

/// The units of a duration, in milliseconds; `ms` before `m`, which it begins with.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// A duration of GEP-2257, such as `1h30m`: one to four times a number of at most five digits and a
/// unit. In whole seconds, for the ruleset has no others.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let refused = || {
        format!(
            "expected a duration such as `1h30m`, got `{}`",
            super::short(text)
        )
    };
    let mut rest = text;
    let mut milliseconds: u64 = 0;
    let mut parts = 0_u8;
    while !rest.is_empty() && parts < 4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or_else(refused)?;
        let number = number
            .parse::<u64>()
            .ok()
            .filter(|_| digits <= 5)
            .ok_or_else(refused)?;
        let unit = UNITS
            .iter()
            .find_map(|(unit, of)| Some((after.strip_prefix(unit)?, of)));
        let (after, of) = unit.ok_or_else(refused)?;
        milliseconds = milliseconds.saturating_add(number.saturating_mul(*of));
        rest = after;
        parts = parts.saturating_add(1);
    }
    if !rest.is_empty() || parts == 0 {
        return Err(refused());
    }
    if !milliseconds.is_multiple_of(1_000) {
        return Err(format!(
            "expected whole seconds, got `{}`",
            super::short(text)
        ));
    }
    Ok(milliseconds / 1_000)
}

/// An instant of RFC 3339, such as `2026-11-24T02:00:00Z`, in whole seconds and from 1970 on.
pub(crate) fn timestamp(text: &str) -> Result<UnixTime, String> {
    let refused = || {
        let got = super::short(text);
        format!("expected an instant such as `2026-11-24T02:00:00Z`, got `{got}`")
    };
    if !is_rfc_3339(text) {
        return Err(refused());
    }
    let instant: jiff::Timestamp = text.parse().map_err(|_| refused())?;
    u64::try_from(instant.as_second())
        .map(UnixTime)
        .map_err(|_| refused())
}

/// The profile of RFC 3339 §5.6 without fractions: what `jiff` reads beside it (a blank for the
/// `T`, a missing minute, an annotation) others read differently.
fn is_rfc_3339(text: &str) -> bool {
    const SHAPE: &[u8; 19] = b"0000-00-00T00:00:00";
    let Some((instant, offset)) = text.split_at_checked(SHAPE.len()) else {
        return false;
    };
    has_shape(instant, SHAPE) && (offset == "Z" || is_offset(offset))
}

fn is_offset(text: &str) -> bool {
    has_shape(text, b"+00:00") || has_shape(text, b"-00:00")
}

fn has_shape(text: &str, shape: &[u8]) -> bool {
    let fits = |(c, shape): (u8, &u8)| c == *shape || (*shape == b'0' && c.is_ascii_digit());
    text.len() == shape.len() && text.bytes().zip(shape).all(fits)
}

#[cfg(test)]
mod tests {
    use super::{duration, timestamp};
    use countersign_ruleset::time::UnixTime;
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
            assert_eq!(duration(text), Ok(seconds), "{text}");
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
        ] {
            let expected = format!("expected a duration such as `1h30m`, got `{text}`");
            assert_eq!(duration(text), Err(expected), "{text}");
        }
        assert_eq!(
            duration("1ms"),
            Err("expected whole seconds, got `1ms`".into())
        );
    }

    #[test]
    fn reads_the_instants_of_rfc_3339() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-24T02:00:00Z", 1_795_485_600),
            ("2026-11-24T04:00:00+02:00", 1_795_485_600),
            ("2026-11-23T21:00:00-05:00", 1_795_485_600),
        ] {
            assert_eq!(timestamp(text), Ok(UnixTime(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_other_instants() {
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T02:00:00",
            "2026-11-24 02:00:00Z",
            "2026-11-24T02:00Z",
            "2026-11-24T02:00:00.5Z",
            "2026-11-24t02:00:00z",
            "2026-11-24T02:00:00+02",
            "2026-11-24T02:00:00Z[Europe/Berlin]",
            "2026-02-30T00:00:00Z",
            "2026-11-24T25:00:00Z",
            "1969-12-31T23:59:59Z",
            "+2026-11-24T02:00:00Z",
            "tomorrow",
        ] {
            let expected =
                format!("expected an instant such as `2026-11-24T02:00:00Z`, got `{text}`");
            assert_eq!(timestamp(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_is_printed(seconds in 0_u64..253_402_300_800) {
            let printed = UnixTime(seconds).to_string();
            assert_eq!(timestamp(&printed), Ok(UnixTime(seconds)));
        }

        #[test]
        fn takes_any_text(text in "\\PC{0,40}") {
            let _ = (duration(&text), timestamp(&text));
        }
    }
}
