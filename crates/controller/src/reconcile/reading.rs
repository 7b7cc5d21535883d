//! What one namespace means: its manifests and what surrounds them, read and compiled.
//!
//! It is what compiling everything gives for that namespace. What the other namespaces write has no
//! part in it but for their Gateways.

use crate::provider_keys::OwnIssuer;
use crate::watch::{Cluster, Kind, Object, Part};
use countersign_policy::compile::carried;
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::jwks::FetchedKeys;
use countersign_policy::resources::{KeySource, Unreadable};
use countersign_policy::{Compilation, Compiled, Resources, compile};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By how many seconds an object may seem to be older than its namespace: each API server has a clock.
const CLOCKS: i64 = 60;

/// The objects that decide what a namespace means, each taken as it was at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    /// What has a word in it: its own objects and the cluster's. One of these that cannot be read may
    /// have been a Deny.
    pub(crate) own: Vec<Arc<Object>>,
    /// Gateways of others.
    pub(crate) others: Vec<Arc<Object>>,
    /// Objects of ours that are older than the namespace is: of one before, whose deletion was not heard.
    pub(crate) former: Vec<Arc<Object>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What those mean that can be read.
    pub(crate) compilation: Compilation,
    /// Those that cannot, and why. If there are any, nothing new of their part may be published.
    pub(crate) unreadable: BTreeMap<ResourceId, String>,
    /// The providers whose keys are to be fetched and were not known: those of before go on.
    pub(crate) wanting: BTreeSet<ResourceId>,
}

/// What is left of what was published before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// This, with the providers whose keys are not known.
    Whole(Compiled, BTreeSet<ResourceId>),
    /// It does not fit the cluster's part any longer.
    Nothing,
    /// The cluster's part cannot be read.
    Unreadable,
}

impl Input {
    /// What a namespace is compiled from; the cluster's own resources, if its name is empty.
    pub(crate) fn of(cluster: &Cluster, namespace: &str) -> Self {
        let mut input = Self::default();
        let of_cluster = cluster.objects("").filter(|it| it.kind.is_of_cluster());
        input.own.extend(of_cluster.cloned());
        if namespace.is_empty() {
            return input;
        }
        let itself = cluster.object(Kind::Namespace, "", namespace);
        input.own.extend(itself.cloned());
        let own = cluster.objects(namespace);
        let own = own.filter(|it| !matches!(it.kind, Kind::Ruleset | Kind::EndpointSlice));
        let born = itself.and_then(|it| it.created);
        let (former, own): (Vec<_>, Vec<_>) = own.cloned().partition(|it| is_former(it, born));
        input.former = former.into_iter().filter(|it| it.kind.is_ours()).collect();
        input.own.extend(own);
        if cluster.has_routes(namespace) {
            let gateways = cluster.of_kind(Kind::Gateway);
            let others = gateways.filter(|it| it.namespace != namespace);
            input.others.extend(others.cloned());
        }
        input
    }

    /// Reads and compiles it.
    pub(crate) fn compile(
        &self,
        fetched: &BTreeMap<ResourceId, FetchedKeys>,
        issuer: Option<&OwnIssuer>,
    ) -> Reading {
        let (resources, mut unreadable) = self.read(issuer);
        let why = "it is older than its namespace: it is of one before of that name";
        let former = self.former.iter();
        unreadable.extend(former.map(|it| (id(it), why.to_owned())));
        Reading {
            compilation: compile(&resources, fetched),
            unreadable,
            wanting: wanting(&resources, fetched),
        }
    }

    /// What was published before, with the cluster's part as it is now.
    pub(crate) fn carry(
        &self,
        before: &Compiled,
        fetched: &BTreeMap<ResourceId, FetchedKeys>,
        issuer: Option<&OwnIssuer>,
    ) -> Carried {
        let cluster = self.own.iter();
        let cluster = cluster.filter(|it| it.kind.part() == Some(Part::Cluster));
        let manifests: Vec<_> = cluster.map(|it| completed(it, issuer)).collect();
        let Ok(resources) = Resources::read(manifests.iter().map(AsRef::as_ref)) else {
            return Carried::Unreadable;
        };
        match carried(before, &resources, fetched) {
            Some(compiled) => Carried::Whole(compiled, wanting(&resources, fetched)),
            None => Carried::Nothing,
        }
    }

