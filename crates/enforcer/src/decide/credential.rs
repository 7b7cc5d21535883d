//! Whose token or session comes with a request: one of them only, and verified before any rule is asked.

use crate::claims::Claims;
use crate::decision::{Challenge, Denial, Reason};
use crate::index::{Index, Protected};
use crate::request::{Malformed, Request};
use crate::session;
use crate::token::{self, Compact, Invalid};
use countersign_ruleset::time::UnixTime;

/// Why a request is turned away before any rule is asked.
pub(super) enum Refused {
    Form(Malformed),
    Token(Invalid),
}

impl Refused {
    /// The reason, and what becomes of the request.
    pub(super) fn answer(self) -> (Reason, Denial) {
        match self {
            Self::Form(form) => (Reason::MalformedRequest(form), Denial::BadRequest),
            Self::Token(invalid) if invalid.is_temporary() => {
                (Reason::Token(invalid), Denial::Unavailable)
            }
            Self::Token(invalid) => (Reason::Token(invalid), invalid_token()),
        }
    }
}

/// 401, for another token would help (RFC 6750 §3.1).
pub(super) fn invalid_token() -> Denial {
    Denial::Unauthenticated(Challenge {
        error: Some("invalid_token"),
        ..Challenge::default()
    })
}

/// The caller, if there is a token or a session that counts. A token that does not verify is refused even
/// where none is needed; a session that does not count is as none, for a browser keeps it unasked.
pub(super) fn credential(
    index: &Index,
    target: &Protected,
    request: &Request<'_>,
    now: UnixTime,
) -> Result<Option<Claims>, Refused> {
    let own_headers = target.headers.iter().map(String::as_str);
    let borne = request.credential(own_headers).map_err(Refused::Form)?;
    let session = request.session();
    let session = session.and_then(|session| session::live(index, target, session, now));
    let (credential, header) = match (borne, session) {
        (None, session) => return Ok(session),
        // two callers: whose word counts, nobody could tell
        (Some(_), Some(_)) => return Err(Refused::Form(Malformed::CredentialTwice)),
        // a session that is over counts as none
        (Some(borne), None) => borne,
    };
    let provider = |issuer: &str| {
        // a provider's token counts only from where that provider sends it
        index.providers.by_issuer(issuer).filter(|provider| {
            target.admitted.contains(provider.id()) && provider.header() == header
        })
    };
    token::verify(Compact::new(credential.0), provider, now)
        .map(Some)
        .map_err(Refused::Token)
}
