//! `to`: which requests are meant.

use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::v1alpha1 as written;
use countersign_ruleset::host::{Host, HostPattern};
use countersign_ruleset::path::{PathPattern, PatternMalformed};
use countersign_ruleset::rules::To;
use std::collections::BTreeSet;
use std::fmt::Write as _;

mod mcp;

use mcp::Calls;

const TO: [&str; 5] = ["corsPreflight", "hosts", "mcp", "methods", "paths"];

/// The methods that everyone knows, for a hint (RFC 9110 §9, RFC 5789).
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// What could not be read: it may have been any request.
pub(super) fn unknown() -> To {
    To {
        unknown: true,
        ..To::default()
    }
}

/// The entries of a list, of which one must hold.
pub(super) fn entries(
    path: &FieldPath,
    members: &List<Field<written::To>>,
    sink: &mut Sink,
) -> Vec<To> {
    let mut all = BTreeSet::new();
    for (n, member) in members.iter().enumerate() {
        let path = path.index(n);
        match sink.required(&path, member) {
            Some(entry) => all.extend(entry_of(&path, entry, sink)),
            None => drop(all.insert(unknown())),
        }
    }
    all.into_iter().collect()
}

/// One entry.
fn entry_of(path: &FieldPath, entry: &written::To, sink: &mut Sink) -> Vec<To> {
    let misspelt = sink.unread(path, &entry.unread, &TO);
    let lists = Lists {
        hosts: list(&path.name("hosts"), &entry.hosts, host, sink),
        methods: list(&path.name("methods"), &entry.methods, method, sink),
        paths: list(&path.name("paths"), &entry.paths, pattern, sink),
        calls: mcp::read(&path.name("mcp"), &entry.mcp, sink),
    };
    let preflight = preflight(&path.name("corsPreflight"), &entry.cors_preflight, sink);
    let is_empty = lists.say_nothing() && preflight == Said::Absent;
    if is_empty && !misspelt {
        let message = "expected which requests it means, got an empty entry";
        let help = "leave `to` out to mean every request".to_owned();
        sink.error(path, Code::UnreadableValue, message, Some(help));
    }
    lists.lower(&To {
        cors_preflight: preflight == Said::Known(()),
        unknown: misspelt || is_empty || preflight == Said::Unknown || lists.calls.is_spoilt(),
        ..To::default()
    })
}

/// `false` would ask nothing, or for everything else: it does not say which.
fn preflight(path: &FieldPath, field: &Field<bool>, sink: &mut Sink) -> Said<()> {
    match sink.field(path, field) {
        Said::Absent => Said::Absent,
        Said::Unknown => Said::Unknown,
        Said::Known(true) => Said::Known(()),
        Said::Known(false) => {
            let help = "leave it out to ask nothing by it".to_owned();
            let message = "expected `true`, got `false`";
            sink.error(path, Code::InvalidValue, message, Some(help));
            Said::Unknown
        }
    }
}

/// The lists of an entry, those of `mcp` too; `None` for one that is not written.
struct Lists {
    hosts: Option<Read<HostPattern>>,
    methods: Option<Read<String>>,
    paths: Option<Read<PathPattern>>,
    calls: Calls,
}

/// A list of which some could be read.
#[derive(Clone, PartialEq, Eq)]
struct Read<T> {
    known: BTreeSet<T>,
    whole: bool,
}

impl Lists {
    const fn say_nothing(&self) -> bool {
        self.hosts.is_none()
            && self.methods.is_none()
            && self.paths.is_none()
            && self.calls.is_absent()
    }

    /// Of a list of which a member cannot be read, the others hold as they stand; whether the rest
    /// is met is not known, which is an alternative of its own.
    fn lower(&self, beside: &To) -> Vec<To> {
        let hosts = self.hosts.as_ref();
        let (methods, paths) = (self.methods.as_ref(), self.paths.as_ref());
        let (mut whole, mut known) = (true, true);
        let lists = [state(hosts), state(methods), state(paths)];
        for read in lists.into_iter().flatten().chain(self.calls.states()) {
            whole &= read.0;
            known &= read.1;
        }
        let rest = To {
            hosts: members(hosts, true),
            methods: members(methods, true),
            paths: members(paths, true),
            mcp: self.calls.lower(true),
            unknown: true,
            ..beside.clone()
        };
        let known = known.then(|| To {
            hosts: members(hosts, false),
            methods: members(methods, false),
            paths: members(paths, false),
            mcp: self.calls.lower(false),
            ..beside.clone()
        });
        known.into_iter().chain((!whole).then_some(rest)).collect()
    }
}

