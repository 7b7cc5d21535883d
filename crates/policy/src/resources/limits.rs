//! Limits: how many members a list may have, how long a text may be, how deep it all may go.
//!
//! They are looked for in what was written, wherever it stands: a field that cannot be read would
//! hide them.

use super::Fault;
use crate::diagnostic::FieldPath;
use serde_json::Value;

/// The most members of a list, by the end of the way to it. The first that fits counts.
const MEMBERS: [(&str, usize); 22] = [
    ("audit.claims", 16),
    ("mcp.methods", 64),
    ("anyOf", 64),
    ("audiences", 16),
    ("boundary", 64),
    ("claims", 8),
    ("deny", 64),
    ("from", 32),
    ("hosts", 16),
    ("matchExpressions", 16),
    ("members", 64),
    ("methods", 16),
    ("path", 8),
    ("paths", 64),
    ("roleRefs", 16),
    ("rules", 64),
    ("serviceAccounts", 64),
    ("targetRefs", 16),
    ("tenants", 64),
    ("to", 16),
    ("values", 64),
    ("workloads", 64),
];

/// The most members of any other list, and of an object.
const LIST: usize = 256;

/// The most characters of a text, by the end of the way to it, places in lists left out.
const CHARACTERS: [(&str, usize); 7] = [
    ("boundary.name", 63),
    ("deny.name", 63),
    ("rules.name", 63),
    ("description", 1_024),
    ("issuer", 512),
    ("paths", 512),
    ("when", 1_024),
];

/// The most bytes of any text, and of a provider's inline keys as JSON.
const BYTES: usize = 65_536;

/// The most steps of a way: what is known ends long before.
const DEPTH: usize = 32;

/// What the names begin with by which a JSON library tells itself what to read in place of an object:
/// whoever reads one so reads another manifest than the one that was looked at.
const PRIVATE: &str = "$serde_json::private::";

/// A step on the way from `spec`.
#[derive(Debug, Clone, Copy)]
enum At<'a> {
    Name(&'a str),
    Index(usize),
}

/// Finds the first thing that is over a limit in a `spec`.
pub(super) fn within(spec: &Value) -> Result<(), Fault> {
    walk(&mut vec![At::Name("spec")], spec)
}

/// Looks for names that no manifest has a use for, wherever they stand.
pub(super) fn expect_no_private_names(manifest: &Value) -> Result<(), Fault> {
    let mut way = Vec::new();
    if !leads_to_private_name(&mut way, manifest) {
        return Ok(());
    }
    let message = format!("a name must not begin with `{PRIVATE}`");
    Err((path(&way), message))
}

fn leads_to_private_name<'a>(way: &mut Vec<At<'a>>, value: &'a Value) -> bool {
    let mut leads = |at, member| {
        way.push(at);
        let found = matches!(at, At::Name(name) if name.starts_with(PRIVATE))
            || leads_to_private_name(way, member);
        if !found {
            way.pop();
        }
        found
    };
    match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .any(|(n, member)| leads(At::Index(n), member)),
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| leads(At::Name(name), member)),
        _ => false,
    }
}

fn walk<'a>(way: &mut Vec<At<'a>>, value: &'a Value) -> Result<(), Fault> {
    at_most(way, "steps to a field", DEPTH, way.len())?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => {
            at_most(way, "bytes", BYTES, text.len())?;
            let most = find(&CHARACTERS, way).unwrap_or(BYTES);
            at_most(way, "characters", most, text.chars().count())
        }
        Value::Array(list) => {
            at_most(
                way,
                "members",
                find(&MEMBERS, way).unwrap_or(LIST),
                list.len(),
            )?;
            for (n, member) in list.iter().enumerate() {
                step(way, At::Index(n), member)?;
            }
            Ok(())
        }
        Value::Object(members) => {
            at_most(way, "members", LIST, members.len())?;
            if ends_with(way, "keys.inline") {
                at_most(way, "bytes", BYTES, value.to_string().len())?;
            }
            for (name, member) in members {
                step(way, At::Name(name), member)?;
            }
            Ok(())
        }
    }
}

fn step<'a>(way: &mut Vec<At<'a>>, at: At<'a>, value: &'a Value) -> Result<(), Fault> {
    way.push(at);
    walk(way, value)?;
    way.pop();
    Ok(())
}

fn find(limits: &[(&str, usize)], way: &[At<'_>]) -> Option<usize> {
    limits
        .iter()
        .find(|(end, _)| ends_with(way, end))
        .map(|(_, most)| *most)
}

fn ends_with(way: &[At<'_>], end: &str) -> bool {
    let mut names = way.iter().rev().filter_map(|at| match at {
        At::Name(name) => Some(*name),
        At::Index(_) => None,
    });
    end.rsplit('.').all(|step| names.next() == Some(step))
}

fn at_most(way: &[At<'_>], what: &str, most: usize, got: usize) -> Result<(), Fault> {
    if got <= most {
        return Ok(());
    }
    let message = format!("expected at most {most} {what}, got {got}");
    Err((path(way), message))
}

fn path(way: &[At<'_>]) -> FieldPath {
    way.iter().fold(FieldPath::default(), |path, at| match at {
        At::Name(name) => path.name(name),
        At::Index(index) => path.index(*index),
    })
}
