//! What the cluster demands of every application of a namespace, made ready.

use super::roles::expanded;
use super::{Held, RuleIndex, Taken, Unasked};
use crate::decision::RuleRef;
use countersign_ruleset::rules::{Rule, Rules};
use std::sync::Arc;

/// What the cluster demands of every application.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) denies: RuleIndex,
    /// Each must hold.
    pub(crate) boundaries: Vec<RuleIndex>,
}

impl Guard {
    pub(super) fn new(rules: &Rules, taken: Taken) -> Self {
        let (mut denies, mut boundaries) = (Vec::new(), Vec::new());
        for guardrail in rules.guardrails.iter().filter(|g| taken.takes(g.mode)) {
            let hold = |rule: &Rule| Held {
                id: RuleRef {
                    policy: guardrail.policy.clone(),
                    rule: rule.name.clone(),
                },
                rule: rule.clone(),
                from: expanded(rules, rule),
                mode: guardrail.mode,
                audiences: Arc::from([]),
                unasked: Unasked::of(rule),
                cluster: true,
                section: None,
            };
            denies.extend(guardrail.deny.iter().map(hold));
            let boundary = guardrail.boundary.as_ref();
            boundaries.extend(boundary.map(|b| RuleIndex::new(b.iter().map(hold).collect())));
        }
        Self {
            denies: RuleIndex::new(denies),
            boundaries,
        }
    }
}
