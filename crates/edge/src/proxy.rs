//! From a permit to the upstream and back: the canonical request out, the answer streamed in.
//!
//! What is sent is what was decided on: its host, its canonical path, and of its fields those that a
//! caller may say. The body passes as it comes, without being held.

use crate::answer::{self, percent_encoded};
use crate::body::{AnyBody, Passing};
use crate::connection::Tie;
use crate::exchange::empty;
use crate::headers;
use crate::id::{DECISION, DecisionId};
use crate::tunnel;
use crate::upstream::{Pool, Speech, Unanswered};
use countersign_enforcer::claims::{Claims, Email, Fact};
use countersign_enforcer::decision::Permit;
use countersign_ruleset::rules::Forward;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, TE, UPGRADE};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::oneshot;

const PROVIDER: HeaderName = HeaderName::from_static("x-countersign-provider");
const USER: HeaderName = HeaderName::from_static("x-countersign-user");
const EMAIL: HeaderName = HeaderName::from_static("x-countersign-email");
const GROUPS: HeaderName = HeaderName::from_static("x-countersign-groups");

/// A provider's own header for its token: it is a credential as `Authorization` is.
const IAP: HeaderName = HeaderName::from_static("x-goog-iap-jwt-assertion");

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// The way that a request came.
#[derive(Debug)]
pub(crate) struct Way {
    /// Who connected.
    pub(crate) peer: IpAddr,
    /// Whether what it says of the way before it counts; `None` if nobody knows.
    pub(crate) trusted: Option<bool>,
}

/// A request that was let in, as it is sent on.
pub(crate) struct Onward {
    request: Request<()>,
    speech: Speech,
    /// The caller's side of a tunnel, if he asked for one.
    upgrade: Option<OnUpgrade>,
}

/// Without its target and fields: among them are cookies, and what a query carries.
impl fmt::Debug for Onward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onward")
            .field("method", self.request.method())
            .field("speech", &self.speech)
            .finish_non_exhaustive()
    }
}

impl Onward {
    /// Takes from a request what may go on. `None` if its target cannot be written, which a canonical
    /// path and a query that was read can.
    pub(crate) fn new(
        parts: &mut Parts,
        permit: &Permit,
        caller: Option<&Claims>,
        (host, path): (&str, &str),
        way: &Way,
        pool: &Pool,
        id: DecisionId,
    ) -> Option<Self> {
        let mut fields = std::mem::take(&mut parts.headers);
        let upgrade = websocket(parts, &fields);
        let speech = speech(parts.version, &fields);
        let trailers = headers::takes_trailers(&fields);
        strip(&mut fields, permit);
        say_the_way(&mut fields, host, way);
        say_who(&mut fields, permit, caller);
        fields.insert(DECISION, id.into());
        let target = target(path, parts.uri.query())?;
        let uri = match speech {
            Speech::Http1 => {
                join_cookies(&mut fields);
                fields.insert(HOST, HeaderValue::from_str(host).ok()?);
                say_options(&mut fields, trailers, upgrade.is_some());
                pool.target(target).ok()?
            }
            Speech::Http2 => {
                fields.remove(HOST);
                if trailers {
                    fields.insert(TE, TRAILERS);
                }
                let uri = Uri::builder().scheme(Scheme::HTTP).authority(host);
                uri.path_and_query(target).build().ok()?
            }
        };
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = speech.version();
        *request.headers_mut() = fields;
        Some(Self {
            request,
            speech,
            upgrade,
        })
    }
}

/// Calls of gRPC need HTTP/2; for all else HTTP/1.1 is what every service speaks.
fn speech(version: Version, fields: &HeaderMap) -> Speech {
    if version == Version::HTTP_2 && answer::is_grpc(fields) {
        Speech::Http2
    } else {
        Speech::Http1
    }
}

/// Takes away what ends at this edge.
fn strip(fields: &mut HeaderMap, permit: &Permit) {
    headers::strip_hop_by_hop(fields);
    headers::strip_forged(fields);
    // the edge has read the head already: whoever waits for leave has it
    fields.remove(EXPECT);
    if !permit.forward().contains(&Forward::Token) {
        fields.remove(AUTHORIZATION);
        fields.remove(IAP);
    }
}

/// The canonical path, and the query as it came.
fn target(path: &str, query: Option<&str>) -> Option<PathAndQuery> {
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    target.parse().ok()
}

