//! Answers: what is published, that nothing changed, or a problem document (RFC 9457).

use bytes::Bytes;
use countersign_ruleset::manifest::Digest;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

pub(super) type Answer = Response<Full<Bytes>>;

/// The tag of some bytes. It is of all of them, not of what is signed in them: the same manifest
/// signed by another key is another answer.
pub(super) fn tag(bytes: &[u8]) -> HeaderValue {
    let text = format!("\"{}\"", Digest::of(bytes));
    // INVARIANT: hex in quotes
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What is published, and may be another the next time.
pub(super) fn current(bytes: Bytes) -> Answer {
    let tag = tag(&bytes);
    let mut response = found(bytes, "application/json", "private, no-cache");
    response.headers_mut().insert(ETAG, tag);
    response
}

/// What never changes. It is nobody else's all the same.
pub(super) fn immutable(bytes: Bytes, kind: &'static str) -> Answer {
    let tag = tag(&bytes);
    let mut response = found(bytes, kind, "private, max-age=31536000, immutable");
    response.headers_mut().insert(ETAG, tag);
    response
}

fn found(bytes: Bytes, kind: &'static str, cache: &'static str) -> Answer {
    let mut response = Response::new(Full::new(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// What is known is what there is.
pub(super) fn unchanged(tag: HeaderValue) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, tag);
    response
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    reason: &'a str,
}

/// Why there is no other answer.
pub(super) fn problem(status: StatusCode, reason: &str) -> Answer {
    let document = serde_json::to_vec(&Problem {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        reason,
    });
    let body = Bytes::from(document.unwrap_or_default());
    let mut response = found(body, "application/problem+json", "no-store");
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let retry = HeaderValue::from_static("5");
        response.headers_mut().insert(RETRY_AFTER, retry);
    }
    response
}

/// Who asks has no token that counts here.
pub(super) fn unauthenticated(reason: &str, error: Option<&str>) -> Answer {
    let mut response = problem(StatusCode::UNAUTHORIZED, reason);
    let realm = "Bearer realm=\"countersign-controller\"";
    let text = match error {
        Some(error) => format!("{realm}, error=\"{error}\""),
        None => realm.to_owned(),
    };
    if let Ok(challenge) = HeaderValue::try_from(text) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
