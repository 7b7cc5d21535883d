//! Why a request is allowed or denied: each rule that could bear on it, expected against got.
//!
//! Nothing is decided here. The decision is the one that [`Enforcer::decide`] gives, and each part of
//! a rule is asked by the function by which it was decided; an explanation asks them all, where a
//! decision stops as soon as it knows. So it costs more, and belongs to no request's own path.
//!
//! It holds no token, no cookie and no query; of the claims it holds those that the rules ask for.
//! So it is for those who may see the caller's claims, and never an answer to him.
//!
//! [`Enforcer::decide`]: crate::store::Enforcer::decide

use crate::condition::Budget;
use crate::decide::calls;
use crate::decide::matching::Setting;
use crate::decision::{Decision, Denial, Reason, RuleRef, Verdict};
use crate::index::{Guard, Index, Protected, RuleIndex};
use crate::mcp::AtHand;
use crate::request::Request;
use countersign_ruleset::names::RoleId;
use countersign_ruleset::time::UnixTime;
use foldhash::HashMap;
use serde::Serialize;

mod cel;
mod from;
mod help;
mod part;
mod rule;
mod show;
#[cfg(test)]
mod tests;
mod to;
mod when;

pub use part::{Join, Part};
pub use rule::{Kind, RuleView};

/// Why a request passes or does not.
///
/// The rules stand in the order of their nearness: first those that keep the request out (a Deny that
/// acts; while no Allow acts, the Allows; of a boundary that does not hold, its rules), then those
/// that act, then the others; and among these first the one of which the fewest parts are not true,
/// counted by the alternative that asks for the fewest changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Whether it passes.
    pub allowed: bool,
    /// The status of the answer; 200 if it passes.
    pub status: u16,
    /// The reason, by its stable name.
    pub reason: &'static str,
    /// The reason, in a sentence.
    pub because: String,
    /// The rules that decided, as `KIND/NAME/RULE`.
    pub decided_by: Vec<String>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Asked>,
    /// The application, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The provider whose token was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The providers whose tokens the application admits.
    pub admitted: Vec<String>,
    /// What would be decided if what is only observed decided too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would: Option<Would>,
    /// What would help.
    pub help: Vec<String>,
    /// The rules that could bear on it, the nearest first; none if none was asked.
    pub rules: Vec<RuleView>,
}

/// The request, as it was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The canonical path.
    pub path: String,
    /// The call of the body that gives the reason; nothing where the body was not read, or no rule
    /// asks for calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

/// What would be decided if what is only observed decided too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Would {
    /// Whether it would pass.
    pub allowed: bool,
    /// The reason, by its stable name.
    pub reason: &'static str,
    /// The rules that would decide.
    pub decided_by: Vec<String>,
}

impl Explanation {
    /// Of a decision for which no rule was asked: the request cannot be read, nothing is in force.
    pub fn of(decision: &Decision) -> Self {
        let names = |rules: &[RuleRef]| {
            let name = |rule: &RuleRef| format!("{}/{}", rule.policy, rule.rule);
            rules.iter().map(name).collect()
        };
        Self {
            allowed: decision.is_permitted(),
            status: decision.status(),
            reason: decision.reason.as_str(),
            because: decision.reason.explanation(),
            decided_by: names(&decision.rules),
            request: None,
            application: decision.application.as_ref().map(ToString::to_string),
            caller: decision.caller.as_ref().map(|c| c.provider().to_string()),
            admitted: Vec::new(),
            would: decision.would.as_ref().map(|would| Would {
                allowed: would.allow,
                reason: would.reason.as_str(),
                decided_by: names(&would.rules),
            }),
            help: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The same, of a request.
    pub(crate) fn of_request(decision: &Decision, request: &Request<'_>) -> Self {
        Self {
            request: Some(Asked {
                method: part::shown(request.method().as_str()),
                host: request.host().to_string(),
                path: part::shown(request.path().as_str()),
                call: None,
            }),
            ..Self::of(decision)
        }
    }
}

/// Where a request was decided.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) index: &'p Index,
    pub(crate) target: &'p Protected,
    pub(crate) foreign: bool,
}

/// What the parts of rules are told by.
#[derive(Clone, Copy)]
struct Around<'p> {
    /// Headers of which nothing is told.
    hidden: &'p [String],
    /// How many entries each role stands for.
    roles: &'p HashMap<RoleId, usize>,
}