/// What this edge says to its own neighbour: that it takes trailers, which "MUST" be named a
/// connection option, too (RFC 9110 §10.1.4), and that it would leave HTTP.
fn say_options(fields: &mut HeaderMap, trailers: bool, upgrade: bool) {
    if trailers {
        fields.insert(TE, TRAILERS);
        fields.append(CONNECTION, HeaderValue::from_static("te"));
    }
    if upgrade {
        fields.append(CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// The caller's side of a tunnel. Only to WebSocket (RFC 6455 §4.1): what else HTTP/1.1 can be
/// upgraded to, `h2c` before all, would carry requests that nobody decides.
fn websocket(parts: &mut Parts, fields: &HeaderMap) -> Option<OnUpgrade> {
    let asked = parts.version == Version::HTTP_11
        && headers::connection_has(fields, "upgrade")
        && fields
            .get(UPGRADE)
            .is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    upgrade.filter(|_| asked)
}

/// `X-Forwarded-*`: on with what a trusted proxy says, anew where nobody is.
fn say_the_way(fields: &mut HeaderMap, host: &str, way: &Way) {
    const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    if way.trusted != Some(true) {
        headers::strip_forwarded(fields);
    }
    // proxies that write the one field let a caller's other one through
    fields.remove(FORWARDED);
    if let Ok(peer) = HeaderValue::try_from(way.peer.to_canonical().to_string()) {
        fields.append(FOR, peer);
    }
    // behind proxies that nobody named, this hop says nothing of the caller's
    if way.trusted == Some(false) {
        fields.insert(PROTO, HeaderValue::from_static("http"));
    }
    if let Ok(host) = HeaderValue::from_str(host) {
        fields.entry(FORWARDED_HOST).or_insert(host);
    }
}

/// "If there are multiple Cookie header fields after decompression, these MUST be concatenated into a
/// single octet string using the two-octet delimiter of 0x3B, 0x20" (RFC 9113 §8.2.3).
fn join_cookies(fields: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = fields
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        fields.insert(COOKIE, joined);
    }
}

/// What the policies have said that the upstream is told of the caller; of what is not known, nothing.
fn say_who(fields: &mut HeaderMap, permit: &Permit, caller: Option<&Claims>) {
    let Some(caller) = caller else { return };
    let mut say = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::try_from(text) {
            fields.insert(name, value);
        }
    };
    for forward in permit.forward() {
        match forward {
            Forward::User => {
                say(PROVIDER, caller.provider().to_string());
                say(USER, percent_encoded(caller.subject()));
            }
            Forward::Email => {
                if let Fact::Known(address) = caller.email().map(Email::address) {
                    say(EMAIL, percent_encoded(address));
                }
            }
            Forward::Groups => {
                if let Fact::Known(groups) = caller.groups() {
                    let groups = groups.iter().map(|group| listed(group));
                    say(GROUPS, groups.collect::<Vec<_>>().join(","));
                }
            }
            // The token stays where it is. Assertions are not signed by this version: a policy that
            // asks for one is told so when it is compiled, and each request without it is counted.
            Forward::Assertion | Forward::Token => {}
        }
    }
}

/// One member of a list that commas part.
fn listed(text: &str) -> String {
    percent_encoded(text).replace(',', "%2C")
}

/// Sends a request on, and gives the answer as soon as its head is there.
pub(crate) async fn send(
    pool: &Pool,
    onward: Onward,
    body: Incoming,
    answer_time: Duration,
    held: &Tie,
    id: DecisionId,
) -> Result<Response<AnyBody>, Unanswered> {
    let Onward {
        request,
        speech,
        upgrade,
    } = onward;
    // let go when the last of the body has gone out: from then on the upstream's time runs
    let (sending, gone) = oneshot::channel::<()>();
    let body = Passing::new(body, sending)
        .map_err(Into::into)
        .boxed_unsync();
    let too_late = async {
        let _ = gone.await;
        tokio::time::sleep(answer_time).await;
    };
    let mut response = tokio::select! {
        biased;
        response = pool.send(request.map(|()| body), speech) => response?,
        () = too_late => return Err(Unanswered::TooLate),
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let unasked = "it switched protocols, which nobody had asked for";
        let caller = upgrade.ok_or_else(|| Unanswered::Broken(unasked.into()))?;
        return Ok(switch(caller, response, held, id));
    }
    own(response.headers_mut(), id);
    let (mut parts, body) = response.into_parts();
    // the caller's version is the connection's, not the upstream's
    parts.version = Version::default();
    parts.extensions.clear();
    let body = Passing::new(body, ()).map_err(Into::into).boxed_unsync();
    Ok(Response::from_parts(parts, body))
}

/// Leaves HTTP: what both sides send from now on passes unread.
fn switch(
    caller: OnUpgrade,
    mut response: Response<Incoming>,
    held: &Tie,
    id: DecisionId,
) -> Response<AnyBody> {
    let service = hyper::upgrade::on(&mut response);
    tunnel::open(caller, service, held.clone(), id);
    let mut response = empty(response.map(drop));
    own(response.headers_mut(), id);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// What an answer says of its own neighbour ends here, and so does what only an edge may say.
fn own(fields: &mut HeaderMap, id: DecisionId) {
    headers::strip_hop_by_hop(fields);
    headers::strip_own(fields);
    fields.insert(DECISION, id.into());
}

#[cfg(test)]
mod tests {
    use super::{Onward, Speech};
    use http::Request;

    #[test]
    fn what_is_sent_on_is_not_printed() {
        let request = Request::get("/x?code=secret-query")
            .header("authorization", "Bearer secret-token")
            .header("cookie", "session=secret-cookie");
        let onward = Onward {
            request: request.body(()).unwrap(),
            speech: Speech::Http1,
            upgrade: None,
        };
        let printed = format!("{onward:?}");
        assert!(printed.contains("GET"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
