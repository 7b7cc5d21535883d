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

use crate::claims::Claims;
use crate::decision::{RuleRef, RulesetRef};
use crate::token::{Known, Providers, Trusted};
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::names::{ApplicationId, ProviderId};
use countersign_ruleset::rules::{
    Application, Audited, Disclose, Effect, Entry, Forward, Mode, Rule, Rules,
};
use countersign_ruleset::verifier::{Ruleset, Term};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

mod hosts;
mod lookup;
mod sections;
mod trie;

pub(crate) use hosts::Hosts;
pub(crate) use lookup::RuleIndex;
pub(crate) use sections::Sections;

/// One ruleset, made ready.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) id: Arc<RulesetRef>,
    pub(crate) term: Term,
    pub(crate) providers: Providers,
    pub(crate) applications: Vec<Protected>,
    pub(crate) by_id: HashMap<ApplicationId, usize>,
    pub(crate) hosts: Hosts,
    pub(crate) guard: Guard,
    /// The guard with what is only observed; `None` if nothing is.
    observed: Option<Guard>,
    pub(crate) audit: BTreeMap<ProviderId, Arc<BTreeMap<String, Audited>>>,
}

/// What the cluster demands of every application.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) denies: RuleIndex,
    /// Each must hold.
    pub(crate) boundaries: Vec<RuleIndex>,
}

/// One application, made ready.
#[derive(Debug)]
pub(crate) struct Protected {
    pub(crate) id: ApplicationId,
    pub(crate) own: Hosts,
    pub(crate) admitted: HashSet<ProviderId>,
    /// The headers in which the tokens of the admitted come, but for `Authorization`.
    pub(crate) headers: Vec<String>,
    pub(crate) allows: RuleIndex,
    pub(crate) denies: RuleIndex,
    pub(crate) forward: Vec<Forward>,
    pub(crate) disclose: Disclose,
    /// Whether a policy that decides covers it.
    pub(crate) covered: bool,
    /// The same with what is only observed; `None` if nothing is.
    observed: Option<Box<Self>>,
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
    /// The one section of the route that it covers, if not all.
    pub(crate) section: Option<(Arc<Sections>, Box<str>)>,
}

/// Which policies are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Those that decide.
    Enforced,
    /// Those that only say what they would decide, too.
    All,
}

impl Taken {
    fn takes(self, mode: Mode) -> bool {
        self == Self::All || mode == Mode::Enforce
    }
}

impl Held {
    /// Whether an entry lets everyone in, so that no token and no audience is asked for.
    pub(crate) fn is_for_anyone(&self) -> bool {
        self.from.contains(&Entry::Anyone)
    }

    /// Whether it may go by what a caller's provider says of him: in a cluster's rule not that of a
    /// namespace, or a tenant could say of himself what the cluster asks.
    pub(crate) fn trusts(&self, claims: &Claims) -> bool {
        !(self.cluster && claims.provider().as_str().starts_with("TrustProvider/"))
    }
}

impl Index {
    /// Makes a ruleset ready. This is done once, off the request path.
    pub(crate) fn new(ruleset: Verified<Ruleset>, known: &Arc<Known>) -> Self {
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
        let providers = Providers::sharing(keys, &rules.revocations, known);
        let ready = |application| Protected::new(&rules, application, &providers);
        let applications: Vec<Protected> = rules.applications.iter().map(ready).collect();
        let mut by_id = HashMap::default();
        let mut hosts = Hosts::default();
        for (n, application) in rules.applications.iter().enumerate() {
            by_id.insert(application.id.clone(), n);
            hosts.extend(&application.hosts, n);
        }
        let observes = rules.guardrails.iter().any(|g| g.mode == Mode::Observe);
        let claims = rules.audit.iter();
        Self {
            id: Arc::new(id),
            term,
            applications,
            by_id,
            hosts,
            guard: Guard::new(&rules, Taken::Enforced),
            observed: observes.then(|| Guard::new(&rules, Taken::All)),
            audit: claims
                .map(|(id, claims)| (id.clone(), Arc::new(claims.clone())))
                .collect(),
            providers,
        }
    }

    /// What would decide, if what is only observed did too; `None` if nothing is.
    pub(crate) fn observed<'i>(
        &'i self,
        target: &'i Protected,
    ) -> Option<(&'i Guard, &'i Protected)> {
        match (&self.observed, target.observed.as_deref()) {
            (None, None) => None,
            (guard, observed) => Some((
                guard.as_ref().unwrap_or(&self.guard),
                observed.unwrap_or(target),
            )),
        }
    }
}

impl Guard {
    fn new(rules: &Rules, taken: Taken) -> Self {
        let (mut denies, mut boundaries) = (Vec::new(), Vec::new());
        for guardrail in rules.guardrails.iter().filter(|g| taken.takes(g.mode)) {
            let hold = |rule: &Rule| Held {
                id: RuleRef {
                    policy: guardrail.policy.clone(),
                    rule: rule.name.clone(),
                },
                rule: rule.clone(),
                from: expanded(rules, rule),
                audiences: Arc::from([]),
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

impl Protected {
    fn new(rules: &Rules, application: &Application, providers: &Providers) -> Self {
        let mut ready = Self::with(rules, application, providers, Taken::Enforced);
        if application.policies.iter().any(|p| p.mode == Mode::Observe) {
            let all = Self::with(rules, application, providers, Taken::All);
            ready.observed = Some(Box::new(all));
        }
        ready
    }

    fn with(rules: &Rules, application: &Application, providers: &Providers, taken: Taken) -> Self {
        let sections = Arc::new(Sections::new(&application.sections));
        let policies = || application.policies.iter().filter(|p| taken.takes(p.mode));
        let held = policies().flat_map(|policy| {
            let audiences: Arc<[String]> = policy.audiences.clone().into();
            let section = policy.section.as_deref().map(Box::from);
            let section = section.map(|name| (Arc::clone(&sections), name));
            policy.rules.iter().map(move |rule| Held {
                id: RuleRef {
                    policy: policy.id.clone(),
                    rule: rule.name.clone(),
                },
                rule: rule.clone(),
                from: expanded(rules, rule),
                audiences: Arc::clone(&audiences),
                cluster: false,
                section: section.clone(),
            })
        });
        let (allows, denies): (Vec<_>, Vec<_>) =
            held.partition(|held| held.rule.effect == Effect::Allow);
        // admitted are the providers that Allows name, and no others
        let named = allows.iter().flat_map(|held| &held.from);
        let admitted: HashSet<_> = named.filter_map(Entry::provider).cloned().collect();
        let admits = |provider: &&Arc<Trusted>| admitted.contains(provider.id());
        let mut headers: Vec<String> = providers
            .iter()
            .filter(admits)
            .filter_map(|provider| provider.header().map(str::to_owned))
            .collect();
        headers.sort_unstable();
        headers.dedup();
        let mut own = Hosts::default();
        own.extend(&application.hosts, 0);
        Self {
            id: application.id.clone(),
            own,
            headers,
            admitted,
            allows: RuleIndex::new(allows),
            denies: RuleIndex::new(denies),
            forward: application.forward.clone(),
            disclose: application.disclose,
            covered: policies().next().is_some(),
            observed: None,
        }
    }
}

/// `from`, with the members of each role in its place. A role that is not there cannot be: the
/// rules would have been refused.
fn expanded(rules: &Rules, rule: &Rule) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(rule.from.len());
    for entry in &rule.from {
        match entry {
            Entry::Role(role) => {
                entries.extend(rules.roles.get(role).into_iter().flatten().cloned());
            }
            other => entries.push(other.clone()),
        }
    }
    entries
}
