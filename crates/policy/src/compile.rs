//! Compiles all resources of a cluster to one ruleset for each namespace.

use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceId};
use crate::jwks::FetchedKeys;
use crate::lower::cluster::{self, Guarding};
use crate::lower::place::World;
use crate::lower::{Sink, policy, provider, role};
use crate::resources::Resources;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use std::collections::BTreeMap;

mod application;
mod cascade;
mod contest;
mod lost;
mod outcome;
mod route;
mod scope;
#[cfg(test)]
mod tests;
mod warn;

use route::Everywhere;

pub use outcome::{Condition, ConditionType, Outcome, Reason, conditions};
pub use scope::carried;

/// What came of a set of resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compilation {
    /// One ruleset for each namespace that has an AccessPolicy.
    pub rulesets: BTreeMap<Scope, Compiled>,
    /// What is wrong, in order of resource and path.
    pub diagnostics: Vec<Diagnostic>,
    /// What became of each resource of ours.
    pub statuses: BTreeMap<ResourceId, Outcome>,
}

/// The two parts of a ruleset, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The rules.
    pub rules: Rules,
    /// The providers that the rules name, and their keys.
    pub keys: Keys,
}

/// What is found out about a resource on the way.
#[derive(Debug)]
struct Report {
    sink: Sink,
    outcome: Outcome,
    /// Whether it is looked for, and does nothing.
    void: bool,
}

/// The reports of all resources.
type Reports = BTreeMap<ResourceId, Report>;

/// One AccessPolicy, as it was lowered.
#[derive(Debug)]
struct Member<'r> {
    id: &'r ResourceId,
    policy: policy::Lowered,
}

/// Compiles. It is a function of what the resources mean: their order changes nothing, and a
/// mistake takes away only what the broken part gave.
pub fn compile(resources: &Resources, fetched: &BTreeMap<ResourceId, FetchedKeys>) -> Compilation {
    let mut reports = Reports::new();
    let world = world(resources, fetched, &mut reports);
    let guardings = guardings(resources, &world, &mut reports);
    let mut by_scope: BTreeMap<Scope, Vec<Member<'_>>> = BTreeMap::new();
    for (id, spec) in &resources.policies {
        let sink = sink(&mut reports, id);
        let policy = policy::lower((resources, &world), id, spec, sink);
        // INVARIANT: a namespace's name is a DNS label, or it would not have been read
        if let (Some(policy), Ok(scope)) = (policy, id.namespace.parse()) {
            by_scope
                .entry(scope)
                .or_default()
                .push(Member { id, policy });
        }
    }
    let mut rulesets = BTreeMap::new();
    let routes = Everywhere::of(resources);
    for (scope, members) in by_scope {
        let place = scope::Place {
            resources,
            routes: &routes,
            world: &world,
            guardings: &guardings,
        };
        let compiled = scope::compile(&scope, &members, place, &mut reports);
        rulesets.insert(scope, compiled);
    }
    conclude(rulesets, reports)
}

/// The providers and roles that can be referred to.
fn world(
    resources: &Resources,
    fetched: &BTreeMap<ResourceId, FetchedKeys>,
    reports: &mut Reports,
) -> World {
    let mut world = World::default();
    for (id, spec) in &resources.providers {
        // INVARIANT: a resource's name is a DNS name, or it would not have been read
        let Ok(name) = format!("{}/{}", id.kind, id.name).parse() else {
            continue;
        };
        let of_cluster = id.namespace.is_empty();
        let sink = sink(reports, id);
        let lowered = provider::lower(&name, spec, of_cluster, fetched.get(id), sink);
        let report = report(reports, id);
        report.void = lowered.provider.is_none();
        world.providers.insert(id.clone(), lowered);
    }
    for (id, message) in provider::conflicts(resources) {
        let path = FieldPath::spec().name("issuer");
        let report = report(reports, &id);
        report.sink.error(&path, Code::Conflicted, message, None);
        report.void = true;
        world.providers.remove(&id);
    }
    world
        .providers
        .retain(|_, lowered| lowered.provider.is_some());
    for (id, spec) in &resources.roles {
        let entries = role::lower(&world, id, spec, sink(reports, id));
        world.roles.insert(id.clone(), entries);
    }
    world
}

/// The cluster's policies.
fn guardings(resources: &Resources, world: &World, reports: &mut Reports) -> Vec<Guarding> {
    let policies = resources.cluster_policies.iter();
    let lowered =
        policies.filter_map(|(id, spec)| cluster::lower(world, id, spec, sink(reports, id)));
    lowered.collect()
}

fn report<'r>(reports: &'r mut Reports, id: &ResourceId) -> &'r mut Report {
    reports.entry(id.clone()).or_insert_with(|| Report {
        sink: Sink::new(id.clone()),
        outcome: Outcome::default(),
        void: false,
    })
}

fn sink<'r>(reports: &'r mut Reports, id: &ResourceId) -> &'r mut Sink {
    &mut report(reports, id).sink
}

fn conclude(rulesets: BTreeMap<Scope, Compiled>, reports: Reports) -> Compilation {
    let mut diagnostics = Vec::new();
    let mut statuses = BTreeMap::new();
    for (
        id,
        Report {
            sink,
            outcome,
            void,
        },
    ) in reports
    {
        let found = sink.into_diagnostics();
        statuses.insert(
            id,
            Outcome {
                conditions: conditions(&found, void),
                ..outcome
            },
        );
        diagnostics.extend(found);
    }
    diagnostics.sort();
    diagnostics.dedup();
    Compilation {
        rulesets,
        diagnostics,
        statuses,
    }
}
