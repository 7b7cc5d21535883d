//! What a caller reads who is not let in: a status, a challenge, a reason code, and no more than may be said.

use crate::body::{AnyBody, whole};
use crate::id::{DECISION, DecisionId};
use countersign_enforcer::decision::{Challenge, Decision, Denial, Login, Verdict};
use countersign_ruleset::rules::Disclose;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;
use std::fmt::Write;

/// After so many seconds a ruleset or a key that is missing may have come.
const RETRY: HeaderValue = HeaderValue::from_static("5");

/// Whether the caller reads statuses of gRPC: `application/grpc`, perhaps with more after it.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    const KIND: &[u8] = b"application/grpc";
    let kind = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let Some((kind, rest)) = kind.split_at_checked(KIND.len()) else {
        return false;
    };
    kind.eq_ignore_ascii_case(KIND) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// What a caller is told instead of the upstream's answer.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// The status.
    pub(crate) status: StatusCode,
    /// The code of the reason.
    pub(crate) reason: &'static str,
    /// One sentence, where the caller may read it.
    pub(crate) detail: Option<String>,
    /// What would help, and where.
    pub(crate) challenge: Option<(&'a Challenge, &'a str)>,
}

/// The answer to a request that is not let in; `None` if it is.
pub(crate) fn denial(
    decision: &Decision,
    realm: Option<&str>,
    grpc: bool,
    id: DecisionId,
) -> Option<Response<AnyBody>> {
    let Verdict::Deny(denial) = &decision.verdict else {
        return None;
    };
    let (status, challenge) = match denial {
        Denial::BadRequest => (StatusCode::BAD_REQUEST, None),
        Denial::Unauthenticated(challenge) | Denial::Login(Login { challenge, .. }) => {
            (StatusCode::UNAUTHORIZED, Some(challenge))
        }
        Denial::Forbidden(challenge) => (StatusCode::FORBIDDEN, challenge.as_ref()),
        Denial::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    let detail = decision.disclose == Disclose::Reason;
    let told = Told {
        status,
        reason: decision.reason.as_str(),
        detail: detail.then(|| decision.reason.explanation()),
        challenge: challenge.map(|challenge| (challenge, realm.unwrap_or("countersign"))),
    };
    Some(answer(&told, grpc, id))
}

/// An answer of the edge's own.
pub(crate) fn answer(told: &Told<'_>, grpc: bool, id: DecisionId) -> Response<AnyBody> {
    let mut response = if grpc {
        trailers_only(told)
    } else {
        problem(told, id)
    };
    let headers = response.headers_mut();
    headers.insert(DECISION, id.into());
    // an answer for one caller, or for one moment
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some((challenge, realm)) = told.challenge {
        headers.insert(WWW_AUTHENTICATE, bearer(challenge, realm));
    }
    if told.status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY);
    }
    response
}

fn problem(told: &Told<'_>, id: DecisionId) -> Response<AnyBody> {
    let document = serde_json::to_vec(&Problem {
        kind: "about:blank",
        title: told.status.canonical_reason().unwrap_or_default(),
        status: told.status.as_u16(),
        reason: told.reason,
        detail: told.detail.as_deref(),
        decision: id.to_string(),
    });
    let mut response = Response::new(whole(document.unwrap_or_default()));
    *response.status_mut() = told.status;
    let json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// "Trailers-Only": the status of the call stands in the head, and there is no body.
fn trailers_only(told: &Told<'_>) -> Response<AnyBody> {
    let code = match told.status {
        StatusCode::UNAUTHORIZED => "16",
        StatusCode::FORBIDDEN => "7",
        StatusCode::BAD_REQUEST => "3",
        _ => "14",
    };
    let message = match &told.detail {
        Some(detail) => format!("{}: {detail}", told.reason),
        None => told.reason.to_owned(),
    };
    let mut response = Response::new(whole(""));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static(code));
    if let Ok(message) = HeaderValue::try_from(percent_encoded(&message)) {
        headers.insert("grpc-message", message);
    }
    response
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    decision: String,
}

/// RFC 6750 §3: the scheme is followed by one parameter or more; without a token there is no error
/// among them. RFC 9470 §3 for what a better login would need.
fn bearer(challenge: &Challenge, realm: &str) -> HeaderValue {
    let mut text = format!("Bearer realm={}", quoted(realm));
    let mut parameter = |name: &str, value: &str| {
        text.push_str(", ");
        text.push_str(name);
        text.push('=');
        text.push_str(&quoted(value));
    };
    if let Some(error) = challenge.error {
        parameter("error", error);
    }
    if !challenge.scope.is_empty() {
        parameter("scope", &challenge.scope.join(" "));
    }
    if !challenge.acr_values.is_empty() {
        parameter("acr_values", &challenge.acr_values.join(" "));
    }
    if let Some(age) = challenge.max_age {
        parameter("max_age", &age.to_string());
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}

/// RFC 9110 §5.6.4, of visible characters and blanks.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Visible ASCII but `%` stands for itself; all else is encoded, blanks too, for those at the ends of a
/// field are not part of it, and ` admin` would become `admin`.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'%' => encoded.push(byte.into()),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
