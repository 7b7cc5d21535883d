//! Sessions of browsers: what a login showed, for one application, and for no longer than half a day.
//!
//! ```text
//! ID token ─► Enforcer::log_in ─► Session ─► Request::with_session ─► live? ─► Claims ─► decide
//!                                               by the ruleset in force ┘
//! ```
//!
//! A session is data. Where it is kept, and with which [`AuthenticationRequest`] a browser was sent, is
//! the matter of who sends browsers to log in.
//!
//! Sessions are evidence: only [`Enforcer::log_in`](crate::store::Enforcer::log_in) makes them.
//!
//! ```compile_fail,E0451
//! use countersign_enforcer::session::Session;
//! fn stretch(real: Session) -> Session {
//!     Session { made_at: countersign_ruleset::time::UnixTime(u64::MAX), ..real }
//! }
//! ```

use crate::claims::Claims;
use crate::decision::Challenge;
use crate::index::{Index, Protected};
use crate::token::{self, Authentic, Compact, Invalid};
use countersign_ruleset::names::{ApplicationId, ProviderId, Scope};
use countersign_ruleset::provider::Client;
use countersign_ruleset::time::UnixTime;
use std::fmt;

/// How long a session lasts at most, in seconds: 12 hours. The `exp` of an ID token says how long it
/// may be handed over, which is minutes; it says nothing of the login.
pub const MAX_SESSION: u64 = 12 * 3_600;

/// How far ahead the clock may have been by which a session was made, in seconds. One from later than
/// that was made by a clock that was wrong, and would last longer than it may.
const MAX_AHEAD: u64 = 60;

/// For so many seconds after a login, none is asked for that was asked for the same: the provider gave
/// what it could, and as long as it remembers the browser it would give that again at once, for ever.
const AGAIN: u64 = 60;

/// What a browser was sent to log in with (OpenID Connect Core §3.1.2.1), and who sent it kept.
#[derive(Clone, Copy)]
pub struct AuthenticationRequest<'a> {
    /// What the ID token must repeat: it binds the login to this browser.
    pub nonce: &'a str,
    /// What the login was to come with, of the [`Login`](crate::decision::Login) that sent it.
    pub challenge: &'a Challenge,
}

impl fmt::Debug for AuthenticationRequest<'_> {
    /// Without the nonce.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationRequest")
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}

/// Somebody logged in, to one application.
pub struct Session {
    token: Authentic,
    client: Client,
    scope: Scope,
    application: ApplicationId,
    /// What the login was asked to come with.
    acr_values: Vec<String>,
    max_age: Option<u64>,
    made_at: UnixTime,
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
        self.made_at.plus(MAX_SESSION)
    }

    /// Whether it comes of a login of just now that was asked for the same as is asked for here.
    pub(crate) fn just_answered(&self, challenge: &Challenge, now: UnixTime) -> bool {
        let asked = (&self.acr_values, self.max_age);
        asked == (&challenge.acr_values, challenge.max_age) && now < self.made_at.plus(AGAIN)
    }
}

impl fmt::Debug for Session {
    /// Whose, for what and until when; nothing that says who logged in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("provider", self.provider())
            .field("application", &self.application)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// Why a login makes no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// The ID token was issued for another client, or for several of which another is meant.
    #[error("the ID token was issued for another client")]
    OtherClient,
    /// The ID token comes of another login than the one that this browser was sent to.
    #[error("the ID token comes of another login")]
    OtherLogin,
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
            Self::OtherLogin => "OtherLogin",
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
    request: AuthenticationRequest<'_>,
    now: UnixTime,
) -> Result<Session, NoSession> {
    let login = target.login.as_ref().ok_or(NoSession::WithoutLogin)?;
    let provider = |issuer: &str| index.providers.named(&login.provider, issuer);
    let token = token::id_token(Compact::new(id_token), provider, now)?;
    if !token.is_for_client(&login.client.id) {
        return Err(NoSession::OtherClient);
    }
    if !token.repeats(request.nonce) {
        return Err(NoSession::OtherLogin);
    }
    Ok(Session {
        token,
        client: login.client.clone(),
        scope: index.id.scope.clone(),
        application: target.id.clone(),
        acr_values: request.challenge.acr_values.clone(),
        max_age: request.challenge.max_age,
        made_at: now,
    })
}

/// Who logged in, if the session counts: for this very application, by the login that it has now, in
/// time, and with nothing of it revoked since.
pub(crate) fn live(
    index: &Index,
    target: &Protected,
    session: &Session,
    now: UnixTime,
) -> Option<Claims> {
    let login = target.login.as_ref()?;
    // what is asked for now, and was not, is not among its claims
    let asked = |scope: &String| session.client.scopes.contains(scope);
    let is_its_own = session.scope == index.id.scope
        && session.application == target.id
        && login.provider == *session.provider()
        && login.client.id == session.client.id
        && login.client.scopes.iter().all(asked);
    let is_in_time = session.made_at <= now.plus(MAX_AHEAD) && now < session.expires_at();
    if !is_its_own || !is_in_time {
        return None;
    }
    let issuer = &session.token.required.issuer;
    let trusted = index.providers.named(&login.provider, issuer)?;
    // a revocation that is over does not give back what it took
    let since = session.made_at.min(now);
    let token = session.token.under(trusted, since)?;
    Some(Claims::of_session(token, session.expires_at()))
}

#[cfg(test)]
mod tests;
