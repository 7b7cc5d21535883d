//! Comparisons that never hold, since what is asked is never written like that.
//!
//! The path of a request is canonical, its host and the address of a caller in lower case, its method
//! as it is sent. A Deny that compares them with another spelling would never act, and say nothing.

use crate::cel::Fault;
use crate::diagnostic::Span;
use crate::lower::{short, to};
use countersign_ruleset::condition::{CallerFact, Node, RequestFact};
use countersign_ruleset::host::Host;
use countersign_ruleset::path::CanonicalPath;

/// What of a fact is compared with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// How it starts.
    Start,
    /// How it ends.
    End,
    /// Any part of it.
    Inside,
}

/// Refuses a text that the fact never has there.
pub(super) fn refuse(fact: &Node, part: Part, text: &str, span: Span) -> Result<(), Fault> {
    if text.is_empty() && part != Part::Whole {
        return Ok(());
    }
    let (what, right) = match fact {
        Node::Request(RequestFact::Method) => ("`request.method`", method(part, text)),
        Node::Request(RequestFact::Host) => {
            ("`request.host`, which is canonical,", host(part, text))
        }
        Node::Request(RequestFact::Path) => {
            ("`request.path`, which is canonical,", path(part, text))
        }
        Node::Caller(CallerFact::Email) => ("`caller.email`, in lower case,", Some(lower(text))),
        _ => return Ok(()),
    };
    if right.as_deref() == Some(text) {
        return Ok(());
    }
    let verb = match part {
        Part::Whole => "is",
        Part::Start => "starts with",
        Part::End => "ends with",
        Part::Inside => "contains",
    };
    let fault = Fault::new(span, format!("{what} never {verb} `{}`", short(text)));
    Err(match right {
        Some(right) => fault.help(format!("write \"{}\"", short(&right))),
        None => fault,
    })
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// The right spelling of a method, if there is one: read as in `to`.
fn method(part: Part, text: &str) -> Option<String> {
    match part {
        Part::Whole => to::spelt(text),
        Part::Start | Part::End | Part::Inside => {
            text.bytes().all(to::is_of_token).then(|| text.to_owned())
        }
    }
}

/// A host has neither port nor trailing dot.
fn host(part: Part, text: &str) -> Option<String> {
    if part == Part::Whole {
        return Host::parse(text).ok().map(|host| host.to_string());
    }
    let lower = lower(text);
    let is_of_host = |c: u8| c.is_ascii_alphanumeric() || b"-._[:]".contains(&c);
    let dotted = match part {
        Part::Start => lower.starts_with('.'),
        Part::End => lower.ends_with('.') || lower.contains(':') && !lower.ends_with(']'),
        Part::Whole | Part::Inside => lower.contains(".."),
    };
    (lower.bytes().all(is_of_host) && !dotted).then_some(lower)
}

/// The part as it stands in a canonical path, if there is one around it.
fn path(part: Part, text: &str) -> Option<String> {
    let canonical = |whole: &str| {
        let path = CanonicalPath::parse(whole.as_bytes()).ok()?;
        Some(path.to_string())
    };
    let encoded = to::encoded(text);
    let at_root = matches!(part, Part::Whole | Part::Start) && !encoded.starts_with('/');
    let encoded = if at_root {
        format!("/{encoded}")
    } else {
        encoded
    };
    if part == Part::Whole {
        return canonical(&encoded);
    }
    // what is cut off in the middle of a byte's escape may go on
    let cut = if part == Part::End {
        encoded.len()
    } else {
        escaped(&encoded)
    };
    let (head, tail) = encoded.split_at_checked(cut)?;
    let before = if part == Part::Start { "" } else { "/z" };
    let after = if part == Part::End { "" } else { "z" };
    let whole = canonical(&format!("{before}{head}{after}"))?;
    let head = whole.strip_prefix(before)?.strip_suffix(after)?;
    Some(format!("{head}{}", tail.to_ascii_uppercase()))
}

/// Where the last escape begins, if it is cut off; else the end.
fn escaped(text: &str) -> usize {
    let last = text.len().saturating_sub(2);
    text.rfind('%')
        .filter(|at| *at >= last)
        .unwrap_or(text.len())
}
