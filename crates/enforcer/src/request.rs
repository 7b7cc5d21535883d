//! The request as it is decided on and sent on: one authority, one path, at most one credential.

use crate::mcp::{self, Calls};
use crate::session::Session;
use countersign_ruleset::host::Host;
use countersign_ruleset::path::{self, CanonicalPath};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Uri};
use std::fmt;
use std::net::IpAddr;

mod navigation;

/// The methods of RFC 9110 §9.3 and RFC 5789.
const KNOWN: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// What a decision may look at, and nothing else.
///
/// ```
/// use countersign_enforcer::request::Request;
/// let (parts, ()) = http::Request::get("http://Orders.example.com:80/v1/%6Frders?page=2")
///     .body(())
///     .unwrap()
///     .into_parts();
/// let request = Request::new(&parts.method, &parts.uri, &parts.headers, None).unwrap();
/// assert_eq!(request.host().as_str(), "orders.example.com");
/// assert_eq!(request.path().as_str(), "/v1/orders");
/// ```
pub struct Request<'a> {
    method: &'a Method,
    host: Host,
    port: &'a str,
    path: CanonicalPath,
    headers: &'a HeaderMap,
    source: Option<IpAddr>,
    bearer: Option<Credential<'a>>,
    calls: Calls,
    session: Option<&'a Session>,
}

/// Without its fields, among which are the token and the cookies.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A token as it came. It cannot be printed.
#[derive(Clone, Copy)]
pub struct Credential<'a>(pub(crate) &'a str);

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(redacted)")
    }
}

/// Why a request is answered 400 before anything else is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The authority is no host.
    #[error("expected a host in `Host` or `:authority`, got another text")]
    AuthorityInvalid,
    /// There is none.
    #[error("expected one `Host`, got none")]
    AuthorityMissing,
    /// There are several, or two that differ.
    #[error("expected one `Host`, got several")]
    AuthorityTwice,
    /// The credential is no single token.
    #[error("expected one token after `Bearer`, got another text")]
    CredentialMalformed,
    /// There are two credentials.
    #[error("expected at most one credential, got two")]
    CredentialTwice,
    /// The method is a known one but for the case of its letters: two methods to one server, and the
    /// same to another.
    #[error("expected a known method in capital letters, got it in others")]
    MethodCase,
    /// The path has no canonical form.
    #[error("{0}")]
    Path(path::NotCanonical),
    /// The target is `*` or an authority.
    #[error("expected a path as the request target, got another form")]
    TargetForm,
}

impl Malformed {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AuthorityInvalid => "AuthorityInvalid",
            Self::AuthorityMissing => "AuthorityMissing",
            Self::AuthorityTwice => "AuthorityTwice",
            Self::CredentialMalformed => "CredentialMalformed",
            Self::CredentialTwice => "CredentialTwice",
            Self::MethodCase => "MethodCase",
            Self::Path(_) => "PathMalformed",
            Self::TargetForm => "TargetForm",
        }
    }
}

impl<'a> Request<'a> {
    /// Reads a request's head. `source` is the caller's address, as far as it is established.
    pub fn new(
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        source: Option<IpAddr>,
    ) -> Result<Self, Malformed> {
        if is_in_another_case(method) {
            return Err(Malformed::MethodCase);
        }
        // authority-form, and `*`: no path to decide on (RFC 9112 §3.2.3, §3.2.4)
        if *method == Method::CONNECT || uri.path() == "*" || uri.path().is_empty() {
            return Err(Malformed::TargetForm);
        }
        let (host, port) = authority(uri, headers)?;
        let path = CanonicalPath::parse(uri.path().as_bytes()).map_err(Malformed::Path)?;
        let bearer = bearer(headers)?;
        Ok(Self {
            method,
            host,
            port,
            path,
            headers,
            // `::ffff:10.1.2.3`, as a socket of both families says it, is no other network's
            source: source.map(|address| address.to_canonical()),
            bearer,
            calls: Calls::Unseen,
            session: None,
        })
    }

    /// The same request, with the calls of its body. Without them nothing is known of any.
    #[must_use]
    pub fn with_calls(self, calls: Calls) -> Self {
        Self { calls, ..self }
    }

    /// The same request, with its whole body, of which the calls are read. They stay unseen if it is
    /// encoded, of another type, or can be read in more than one way; and just these bytes are the
    /// ones to send on.
    #[must_use]
    pub fn with_body(self, body: &[u8]) -> Self {
        let calls = if body.is_empty() {
            Calls::Seen(Vec::new())
        } else if self.is_plain_json() {
            mcp::read(body).map_or(Calls::Unseen, Calls::Seen)
        } else {
            Calls::Unseen
        };
        self.with_calls(calls)
    }

