//! Which fields of a message pass, and which are this edge's alone to write.
//!
//! Applications behind CGI or WSGI see `X_Countersign_User` and `X-Countersign-User` as one, so a
//! name stands for all its twins: every character that is no letter or digit counts as a hyphen.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT,
    FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName};

/// Every field of this family, twins included, is written by an edge or by nobody.
pub(crate) const OWN: &str = "x-countersign-";

/// Fields by which an application can be told another path or method than the one that was decided
/// on: CVE-2018-14773, CVE-2023-27487.
const OVERRIDES: [&str; 6] = [
    "x-envoy-original-path",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Between two neighbours, and not beyond (RFC 9110 §7.6.1). `Trailer` is not among them: without
/// it HTTP/1.1 drops the trailers.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What frames, routes or authenticates a message. `Connection` cannot name these away, they mean
/// nothing in a trailer (RFC 9110 §6.5.1), and of each only the one right spelling passes.
const WEIGHTY: [HeaderName; 11] = [
    AUTHORIZATION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    SET_COOKIE,
    TRAILER,
    HeaderName::from_static("x-real-ip"),
];

/// Takes away what only the neighbour was meant to read, and what it says of itself in `Connection`.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = options(headers)
        .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
        .filter(|name| !WEIGHTY.contains(name) && !is_forwarded(name) && !is_own(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Whether `Connection` holds that option.
pub(crate) fn connection_has(headers: &HeaderMap, option: &str) -> bool {
    options(headers).any(|found| found.eq_ignore_ascii_case(option))
}

/// Whether the sender takes trailers (RFC 9110 §10.1.4).
pub(crate) fn takes_trailers(headers: &HeaderMap) -> bool {
    list(headers, &TE).any(|coding| coding.eq_ignore_ascii_case("trailers"))
}

fn options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    list(headers, &CONNECTION)
}

fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let fields = headers.get_all(name).into_iter();
    fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|item| item.trim_matches([' ', '\t']))
}

/// Takes away what callers may not say to an upstream, on every route: what is this edge's to
/// write, what would undo the decision, and the twins of what weighs.
pub(crate) fn strip_forged(headers: &mut HeaderMap) {
    retain(headers, |name| {
        !is_own(name) && !is_override(name) && !is_shadow(name)
    });
}

/// Takes away what proxies say of the way before them.
pub(crate) fn strip_forwarded(headers: &mut HeaderMap) {
    retain(headers, |name| !is_forwarded(name));
}

/// Takes away what an upstream may not say in this edge's name.
pub(crate) fn strip_own(headers: &mut HeaderMap) {
    retain(headers, |name| !is_own(name));
}

/// Keeps of trailers what a trailer may hold: what a head may not say, a trailer may not either.
pub(crate) fn strip_trailers(trailers: &mut HeaderMap) {
    retain(trailers, |name| {
        !(is_own(name)
            || is_override(name)
            || is_forwarded(name)
            || WEIGHTY
                .iter()
                .chain(&HOP_BY_HOP)
                .any(|one| is_twin(name.as_str(), one.as_str())))
    });
}

fn retain(headers: &mut HeaderMap, keep: impl Fn(&HeaderName) -> bool) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| !keep(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// The name without what makes twins of it. Names are in lower case already.
fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.bytes()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { b'-' })
}

fn is_twin(name: &str, of: &str) -> bool {
    folded(name).eq(of.bytes())
}

fn is_own(name: &HeaderName) -> bool {
    folded(name.as_str()).take(OWN.len()).eq(OWN.bytes())
}

fn is_override(name: &HeaderName) -> bool {
    OVERRIDES.iter().any(|one| is_twin(name.as_str(), one))
}

fn is_forwarded(name: &HeaderName) -> bool {
    const FAMILY: &str = "x-forwarded-";
    let name = name.as_str();
    folded(name).take(FAMILY.len()).eq(FAMILY.bytes())
        || [FORWARDED.as_str(), "x-real-ip"]
            .iter()
            .any(|one| is_twin(name, one))
}

/// Whether it is another spelling of a name that weighs.
fn is_shadow(name: &HeaderName) -> bool {
    let text = name.as_str();
    let odd = text
        .bytes()
        .any(|c| !c.is_ascii_alphanumeric() && c != b'-');
    odd && (is_forwarded(name)
        || WEIGHTY
            .iter()
            .chain(&HOP_BY_HOP)
            .any(|one| is_twin(text, one.as_str())))
}

#[cfg(test)]
mod tests;
