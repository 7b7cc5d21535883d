//! The decision: form, then credential, then Deny, then boundary and Allow, in that order.
//!
//! An Allow and a boundary act on what is known to hold; a Deny on all that is not known not to
//! (three-valued logic, see [`countersign_ruleset::kleene`]). What no rule lets in is denied.

use crate::claims::Claims;
use crate::condition::Budget;
use crate::decision::{
    Challenge, Decision, Denial, Login, Permit, Reason, RuleRef, Verdict, Would,
};
use crate::index::{Asked, Guard, Held, Index, Protected, RuleIndex};
use crate::request::{Malformed, Request};
use countersign_ruleset::rules::{Disclose, Effect};
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;

pub(crate) mod calls;
mod credential;
pub(crate) mod facts;
pub(crate) mod matching;
pub(crate) mod require;
mod step_up;

use credential::{credential, invalid_token};
use matching::{Setting, holds};
use require::{Met, require};
use step_up::StepUp;

/// What the Allows of a target, or the rules of a boundary, come to.
#[derive(Debug)]
enum Found {
    /// One holds.
    Rule(RuleRef),
    /// One would hold but for its `require`.
    StepUp(StepUp),
    /// One would hold but for the audience.
    OtherAudience,
    /// None holds.
    Nothing,
}

impl Found {
    /// What two rules come to of which one is enough: the nearer to letting the caller in.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (rule @ Self::Rule(_), _) | (_, rule @ Self::Rule(_)) => rule,
            (Self::StepUp(first), Self::StepUp(second)) => Self::StepUp(first.either(second)),
            (asked @ Self::StepUp(_), _) | (_, asked @ Self::StepUp(_)) => asked,
            (Self::Nothing, other) => other,
            (Self::OtherAudience, _) => Self::OtherAudience,
        }
    }
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
    let budget = Budget::default();
    let claims = match credential(index, target, request, now) {
        Ok(claims) => claims,
        Err(refused) => {
            let (reason, denial) = refused.answer();
            let verdict = Verdict::Deny(denial);
            let setting = Setting::new(request, None, foreign, now, &budget);
            let would = observe(index, target, &setting);
            return Decision {
                reason,
                verdict,
                would,
                ..about
            };
        }
    };
    let setting = Setting::new(request, claims.as_ref(), foreign, now, &budget);
    let (reason, verdict, rules) = calls::judge(&index.guard, target, &setting);
    let would = observe(index, target, &setting);
    let audited = claims.as_ref().and_then(|c| index.audit.get(c.provider()));
    let verdict = log_in(target, &setting, &reason, verdict);
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

/// The one place where a 401 becomes a login: nobody is known, or somebody by a session that is not good
/// enough, and a person navigates there. Who bears a token has no use for it, of what is forbidden no
/// login helps, and who was just sent for the same comes back with the same.
fn log_in(target: &Protected, setting: &Setting<'_>, reason: &Reason, verdict: Verdict) -> Verdict {
    let helps = |challenge: &Challenge| match (reason, setting.claims) {
        (Reason::NoToken, claims) => claims.is_none(),
        (Reason::InsufficientUserAuthentication, Some(claims)) if claims.is_of_session() => {
            let session = setting.request.session();
            session.is_some_and(|it| !it.just_answered(challenge, setting.now))
        }
        _ => false,
    };
    match (verdict, &target.login) {
        (Verdict::Deny(Denial::Unauthenticated(challenge)), Some(login))
            if helps(&challenge) && setting.request.is_navigation() =>
        {
            Verdict::Deny(Denial::Login(Login {
                provider: login.provider.clone(),
                challenge,
            }))
        }
        (verdict, _) => verdict,
    }
}

/// What would be decided if what is only observed decided too. It takes no part in the decision, and
/// a token is verified for it by itself, for it may admit others.
fn observe(index: &Index, target: &Protected, setting: &Setting<'_>) -> Option<Would> {
    let (guard, observed) = index.observed(target)?;
    let (reason, verdict, rules) = match credential(index, observed, setting.request, setting.now) {
        Ok(claims) => {
            // of a budget of its own, or what is decided would change what is told of it
            let (claims, budget) = (claims.as_ref(), &Budget::default());
            let setting = Setting {
                claims,
                budget,
                ..*setting
            };
            calls::judge(guard, observed, &setting)
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
    if !target.covers(Asked::of(setting.request, setting.foreign)) {
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
        Found::StepUp(asked) => {
            step_up = Some(asked);
            None
        }
        Found::OtherAudience => Some(Reason::AudienceMismatch),
        Found::Nothing => Some(Reason::NoRuleMatched),
    };
    // every boundary must hold
    for boundary in &guard.boundaries {
        match find(boundary, setting, false) {
            Found::Rule(rule) => rules.push(rule),
            Found::StepUp(asked) => {
                step_up = Some(match step_up {
                    Some(also) => also.both(asked),
                    None => asked,
                });
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
        (None, Some(StepUp { reason, challenge })) => {
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

fn denying<'i>(denies: &'i RuleIndex, setting: &Setting<'_>) -> Option<&'i Held> {
    let caller = denies.caller(setting.claims);
    let mut denying = None;
    let (path, budget) = (setting.request.path(), setting.budget);
    denies.candidates(path, &caller, Effect::Deny, budget, |held| {
        // of a spent budget nothing is known, and on what is not known a Deny acts
        let denies = holds(held, setting).denies() || budget.is_spent();
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
    let (path, budget) = (setting.request.path(), setting.budget);
    allows.candidates(path, &caller, Effect::Allow, budget, |held| {
        if !holds(held, setting).allows() {
            return false;
        }
        let audience = !by_audience || is_for(held, setting.claims);
        let found = match require(held, setting) {
            Met::Never => return false,
            _ if !audience => Found::OtherAudience,
            Met::Fully => Found::Rule(held.id.clone()),
            Met::Lacking(reason, challenge) => Found::StepUp(StepUp { reason, challenge }),
        };
        result = std::mem::replace(&mut result, Found::Nothing).or(found);
        matches!(result, Found::Rule(_))
    });
    result
}

/// An Allow counts only for tokens with its own policy's audiences, but for one that lets everyone in
/// whatever a token says. A session is for its application; the client's id is the audience of no token
/// that a request bears.
pub(crate) fn is_for(held: &Held, claims: Option<&Claims>) -> bool {
    let is_named = |claims: &Claims| {
        claims
            .audiences()
            .iter()
            .any(|a| held.audiences.contains(a))
    };
    held.unasked.holds(claims) || claims.is_some_and(|it| it.is_of_session() || is_named(it))
}

#[cfg(test)]
mod tests;
