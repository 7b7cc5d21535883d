//! What is in force, made ready for look-ups: hosts to applications, paths to rules, callers to rules.
//!
//! ```text
//! host ─► application ─┬─ denies ─┐
//!                      └─ allows ─┤   path ─► trie ─► node ─► hash of (provider, fact) ─► rules
//! every application ─┬─ denies ───┤
//!                    └─ boundary ─┘
//! ```
//!
//! Neither policies nor rules are gone through: what a look-up costs depends on the path's segments
//! and on the caller's own facts. A look-up finds candidates; whether a candidate holds is decided
//! on the rule itself, so that a hash that collides costs time and never access.

use crate::decision::{RuleRef, RulesetRef};
use crate::token::Providers;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::names::{ApplicationId, PolicyId, ProviderId};
use countersign_ruleset::rules::{
    Application, Audited, Disclose, Effect, Entry, Forward, Mode, Policy, Rule, Rules,
};
use countersign_ruleset::verifier::{Ruleset, Term};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

mod hosts;
mod lookup;
mod trie;

pub(crate) use hosts::Hosts;
pub(crate) use lookup::RuleIndex;

/// One ruleset, made ready.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) id: Arc<RulesetRef>,
    pub(crate) term: Term,
    pub(crate) providers: Providers,
    pub(crate) applications: Vec<Protected>,
    pub(crate) by_id: HashMap<ApplicationId, usize>,
    pub(crate) hosts: Hosts,
    /// The cluster's denies, for every application.
    pub(crate) denies: RuleIndex,
    /// The cluster's boundaries: each must hold.
    pub(crate) boundaries: Vec<RuleIndex>,
    pub(crate) audit: BTreeMap<ProviderId, Arc<BTreeMap<String, Audited>>>,
}

/// One application, made ready.
#[derive(Debug)]
pub(crate) struct Protected {
    pub(crate) id: ApplicationId,
    pub(crate) own: Hosts,
    pub(crate) admitted: HashSet<ProviderId>,
    pub(crate) allows: RuleIndex,
    pub(crate) denies: RuleIndex,
    pub(crate) forward: Vec<Forward>,
    pub(crate) disclose: Disclose,
    /// Whether a policy that decides covers it.
    pub(crate) covered: bool,
}

/// One rule, with what it belongs to.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: RuleRef,
    pub(crate) rule: Rule,
    /// Its `from`, with roles put in place.
    pub(crate) from: Vec<Entry>,
    /// The audiences of its policy, shared by its rules.
    pub(crate) audiences: Arc<[String]>,
    /// Whether it is the cluster's: then no namespaced provider's word counts.
    pub(crate) cluster: bool,
    /// Whether it covers a section of a route only, so that what it covers is not known here.
    pub(crate) section: bool,
}

impl Held {
    /// Whether an entry lets everyone in, so that no token and no audience is asked for.
    pub(crate) fn is_for_anyone(&self) -> bool {
        self.from.contains(&Entry::Anyone)
    }
}

impl Index {
    /// Makes a ruleset ready. This is done once, off the request path.
    pub(crate) fn new(ruleset: Verified<Ruleset>) -> Self {
        let Ruleset {
            manifest,
            digest,
            rules,
            keys,
            term,
        } = ruleset.into_inner();
        let id = RulesetRef {
            scope: manifest.scope,
            serial: manifest.serial,
            digest,
        };
        let mut boundaries = Vec::new();
        let mut denies = Vec::new();
        for guardrail in rules.guardrails.iter().filter(|g| g.mode == Mode::Enforce) {
            let hold = |rule: &Rule| cluster_rule(&rules, &guardrail.policy, rule);
            denies.extend(guardrail.deny.iter().map(hold));
            boundaries.extend(
                guardrail
                    .boundary
                    .as_ref()
                    .map(|b| RuleIndex::new(b.iter().map(hold).collect())),
            );
        }
        let applications: Vec<Protected> = rules
            .applications
            .iter()
            .map(|application| Protected::new(&rules, application))
            .collect();
        let by_id = applications
            .iter()
            .enumerate()
            .map(|(n, a)| (a.id.clone(), n))
            .collect();
        let mut hosts = Hosts::default();
        for (n, application) in rules.applications.iter().enumerate() {
            hosts.extend(&application.hosts, n);
        }
        Self {
            id: Arc::new(id),
            term,
            providers: Providers::new(keys, &rules.revocations),
            applications,
            by_id,
            hosts,
            denies: RuleIndex::new(denies),
            boundaries,
            audit: rules
                .audit
                .into_iter()
                .map(|(id, claims)| (id, Arc::new(claims)))
                .collect(),
        }
    }
}

impl Protected {
    fn new(rules: &Rules, application: &Application) -> Self {
        let mut allows = Vec::new();
        let mut denies = Vec::new();
        let enforced = |policy: &&Policy| policy.mode == Mode::Enforce;
        for policy in application.policies.iter().filter(enforced) {
            let audiences: Arc<[String]> = policy.audiences.clone().into();
            for rule in &policy.rules {
                let held = Held {
                    id: RuleRef {
                        policy: policy.id.clone(),
                        rule: rule.name.clone(),
                    },
                    rule: rule.clone(),
                    from: expanded(rules, rule),
                    audiences: Arc::clone(&audiences),
                    cluster: false,
                    section: policy.section.is_some(),
                };
                match rule.effect {
                    Effect::Allow => allows.push(held),
                    Effect::Deny => denies.push(held),
                }
            }
        }
        let mut own = Hosts::default();
        own.extend(&application.hosts, 0);
        // admitted are the providers that enforced Allows name, and no others
        let named = allows
            .iter()
            .flat_map(|held| &held.from)
            .filter_map(Entry::provider);
        Self {
            id: application.id.clone(),
            own,
            admitted: named.cloned().collect(),
            allows: RuleIndex::new(allows),
            denies: RuleIndex::new(denies),
            forward: application.forward.clone(),
            disclose: application.disclose,
            covered: application.policies.iter().any(|policy| enforced(&policy)),
        }
    }
}

fn cluster_rule(rules: &Rules, policy: &PolicyId, rule: &Rule) -> Held {
    Held {
        id: RuleRef {
            policy: policy.clone(),
            rule: rule.name.clone(),
        },
        rule: rule.clone(),
        from: expanded(rules, rule),
        audiences: Arc::from([]),
        cluster: true,
        section: false,
    }
}

/// `from`, with the members of each role in its place. A role that is not there cannot be: the
/// rules would have been refused.
fn expanded(rules: &Rules, rule: &Rule) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(rule.from.len());
    for entry in &rule.from {
        match entry {
            Entry::Role(role) => {
                entries.extend(rules.roles.get(role).into_iter().flatten().cloned())
            }
            other => entries.push(other.clone()),
        }
    }
    entries
}
