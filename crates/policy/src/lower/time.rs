//! Durations and instants, as resources write them.

use countersign_ruleset::time::{Seconds, UnixTime};

/// A duration of GEP-2257, such as `1h30m`, in whole seconds: the ruleset has no others.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let seconds = text.parse::<Seconds>();
    seconds
        .map(|Seconds(seconds)| seconds)
        .map_err(|error| error.to_string())
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
    fn a_duration_says_what_was_expected() {
        assert_eq!(duration("1h30m"), Ok(5_400));
        let expected =
            "expected a duration of whole seconds such as `24h`, `1h30m` or `90s`, got `1d`";
        assert_eq!(duration("1d"), Err(expected.to_owned()));
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
