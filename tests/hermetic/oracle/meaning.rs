//! The oracle: what a set of resources means for one request, read straight from the manifests.
//!
//! Slow and simple on purpose, and without one type or function of the crates it is held against.
//! The numbers are those of the page that defines the meaning: `docs/semantics.md`. Here is the order of
//! an answer; `reach.rs` reads what a policy is about, `rule.rs` one rule, `who.rs` its `from`, `what.rs`
//! its `to`, `when.rs` its `when`; `sent.rs` reads requests, `token.rs`, `facts.rs` and `preset.rs` tokens.

use super::mcp::{Message, messages};
use super::reach::{Bearing, is_lost};
use super::rule::{CLUSTER_RULE, Lets, RULE, is_deny, lets, matches};
use super::sent::{Call, Form};
use super::truth::{Part, misspelt, part};
use super::who::{For, Place};
use super::{Answer, Asked, World, memory};
use serde_json::Value;

/// What stands where, and what it comes to: `KIND/NAME/RULE`.
type Named<T> = (String, T);

impl World {
    /// The decision of the edge.
    pub(crate) fn decide(&self, asked: &Asked) -> Answer {
        memory::within(|| self.decided(asked))
    }

    fn decided(&self, asked: &Asked) -> Answer {
        let form = match self.form(asked) {
            Ok(form) => form,
            Err(reason) => return Answer::of(reason),
        };
        if self.edge.is_none() {
            return match self.by_host(asked, &form) {
                Ok(target) => self.at(target).decide(&asked.without_session()),
                Err(reason) => Answer::of(reason),
            };
        }
        // What no policy names is nothing that the edge knows.
        if !self.is_named(asked) {
            return Answer::of("NotCovered");
        }
        let mut answer = self.answer(asked, &form, false);
        answer.login = self.sent_to(asked, &form, answer.reason);
        // 27: what policies that only observe would make of it, if they decided too.
        if self.is_observed(asked, &form) {
            answer.would = Some(self.answer(asked, &form, true).reason);
        }
        answer
    }

    /// 25: the order of an answer.
    fn answer(&self, asked: &Asked, form: &Form, observed: bool) -> Answer {
        let bearing = self.bearing(asked, form, observed);
        let caller = match self.caller(asked, form, &bearing) {
            Ok(caller) => caller,
            Err(reason) => return Answer::of(reason),
        };
        let mut call = Call {
            asked,
            form: form.clone(),
            caller,
            message: Message::Unseen,
        };
        // 44: every message of a batch must be let in; the first that is not gives the answer.
        let mut rules = Vec::new();
        for message in messages(asked) {
            call.message = message;
            let one = self.one(&bearing, observed, &call);
            if one.reason != "Allowed" {
                return one;
            }
            rules.extend(one.rules);
        }
        Answer::by("Allowed", rules)
    }

