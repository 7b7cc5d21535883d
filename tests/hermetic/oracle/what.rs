//! The oracle's reading of `to`: what is called, and what the captures of a path took.

use super::mcp;
use super::sent::{Call, decoded};
use super::truth::{Part, Truth, every, misspelt, part, some};
use super::who::For;
use serde_json::Value;
use std::collections::BTreeMap;

const TO: [&str; 5] = ["corsPreflight", "hosts", "mcp", "methods", "paths"];

/// What the captures of one path took.
pub(crate) type Captures = BTreeMap<String, String>;

/// 19: each (entry, path) is an alternative of its own.
pub(crate) fn alternatives(rule: &Value, effect: For, call: &Call<'_>) -> Vec<(Truth, Captures)> {
    match part(rule, "to") {
        Part::Absent => vec![(Some(true), Captures::new())],
        Part::List(entries) => entries
            .iter()
            .flat_map(|to| entry(to, effect, call))
            .collect(),
        Part::Unknown | Part::Other => vec![(None, Captures::new())],
    }
}

/// 4: an entry of `to` is the and of its fields; `{}` is unknown.
fn entry(to: &Value, effect: For, call: &Call<'_>) -> Vec<(Truth, Captures)> {
    if to.as_object().is_none_or(serde_json::Map::is_empty) {
        return vec![(None, Captures::new())];
    }
    let field = |name: &str, fits: &dyn Fn(&str) -> bool| match part(to, name) {
        Part::Absent => Some(true),
        Part::List(any_of) => some(any_of.iter().map(|one| one.as_str().map(fits))),
        Part::Unknown | Part::Other => None,
    };
    // 20: a foreign authority matches no Allow with `hosts` and every Deny with `hosts`.
    let foreign = call.form.foreign;
    let host = |pattern: &str| {
        if foreign {
            effect == For::Deny
        } else {
            is_host(pattern, &call.form.host)
        }
    };
    let rest = every([
        field("hosts", &host),
        field("methods", &|method| method == call.asked.method),
        match to.get("corsPreflight") {
            None => Some(true),
            Some(Value::Bool(true)) => Some(call.asked.is_preflight()),
            Some(_) => None,
        },
        mcp::covers(to, &call.message),
        (!misspelt(to, &TO)).then_some(true),
    ]);
    let with = |path: &Value| {
        let (fits, captures) = path.as_str().map_or((None, Captures::new()), |pattern| {
            taken(pattern, &call.form.path, effect)
        });
        (every([rest, fits]), captures)
    };
    match part(to, "paths") {
        Part::Absent => vec![(rest, Captures::new())],
        Part::List(paths) => paths.iter().map(with).collect(),
        Part::Unknown | Part::Other => vec![(every([rest, None]), Captures::new())],
    }
}

/// 20: exact, or `*.` as in Gateway API.
pub(crate) fn is_host(pattern: &str, host: &str) -> bool {
    pattern.strip_prefix('*').map_or(pattern == host, |suffix| {
        host.strip_suffix(suffix)
            .is_some_and(|label| !label.is_empty())
    })
}

/// 18: whether a path is meant, and what its captures took. In a Deny one trailing slash of the request
/// is ignored. 19: a name twice is refused.
fn taken(pattern: &str, path: &str, effect: For) -> (Truth, Captures) {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let names: Vec<&&str> = pattern
        .iter()
        .filter(|segment| segment.starts_with('{'))
        .collect();
    if names
        .iter()
        .any(|name| names.iter().filter(|one| one == &name).count() > 1)
    {
        return (None, Captures::new());
    }
    let short = path
        .strip_suffix('/')
        .filter(|short| effect == For::Deny && !short.is_empty());
    for path in [Some(path), short].into_iter().flatten() {
        if let Some(captures) = captured(&pattern, path) {
            return (Some(true), captures);
        }
    }
    (Some(false), Captures::new())
}

/// 18: `*` and `{x}` are one segment that is not empty; `/a/**` is `/a`, `/a/` and all below.
pub(crate) fn captured(pattern: &[&str], path: &str) -> Option<Captures> {
    let path: Vec<&str> = path.split('/').collect();
    let (pattern, long) = match pattern.split_last() {
        Some((&"**", base)) => (base, path.len() >= base.len()),
        _ => (pattern, path.len() == pattern.len()),
    };
    let mut captures = Captures::new();
    for (pattern, segment) in pattern.iter().zip(&path) {
        let name = pattern
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        match name {
            None if *pattern == "*" && !segment.is_empty() || pattern == segment => {}
            Some(name) if !segment.is_empty() => {
                captures.insert(name.to_owned(), decoded(segment)?);
            }
            _ => return None,
        }
    }
    long.then_some(captures)
}