/// Explains a decision on a request that rules were asked for.
pub(crate) fn explain(
    decision: &Decision,
    place: Option<Place<'_>>,
    request: &Request<'_>,
    now: UnixTime,
) -> Explanation {
    let mut explanation = Explanation::of_request(decision, request);
    let Some(Place {
        index,
        target,
        foreign,
    }) = place
    else {
        return explanation;
    };
    explanation.admitted = target.admitted.iter().map(ToString::to_string).collect();
    explanation.admitted.sort_unstable();
    // a credential that was refused is refused before any rule is asked
    if is_of_rules(&decision.reason) {
        let claims = decision.caller.as_ref();
        let budget = Budget::default();
        let mut setting = Setting::new(request, claims, foreign, now, &budget);
        let (at_hand, at, of) = calls::telling(&index.guard, target, &setting);
        setting.at_hand = at_hand;
        if let Some(asked) = explanation.request.as_mut() {
            asked.call = (at_hand != AtHand::Unseen && tells_of_calls(&index.guard, target))
                .then(|| numbered(at_hand, at, of));
        }
        explanation.rules = rules(index, target, &setting);
        if budget.is_spent() {
            let spent = "the conditions took too many steps: what was asked after that is unknown";
            explanation.help.push(spent.into());
        }
    }
    let login = match &decision.verdict {
        Verdict::Deny(Denial::Login(login)) => Some(&login.provider),
        Verdict::Deny(_) | Verdict::Permit(_) => None,
    };
    let help = help::of(&explanation, login);
    explanation.help.extend(help);
    explanation
}

/// Whether rules were asked: neither the request nor its credential was refused before.
const fn is_of_rules(reason: &Reason) -> bool {
    !matches!(reason, Reason::MalformedRequest(_) | Reason::Token(_))
}

fn numbered(at_hand: AtHand<'_>, at: usize, of: usize) -> String {
    let call = to::called(at_hand);
    if of > 1 {
        format!("{call}, {} of {of}", at.saturating_add(1))
    } else {
        call
    }
}

fn all<'r>(guard: &'r Guard, target: &'r Protected) -> impl Iterator<Item = (&'r RuleIndex, Kind)> {
    let denies = [(&guard.denies, Kind::Deny), (&target.denies, Kind::Deny)];
    let boundaries = guard.boundaries.iter().map(|rules| (rules, Kind::Boundary));
    let allows = std::iter::once((&target.allows, Kind::Allow));
    denies.into_iter().chain(boundaries).chain(allows)
}

fn tells_of_calls(guard: &Guard, target: &Protected) -> bool {
    let mut rules = all(guard, target).flat_map(|(index, _)| index.rules());
    rules.any(|held| held.rule.to.iter().any(|to| to.mcp.is_some()))
}

/// Every rule, the nearest first.
fn rules(index: &Index, target: &Protected, setting: &Setting<'_>) -> Vec<RuleView> {
    let around = Around {
        hidden: &target.headers,
        roles: &index.roles,
    };
    let view = |(rules, kind): (&RuleIndex, Kind)| -> Vec<RuleView> {
        let each = rules.rules().iter();
        each.map(|held| RuleView::of(held, kind, setting, around))
            .collect()
    };
    let mut views: Vec<RuleView> = all(&index.guard, target).flat_map(view).collect();
    if let Some((guard, target)) = index.observed(target) {
        let observed = all(guard, target).flat_map(view);
        views.extend(observed.filter(|view| !view.enforced));
    }
    let let_in = views
        .iter()
        .any(|v| v.enforced && v.kind == Kind::Allow && v.acts);
    let met: Vec<String> = views
        .iter()
        .filter(|v| v.enforced && v.kind == Kind::Boundary && v.acts)
        .map(|v| v.policy.clone())
        .collect();
    views.sort_by_cached_key(|view| {
        let keeps_out = match view.kind {
            Kind::Deny => view.acts,
            Kind::Allow => !let_in,
            Kind::Boundary => !met.contains(&view.policy),
        };
        let rank = match (keeps_out, view.acts) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        (
            !view.enforced,
            rank,
            (view.kind == Kind::Deny) != (rank == 0),
            view.distance,
            view.rule.clone(),
        )
    });
    views
}
