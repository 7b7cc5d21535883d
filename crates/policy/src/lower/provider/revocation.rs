//! Tokens that count no longer, and what audit lines may hold.

use super::super::time::timestamp;
use super::super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::Field;
use crate::v1alpha1::{AuditSpec, AuditedClaim, ProviderSpec, RevocationSpec};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::rules::{Audited, Revocation, Revoked};
use countersign_ruleset::time::UnixTime;
use std::collections::BTreeMap;

const FIELDS: [&str; 6] = ["issuedBefore", "jti", "key", "sid", "sub", "until"];

/// The revocations; `None` if one cannot be read: it may be of any token.
pub(super) fn revocations(
    id: &ProviderId,
    path: &FieldPath,
    spec: &ProviderSpec,
    sink: &mut Sink,
) -> Option<Vec<Revocation>> {
    let written = match sink.field(path, &spec.revocations) {
        Said::Absent => return Some(Vec::new()),
        Said::Known(written) => written,
        Said::Unknown => return None,
    };
    let each = written.iter().enumerate();
    let read: Vec<_> = each
        .map(|(n, one)| revocation(id, &path.index(n), one, sink))
        .collect();
    read.into_iter().collect()
}

fn revocation(
    id: &ProviderId,
    path: &FieldPath,
    field: &Field<RevocationSpec>,
    sink: &mut Sink,
) -> Option<Revocation> {
    let written = sink.required(path, field)?;
    let is_whole = !sink.unread(path, &written.unread, &FIELDS);
    let revoked = revoked(path, written, sink);
    let issued_before = instant(&path.name("issuedBefore"), &written.issued_before, sink);
    let until = instant(&path.name("until"), &written.until, sink);
    let provider = id.clone();
    is_whole.then_some(Revocation {
        provider,
        revoked: revoked?,
        issued_before,
        until,
    })
}

/// A field by which tokens are revoked, and what it then goes by.
type By<'f> = (&'static str, &'f Field<String>, fn(String) -> Revoked);

/// What it goes by: exactly one.
fn revoked(path: &FieldPath, written: &RevocationSpec, sink: &mut Sink) -> Option<Revoked> {
    let by: [By<'_>; 4] = [
        ("sub", &written.sub, Revoked::Subject),
        ("sid", &written.sid, Revoked::Sid),
        ("jti", &written.jti, Revoked::Jti),
        ("key", &written.key, Revoked::Key),
    ];
    let mut said = by.into_iter().filter(|(_, field, _)| !field.is_absent());
    let (Some((name, field, revoked)), None) = (said.next(), said.next()) else {
        let message = "expected exactly one of `sub`, `sid`, `jti` and `key`";
        sink.error(path, Code::Exclusive, message, None);
        return None;
    };
    let path = path.name(name);
    let value = sink.required(&path, field)?;
    let expected = match name {
        "key" if !is_thumbprint(value) => "an RFC 7638 thumbprint: 43 characters of base64url",
        _ if value.is_empty() => "a text with something in it",
        _ => return Some(revoked(value.clone())),
    };
    let message = format!("expected {expected}, got `{}`", short(value));
    sink.error(&path, Code::InvalidValue, message, None);
    None
}

fn is_thumbprint(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
}

/// A bound of a revocation. Without one that can be read it has none, and revokes more.
fn instant(path: &FieldPath, field: &Field<String>, sink: &mut Sink) -> Option<UnixTime> {
    let Said::Known(text) = sink.field(path, field) else {
        return None;
    };
    match timestamp(text) {
        Ok(instant) => Some(instant),
        Err(message) => {
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}

/// The claims that audit lines may hold. What cannot be read is not shown.
pub(super) fn audit(
    path: &FieldPath,
    field: &Field<AuditSpec>,
    sink: &mut Sink,
) -> BTreeMap<String, Audited> {
    let Said::Known(written) = sink.field(path, field) else {
        return BTreeMap::new();
    };
    let is_whole = !sink.unread(path, &written.unread, &["claims"]);
    let path = path.name("claims");
    let Said::Known(claims) = sink.field(&path, &written.claims) else {
        return BTreeMap::new();
    };
    let mut audited: BTreeMap<String, Audited> = BTreeMap::new();
    for (n, claim) in claims.iter().enumerate() {
        let Some((name, form)) = audited_claim(&path.index(n), claim, sink) else {
            continue;
        };
        // Said twice, the one that shows less: `Hash` comes before `Plain`.
        audited
            .entry(name)
            .and_modify(|other| *other = form.min(*other))
            .or_insert(form);
    }
    if is_whole { audited } else { BTreeMap::new() }
}

fn audited_claim(
    path: &FieldPath,
    field: &Field<AuditedClaim>,
    sink: &mut Sink,
) -> Option<(String, Audited)> {
    let written = sink.required(path, field)?;
    let is_whole = !sink.unread(path, &written.unread, &["as", "name"]);
    let name = sink.required(&path.name("name"), &written.name);
    let path = path.name("as");
    let form = match sink.required(&path, &written.form)?.as_str() {
        "plain" => Audited::Plain,
        "hash" => Audited::Hash,
        other => {
            let message = format!("expected `plain` or `hash`, got `{}`", short(other));
            sink.error(&path, Code::InvalidValue, message, None);
            return None;
        }
    };
    name.filter(|name| is_whole && !name.is_empty())
        .map(|name| (name.clone(), form))
}