    fn one(&self, bearing: &[Bearing<'_>], observed: bool, call: &Call<'_>) -> Answer {
        // Then Deny, of any policy and of the cluster's.
        let denies = self.denies(bearing, observed, call);
        if !denies.is_empty() {
            return Answer::by("DeniedByRule", denies);
        }
        // 27: nothing but Observe covers nothing.
        if bearing.iter().all(|one| one.covers == Some(false)) {
            return Answer::of("NotCovered");
        }
        // Then boundary and Allow: one Allow suffices, every boundary must hold.
        let (allow, mut rules) = best(self.allows(bearing, call));
        let mut bounds = Lets::In;
        for policy in self.guardrails(call.asked, observed) {
            let (bound, held) = best(self.boundary(policy, call));
            bounds = bounds.min(bound);
            rules.extend(held);
        }
        match (allow, bounds) {
            (Lets::In, Lets::In) => Answer::by("Allowed", rules),
            // 26: no token, and no Allow or a boundary fails: 401.
            _ if call.caller.is_none() => Answer::of("NoToken"),
            (Lets::OtherAudience, _) => Answer::of("AudienceMismatch"),
            (Lets::None, _) => Answer::of("NoRuleMatched"),
            (_, Lets::None | Lets::OtherAudience) => Answer::of("BoundaryNotMet"),
            // 26: what fails only by `require` is asked for, the login before scopes.
            (Lets::After(one), Lets::After(other)) => Answer::of(one.max(other).reason()),
            (Lets::After(step), Lets::In) | (Lets::In, Lets::After(step)) => {
                Answer::of(step.reason())
            }
        }
    }

    /// The Denies that act: on what is true or unknown.
    fn denies(&self, bearing: &[Bearing<'_>], observed: bool, call: &Call<'_>) -> Vec<String> {
        let mut acting = Vec::new();
        for one in bearing {
            let spec = &one.policy["spec"];
            let place = self.place(Some(&call.asked.namespace), For::Deny);
            // 22: where it is not known whether a section covers the request, its Denies act.
            if one.covers == Some(false) {
                continue;
            }
            // 2: what is no list of rules may have held a Deny of everything.
            if is_lost(spec) {
                acting.push(name(one.policy, &Value::Null));
            }
            for rule in list(spec, "rules").iter().filter(|rule| is_deny(rule)) {
                if matches(rule, &RULE, place, None, call) != Some(false) {
                    acting.push(name(one.policy, rule));
                }
            }
        }
        for policy in self.guardrails(call.asked, observed) {
            let place = self.place(None, For::Deny);
            for rule in list(&policy["spec"], "deny") {
                if matches(rule, &CLUSTER_RULE, place, None, call) != Some(false) {
                    acting.push(name(policy, rule));
                }
            }
        }
        acting
    }

    fn allows(&self, bearing: &[Bearing<'_>], call: &Call<'_>) -> Vec<Named<Lets>> {
        let place = self.place(Some(&call.asked.namespace), For::Allow);
        let counting = bearing
            .iter()
            .filter(|one| one.allows && one.covers == Some(true));
        let each = counting.flat_map(|one| {
            let audiences = self.audiences(one.policy, call.asked);
            one.rules().map(move |rule| {
                let lets = lets(rule, &RULE, place, Some(&audiences), call);
                (name(one.policy, rule), lets)
            })
        });
        each.collect()
    }

    /// 2: an unknown field in the spec is a boundary that admits nothing; 1: so is `boundary: []`, and
    /// a `deny` that cannot be read.
    fn boundary(&self, policy: &Value, call: &Call<'_>) -> Vec<Named<Lets>> {
        let spec = &policy["spec"];
        let lost = matches!(part(spec, "deny"), Part::Unknown | Part::Other);
        if lost || misspelt(spec, &["boundary", "deny", "mode", "namespaceSelector"]) {
            return Vec::new();
        }
        let place = self.place(None, For::Allow);
        match part(spec, "boundary") {
            Part::Absent => vec![(String::new(), Lets::In)],
            Part::List(rules) => {
                let lets = |rule| lets(rule, &CLUSTER_RULE, place, None, call);
                rules
                    .iter()
                    .map(|rule| (name(policy, rule), lets(rule)))
                    .collect()
            }
            Part::Unknown | Part::Other => Vec::new(),
        }
    }

    const fn place<'a>(&'a self, namespace: Option<&'a str>, effect: For) -> Place<'a> {
        Place {
            world: self,
            namespace,
            effect,
        }
    }
}

impl Answer {
    fn of(reason: &'static str) -> Self {
        Self::by(reason, Vec::new())
    }

    fn by(reason: &'static str, mut rules: Vec<String>) -> Self {
        rules.retain(|rule| !rule.is_empty());
        Self {
            reason,
            rules,
            would: None,
            login: None,
        }
    }
}

/// The best that one of them does for the caller, and which do.
fn best(all: Vec<Named<Lets>>) -> (Lets, Vec<String>) {
    let best = all
        .iter()
        .map(|(_, lets)| *lets)
        .max()
        .unwrap_or(Lets::None);
    let doing = all.into_iter().filter(|(_, lets)| *lets == best);
    (best, doing.map(|(name, _)| name).collect())
}

fn name(policy: &Value, rule: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let [kind, policy] = [&policy["kind"], &policy["metadata"]["name"]].map(text);
    format!("{kind}/{policy}/{}", text(&rule["name"]))
}

/// The members of a list; none if it is no list.
pub(crate) fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
