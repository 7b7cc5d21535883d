//! True, false, unknown: Kleene's tables, written once more so that both cannot be wrong alike.

use serde_json::Value;

/// `None` is unknown.
pub(crate) type Truth = Option<bool>;

/// False if one is; else unknown if one is; else true.
pub(crate) fn every(parts: impl IntoIterator<Item = Truth>) -> Truth {
    let mut all = Some(true);
    for part in parts {
        all = match (all, part) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    all
}

/// True if one is; else unknown if one is; else false.
pub(crate) fn some(parts: impl IntoIterator<Item = Truth>) -> Truth {
    let mut any = Some(false);
    for part in parts {
        any = match (any, part) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    any
}

/// A part of a resource that restricts. Line 1: null and empty are unknown, never absent.
pub(crate) enum Part<'a> {
    Absent,
    Unknown,
    List(&'a [Value]),
    Other,
}

pub(crate) fn part<'a>(object: &'a Value, name: &str) -> Part<'a> {
    match object.get(name) {
        None => Part::Absent,
        Some(Value::Null) => Part::Unknown,
        Some(Value::Array(list)) if list.is_empty() => Part::Unknown,
        Some(Value::Array(list)) => Part::List(list),
        Some(_) => Part::Other,
    }
}

/// Whether an object has members that its kind does not know.
pub(crate) fn misspelt(object: &Value, known: &[&str]) -> bool {
    let members = object.as_object().into_iter().flatten();
    members
        .into_iter()
        .any(|(name, _)| !known.contains(&name.as_str()))
}

/// A member's text, or nothing.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
