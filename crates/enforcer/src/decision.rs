//! Decisions: a permit or a denial, each with a reason from a closed list and what decided it.

use crate::claims::Claims;
use crate::request::Malformed;
use crate::token::Invalid;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::{ApplicationId, PolicyId, ProviderId, RuleName, Scope};
use countersign_ruleset::rules::{Audited, Disclose, Forward};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What becomes of a request, and why.
#[derive(Debug)]
pub struct Decision {
    /// Why.
    pub reason: Reason,
    /// What becomes of it.
    pub verdict: Verdict,
    /// The rules that decided: of an Allow also the boundaries' that held.
    pub rules: Vec<RuleRef>,
    /// What would be decided if the policies that are only observed decided too; `None` if there
    /// are none. Nothing else of the decision depends on it.
    pub would: Option<Would>,
    /// The application that was called, if it is known.
    pub application: Option<ApplicationId>,
    /// The ruleset by which it was decided.
    pub ruleset: Option<Arc<RulesetRef>>,
    /// The caller, if a token was verified.
    pub caller: Option<Claims>,
    /// The claims that an audit line may hold, and how.
    pub audited: Option<Arc<BTreeMap<String, Audited>>>,
    /// What a denied caller may read.
    pub disclose: Disclose,
}

impl Decision {
    /// Whether the request may pass.
    pub const fn is_permitted(&self) -> bool {
        matches!(self.verdict, Verdict::Permit(_))
    }

    /// The same, as who keeps no sessions answers it: in place of a login the 401 that everyone else
    /// gets, or a browser would be sent again each time that it came back.
    #[must_use]
    pub fn without_login(self) -> Self {
        let verdict = match self.verdict {
            Verdict::Deny(Denial::Login(Login { challenge, .. })) => {
                Verdict::Deny(Denial::Unauthenticated(challenge))
            }
            verdict => verdict,
        };
        Self { verdict, ..self }
    }

    /// The status of the answer if it may not (RFC 9110 §15); 200 if it may.
    pub const fn status(&self) -> u16 {
        match self.verdict {
            Verdict::Permit(_) => 200,
            Verdict::Deny(Denial::Login(_)) => 302,
            Verdict::Deny(Denial::BadRequest) => 400,
            Verdict::Deny(Denial::Unauthenticated(_)) => 401,
            Verdict::Deny(Denial::Forbidden(_)) => 403,
            Verdict::Deny(Denial::Unavailable) => 503,
        }
    }
}

/// What would be decided if what is only observed decided too, and what is open until then had ended
/// (`wouldAllow`, `wouldDeny`). It is for logs and counters, and no permit can be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Would {
    /// Whether the request would pass.
    pub allow: bool,
    /// Why.
    pub reason: Reason,
    /// The rules that would decide.
    pub rules: Vec<RuleRef>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It does not pass.
    Deny(Denial),
    /// It passes.
    Permit(Permit),
}

/// Evidence that a request was let in. Only a decision makes one.
///
/// ```compile_fail,E0451
/// let forged = countersign_enforcer::decision::Permit { forward: Vec::new() };
/// ```
#[derive(Debug)]
pub struct Permit {
    forward: Vec<Forward>,
}

impl Permit {
    pub(crate) const fn new(forward: Vec<Forward>) -> Self {
        Self { forward }
    }

    /// What the upstream is told of the caller.
    pub fn forward(&self) -> &[Forward] {
        &self.forward
    }
}

/// How a request is turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// 400: it cannot be read in one way only.
    BadRequest,
    /// 302: somebody navigates there with a browser, and a login would help.
    Login(Login),
    /// 401: a token, or a better one, would help.
    Unauthenticated(Challenge),
    /// 403: it would not, but for more scopes.
    Forbidden(Option<Challenge>),
    /// 503: what is needed to decide is not there.
    Unavailable,
}

/// Where a browser is sent to log in. Who keeps no sessions answers 401 with the challenge instead.
///
/// It says nothing of where a browser is to come back to: that is this application, and no place that
/// the request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The provider.
    pub provider: ProviderId,
    /// What the login must come with: `acr_values` and `max_age` are parameters of the request (OIDC
    /// Core §3.1.2.1).
    pub challenge: Challenge,
}

