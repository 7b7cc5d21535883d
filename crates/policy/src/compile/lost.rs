//! What may be of any target, and so is of all: the Denies of a policy whose targets cannot be read.
//!
//! They stand in each application, so that a few policies could become more than there is room for. It
//! is weighed before anything is written out.

use super::Member;
use super::application::{Named, Subject, policy};
use crate::lower::Said;
use countersign_ruleset::json::Limits;
use countersign_ruleset::names::ApplicationId;
use countersign_ruleset::rules::{Effect, MAX_RULES, Mode, Policy, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// The policies of a namespace of which it is not known what they name.
#[derive(Debug)]
pub(super) struct Lost<'m> {
    /// With their Denies, if they have any.
    all: Vec<(&'m Member<'m>, Vec<Rule>)>,
    members: Vec<&'m Member<'m>>,
}

impl<'m> Lost<'m> {
    pub(super) fn of(members: &'m [Member<'m>]) -> Self {
        let unknown = members.iter().filter(|it| it.policy.targets.unknown);
        let members: Vec<_> = unknown.collect();
        let denying = members.iter().copied().filter_map(|member| {
            let rules = member.policy.rules.iter().map(|placed| &placed.rule);
            let denies = rules.filter(|rule| rule.effect == Effect::Deny);
            let denies: Vec<Rule> = denies.cloned().collect();
            (!denies.is_empty()).then_some((member, denies))
        });
        let all = denying.collect();
        Self { all, members }
    }

    /// Those that decide, and do not name the target at hand among others.
    pub(super) fn deciding(&self, named: &[Named<'m>]) -> impl Iterator<Item = &'m Member<'m>> {
        let whole = named.iter().filter(|named| named.section.is_none());
        let whole: BTreeSet<_> = whole.map(|named| named.member.id).collect();
        let deciding = self.members.iter().copied();
        deciding
            .filter(move |member| member.policy.mode != Mode::Observe && !whole.contains(member.id))
    }

    /// At a target that these name. What may have been any target may have been this one, and all of
    /// it: a Deny acts, an Allow does not.
    pub(super) fn at(&self, named: &[Named<'_>]) -> Vec<Policy> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let whole = named.iter().filter(|named| named.section.is_none());
        let whole: BTreeSet<_> = whole.map(|named| named.member.id).collect();
        let lost = self.all.iter();
        let lost = lost.filter(|(member, _)| !whole.contains(member.id));
        lost.map(|(member, denies)| policy(member, None, Vec::new(), denies.clone()))
            .collect()
    }

    /// What would be more than an edge reads, so many routes beside counted; it takes no more time than
    /// to read what was written.
    pub(super) fn excess(
        &self,
        subjects: &BTreeMap<&ApplicationId, Subject<'_>>,
        beside: usize,
    ) -> Option<String> {
        let mut weights = BTreeMap::new();
        let mut total = Weight::default();
        for subject in subjects.values() {
            let urls = subject.target.urls.values().map(String::len);
            let urls = urls.fold(0, usize::saturating_add);
            for Named { member, .. } in &subject.members {
                let rules = || member.policy.rules.iter().map(|placed| &placed.rule);
                let weight: &mut Weight = weights
                    .entry(member.id)
                    .or_insert_with(|| Weight::of(rules()));
                total.add(*weight, 1);
                if member.policy.audiences == Said::Absent {
                    total.bytes = total.bytes.saturating_add(urls);
                }
            }
        }
        let applications = subjects.len().saturating_add(beside);
        for (member, denies) in &self.all {
            // where it names the target beside, its rules stand there already
            let named = member.policy.targets.these.len();
            total.add(Weight::of(denies), applications.saturating_sub(named));
        }
        let most = Limits::BLOB.bytes;
        match total {
            Weight { rules, .. } if rules > MAX_RULES => {
                Some(format!("at most {MAX_RULES} rules, got {rules}"))
            }
            Weight { bytes, .. } if bytes > most => {
                Some(format!("at most {most} bytes, got {bytes} or more"))
            }
            Weight { .. } => None,
        }
    }
}

/// How much room rules take: never more than they do in the signed form.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    rules: usize,
    bytes: usize,
}

impl Weight {
    fn of<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut weight = Self::default();
        for rule in rules {
            let bytes = serde_json::to_vec(rule).map_or(0, |it| it.len());
            weight.add(Self { rules: 1, bytes }, 1);
        }
        weight
    }

    const fn add(&mut self, one: Self, times: usize) {
        self.rules = self.rules.saturating_add(one.rules.saturating_mul(times));
        self.bytes = self.bytes.saturating_add(one.bytes.saturating_mul(times));
    }
}
