//! Resources: manifests, each read once, by kind, namespace and name.
//!
//! What is *unreadable* (an object that is none, without a name, twice, over a limit, of a kind or
//! version of ours that is not known) stops here, for it may have been a Deny. What is only *wrong*
//! goes on and gives no access.

use crate::diagnostic::{FieldPath, ResourceId};
use crate::field::described;
use crate::lower::provider;
use crate::v1alpha1::{AccessPolicySpec, AccessRoleSpec, ClusterAccessPolicySpec, ProviderSpec};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

mod foreign;
mod gateway;
mod head;
mod limits;
pub(crate) mod route;
#[cfg(test)]
mod tests;

use head::{Group, Head};

/// A set of manifests that can be read. What they say may still be wrong.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// Every `AccessPolicy`.
    pub(crate) policies: BTreeMap<ResourceId, AccessPolicySpec>,
    /// Every `ClusterAccessPolicy`.
    pub(crate) cluster_policies: BTreeMap<ResourceId, ClusterAccessPolicySpec>,
    /// The roles, of both kinds; they are written alike.
    pub(crate) roles: BTreeMap<ResourceId, AccessRoleSpec>,
    /// The providers, of both kinds; they are written alike.
    pub(crate) providers: BTreeMap<ResourceId, ProviderSpec>,
    /// The labels of the Namespaces.
    pub(crate) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// The core Services, by namespace and name.
    pub(crate) services: BTreeSet<(String, String)>,
    /// The Knative Services, by namespace and name.
    pub(crate) knative_services: BTreeMap<(String, String), KnativeService>,
    /// The routes, by kind, namespace and name.
    pub(crate) routes: BTreeMap<(String, String, String), route::Route>,
    /// The listeners of the Gateways, by namespace and name.
    gateways: BTreeMap<(String, String), Vec<gateway::Listener>>,
    seen: BTreeSet<(Group, ResourceId)>,
    places: BTreeMap<ResourceId, Place>,
    ids: BTreeMap<usize, ResourceId>,
}

/// What matters of a Knative Service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnativeService {
    /// The URL at which it says it is reached.
    pub(crate) url: Option<String>,
}

/// Where a resource stands: in which manifest, and where in it (a `List` holds many).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of the manifests, from 0.
    pub index: usize,
    /// The way to the resource in it; empty if it is the whole manifest.
    pub path: FieldPath,
}

/// Why a manifest cannot be read. Then nothing is compiled, and what is in force stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which of the manifests, from 0.
    pub index: usize,
    /// The resource, as far as it says which it is.
    pub resource: Option<ResourceId>,
    /// The field.
    pub path: FieldPath,
    /// What was expected and what was got.
    pub message: String,
}

/// A provider whose keys are not inline, and where they are to be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySource {
    /// The provider.
    pub resource: ResourceId,
    /// Its issuer, whose discovery document names the keys (OpenID Connect Discovery §4).
    pub issuer: String,
    /// The URL of the keys, where it is known: then there is no discovery.
    pub jwks_url: Option<String>,
    /// The one CA, in PEM, that may vouch for their server; if nothing is said, the usual ones.
    pub ca_bundle: Option<String>,
    /// The proxy by which they are to be reached.
    pub proxy_url: Option<String>,
}

/// A field of one object, and what is wrong with it.
type Fault = (FieldPath, String);

