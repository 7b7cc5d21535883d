//! What a plain scalar means: YAML 1.2's core schema, and where kubectl's YAML 1.1 reads otherwise.

use serde_json::{Number, Value};

/// YAML 1.2.2 §10.3.2. What JSON has no number for stays a text.
pub(super) fn read(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    integer(text)
        .or_else(|| float(text))
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn integer(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let plain = digits.bytes().all(|c| c.is_ascii_hexdigit());
            let number = u64::from_str_radix(digits, radix).ok();
            return number.filter(|_| plain).map(Number::from);
        }
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if text.starts_with('-') {
        text.parse::<i64>().ok().map(Number::from)
    } else {
        digits.parse::<u64>().ok().map(Number::from)
    }
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned);
    let numeric = begins.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|c| c.is_ascii_digit() || b"+-.eE".contains(&c));
    let number = text.parse::<f64>().ok().filter(|_| numeric)?;
    Number::from_f64(number)
}

/// What kubectl reads in a plain scalar that is something else here (go-yaml's `resolve`).
pub(super) fn older_reading(text: &str) -> Option<&'static str> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Some("true"),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Some("false"),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = |allowed: &dyn Fn(u8) -> bool| digits.bytes().all(allowed);
    if digits.len() > 1 && digits.starts_with('0') && number(&|c| c.is_ascii_digit()) {
        return Some("an octal number");
    }
    if digits.starts_with("0b") && digits.len() > 2 && number(&|c| b"0b1_".contains(&c)) {
        return Some("a binary number");
    }
    let separated = digits.contains('_') && number(&|c| c.is_ascii_digit() || c == b'_');
    (separated && digits.starts_with(|c: char| c.is_ascii_digit())).then_some("a number")
}

#[cfg(test)]
mod tests {
    use super::{older_reading, read};
    use serde_json::json;

    #[test]
    fn integers_stay_integers() {
        for (text, value) in [
            ("0", json!(0)),
            ("010", json!(10)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn what_looks_like_another_thing_is_a_text() {
        for text in [
            "yes",
            "no",
            "on",
            "y",
            "1_000",
            "0b1",
            "0x",
            "0xg",
            "0x+1",
            "1.2.3",
            "1-2",
            ".inf",
            ".nan",
            "nan",
            "inf",
            "infinity",
            "-",
            ".",
            "24h",
            "2026-11-24",
            "1:30",
            "<<",
            "tRue",
        ] {
            assert_eq!(read(text), json!(text), "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(read(text), json!(null), "{text}");
        }
        assert_eq!(read("true"), json!(true));
    }

    #[test]
    fn knows_what_kubectl_reads_otherwise() {
        for (text, reading) in [
            ("yes", "true"),
            ("N", "false"),
            ("off", "false"),
            ("010", "an octal number"),
            ("1_000", "a number"),
            ("0b1", "a binary number"),
        ] {
            assert_eq!(older_reading(text), Some(reading), "{text}");
        }
        for text in [
            "true",
            "10",
            "0",
            "a_b",
            "_1",
            "0x10",
            "nobody",
            "2026-11-24",
        ] {
            assert_eq!(older_reading(text), None, "{text}");
        }
    }
}
