//! What a caller that matches must have done beside: how he logged in, and what he was granted.

use super::matching::Setting;
use crate::claims::{Claims, Fact};
use crate::decision::{Challenge, Reason};
use crate::index::Held;
use countersign_ruleset::rules::Require;
use countersign_ruleset::time::UnixTime;

/// How far a rule's `require` is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met {
    /// All of it.
    Fully,
    /// Not all: what to ask for.
    Lacking(Reason, Challenge),
    /// Not by this caller, whatever he does: who speaks for him is not heard, or what is asked
    /// cannot be read.
    Never,
}

/// `require`: the login first, then the scopes, then the proof. What cannot be told is not met.
pub(crate) fn require(held: &Held, setting: &Setting<'_>) -> Met {
    let nothing = Require::default();
    let require = held.rule.require.as_ref().unwrap_or(&nothing);
    if require == &nothing {
        return Met::Fully;
    }
    if require.unknown {
        return Met::Never;
    }
    let Some(claims) = setting.claims else {
        return Met::Lacking(Reason::NoToken, Challenge::default());
    };
    if !held.trusts(claims) {
        return Met::Never;
    }
    let challenge = |error| Challenge {
        error: Some(error),
        scope: require.scopes.clone(),
        acr_values: require.acr_values.clone(),
        max_age: require.max_auth_age,
    };
    if !strong_enough(require, claims, setting.now) {
        let challenge = challenge("insufficient_user_authentication");
        return Met::Lacking(Reason::InsufficientUserAuthentication, challenge);
    }
    if !scopes(require, claims) {
        return Met::Lacking(Reason::InsufficientScope, challenge("insufficient_scope"));
    }
    if require.proof_of_possession {
        // no token here is bound to a key: one that is, is refused as a bearer token
        return Met::Lacking(Reason::ProofOfPossessionRequired, Challenge::default());
    }
    Met::Fully
}

/// How the caller logged in: well enough, by what, and lately enough.
fn strong_enough(require: &Require, claims: &Claims, now: UnixTime) -> bool {
    acr(require, claims) && amr(require, claims) && fresh(require, claims, now)
}

/// `acrValues`: one of them.
pub(crate) fn acr(require: &Require, claims: &Claims) -> bool {
    require.acr_values.is_empty()
        || matches!(claims.acr(), Fact::Known(acr) if require.acr_values.iter().any(|a| a == acr))
}

/// `amr`: all of them.
pub(crate) fn amr(require: &Require, claims: &Claims) -> bool {
    let methods = claims.amr().known().unwrap_or_default();
    let mut wanted = require.amr.iter();
    wanted.all(|method| methods.contains(&method.as_str()))
}

/// `maxAuthAge`.
pub(crate) fn fresh(require: &Require, claims: &Claims, now: UnixTime) -> bool {
    require.max_auth_age.is_none_or(|age| {
        matches!(claims.auth_time(), Fact::Known(at) if now.since(at) <= age && at <= now.plus(60))
    })
}

/// `scopes`: all of them.
pub(crate) fn scopes(require: &Require, claims: &Claims) -> bool {
    let scopes = claims.scopes().known().unwrap_or_default();
    let mut wanted = require.scopes.iter();
    wanted.all(|scope| scopes.contains(&scope.as_str()))
}
