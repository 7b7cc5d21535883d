//! Providers that sign as one issuer: the keys of the one would verify what the other says.

use super::origin;
use crate::diagnostic::ResourceId;
use crate::resources::Resources;
use std::collections::BTreeMap;

/// Who claims an issuer, by the namespace; empty is the cluster.
type Claims<'r> = BTreeMap<(String, String), Vec<&'r ResourceId>>;

/// The providers that do not count because another one has the same issuer, and which. A cluster's
/// beats a namespace's, whichever came first: else a namespace could take an issuer from all. Two of
/// one level: neither counts.
pub(crate) fn conflicts(resources: &Resources) -> BTreeMap<ResourceId, String> {
    let mut claims = Claims::new();
    for (id, spec) in &resources.providers {
        for issuer in origin::claimed(spec) {
            claims
                .entry((id.namespace.clone(), issuer))
                .or_default()
                .push(id);
        }
    }
    let mut conflicts = BTreeMap::new();
    for ((namespace, issuer), claimants) in &claims {
        let clusters = claims.get(&(String::new(), issuer.clone()));
        for id in claimants {
            let of_cluster = clusters.filter(|_| !namespace.is_empty());
            let others = of_cluster.into_iter().flatten().chain(claimants);
            if let Some(other) = others.copied().find(|other| other != id) {
                let issuer = super::short(issuer);
                let reason = format!("{other} has the issuer `{issuer}` too");
                conflicts.entry((*id).clone()).or_insert(reason);
            }
        }
    }
    conflicts
}
