//! Sessions of browsers: what a login showed, for one application, and for no longer than half a day.
//!
//! ```text
//! ID token ─► Enforcer::log_in ─► Session ─► Request::with_session ─► live? ─► Claims ─► decide
//!                                               by the ruleset in force ┘
//! ```
//!
//! A session is data. Where it is kept, and that the `nonce` of the ID token is the one that this
//! browser was sent with, is the matter of who sends browsers to log in.
//!
//! Sessions are evidence: only [`Enforcer::log_in`](crate::store::Enforcer::log_in) makes them.
//!
//! ```compile_fail,E0451
//! use countersign_enforcer::session::Session;
//! fn stretch(real: Session) -> Session {
//!     Session { expires_at: countersign_ruleset::time::UnixTime(u64::MAX), ..real }
//! }
//! ```

use crate::claims::Claims;
use crate::index::{Index, Protected};
use crate::token::{self, Authentic, Compact, Invalid};
use countersign_ruleset::names::{ApplicationId, ProviderId, Scope};
use countersign_ruleset::time::UnixTime;
use std::fmt;

/// How long a session lasts at most, in seconds: 12 hours. The `exp` of an ID token says how long it
/// may be handed over, which is minutes; it says nothing of the login.
pub const MAX_SESSION: u64 = 12 * 3_600;

/// Somebody logged in, to one application.
pub struct Session {
    token: Authentic,
    client: Box<str>,
    scope: Scope,
    application: ApplicationId,
    expires_at: UnixTime,
}

impl Session {
    /// Whose word it is.
    pub fn provider(&self) -> &ProviderId {
        self.token.trusted.id()
    }

    /// The application for which it was made, and its namespace.
    pub const fn application(&self) -> (&Scope, &ApplicationId) {
        (&self.scope, &self.application)
    }

    /// When it ends, whatever happens.
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }
}

impl fmt::Debug for Session {
    /// Whose, for what and until when; nothing that says who logged in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("provider", self.provider())
            .field("application", &self.application)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why a login makes no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// The ID token was issued for another client, or for several of which another is meant.
    #[error("the ID token was issued for another client")]
    OtherClient,
    /// The ID token was refused.
    #[error("{0}")]
    Token(#[from] Invalid),
    /// Nobody logs in there: there is no such application, it has no `login`, or the provider has no
    /// `client`.
    #[error("nobody logs in to that application")]
    WithoutLogin,
    /// No ruleset is in force.
    #[error("no ruleset is in force")]
    NoRuleset,
}

impl NoSession {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoRuleset => "NoRuleset",
            Self::OtherClient => "OtherClient",
            Self::Token(invalid) => invalid.as_str(),
            Self::WithoutLogin => "WithoutLogin",
        }
    }
}

/// Makes a session of the ID token that the application's login provider issued for its client.
pub(crate) fn log_in(
    index: &Index,
    target: &Protected,
    id_token: &str,
    now: UnixTime,
) -> Result<Session, NoSession> {
    let login = target.login.as_ref().ok_or(NoSession::WithoutLogin)?;
    let provider = |issuer: &str| index.providers.named(&login.provider, issuer);
    let token = token::id_token(Compact::new(id_token), provider, now)?;
    if !token.is_for_client(&login.client) {
        return Err(NoSession::OtherClient);
    }
    Ok(Session {
        token,
        client: login.client.clone(),
        scope: index.id.scope.clone(),
        application: target.id.clone(),
        expires_at: now.plus(MAX_SESSION),
    })
}

/// Who logged in, if the session counts: for this very application, by the login that it has now, in
/// time, and with nothing of it revoked.
pub(crate) fn live(
    index: &Index,
    target: &Protected,
    session: &Session,
    now: UnixTime,
) -> Option<Claims> {
    let login = target.login.as_ref()?;
    let is_its_own = session.scope == index.id.scope
        && session.application == target.id
        && login.provider == *session.provider()
        && login.client == session.client;
    if !is_its_own || now >= session.expires_at {
        return None;
    }
    let issuer = &session.token.required.issuer;
    let trusted = index.providers.named(&login.provider, issuer)?;
    let token = session.token.under(trusted, now)?;
    Some(Claims::of_session(token, session.expires_at))
}

#[cfg(test)]
mod tests;
