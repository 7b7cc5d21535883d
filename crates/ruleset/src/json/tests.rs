//! What the gate lets through, and each thing it refuses, by name.

use super::{Limits, Malformed, object, strict};
use proptest::prelude::*;
use serde::Deserialize;
use std::fmt::Write;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Pair {
    a: u64,
}

fn read(text: &str) -> Result<Pair, Malformed> {
    strict(text.as_bytes(), Limits::PAYLOAD)
}

#[test]
fn reads_what_is_well_formed() {
    assert_eq!(
        read(r#"{"a":9007199254740991}"#),
        Ok(Pair {
            a: 9_007_199_254_740_991
        })
    );
    let claims = object(
        br#"{"a":{"b":[1,2.5,"x",null,true]},"c":-1}"#,
        Limits::TOKEN,
    )
    .unwrap();
    assert_eq!(claims.len(), 2);
}

#[test]
fn refuses_a_member_twice_at_every_depth_also_when_escaped() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"x":{"y":[{"a":1,"b":2,"a":3}]}}"#,
    ] {
        let refusal = object(text.as_bytes(), Limits::TOKEN).unwrap_err();
        assert!(
            matches!(refusal, Malformed::DuplicateMember { line: 1, .. }),
            "{refusal:?}"
        );
    }
    assert!(object(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#, Limits::TOKEN).is_ok());
}

#[test]
fn refuses_a_member_twice_in_a_long_object() {
    let mut text = String::from("{");
    for n in 0..100 {
        write!(text, "\"m{n}\":1,").unwrap();
    }
    let once = format!("{text}\"last\":1}}");
    assert!(object(once.as_bytes(), Limits::TOKEN).is_ok());
    let twice = format!("{text}\"m50\":1}}");
    let refusal = object(twice.as_bytes(), Limits::TOKEN).unwrap_err();
    assert!(matches!(refusal, Malformed::DuplicateMember { .. }));
}

#[test]
fn refuses_what_is_too_deep_or_too_long() {
    let nested = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
    assert!(object(nested(15).as_bytes(), Limits::TOKEN).is_ok());
    let refusal = object(nested(16).as_bytes(), Limits::TOKEN).unwrap_err();
    assert!(
        matches!(refusal, Malformed::TooDeep { most: 16, .. }),
        "{refusal:?}"
    );
    let refusal = object(nested(100_000).as_bytes(), Limits::BLOB).unwrap_err();
    assert!(
        matches!(refusal, Malformed::TooDeep { most: 24, .. }),
        "{refusal:?}"
    );
    let long = vec![b' '; 16 * 1024 + 1];
    let refusal = object(&long, Limits::TOKEN).unwrap_err();
    assert_eq!(
        refusal,
        Malformed::TooLong {
            most: 16384,
            got: 16385
        }
    );
}

#[test]
fn refuses_integers_that_readers_round_differently() {
    for text in [
        r#"{"a":9007199254740992}"#,
        r#"{"a":18446744073709551616}"#,
        r#"{"a":1.5}"#,
    ] {
        let refusal = read(text).unwrap_err();
        assert!(
            matches!(refusal, Malformed::IntegerTooLarge { .. }),
            "{text}: {refusal:?}"
        );
    }
    let negative = object(br#"{"a":-9007199254740992}"#, Limits::PAYLOAD).unwrap_err();
    assert!(matches!(negative, Malformed::IntegerTooLarge { .. }));
    assert!(
        object(br#"{"exp":1.5}"#, Limits::TOKEN).is_ok(),
        "a NumericDate may have a fraction"
    );
}

#[test]
fn refuses_what_only_some_readers_take() {
    for text in [
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "{a:1}",
        "",
        "\u{feff}{}",
        "{\"a\":01}",
        "{/* */\"a\":1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\n\"}",
    ] {
        let refusal = object(text.as_bytes(), Limits::TOKEN).unwrap_err();
        assert!(
            matches!(refusal, Malformed::NotJson { .. }),
            "{text}: {refusal:?}"
        );
    }
    assert_eq!(
        object(b"{\"a\":\"\xff\"}", Limits::TOKEN),
        Err(Malformed::NotUtf8 { at: 6 })
    );
}

#[test]
fn a_wrong_shape_is_told_without_the_value() {
    let refusal = read(r#"{"a":"secret-token"}"#).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "expected another shape: expected u64 at line 1, column 19"
    );
    let unknown = read(r#"{"a":1,"b":2}"#).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "expected another shape: unknown field `b`, expected `a` at line 1, column 10"
    );
    assert!(read("[]").is_err());
}

/// `serde_json` would take the text for the value, duplicates and depth included.
#[test]
fn a_member_that_the_reader_would_act_on_is_refused() {
    for name in ["RawValue", "Number", "\\u0052awValue"] {
        for text in [
            format!(r#"{{"$serde_json::private::{name}":"[1]"}}"#),
            format!(r#"{{"a":[{{"$serde_json::private::{name}":"[1]"}}]}}"#),
        ] {
            let refusal = object(text.as_bytes(), Limits::TOKEN).unwrap_err();
            assert!(
                matches!(refusal, Malformed::ReservedMember { .. }),
                "{text}: {refusal:?}"
            );
        }
    }
    assert!(object(br#"{"$serde_json":"[1]"}"#, Limits::TOKEN).is_ok());
}

proptest! {
    #[test]
    fn never_panics_and_agrees_with_a_plain_reader(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if object(&bytes, Limits::TOKEN).is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        }
    }
}
