//! The decision: form, then credential, then Deny, then boundary and Allow, in that order.
//!
//! An Allow and a boundary act on what is known to hold; a Deny on all that is not known not to
//! (three-valued logic, see [`Kleene`]). What no rule lets in is denied.

use crate::claims::{Claims, Fact};
use crate::decision::{Challenge, Decision, Denial, Permit, Reason, RuleRef, Verdict};
use crate::index::{Held, Index, Protected, RuleIndex};
use crate::request::{Malformed, Request};
use crate::token::{self, Compact, Invalid};
use countersign_ruleset::rules::{Disclose, Effect, Require};
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;

mod matching;

use matching::{Setting, holds};

/// How far a rule's `require` is met.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Met {
    /// All of it.
    Fully,
    /// Not all: what to ask for.
    Lacking(Reason, Challenge),
}

/// What the Allows of a target, or the rules of a boundary, come to.
#[derive(Debug)]
enum Found {
    /// One holds.
    Rule(RuleRef),
    /// One would hold but for its `require`.
    StepUp(Reason, Challenge),
    /// One would hold but for the audience.
    OtherAudience,
    /// None holds.
    Nothing,
}

/// A denial before anything of the ruleset is asked.
pub(crate) fn unavailable(reason: Reason) -> Decision {
    let verdict = Verdict::Deny(Denial::Unavailable);
    Decision {
        reason,
        verdict,
        rules: Vec::new(),
        application: None,
        ruleset: None,
        caller: None,
        audited: None,
        disclose: Disclose::Code,
    }
}

/// The denial of a request that cannot be read in one way only.
pub(crate) fn malformed(malformed: Malformed) -> Decision {
    let verdict = Verdict::Deny(Denial::BadRequest);
    Decision {
        verdict,
        ..unavailable(Reason::MalformedRequest(malformed))
    }
}

/// The denial of a request to what no policy covers.
pub(crate) fn not_covered(index: &Index) -> Decision {
    let verdict = Verdict::Deny(Denial::Forbidden(None));
    let ruleset = Some(Arc::clone(&index.id));
    Decision {
        verdict,
        ruleset,
        ..unavailable(Reason::NotCovered)
    }
}

/// Decides a request to an application. `foreign` says that the authority is none of its hosts.
pub(crate) fn decide(
    index: &Index,
    target: &Protected,
    request: &Request<'_>,
    foreign: bool,
    now: UnixTime,
) -> Decision {
    let about = Decision {
        application: Some(target.id.clone()),
        ruleset: Some(Arc::clone(&index.id)),
        disclose: target.disclose,
        ..unavailable(Reason::NotCovered)
    };
    let claims = match credential(index, target, request, now) {
        Ok(claims) => claims,
        Err(Refused::Form(form)) => {
            let verdict = Verdict::Deny(Denial::BadRequest);
            return Decision {
                reason: Reason::MalformedRequest(form),
                verdict,
                ..about
            };
        }
        Err(Refused::Token(invalid)) => {
            let denial = if invalid.is_temporary() {
                Denial::Unavailable
            } else {
                let error = Some("invalid_token");
                Denial::Unauthenticated(Challenge {
                    error,
                    ..Challenge::default()
                })
            };
            let verdict = Verdict::Deny(denial);
            return Decision {
                reason: Reason::Token(invalid),
                verdict,
                ..about
            };
        }
    };
    let setting = Setting {
        request,
        claims: claims.as_ref(),
        foreign,
        now,
    };
    let (reason, verdict, rules) = judge(index, target, &setting);
    let audited = claims
        .as_ref()
        .and_then(|c| index.audit.get(c.provider()))
        .cloned();
    Decision {
        reason,
        verdict,
        rules,
        caller: claims,
        audited,
        ..about
    }
}

enum Refused {
    Form(Malformed),
    Token(Invalid),
}