/// Whether all of a list could be read, and whether any.
fn state<T>(read: Option<&Read<T>>) -> Option<(bool, bool)> {
    read.map(|read| (read.whole, !read.known.is_empty()))
}

/// What could be read of a list; or, if only whole lists count, no demand where it is not one.
fn members<T: Clone>(read: Option<&Read<T>>, whole_only: bool) -> Option<Vec<T>> {
    let read = read.filter(|read| read.whole || !whole_only)?;
    Some(read.known.iter().cloned().collect())
}

/// Reads one value; on failure what was expected, and the help.
type Reading<T> = fn(&FieldPath, &str, &mut Sink) -> Option<T>;

fn list<T: Ord>(
    path: &FieldPath,
    field: &Field<List<String>>,
    reading: Reading<T>,
    sink: &mut Sink,
) -> Option<Read<T>> {
    let members = match sink.field(path, field) {
        Said::Absent => return None,
        Said::Unknown => {
            return Some(Read {
                known: BTreeSet::new(),
                whole: false,
            });
        }
        Said::Known(members) => members,
    };
    let members = members.iter().enumerate();
    let read: Vec<Option<T>> = members
        .map(|(n, text)| reading(&path.index(n), text, sink))
        .collect();
    let whole = read.iter().all(Option::is_some);
    Some(Read {
        known: read.into_iter().flatten().collect(),
        whole,
    })
}

fn host(path: &FieldPath, text: &str, sink: &mut Sink) -> Option<HostPattern> {
    text.parse()
        .map_err(|expected| report_host(path, text, &expected, sink))
        .ok()
}

/// Reports a host that is not written as hosts are, with the right spelling if there is one.
pub(super) fn report_host(path: &FieldPath, text: &str, expected: &impl ToString, sink: &mut Sink) {
    let canonical = Host::parse(text.strip_prefix("*.").unwrap_or(text)).ok();
    let star = if text.starts_with("*.") { "*." } else { "" };
    let help = canonical.map(|host| format!("write `{star}{host}`"));
    sink.error(path, Code::InvalidValue, expected.to_string(), help);
}

/// A method is a token (RFC 9110 §9.1), compared exactly: `get` is none that anybody sends.
fn method(path: &FieldPath, text: &str, sink: &mut Sink) -> Option<String> {
    let right = spelt(text);
    if right.as_deref() == Some(text) {
        return right;
    }
    let help = match right {
        Some(right) => Some(format!("write `{right}`")),
        None if text == "*" => Some("leave `methods` out to mean every method".to_owned()),
        None => None,
    };
    let message = format!("expected a method such as `GET`, got `{}`", short(text));
    sink.error(path, Code::InvalidValue, message, help);
    None
}

/// The spelling that is compared, if it is a method at all.
pub(super) fn spelt(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if METHODS.contains(&upper.as_str()) {
        return Some(upper);
    }
    (!text.is_empty() && text.bytes().all(is_of_token)).then(|| text.to_owned())
}

/// Whether it stands in methods; `*` is left out, which people write to mean every one.
pub(super) fn is_of_token(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&c)
}

/// A pattern's literals go through the function that every request's path goes through: what is
/// spelt otherwise means the same path, and is told how it is spelt.
fn pattern(path: &FieldPath, text: &str, sink: &mut Sink) -> Option<PathPattern> {
    let encoded = encoded(text);
    let parsed: Result<PathPattern, _> = encoded.parse();
    let canonical = match parsed {
        Ok(pattern) if encoded == text => return Some(pattern),
        Ok(pattern) => Ok(pattern),
        Err(PatternMalformed::NotCanonical { canonical, .. }) => canonical.parse(),
        Err(other) => Err(other),
    };
    match canonical {
        Ok(pattern) => {
            let message = format!("`{}` is not the canonical spelling", short(text));
            let help = format!("write `{pattern}`, which is what is compared");
            sink.warning(path, Code::PathNotCanonical, message, Some(help));
            Some(pattern)
        }
        Err(malformed) => {
            let message = format!("{malformed}, in `{}`", short(text));
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}

/// The pattern with each byte that cannot stand in a path percent-encoded (RFC 3987 §3.1), but for
/// those that mean something to somebody: they are refused.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'|' | 0x80.. => {
                // writing to a String does not fail
                let _ = write!(encoded, "%{byte:02X}");
            }
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}
