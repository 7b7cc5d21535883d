//! One rule, shown: what each part of it came to, whether it acts, and how near it is to acting.

use super::part::{Part, list, one_of};
use super::{Around, from, to};
use crate::decide::is_for;
use crate::decide::matching::{self, Setting};
use crate::decide::require::{Met, require};
use crate::index::Held;
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::rules::{Effect, Mode};
use serde::Serialize;

/// What a rule is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Kind {
    /// It lets in.
    Allow,
    /// What is let in must match one of its policy's.
    Boundary,
    /// It keeps out.
    Deny,
}

/// A rule that could bear on the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    /// `KIND/NAME/RULE`.
    pub rule: String,
    /// `KIND/NAME` of its policy.
    pub policy: String,
    /// What it is there for.
    pub kind: Kind,
    /// Whether it decides: one that is only observed takes no part.
    pub enforced: bool,
    /// Whether it acts: an Allow or a boundary on what is true, a Deny on all but what is false.
    pub acts: bool,
    /// What it came to, its audience and its `require` left aside.
    #[serde(serialize_with = "super::part::word")]
    pub truth: Kleene,
    /// How many parts keep it from holding, by the way that asks for the fewest changes.
    pub distance: usize,
    /// Its parts, all of which must hold.
    pub parts: Vec<Part>,
}

impl RuleView {
    pub(super) fn of(held: &Held, kind: Kind, setting: &Setting<'_>, around: Around<'_>) -> Self {
        let budget = &setting.budget.anew();
        let truth = matching::holds(held, &Setting { budget, ..*setting });
        let mut parts = Vec::new();
        parts.extend(held.rule.expires_at.map(|end| {
            let part = Part::leaf("expiresAt", matching::lasts(held, setting));
            part.expected(format!("before {end}"))
                .got(setting.now.to_string())
        }));
        parts.extend(held.section.as_ref().map(|_| {
            Part::leaf("section", matching::section(held, setting))
                .expected("what the route sends to the section of the policy")
        }));
        parts.push(from::part(held, setting, around));
        parts.push(to::part(held, setting, around.hidden));
        let acts = match kind {
            Kind::Deny => truth.denies(),
            Kind::Allow | Kind::Boundary => {
                let addressed = kind == Kind::Boundary || is_for(held, setting.claims);
                parts.extend(
                    (kind == Kind::Allow)
                        .then(|| audience(held, setting))
                        .flatten(),
                );
                parts.extend(from::require(held, setting));
                truth.allows() && addressed && require(held, setting) == Met::Fully
            }
        };
        Self {
            rule: format!("{}/{}", held.id.policy, held.id.rule),
            policy: held.id.policy.to_string(),
            kind,
            enforced: held.mode == Mode::Enforce,
            acts,
            truth,
            distance: parts
                .iter()
                .map(Part::distance)
                .fold(0, usize::saturating_add),
            parts,
        }
    }

    /// The parts that keep it from holding, by the way that asks for the fewest changes.
    pub fn failing(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().flat_map(Part::failing)
    }
}

/// For whom the token must have been issued; nothing where a rule lets everyone in.
fn audience(held: &Held, setting: &Setting<'_>) -> Option<Part> {
    debug_assert_eq!(
        held.rule.effect,
        Effect::Allow,
        "a Deny asks for no audience"
    );
    if held.unasked.holds(setting.claims) {
        return None;
    }
    let got = match setting.claims {
        Some(claims) if claims.is_of_session() => "a session of this application".into(),
        Some(claims) => list(claims.audiences()),
        None => "no token".into(),
    };
    let expected = if held.audiences.is_empty() {
        "one that the policy does not say (AudienceRequired)".into()
    } else {
        one_of(&held.audiences)
    };
    let part = Part::leaf("audience", is_for(held, setting.claims));
    Some(part.expected(expected).got(got))
}
