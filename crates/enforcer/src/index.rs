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
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::{ApplicationId, ProviderId, RoleId};
use countersign_ruleset::provider::Client;
use countersign_ruleset::rules::{
    Application, Audited, Disclose, Effect, Entry, Forward, Mode, Policy, Rule, Rules,
};
use countersign_ruleset::verifier::{Ruleset, Term};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

mod guard;
mod hosts;
mod lookup;
mod positions;
mod roles;
mod sections;
mod taker;
mod trie;
mod unasked;

pub(crate) use guard::Guard;
pub(crate) use hosts::Hosts;
pub(crate) use lookup::RuleIndex;
use roles::expanded;
pub(crate) use sections::{Asked, Sections};
pub(crate) use taker::Untaken;
pub(crate) use unasked::Unasked;

/// One ruleset, made ready.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) id: Arc<RulesetRef>,
    pub(crate) term: Term,
    pub(crate) providers: Providers,
    pub(crate) applications: Vec<Protected>,
    pub(crate) by_id: HashMap<ApplicationId, usize>,
    /// How many entries each role stands for.
    pub(crate) roles: HashMap<RoleId, usize>,
    pub(crate) hosts: Hosts,
    /// Those that a Gateway accepted: an edge of several namespaces takes no others.
    pub(crate) accepted: Hosts,
    pub(crate) guard: Guard,
    /// The guard with what is only observed; `None` if nothing is.
    observed: Option<Guard>,
    pub(crate) audit: BTreeMap<ProviderId, Arc<BTreeMap<String, Audited>>>,
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
    /// Where browsers are sent to log in.
    pub(crate) login: Option<Login>,
    /// What policies that decide cover: all of it, or the sections that they name.
    covered: Covered,
    /// What of its hosts the application takes.
    pub(crate) sections: Arc<Sections>,
    /// The same with what is only observed; `None` if nothing is.
    observed: Option<Box<Self>>,
}

/// Where browsers are sent to log in, and as whose client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) provider: ProviderId,
    pub(crate) client: Client,
}

impl Login {
    /// Of a provider that is not there, or at which nobody logs in, nothing: then the answer is the one
    /// that everybody else gets.
    fn of(application: &Application, providers: &Providers) -> Option<Self> {
        let id = application.login.as_ref()?;
        let named = providers.iter().find(|it| it.id() == id)?;
        let client = named.provider().client.as_ref()?;
        Some(Self {
            provider: id.clone(),
            client: client.clone(),
        })
    }
}

/// What of an application the policies that decide cover.
#[derive(Debug)]
enum Covered {
    All,
    /// These sections; of none, nothing.
    Sections(Vec<Box<str>>),
}

/// One rule, with what it belongs to.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: RuleRef,
    pub(crate) rule: Rule,
    /// Its `from`, with roles put in place.
    pub(crate) from: Vec<Entry>,
    /// Whether it decides, or only says what it would decide.
    pub(crate) mode: Mode,
    /// The audiences of its policy, shared by its rules.
    pub(crate) audiences: Arc<[String]>,
    /// Who is let in whatever the audience.
    pub(crate) unasked: Unasked,
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

    /// Whether a rule of a policy of that mode counts. What is open only until what is observed
    /// decides has then ended: beside it, nothing would ever be denied.
    fn counts(self, mode: Mode, rule: &Rule) -> bool {
        let ends = rule.effect == Effect::Allow && rule.expires_at.is_some();
        self == Self::Enforced || mode == Mode::Observe || !ends
    }
}

impl Held {
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
        let sections = Sections::of(&rules.applications).into_iter();
        let applications = rules.applications.iter().zip(sections);
        let applications: Vec<Protected> = applications
            .map(|(one, sections)| Protected::new(&rules, one, &sections, &providers))
            .collect();
        let mut by_id = HashMap::default();
        let (mut hosts, mut accepted) = (Hosts::default(), Hosts::default());
        for (n, application) in rules.applications.iter().enumerate() {
            by_id.insert(application.id.clone(), n);
            hosts.extend(&application.hosts, n);
            if application.accepted {
                accepted.extend(&application.hosts, n);
            }
        }
        let observes = rules.guardrails.iter().any(|g| g.mode == Mode::Observe);
        let (claims, roles) = (rules.audit.iter(), rules.roles.iter());
        Self {
            id: Arc::new(id),
            term,
            applications,
            by_id,
            roles: roles
                .map(|(id, members)| (id.clone(), members.len()))
                .collect(),
            hosts,
            accepted,
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

impl Protected {
    fn new(
        rules: &Rules,
        application: &Application,
        sections: &Arc<Sections>,
        providers: &Providers,
    ) -> Self {
        let with = |taken| Self::with(rules, (application, sections), providers, taken);
        let mut ready = with(Taken::Enforced);
        if application.policies.iter().any(|p| p.mode == Mode::Observe) {
            ready.observed = Some(Box::new(with(Taken::All)));
        }
        ready
    }

    /// Whether a policy that decides covers the request, or may.
    pub(crate) fn covers(&self, asked: Asked<'_>) -> bool {
        match &self.covered {
            Covered::All => true,
            Covered::Sections(names) => names
                .iter()
                .any(|name| self.sections.takes(Some(name), asked) != Kleene::False),
        }
    }

    fn with(
        rules: &Rules,
        (application, sections): (&Application, &Arc<Sections>),
        providers: &Providers,
        taken: Taken,
    ) -> Self {
        let policies = || application.policies.iter().filter(|p| taken.takes(p.mode));
        let held = policies().flat_map(|policy| {
            let audiences: Arc<[String]> = policy.audiences.clone().into();
            let section = policy.section.as_deref().map(Box::from);
            let section = section.map(|name| (Arc::clone(sections), name));
            let rules_that_count = policy.rules.iter();
            let rules_that_count = rules_that_count.filter(move |it| taken.counts(policy.mode, it));
            rules_that_count.map(move |rule| Held {
                id: RuleRef {
                    policy: policy.id.clone(),
                    rule: rule.name.clone(),
                },
                rule: rule.clone(),
                from: expanded(rules, rule),
                mode: policy.mode,
                audiences: Arc::clone(&audiences),
                unasked: Unasked::of(rule),
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
            login: Login::of(application, providers),
            covered: Covered::by(policies()),
            sections: Arc::clone(sections),
            observed: None,
        }
    }
}

impl Covered {
    fn by<'p>(policies: impl Iterator<Item = &'p Policy>) -> Self {
        let mut sections = Vec::new();
        for policy in policies {
            match policy.section.as_deref() {
                None => return Self::All,
                Some(name) => sections.push(name.into()),
            }
        }
        sections.sort_unstable();
        sections.dedup();
        Self::Sections(sections)
    }
}