    /// Reads what can be read. What is not ours and cannot is passed over, for it is no Deny: a target is
    /// then one that is not there, and a route one of which nobody knows whether it was accepted.
    fn read(&self, issuer: Option<&OwnIssuer>) -> (Resources, BTreeMap<ResourceId, String>) {
        let all = || self.own.iter().chain(&self.others);
        let mut manifests: Vec<_> = all().map(|it| completed(it, issuer)).collect();
        let mut objects: Vec<&Arc<Object>> = all().collect();
        let mut unreadable = BTreeMap::new();
        loop {
            let faults = match Resources::read(manifests.iter().map(AsRef::as_ref)) {
                Ok(resources) => return (resources, unreadable),
                Err(faults) => faults,
            };
            let at_fault: BTreeSet<usize> = faults.iter().map(|it| it.index).collect();
            for fault in &faults {
                let decides = |it: &&&Arc<Object>| it.kind.is_ours() || it.kind == Kind::Namespace;
                if let Some(object) = objects.get(fault.index).filter(decides) {
                    unreadable.entry(id(object)).or_insert_with(|| why(fault));
                }
            }
            if at_fault.is_empty() {
                return (Resources::default(), unreadable);
            }
            manifests = without(manifests, &at_fault);
            objects = without(objects, &at_fault);
        }
    }
}

/// Whether an object is older than its namespace.
fn is_former(object: &Object, born: Option<i64>) -> bool {
    let created = object.created.map(|it| it.saturating_add(CLOCKS));
    created
        .zip(born)
        .is_some_and(|(created, born)| created < born)
}

/// The providers whose keys are to be fetched, and were not.
fn wanting(
    resources: &Resources,
    fetched: &BTreeMap<ResourceId, FetchedKeys>,
) -> BTreeSet<ResourceId> {
    let sources = resources.key_sources().into_iter().map(|it| it.resource);
    sources.filter(|id| !fetched.contains_key(id)).collect()
}

/// All but those with these numbers.
fn without<T>(all: Vec<T>, numbers: &BTreeSet<usize>) -> Vec<T> {
    let numbered = all.into_iter().enumerate();
    let left = numbered.filter(|(n, _)| !numbers.contains(n));
    left.map(|(_, it)| it).collect()
}

fn why(fault: &Unreadable) -> String {
    let path = fault.path.to_string();
    if path.is_empty() {
        fault.message.clone()
    } else {
        format!("{path}: {}", fault.message)
    }
}

/// The manifest, with what this cluster knows of itself.
fn completed<'o>(object: &'o Object, issuer: Option<&OwnIssuer>) -> Cow<'o, Value> {
    match issuer {
        Some(issuer) if object.kind == Kind::ClusterTrustProvider => {
            let mut manifest = object.manifest.clone();
            issuer.complete(&mut manifest);
            Cow::Owned(manifest)
        }
        _ => Cow::Borrowed(&object.manifest),
    }
}

/// The resource that an object is.
pub(crate) fn id(object: &Object) -> ResourceId {
    ResourceId {
        kind: object.kind.as_str().to_owned(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

/// The providers whose keys must be fetched, of the cluster and of every namespace. Each is read alone:
/// one that cannot be read takes no other's keys away.
pub(crate) fn key_sources(cluster: &Cluster, issuer: Option<&OwnIssuer>) -> Vec<KeySource> {
    let kinds = [Kind::ClusterTrustProvider, Kind::TrustProvider].into_iter();
    let providers = kinds.flat_map(|kind| cluster.of_kind(kind));
    let read = providers.filter_map(|it| Resources::read([completed(it, issuer).as_ref()]).ok());
    read.flat_map(|it| it.key_sources()).collect()
}

#[cfg(test)]
mod tests;