impl Resources {
    /// Reads manifests: objects of YAML or of an API server. Kinds that have no part in a policy
    /// and documents with nothing in them are passed over.
    ///
    /// # Errors
    /// All that cannot be read: an object that is none, without a name, twice, over a limit.
    pub fn read<'m>(
        manifests: impl IntoIterator<Item = &'m Value>,
    ) -> Result<Self, Vec<Unreadable>> {
        let mut resources = Self::default();
        let mut unreadable = Vec::new();
        for (index, manifest) in manifests.into_iter().enumerate() {
            let path = FieldPath::default();
            resources.take(&Place { index, path }, manifest, &mut unreadable);
        }
        if unreadable.is_empty() {
            Ok(resources)
        } else {
            Err(unreadable)
        }
    }

    /// The resource of ours that the manifest at that index is; `None` if it is none, or a `List`.
    pub fn id_of(&self, index: usize) -> Option<&ResourceId> {
        self.ids.get(&index)
    }

    /// Where a resource of ours stands, also in a `List`.
    pub fn place_of(&self, resource: &ResourceId) -> Option<&Place> {
        self.places.get(resource)
    }

    /// The providers whose keys must be fetched.
    pub fn key_sources(&self) -> Vec<KeySource> {
        let sources = self.providers.iter();
        sources
            .filter_map(|(id, spec)| provider::key_source(id, spec))
            .collect()
    }

    /// The providers whose issuer or keys are reached over plain http, on this machine: whoever
    /// compiles for others than developers refuses them.
    pub fn insecure_providers(&self) -> Vec<ResourceId> {
        let providers = self.providers.iter();
        let insecure = providers.filter(|(_, spec)| provider::is_insecure(spec));
        insecure.map(|(id, _)| id.clone()).collect()
    }

    fn take(&mut self, place: &Place, manifest: &Value, unreadable: &mut Vec<Unreadable>) {
        if manifest.is_null() {
            return;
        }
        let mut resource = None;
        let taken = match head::list(manifest) {
            Ok(None) => self.object(place, manifest, &mut resource),
            Ok(Some(items)) => {
                for (n, item) in items.iter().enumerate() {
                    let path = place.path.name("items").index(n);
                    self.take(
                        &Place {
                            index: place.index,
                            path,
                        },
                        item,
                        unreadable,
                    );
                }
                Ok(())
            }
            Err(fault) => Err(fault),
        };
        if let Err((path, message)) = taken {
            let index = place.index;
            let path = place.path.join(&path);
            unreadable.push(Unreadable {
                index,
                resource,
                path,
                message,
            });
        }
    }

    fn object(
        &mut self,
        place: &Place,
        manifest: &Value,
        named: &mut Option<ResourceId>,
    ) -> Result<(), Fault> {
        let Some(head) = Head::read(manifest)? else {
            return Ok(());
        };
        let id = head.id;
        *named = Some(id.clone());
        limits::expect_no_private_names(manifest)?;
        if !self.seen.insert((head.group, id.clone())) {
            let path = FieldPath::default().name("metadata").name("name");
            return Err((path, format!("expected each resource once, got {id} twice")));
        }
        if head.group != Group::Countersign {
            return self.foreign(head.group, id, manifest);
        }
        if self.own(&id, manifest)? {
            self.places.insert(id.clone(), place.clone());
            if place.path.steps().is_empty() {
                self.ids.insert(place.index, id);
            }
        }
        Ok(())
    }

    /// Reads a resource of ours; `false` for one that asks nothing.
    fn own(&mut self, id: &ResourceId, manifest: &Value) -> Result<bool, Fault> {
        if id.kind == "Ruleset" {
            return Ok(false);
        }
        head::expect_no_stray_members(manifest)?;
        match id.kind.as_str() {
            "AccessPolicy" => drop(self.policies.insert(id.clone(), spec(manifest)?)),
            "ClusterAccessPolicy" => {
                self.cluster_policies.insert(id.clone(), spec(manifest)?);
            }
            "AccessRole" | "ClusterAccessRole" => {
                self.roles.insert(id.clone(), spec(manifest)?);
            }
            _ => drop(self.providers.insert(id.clone(), spec(manifest)?)),
        }
        Ok(true)
    }
}

/// Reads a `spec`. One that is missing may have held a Deny or a boundary.
fn spec<S: DeserializeOwned>(manifest: &Value) -> Result<S, Fault> {
    let path = FieldPath::spec();
    let written = manifest.get("spec").unwrap_or(&Value::Null);
    if !written.is_object() {
        return Err((
            path,
            format!("expected an object, got {}", described(written)),
        ));
    }
    limits::within(written)?;
    S::deserialize(written).map_err(|error| (path, error.to_string()))
}
