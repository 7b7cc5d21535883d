//! A ruleset whose own part goes on as it was, and whose cluster's part is what it is now.
//!
//! It is for a namespace of which something cannot be read, and may have been a Deny. Whoever writes
//! such a thing keeps his own part as it is, and no Deny of the cluster away.

use super::super::{Compiled, Reports, guardings, world};
use super::{Everywhere, Place, excess};
use crate::diagnostic::ResourceId;
use crate::jwks::FetchedKeys;
use crate::lower::place::World;
use crate::resources::Resources;
use countersign_ruleset::names::{ProviderId, RoleId};
use countersign_ruleset::provider::{Keys, Provider};
use countersign_ruleset::rules::{Entry, Rules};
use std::collections::BTreeMap;

/// What was said before, with the cluster's part as it is now: guardrails, roles, revocations, keys.
/// The resources are the cluster's own and the Namespace.
///
/// `None` where the two fit no longer: a provider that the namespace's part names is gone, is
/// described otherwise, or is the cluster's by now. Then nothing may be allowed.
pub fn carried(
    before: &Compiled,
    resources: &Resources,
    fetched: &BTreeMap<ResourceId, FetchedKeys>,
) -> Option<Compiled> {
    let mut reports = Reports::new();
    let world = world(resources, fetched, &mut reports);
    let guardings = guardings(resources, &world, &mut reports);
    let routes = Everywhere::of(resources);
    let place = Place {
        resources,
        routes: &routes,
        world: &world,
        guardings: &guardings,
    };
    let scope = &before.rules.scope;
    let mut rules = before.rules.clone();
    rules.guardrails = place.guardrails(scope);
    rules.revocations.retain(|it| is_own(it.provider.as_str()));
    rules.audit.retain(|id, _| is_own(id.as_str()));
    rules.roles.clear();
    place.add_roles(scope, &mut rules);
    for (role, entries) in &mut rules.roles {
        *entries = entries_of(role, before, &world);
    }
    let keys = keys(place, &mut rules, &before.keys)?;
    rules.sort();
    let carried = Compiled { rules, keys };
    excess(&carried).is_none().then_some(carried)
}

/// Whether a provider or role is the namespace's own.
fn is_own(id: &str) -> bool {
    !id.starts_with("Cluster")
}

/// A role of the cluster that is gone is one that is missing: without entries a Deny of its members
/// would deny nobody.
fn entries_of(role: &RoleId, before: &Compiled, world: &World) -> Vec<Entry> {
    let (kind, name) = role.as_str().split_once('/').unwrap_or_default();
    let now = || {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let namespace = String::new();
        world.roles.get(&ResourceId {
            kind,
            namespace,
            name,
        })
    };
    let entries = if is_own(role.as_str()) {
        before.rules.roles.get(role)
    } else {
        now()
    };
    let missing = || vec![Entry::Missing(role.to_string())];
    entries.cloned().unwrap_or_else(missing)
}

/// The keys of the cluster's providers as they are now, and those of the others as they were.
fn keys(place: Place<'_>, rules: &mut Rules, before: &Keys) -> Option<Keys> {
    let scope = rules.scope.clone();
    let named: Vec<ProviderId> = rules.providers().into_iter().cloned().collect();
    let mut keys = place.add_providers(&scope, rules);
    keys.providers.retain(|it| !is_own(it.id.as_str()));
    for id in named {
        match (before.provider(&id), keys.provider(&id)) {
            (Some(was), _) if is_own(id.as_str()) => {
                if is_of_cluster(was, place.world) {
                    return None;
                }
                keys.providers.push(was.clone());
            }
            (Some(was), Some(now)) if described(was) == described(now) => {}
            // the cluster's guardrails may name more than were named before
            (None, Some(_)) => {}
            _ => return None,
        }
    }
    keys.providers.sort_by(|a, b| a.id.cmp(&b.id));
    Some(keys)
}

/// Whether a provider of the cluster speaks for the same issuer: then a namespace's does no longer.
fn is_of_cluster(own: &Provider, world: &World) -> bool {
    let lowered = world.providers.iter();
    let cluster = lowered.filter(|(id, _)| id.namespace.is_empty());
    let mut issuers = cluster.filter_map(|(_, it)| Some(&it.provider.as_ref()?.issuers));
    issuers.any(|all| all.iter().any(|it| own.issuers.contains(it)))
}

/// All but the keys, and where they were found.
fn described(provider: &Provider) -> Provider {
    Provider {
        keys: Vec::new(),
        fetched_at: None,
        jwks_url: None,
        ..provider.clone()
    }
}
