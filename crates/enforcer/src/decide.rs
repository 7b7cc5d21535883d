//! The decision: form, then credential, then Deny, then boundary and Allow, in that order.
//!
//! An Allow and a boundary act on what is known to hold; a Deny on all that is not known not to
//! (three-valued logic, see [`countersign_ruleset::kleene`]). What no rule lets in is denied.

use crate::claims::Claims;
use crate::decision::{Challenge, Decision, Denial, Permit, Reason, RuleRef, Verdict, Would};
use crate::index::{Guard, Held, Index, Protected, RuleIndex};
use crate::request::{Malformed, Request};
use crate::token::{self, Compact, Invalid};
use countersign_ruleset::rules::{Disclose, Effect};
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;

mod matching;
mod require;

use matching::{Setting, holds};
use require::{Met, require};

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
        would: None,
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
        Err(refused) => {
            let (reason, denial) = refused.answer();
            let verdict = Verdict::Deny(denial);
            let would = observe(index, target, &Setting::new(request, None, foreign, now));
            return Decision {
                reason,
                verdict,
                would,
                ..about
            };
        }
    };
    let setting = Setting::new(request, claims.as_ref(), foreign, now);
    let (reason, verdict, rules) = judge(&index.guard, target, &setting);
    let would = observe(index, target, &setting);
    let audited = claims.as_ref().and_then(|c| index.audit.get(c.provider()));
    Decision {
        reason,
        verdict,
        rules,
        would,
        audited: audited.cloned(),
        caller: claims,
        ..about
    }
}

/// What would be decided if what is only observed decided too. It takes no part in the decision, and
/// a token is verified for it by itself, for it may admit others.
fn observe(index: &Index, target: &Protected, setting: &Setting<'_>) -> Option<Would> {
    let (guard, observed) = index.observed(target)?;
    let (reason, verdict, rules) = match credential(index, observed, setting.request, setting.now) {
        Ok(claims) => {
            let claims = claims.as_ref();
            judge(guard, observed, &Setting { claims, ..*setting })
        }
        Err(refused) => {
            let (reason, denial) = refused.answer();
            (reason, Verdict::Deny(denial), Vec::new())
        }
    };
    let allow = matches!(verdict, Verdict::Permit(_));
    Some(Would {
        allow,
        reason,
        rules,
    })
}

enum Refused {
    Form(Malformed),
    Token(Invalid),
}

impl Refused {
    fn answer(self) -> (Reason, Denial) {
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
fn invalid_token() -> Denial {
    Denial::Unauthenticated(Challenge {
        error: Some("invalid_token"),
        ..Challenge::default()
    })
}

/// The caller, if there is a token. One that does not verify is refused even where none is needed.
fn credential(
    index: &Index,
    target: &Protected,
    request: &Request<'_>,
    now: UnixTime,
) -> Result<Option<Claims>, Refused> {
    let own_headers = target.headers.iter().map(String::as_str);
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
    guard: &Guard,
    target: &Protected,
    setting: &Setting<'_>,
) -> (Reason, Verdict, Vec<RuleRef>) {
    let forbidden = || Verdict::Deny(Denial::Forbidden(None));
    // a Deny of any that covers the request denies it
    for denies in [&guard.denies, &target.denies] {
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
    for boundary in &guard.boundaries {
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
        // a token for somebody else is not valid here (RFC 9068 §4), and another would help
        (Some(reason @ Reason::AudienceMismatch), _) => {
            (reason, Verdict::Deny(invalid_token()), Vec::new())
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
        let found = match require(held, setting) {
            _ if !audience => Found::OtherAudience,
            Met::Fully => Found::Rule(held.id.clone()),
            Met::Lacking(reason, challenge) => Found::StepUp(reason, challenge),
            Met::Never => return false,
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

#[cfg(test)]
mod tests;