/// The caller, if there is a token. One that does not verify is refused even where none is needed.
fn credential(
    index: &Index,
    target: &Protected,
    request: &Request<'_>,
    now: UnixTime,
) -> Result<Option<Claims>, Refused> {
    let admitted = || {
        index
            .providers
            .iter()
            .filter(|p| target.admitted.contains(p.id()))
    };
    let own_headers = admitted().filter_map(|provider| provider.header());
    let Some((credential, header)) = request.credential(own_headers).map_err(Refused::Form)? else {
        return Ok(None);
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

fn judge(
    index: &Index,
    target: &Protected,
    setting: &Setting<'_>,
) -> (Reason, Verdict, Vec<RuleRef>) {
    let forbidden = || Verdict::Deny(Denial::Forbidden(None));
    // a Deny of any that covers the request denies it
    for denies in [&index.denies, &target.denies] {
        if let Some(held) = denying(denies, setting) {
            return (Reason::DeniedByRule, forbidden(), vec![held.id.clone()]);
        }
    }
    if !target.covered {
        return (Reason::NotCovered, forbidden(), Vec::new());
    }
    let mut rules = Vec::with_capacity(1);
    let mut step_up = None;
    let allowed = find(&target.allows, setting, true);
    let mut lacking = match allowed {
        Found::Rule(rule) => {
            rules.push(rule);
            None
        }
        Found::StepUp(reason, challenge) => {
            step_up = Some((reason, challenge));
            None
        }
        Found::OtherAudience => Some(Reason::AudienceMismatch),
        Found::Nothing => Some(Reason::NoRuleMatched),
    };
    // every boundary must hold
    for boundary in &index.boundaries {
        match find(boundary, setting, false) {
            Found::Rule(rule) => rules.push(rule),
            Found::StepUp(reason, challenge) => {
                step_up = Some(stronger(step_up, (reason, challenge)));
            }
            Found::OtherAudience | Found::Nothing => {
                lacking = lacking.or(Some(Reason::BoundaryNotMet));
            }
        }
    }
    match (lacking, step_up) {
        (None, None) => {
            let permit = Permit::new(target.forward.clone());
            (Reason::Allowed, Verdict::Permit(permit), rules)
        }
        // without a valid token: 401, and no error code (RFC 6750 §3.1)
        (_, _) if setting.claims.is_none() => {
            let denial = Denial::Unauthenticated(Challenge::default());
            (Reason::NoToken, Verdict::Deny(denial), Vec::new())
        }
        // the step-up challenge if only `require` is missing
        (None, Some((reason, challenge))) => {
            let denial = match reason {
                Reason::InsufficientUserAuthentication => Denial::Unauthenticated(challenge),
                _ => Denial::Forbidden(challenge.error.map(|_| challenge)),
            };
            (reason, Verdict::Deny(denial), Vec::new())
        }
        (Some(reason), _) => (reason, forbidden(), Vec::new()),
    }
}

/// The answer that asks for a better login comes before the one that asks for more scopes.
fn stronger(
    first: Option<(Reason, Challenge)>,
    second: (Reason, Challenge),
) -> (Reason, Challenge) {
    match first {
        Some(first) if first.0 == Reason::InsufficientUserAuthentication => first,
        Some(first) if second.0 != Reason::InsufficientUserAuthentication => first,
        _ => second,
    }
}

fn denying<'i>(denies: &'i RuleIndex, setting: &Setting<'_>) -> Option<&'i Held> {
    let caller = denies.caller(setting.claims);
    let mut denying = None;
    denies.candidates(setting.request.path(), &caller, Effect::Deny, |held| {
        let denies = holds(held, setting).denies();
        if denies {
            denying = Some(held);
        }
        denies
    });
    denying
}

fn find(allows: &RuleIndex, setting: &Setting<'_>, by_audience: bool) -> Found {
    let caller = allows.caller(setting.claims);
    let mut result = Found::Nothing;
    allows.candidates(setting.request.path(), &caller, Effect::Allow, |held| {
        if !holds(held, setting).allows() {
            return false;
        }
        let audience = !by_audience || held.is_for_anyone() || is_for(held, setting.claims);
        let found = match require(held.rule.require.as_ref(), setting) {
            _ if !audience => Found::OtherAudience,
            Met::Fully => Found::Rule(held.id.clone()),
            Met::Lacking(reason, challenge) => Found::StepUp(reason, challenge),
        };
        match (&result, &found) {
            (_, Found::Rule(_)) => {
                result = found;
                return true;
            }
            (Found::Nothing, _) | (Found::OtherAudience, Found::StepUp(..)) => result = found,
            _ => {}
        }
        false
    });
    result
}

/// An Allow counts only for tokens with its own policy's audiences.
fn is_for(held: &Held, claims: Option<&Claims>) -> bool {
    claims.is_some_and(|claims| {
        claims
            .audiences()
            .iter()
            .any(|a| held.audiences.contains(a))
    })
}

/// `require`: the login first, then the scopes. What cannot be told is not met.
fn require(require: Option<&Require>, setting: &Setting<'_>) -> Met {
    let Some(require) = require else {
        return Met::Fully;
    };
    let Some(claims) = setting.claims else {
        let demands = require != &Require::default();
        let lacking = Met::Lacking(Reason::NoToken, Challenge::default());
        return if demands { lacking } else { Met::Fully };
    };
    let challenge = |error| Challenge {
        error: Some(error),
        scope: require.scopes.clone(),
        acr_values: require.acr_values.clone(),
        max_age: require.max_auth_age,
    };
    if require.unknown {
        return Met::Lacking(Reason::NoRuleMatched, Challenge::default());
    }
    if !strong_enough(require, claims, setting.now) {
        let challenge = challenge("insufficient_user_authentication");
        return Met::Lacking(Reason::InsufficientUserAuthentication, challenge);
    }
    if require.proof_of_possession {
        // no token here is bound to a key: one that is, is refused as a bearer token
        return Met::Lacking(Reason::ProofOfPossessionRequired, Challenge::default());
    }
    let scopes = claims.scopes().known().unwrap_or_default();
    if require
        .scopes
        .iter()
        .any(|scope| !scopes.contains(&scope.as_str()))
    {
        return Met::Lacking(Reason::InsufficientScope, challenge("insufficient_scope"));
    }
    Met::Fully
}

fn strong_enough(require: &Require, claims: &Claims, now: UnixTime) -> bool {
    let acr = require.acr_values.is_empty()
        || matches!(claims.acr(), Fact::Known(acr) if require.acr_values.iter().any(|a| a == acr));
    let methods = claims.amr().known().unwrap_or_default();
    let amr = require
        .amr
        .iter()
        .all(|method| methods.contains(&method.as_str()));
    let fresh = require.max_auth_age.is_none_or(|age| {
        matches!(claims.auth_time(), Fact::Known(at) if now.since(at) <= age && at <= now.plus(60))
    });
    acr && amr && fresh
}
