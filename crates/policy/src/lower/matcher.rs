//! The matchers of an entry: what must hold of a caller.

use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::v1alpha1::{ClaimMatch, From, ServiceAccountRef};
use countersign_ruleset::names::{is_dns_label, is_dns_subdomain};
use countersign_ruleset::rules::{Matcher, ServiceAccount};
use std::collections::BTreeSet;

const CLAIM: [&str; 2] = ["anyOf", "path"];
const ACCOUNT: [&str; 2] = ["name", "namespace"];

/// How a value is read: as it is to be compared, or what was expected.
pub(super) type Reading = fn(&str) -> Result<String, &'static str>;

/// A field that lists texts: its name, how they read, and what they are matched with.
type Listed<'e> = (
    &'static str,
    &'e Field<List<String>>,
    Reading,
    fn(Vec<String>) -> Matcher,
);

/// Every matcher of an entry but `workloads`; all must hold.
pub(super) fn matchers(path: &FieldPath, entry: &From, sink: &mut Sink) -> Vec<Matcher> {
    let lists: [Listed<'_>; 6] = [
        ("actors", &entry.actors, plain, Matcher::Actors),
        ("clients", &entry.clients, plain, Matcher::Clients),
        (
            "emailDomains",
            &entry.email_domains,
            domain,
            Matcher::EmailDomains,
        ),
        ("emails", &entry.emails, email, Matcher::Emails),
        ("groups", &entry.groups, plain, Matcher::Groups),
        ("subjects", &entry.subjects, plain, Matcher::Subjects),
    ];
    let mut all = BTreeSet::new();
    for (name, field, reading, matcher) in lists {
        let path = path.name(name);
        match sink.field(&path, field) {
            Said::Absent => {}
            Said::Unknown => drop(all.insert(Matcher::Unknown)),
            Said::Known(list) => {
                let texts = list
                    .iter()
                    .enumerate()
                    .map(|(n, text)| (path.index(n), text.as_str()));
                let read = texts
                    .map(|(path, text)| read(&path, text, reading, sink))
                    .collect();
                all.insert(one_of(read, matcher));
            }
        }
    }
    all.extend(claims(&path.name("claims"), &entry.claims, sink));
    all.into_iter().collect()
}

/// The service accounts that are named, one of which the caller must be.
pub(super) fn accounts(
    path: &FieldPath,
    written: &List<Field<ServiceAccountRef>>,
    sink: &mut Sink,
) -> Matcher {
    let members = written.iter().enumerate();
    let read = members
        .map(|(n, one)| account(&path.index(n), one, sink))
        .collect();
    one_of(read, Matcher::ServiceAccounts)
}

/// A list means one of its members. One that cannot be read makes the others no less true, and
/// leaves it unknown whether none holds.
pub(super) fn one_of<T: Ord>(read: Vec<Option<T>>, matcher: fn(Vec<T>) -> Matcher) -> Matcher {
    let whole = read.iter().all(Option::is_some);
    let known: BTreeSet<T> = read.into_iter().flatten().collect();
    if known.is_empty() {
        return Matcher::Unknown;
    }
    let known = matcher(known.into_iter().collect());
    if whole {
        known
    } else {
        Matcher::AnyOf(vec![vec![known], vec![Matcher::Unknown]])
    }
}

pub(super) fn read(
    path: &FieldPath,
    text: &str,
    reading: Reading,
    sink: &mut Sink,
) -> Option<String> {
    match reading(text) {
        Ok(text) => Some(text),
        Err(expected) => {
            let message = format!("expected {expected}, got `{}`", short(text));
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}

fn plain(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("a text with something in it")
    } else {
        Ok(text.to_owned())
    }
}

/// Addresses are compared without regard to case, as ASCII: other letters have more than one form.
pub(super) fn email(text: &str) -> Result<String, &'static str> {
    match text.split_once('@') {
        Some((local, rest)) if text.is_ascii() && !local.is_empty() && is_domain(rest) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("an address in ASCII with one `@`"),
    }
}

fn domain(text: &str) -> Result<String, &'static str> {
    if is_domain(text) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a domain, such as `example.com`, without `@` or `*`")
    }
}

fn is_domain(text: &str) -> bool {
    is_dns_subdomain(&text.to_ascii_lowercase())
}

/// All must hold.
fn claims(
    path: &FieldPath,
    written: &Field<List<Field<ClaimMatch>>>,
    sink: &mut Sink,
) -> Vec<Matcher> {
    match sink.field(path, written) {
        Said::Absent => Vec::new(),
        Said::Unknown => vec![Matcher::Unknown],
        Said::Known(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(n, item)| claim(&path.index(n), item, sink))
                .collect()
        }
    }
}

fn claim(path: &FieldPath, written: &Field<ClaimMatch>, sink: &mut Sink) -> Matcher {
    let Some(written) = sink.required(path, written) else {
        return Matcher::Unknown;
    };
    let spoilt = sink.unread(path, &written.unread, &CLAIM);
    let keys = sink.required(&path.name("path"), &written.path);
    let any_of = sink.required(&path.name("anyOf"), &written.any_of);
    let (Some(keys), Some(any_of), false) = (keys, any_of, spoilt) else {
        return Matcher::Unknown;
    };
    let any_of: BTreeSet<&String> = any_of.iter().collect();
    Matcher::Claim {
        path: keys.iter().cloned().collect(),
        any_of: any_of.into_iter().cloned().collect(),
    }
}

fn account(
    path: &FieldPath,
    written: &Field<ServiceAccountRef>,
    sink: &mut Sink,
) -> Option<ServiceAccount> {
    let written = sink.required(path, written)?;
    let spoilt = sink.unread(path, &written.unread, &ACCOUNT);
    let mut part = |name: &str, field, is_name: fn(&str) -> bool| {
        let path = path.name(name);
        let text: &String = sink.required(&path, field)?;
        if text == "*" {
            return Some(None);
        }
        if is_name(text) {
            return Some(Some(text.clone()));
        }
        let message = format!(
            "expected a name in lower case, or `*`, got `{}`",
            short(text)
        );
        let help = "`*` stands only for a whole value".to_owned();
        sink.error(&path, Code::InvalidValue, message, Some(help));
        None
    };
    let namespace = part("namespace", &written.namespace, is_dns_label);
    let name = part("name", &written.name, is_dns_subdomain);
    let (namespace, name) = (namespace?, name?);
    if spoilt {
        None
    } else {
        Some(ServiceAccount { namespace, name })
    }
}
