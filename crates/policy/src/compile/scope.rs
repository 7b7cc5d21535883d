//! The ruleset of one namespace.

use super::application::{Within, applications};
use super::route::{Everywhere, Routes};
use super::{Compiled, Member, Reports, report, sink, warn};
use crate::diagnostic::{Code, FieldPath, ResourceId};
use crate::lower::cluster::Guarding;
use crate::lower::place::{self, World};
use crate::resources::Resources;
use countersign_ruleset::json::Limits;
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::{ProviderId, RoleId, Scope};
use countersign_ruleset::provider::{Keys, MAX_PROVIDERS};
use countersign_ruleset::rules::{Entry, Invalid, MAX_RULES, Rules};
use std::collections::BTreeSet;

mod carried;

pub use carried::carried;

/// What surrounds a namespace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'w> {
    pub(super) resources: &'w Resources,
    pub(super) routes: &'w Everywhere<'w>,
    pub(super) world: &'w World,
    pub(super) guardings: &'w [Guarding],
}

/// Compiles one namespace.
pub(super) fn compile(
    scope: &Scope,
    members: &[Member<'_>],
    place: Place<'_>,
    reports: &mut Reports,
) -> Compiled {
    let routes = Routes::of(place.routes, scope);
    let clients = place.clients(scope);
    let within = Within {
        routes: &routes,
        clients: &clients,
    };
    let applications = match applications(members, within, reports) {
        Ok(applications) => applications,
        Err(excess) => {
            settle(members, reports);
            return refused(scope, members, &excess, reports);
        }
    };
    let mut rules = Rules {
        applications,
        guardrails: place.guardrails(scope),
        ..Rules::empty(scope.clone())
    };
    place.add_roles(scope, &mut rules);
    warn::of_denies_by_identity(&rules, members, reports);
    warn::of_logins_in_vain(&rules, members, reports);
    let keys = place.add_providers(scope, &mut rules);
    rules.sort();
    settle(members, reports);
    let compiled = Compiled { rules, keys };
    match excess(&compiled) {
        None => compiled,
        Some(excess) => refused(scope, members, &excess, reports),
    }
}

impl<'w> Place<'w> {
    /// A policy of the cluster guards every namespace of which it is not known that it does not.
    fn guardrails(self, scope: &Scope) -> Vec<countersign_ruleset::rules::Guardrail> {
        let labels = self.resources.namespaces.get(scope.as_str());
        let selects = |it: &&Guarding| it.selector.selects(scope.as_str(), labels) != Kleene::False;
        self.guardings
            .iter()
            .filter(selects)
            .map(|it| it.guardrail.clone())
            .collect()
    }

    /// What browsers log in as at the providers that can be named here.
    fn clients(self, scope: &Scope) -> BTreeSet<&'w str> {
        let in_reach = |id: &ResourceId| id.namespace.is_empty() || id.namespace == scope.as_str();
        let providers = self.world.providers.iter();
        providers
            .filter(|(id, _)| in_reach(id))
            .filter_map(|(_, lowered)| lowered.client_id.as_deref())
            .collect()
    }

    fn add_roles(self, scope: &Scope, rules: &mut Rules) {
        let place = place::Place {
            world: self.world,
            namespace: Some(scope.as_str()),
        };
        let entries = rules.rules().flat_map(|rule| &rule.from);
        let named: BTreeSet<RoleId> = entries
            .filter_map(|entry| match entry {
                Entry::Role(role) => Some(role.clone()),
                Entry::Anyone | Entry::Identity { .. } | Entry::Missing(_) | Entry::Unknown => None,
            })
            .collect();
        for role in named {
            let entries = place.entries_of(&role).to_vec();
            rules.roles.insert(role, entries);
        }
    }

    /// The providers that the rules name, and what these say of tokens and audit lines.
    fn add_providers(self, scope: &Scope, rules: &mut Rules) -> Keys {
        let named: Vec<ProviderId> = rules.providers().into_iter().cloned().collect();
        let mut keys = Keys::default();
        for id in named {
            let Some(lowered) = self
                .world
                .providers
                .get(&ResourceId::of_provider(scope, &id))
            else {
                continue;
            };
            keys.providers.extend(lowered.provider.clone());
            rules
                .revocations
                .extend(lowered.revocations.iter().cloned());
            if !lowered.audit.is_empty() {
                rules.audit.insert(id, lowered.audit.clone());
            }
        }
        keys
    }
}

/// Each host and audience once, in order; and whether a policy protects anything.
fn settle(members: &[Member<'_>], reports: &mut Reports) {
    for member in members {
        let report = report(reports, member.id);
        report.outcome.hosts.sort();
        report.outcome.hosts.dedup();
        report.outcome.audiences.sort();
        report.outcome.audiences.dedup();
        report.void = !member
            .policy
            .targets
            .these
            .values()
            .any(|target| target.usable);
    }
}

/// What an edge would refuse to read.
fn excess(compiled: &Compiled) -> Option<String> {
    let rules = compiled.rules.rules().count();
    let providers = compiled.keys.providers.len();
    if rules > MAX_RULES {
        return Some(format!("at most {MAX_RULES} rules, got {rules}"));
    }
    if providers > MAX_PROVIDERS {
        return Some(format!(
            "at most {MAX_PROVIDERS} providers, got {providers}"
        ));
    }
    // whatever else bounds a list is known by the one reader, which every edge is
    unread(compiled.rules.to_bytes(), Rules::from_bytes)
        .or_else(|| unread(compiled.keys.to_bytes(), Keys::from_bytes))
}

/// Why what is written could not be read.
fn unread<T>(
    written: Result<Vec<u8>, serde_json::Error>,
    read: impl FnOnce(&[u8]) -> Result<T, Invalid>,
) -> Option<String> {
    let most = Limits::BLOB.bytes;
    match written {
        Ok(bytes) if bytes.len() > most => {
            Some(format!("at most {most} bytes, got {}", bytes.len()))
        }
        Ok(bytes) => read(&bytes).err().map(|invalid| {
            let invalid = invalid.to_string();
            let bound = invalid.strip_prefix("expected ").map(str::to_owned);
            bound.unwrap_or_else(|| format!("what an edge reads, got this: {invalid}"))
        }),
        Err(error) => Some(format!("what can be written, got {error}")),
    }
}

/// A namespace with more than an edge reads allows nothing: a part of it could lack its Denies.
fn refused(scope: &Scope, members: &[Member<'_>], excess: &str, reports: &mut Reports) -> Compiled {
    for member in members {
        let message = format!("expected in the namespace {scope} {excess}: it allows nothing");
        let path = FieldPath::spec().name("rules");
        sink(reports, member.id).error(&path, Code::TooMany, message, None);
        report(reports, member.id).void = true;
    }
    Compiled {
        rules: Rules::empty(scope.clone()),
        keys: Keys::default(),
    }
}