/// What `WWW-Authenticate: Bearer` says (RFC 6750 §3, RFC 9470 §3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `invalid_token`, `insufficient_scope` or `insufficient_user_authentication`; none if there
    /// was no token (RFC 6750 §3.1).
    pub error: Option<&'static str>,
    /// The scopes that would do, all of them.
    pub scope: Vec<String>,
    /// The authentication contexts of which one would do.
    pub acr_values: Vec<String>,
    /// The age of the login, in seconds, that would do.
    pub max_age: Option<u64>,
}

/// A rule, by its policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleRef {
    /// The policy.
    pub policy: PolicyId,
    /// The rule.
    pub rule: RuleName,
}

/// A ruleset, by what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesetRef {
    /// The namespace.
    pub scope: Scope,
    /// The serial.
    pub serial: u64,
    /// The digest of the manifest.
    pub digest: Digest,
}

/// Why a request passes or does not. The list is closed: a new reason breaks every match on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A rule lets it in, and nothing stands against it.
    Allowed,
    /// A rule would let it in, but the token was issued for another audience.
    AudienceMismatch,
    /// The cluster's boundary does not let it in.
    BoundaryNotMet,
    /// A Deny covers it.
    DeniedByRule,
    /// Two scopes in force claim the host, the one by a wildcard perhaps.
    HostAmbiguous,
    /// The token lacks scopes.
    InsufficientScope,
    /// The login was not strong or fresh enough.
    InsufficientUserAuthentication,
    /// The request cannot be read in one way only.
    MalformedRequest(Malformed),
    /// No rule lets it in.
    NoRuleMatched,
    /// No ruleset is in force.
    NoRuleset,
    /// No rule lets it in without a token.
    NoToken,
    /// No policy covers what was called.
    NotCovered,
    /// The token must be bound to a key, and is not.
    ProofOfPossessionRequired,
    /// The ruleset in force has expired.
    RulesetExpired,
    /// The token was refused.
    Token(Invalid),
}

impl Reason {
    /// Its stable name, for answers, metrics and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed => "Allowed",
            Self::AudienceMismatch => "AudienceMismatch",
            Self::BoundaryNotMet => "BoundaryNotMet",
            Self::DeniedByRule => "DeniedByRule",
            Self::HostAmbiguous => "HostAmbiguous",
            Self::InsufficientScope => "InsufficientScope",
            Self::InsufficientUserAuthentication => "InsufficientUserAuthentication",
            Self::MalformedRequest(malformed) => malformed.as_str(),
            Self::NoRuleMatched => "NoRuleMatched",
            Self::NoRuleset => "NoRuleset",
            Self::NoToken => "NoToken",
            Self::NotCovered => "NotCovered",
            Self::ProofOfPossessionRequired => "ProofOfPossessionRequired",
            Self::RulesetExpired => "RulesetExpired",
            Self::Token(invalid) => invalid.as_str(),
        }
    }

    /// One sentence for a person who may know it.
    pub fn explanation(&self) -> String {
        match self {
            Self::Allowed => "a rule lets it in".into(),
            Self::AudienceMismatch => "the token was issued for another audience".into(),
            Self::BoundaryNotMet => "the cluster's boundary does not let it in".into(),
            Self::DeniedByRule => "a Deny covers it".into(),
            Self::HostAmbiguous => "two scopes claim the host".into(),
            Self::InsufficientScope => "the token lacks scopes".into(),
            Self::InsufficientUserAuthentication => {
                "the login was not strong or fresh enough".into()
            }
            Self::MalformedRequest(malformed) => malformed.to_string(),
            Self::NoRuleMatched => "no rule lets it in".into(),
            Self::NoRuleset => "no ruleset is in force".into(),
            Self::NoToken => "no rule lets it in without a token".into(),
            Self::NotCovered => "no policy covers what was called".into(),
            Self::ProofOfPossessionRequired => "the token must be bound to a key".into(),
            Self::RulesetExpired => "the ruleset in force has expired".into(),
            Self::Token(invalid) => invalid.to_string(),
        }
    }
}
