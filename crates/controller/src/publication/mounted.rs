//! One ConfigMap in each namespace, for pods that mount it and so need no network to decide.
//!
//! Its members are flat, and all of a publication change at once: `trust.N.json`, `SCOPE.manifest.json`,
//! `SCOPE.sha256.DIGEST`, a large blob as `….gz`.

use super::chain::Claimed;
use super::config_maps::{LABEL, SCOPE, bytes_of, packed, said};
use super::mirrors::{Copied, Mirror};
use countersign_ruleset::verifier::Order;
use futures::future::BoxFuture;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error, ResourceExt};
use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
mod tests;

/// Its name, in each namespace.
const NAME: &str = "countersign-ruleset";

/// A blob larger than that is compressed.
const PLAIN: usize = 64 << 10;

/// The most bytes that a ConfigMap holds.
const MOST: usize = 1 << 20;

/// The mirror of ConfigMaps that can be mounted.
#[derive(Clone)]
pub struct Mounted(Client);

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mounted").finish_non_exhaustive()
    }
}

impl Mounted {
    /// Writes as this client may.
    pub const fn new(client: Client) -> Self {
        Self(client)
    }

    async fn copy(&self, copied: &Copied) -> Result<(), String> {
        let scope = &copied.scope;
        let api: Api<ConfigMap> = Api::namespaced(self.0.clone(), scope.as_str());
        let mut map = map_of(copied)?;
        let there = api.get_opt(NAME).await.map_err(|error| said(&error))?;
        let Some(there) = there else {
            return match api.create(&PostParams::default(), &map).await {
                // nobody mounts anything where there is no namespace
                Err(Error::Api(status)) if status.is_not_found() => Ok(()),
                Err(error) => Err(said(&error)),
                Ok(_) => Ok(()),
            };
        };
        if there.labels().get(LABEL).map(String::as_str) != Some("mounted") {
            return Err(format!(
                "{scope}/{NAME}: expected a ConfigMap with the label {LABEL}=mounted, got one that \
                 somebody else made"
            ));
        }
        if there.binary_data == map.binary_data {
            return Ok(());
        }
        let held = bytes_of(&there, &format!("{scope}.manifest.json")).and_then(Claimed::of);
        let held = held.map(|claimed| Order {
            trust: claimed.trust,
            serial: claimed.serial,
        });
        let (own, newer) = (copied.last.order(), held);
        if let Some(newer) = newer.filter(|newer| *newer > own) {
            return Err(format!(
                "{scope}/{NAME}: it says that it holds {newer}, and {own} is published: remove it if \
                 that is not so"
            ));
        }
        map.metadata.resource_version = there.resource_version();
        let written = api.replace(NAME, &PostParams::default(), &map).await;
        written.map(|_| ()).map_err(|error| said(&error))
    }
}

impl Mirror for Mounted {
    fn name(&self) -> String {
        "mounted ConfigMaps".to_owned()
    }

    fn put<'a>(&'a self, copied: &'a Copied) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.copy(copied))
    }
}

/// The whole publication as one object.
fn map_of(copied: &Copied) -> Result<ConfigMap, String> {
    let scope = &copied.scope;
    let mut members = BTreeMap::new();
    for (version, bytes) in copied.chain.documents() {
        members.insert(format!("trust.{version}.json"), ByteString(bytes.to_vec()));
    }
    let manifest = ByteString(copied.last.envelope.clone());
    members.insert(format!("{scope}.manifest.json"), manifest);
    for (digest, bytes) in &copied.whole.blobs {
        let name = format!("{scope}.sha256.{digest}");
        if bytes.len() > PLAIN {
            let packed = packed(bytes).map_err(|error| error.to_string())?;
            members.insert(format!("{name}.gz"), ByteString(packed));
        } else {
            members.insert(name, ByteString(bytes.clone()));
        }
    }
    let sizes = members.values().map(|member| member.0.len());
    let size = sizes.fold(0_usize, usize::saturating_add);
    if size > MOST {
        return Err(format!(
            "a ConfigMap holds {MOST} bytes, and this ruleset needs {size}: let its edges load from the \
             controller or from an object store"
        ));
    }
    let labels = [(LABEL, "mounted"), (SCOPE, scope.as_str())];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            labels: Some(BTreeMap::from(labels)),
            ..ObjectMeta::default()
        },
        binary_data: Some(members),
        ..ConfigMap::default()
    })
}