    /// Whether nothing but JSON can be meant by the body: a coding, or another charset, is a second
    /// way to read the same bytes (RFC 9110 §8.4, §8.3.2).
    fn is_plain_json(&self) -> bool {
        let plain = |name: http::HeaderName, is_plain: fn(&str) -> bool| matches!(self.header(name.as_str()), Ok(value) if value.is_none_or(is_plain));
        plain(CONTENT_ENCODING, |coding| {
            coding.trim().eq_ignore_ascii_case("identity")
        }) && plain(CONTENT_TYPE, |text| {
            let text = text.to_ascii_lowercase();
            let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
            let parameters = parameters.trim().replace('"', "");
            essence.trim() == "application/json"
                && ["", "charset=utf-8"].contains(&parameters.as_str())
        })
    }

    /// The same request, with the session that its browser keeps. Whether it counts is decided by
    /// what is in force.
    #[must_use]
    pub const fn with_session(mut self, session: &'a Session) -> Self {
        self.session = Some(session);
        self
    }

    /// The session that came with it, unless another page may have had the browser send it.
    pub(crate) fn session(&self) -> Option<&'a Session> {
        self.session.filter(|_| !self.may_be_forged())
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        self.method
    }

    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The canonical path, which is also the one to send on.
    pub const fn path(&self) -> &CanonicalPath {
        &self.path
    }

    /// What is known of the calls in its body.
    pub const fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The caller's address, as far as it is established.
    pub const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// A header that occurs once; `Err` if it occurs twice or is no text.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&'a str>, ()> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
            (Some(_), Some(_)) => Err(()),
        }
    }

    /// Whether a text holds the bearer token.
    pub(crate) fn is_credential_in(&self, text: &str) -> bool {
        self.bearer
            .is_some_and(|credential| text.contains(credential.0))
    }

    /// Whether it asks if another origin may call (Fetch §3.2.2).
    pub(crate) fn is_cors_preflight(&self) -> bool {
        *self.method == Method::OPTIONS
            && self.headers.contains_key(http::header::ORIGIN)
            && self
                .headers
                .contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The one credential: a bearer token, or a token in one of the providers' own headers. Says in
    /// which header it came; `None` is `Authorization`.
    pub(crate) fn credential<'h>(
        &self,
        own_headers: impl Iterator<Item = &'h str>,
    ) -> Result<Option<(Credential<'a>, Option<&'h str>)>, Malformed> {
        let mut found = self.bearer.map(|credential| (credential, None));
        for name in own_headers {
            let value = self.header(name).map_err(|()| Malformed::CredentialTwice)?;
            if let Some(value) = value {
                if found.is_some() {
                    return Err(Malformed::CredentialTwice);
                }
                found = Some((Credential(value), Some(name)));
            }
        }
        Ok(found)
    }
}

/// Methods are case-sensitive (RFC 9110 §9.1), and many servers make them upper-case before they look:
/// a Deny of DELETE would be passed by `delete`.
fn is_in_another_case(method: &Method) -> bool {
    let method = method.as_str();
    KNOWN
        .iter()
        .any(|known| *known != method && known.eq_ignore_ascii_case(method))
}

/// RFC 9112 §3.2: exactly one `Host`. With an absolute target or `:authority` it may be missing
/// (RFC 9113 §8.3.1), and if it is there it must say the same.
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<(Host, &'a str), Malformed> {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Malformed::AuthorityTwice);
    }
    let invalid = Malformed::AuthorityInvalid;
    let parse = |text: &'a str| Ok((Host::parse(text).map_err(|_| invalid)?, port(text)));
    let header = first
        .map(|value| parse(value.to_str().map_err(|_| invalid)?))
        .transpose()?;
    let target = uri
        .authority()
        .map(|authority| parse(authority.as_str()))
        .transpose()?;
    match (header, target) {
        (Some(header), Some(target)) if header.0 != target.0 => Err(Malformed::AuthorityTwice),
        (Some(called), _) | (None, Some(called)) => Ok(called),
        (None, None) => Err(Malformed::AuthorityMissing),
    }
}

/// The port of an authority, if it names none that of `https`. It is never looked for in an address
/// of IPv6.
fn port(authority: &str) -> &str {
    let (_, rest) = authority.rsplit_once(']').unwrap_or(("", authority));
    rest.rsplit_once(':').map_or("443", |(_, port)| port)
}

/// RFC 6750 §2.1, the scheme in any case (RFC 9110 §11.1). Another scheme is no token.
fn bearer(headers: &HeaderMap) -> Result<Option<Credential<'_>>, Malformed> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), second) = (fields.next(), fields.next()) else {
        return Ok(None);
    };
    if second.is_some() {
        return Err(Malformed::CredentialTwice);
    }
    let value = value.to_str().map_err(|_| Malformed::CredentialMalformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        // `Basic x, Bearer y`: one field that two readers take for two
        let hidden = value.to_ascii_lowercase().contains("bearer ");
        return if hidden {
            Err(Malformed::CredentialMalformed)
        } else {
            Ok(None)
        };
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.contains([' ', ',', '\t']) {
        return Err(Malformed::CredentialMalformed);
    }
    Ok(Some(Credential(token)))
}

#[cfg(test)]
mod tests;
