//! What of the cluster's resources its policies refer to: a finalizer keeps it while they do.
//!
//! A role or provider that is gone is unknown for every caller, so that a Deny of the cluster which
//! names it denies everybody, everywhere. What would do that is not deleted before the last policy
//! lets go of it.

use crate::watch::{Cluster, Kind, Object};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The finalizer.
pub(crate) const FINALIZER: &str = "countersign.dev/in-use";

/// The provider that `serviceAccounts` means.
const KUBERNETES: &str = "kubernetes";

/// A change of one object's finalizers.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) object: Arc<Object>,
    /// Whether the finalizer is to be there.
    pub(crate) in_use: bool,
}

/// What is to be changed.
pub(crate) fn changes(cluster: &Cluster) -> Vec<Change> {
    let used = used(cluster);
    let kinds = [Kind::ClusterAccessRole, Kind::ClusterTrustProvider].into_iter();
    let objects = kinds.flat_map(|kind| cluster.of_kind(kind));
    let changes = objects.filter_map(|object| {
        let in_use = used.contains(&(object.kind, object.name.clone()));
        let is_there = object.finalizers.iter().any(|it| it == FINALIZER);
        // nothing is added to what is being deleted already: an API server would refuse it
        let differs = in_use != is_there && !(in_use && object.deleting);
        differs.then(|| Change {
            object: Arc::clone(object),
            in_use,
        })
    });
    changes.collect()
}

/// What the cluster's policies name, and what the roles among it do.
fn used(cluster: &Cluster) -> BTreeSet<(Kind, String)> {
    let mut used = BTreeSet::new();
    for policy in cluster.of_kind(Kind::ClusterAccessPolicy) {
        for list in ["/spec/boundary", "/spec/deny"] {
            for rule in members(&policy.manifest, list) {
                used.extend(named(rule, "/from"));
            }
        }
    }
    for role in cluster.of_kind(Kind::ClusterAccessRole) {
        if used.contains(&(Kind::ClusterAccessRole, role.name.clone())) {
            used.extend(named(&role.manifest, "/spec/members"));
        }
    }
    used
}

/// What the entries of a list name.
fn named(holder: &Value, list: &str) -> BTreeSet<(Kind, String)> {
    let mut named = BTreeSet::new();
    for entry in members(holder, list) {
        let provider = entry.pointer("/providerRef/name").and_then(Value::as_str);
        let of_cluster = entry.get("serviceAccounts").map(|_| KUBERNETES);
        let providers = provider.into_iter().chain(of_cluster);
        named.extend(providers.map(|it| (Kind::ClusterTrustProvider, it.to_owned())));
        let roles = members(entry, "/roleRefs").filter_map(|it| it.get("name")?.as_str());
        named.extend(roles.map(|it| (Kind::ClusterAccessRole, it.to_owned())));
    }
    named
}

fn members<'m>(holder: &'m Value, list: &str) -> impl Iterator<Item = &'m Value> {
    holder
        .pointer(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::{FINALIZER, changes};
    use crate::watch::{Cluster, Kind, Object};
    use serde_json::{Value, json};

    fn put(cluster: &mut Cluster, kind: Kind, name: &str, spec: &Value, metadata: &Value) {
        let mut written = json!({"metadata": {"name": name}, "spec": spec});
        for (name, value) in metadata.as_object().into_iter().flatten() {
            written["metadata"][name] = value.clone();
        }
        let object = serde_json::from_value(written).unwrap();
        cluster.put(Object::of(kind, object).unwrap());
    }

    fn found(cluster: &Cluster) -> Vec<(String, bool)> {
        let changes = changes(cluster).into_iter();
        changes
            .map(|it| (it.object.name.clone(), it.in_use))
            .collect()
    }

    /// A policy of the cluster that names a role whose members are of one provider, and a provider.
    fn cluster(metadata: &Value) -> Cluster {
        let mut cluster = Cluster::default();
        let none = json!({});
        let rule = json!({"name": "a", "from": [
            {"roleRefs": [{"kind": "ClusterAccessRole", "name": "admins"}]},
            {"providerRef": {"name": "okta"}, "groups": ["contractors"]},
            {"serviceAccounts": [{"namespace": "ci", "name": "*"}]},
        ]});
        put(
            &mut cluster,
            Kind::ClusterAccessPolicy,
            "no",
            &json!({"deny": [rule]}),
            &none,
        );
        let members = json!({"members": [{"providerRef": {"name": "entra"}, "groups": ["a"]}]});
        put(
            &mut cluster,
            Kind::ClusterAccessRole,
            "admins",
            &members,
            metadata,
        );
        put(
            &mut cluster,
            Kind::ClusterAccessRole,
            "unnamed",
            &members,
            &none,
        );
        for provider in ["okta", "entra", "kubernetes", "unused"] {
            let kind = Kind::ClusterTrustProvider;
            put(&mut cluster, kind, provider, &none, &none);
        }
        cluster
    }

    #[test]
    fn what_a_cluster_policy_needs_is_kept() {
        let kept = ["admins", "entra", "kubernetes", "okta"];
        let kept = kept.map(|name| (name.to_owned(), true)).to_vec();
        assert_eq!(found(&cluster(&json!({}))), kept);
    }

    #[test]
    fn what_is_being_deleted_is_kept_but_not_taken_hold_of() {
        let deleting = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert!(
            !found(&cluster(&deleting))
                .iter()
                .any(|(name, _)| name == "admins")
        );
    }

    #[test]
    fn what_is_needed_no_longer_is_let_go() {
        let mut cluster = cluster(&json!({"finalizers": [FINALIZER]}));
        cluster.remove(Kind::ClusterAccessPolicy, "", "no");
        assert_eq!(found(&cluster), [("admins".to_owned(), false)]);
    }
}
