//! ConfigMaps in the controller's namespace: the primary store, fenced by the API server.
//!
//! ```text
//! countersign-trust          N.json, each version of trust
//! ruleset-SCOPE              manifest.json, written on the condition of its resourceVersion
//! ruleset-SCOPE.DIGEST.PART  a part of a blob, compressed: a ConfigMap holds 1 MiB
//! ```
//!
//! No namespace's name has a dot, so none can be chosen to meet another's part.

use super::store::{Expected, Key, Store, StoreError, Stored, Thrift, Version, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Client, Error, ResourceExt};
use std::collections::{BTreeMap, BTreeSet};

mod parts;
mod stamp;
#[cfg(test)]
mod tests;

pub(super) use parts::{joined, name as part, packed};

/// On each of them: what it holds.
pub(super) const LABEL: &str = "countersign.dev/published";

/// On what belongs to a namespace: which.
pub(super) const SCOPE: &str = "countersign.dev/scope";

/// The ConfigMap that holds trust.
pub(super) const TRUST: &str = "countersign-trust";

/// The member that holds a manifest.
pub(super) const MANIFEST: &str = "manifest.json";

/// How many are listed at once.
const PAGE: u32 = 500;

/// How often a write of trust is tried while others write, too.
const TRIES: usize = 5;

/// Ten thousand policies come to 4 or 5 MB. Two blobs belong together: what is kept of before is no more
/// than two rulesets.
const THRIFT: Thrift = Thrift {
    ruleset: 8 << 20,
    grace: 300,
    unneeded: 4,
};

/// A store of ConfigMaps.
#[derive(Debug, Clone)]
pub struct ConfigMaps {
    api: Api<ConfigMap>,
    namespace: String,
}

impl ConfigMaps {
    /// A store in the namespace, which must be there.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
        }
    }

    fn failed(&self, name: &str, error: &Error) -> StoreError {
        let place = format!("configmap {}/{name}", self.namespace);
        StoreError::failed(place, said(error))
    }

    async fn find(&self, name: &str) -> Result<Option<ConfigMap>, StoreError> {
        let found = self.api.get_opt(name).await;
        found.map_err(|error| self.failed(name, &error))
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let (name, member) = (name(key), member(key));
        if let Key::Blob(..) = key {
            return self.read_blob(key).await;
        }
        let Some(found) = self.find(&name).await? else {
            return Ok(None);
        };
        let Some(bytes) = bytes_of(&found, &member) else {
            return Ok(None);
        };
        let most = key.most();
        if bytes.len() > most {
            let place = self.place(key);
            return Err(StoreError::TooLarge { place, most });
        }
        let version = match key {
            Key::Manifest(_) => Version::new(found.resource_version().unwrap_or_default()),
            // what never changes is a state of its own
            Key::Blob(..) | Key::Trust(_) => Version::new(Digest::of(bytes).as_str()),
        };
        let stored = key.found(bytes.to_vec(), version);
        Ok(stored.map(|stored| Stored {
            written: stamp::written(&found),
            ..stored
        }))
    }

    async fn put(
        &self,
        key: &Key,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Version, WriteError> {
        key.admit(bytes)?;
        match key {
            Key::Trust(_) => self.put_trust(key, bytes).await,
            Key::Manifest(scope) => self.put_manifest(key, scope, bytes, expected).await,
            Key::Blob(scope, digest) => {
                if self.read_blob(key).await?.is_none() {
                    self.put_blob(scope, digest, bytes).await?;
                }
                Ok(Version::new(digest.as_str()))
            }
        }
    }

    async fn put_manifest(
        &self,
        key: &Key,
        scope: &Scope,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Version, WriteError> {
        let name = name(key);
        let mut map = labelled(&name, "manifest", Some(scope));
        map.binary_data = Some(member_of(MANIFEST, bytes));
        let written = match expected {
            // the API server takes an empty one as whatever is there
            Expected::Version(version) if version.as_str().is_empty() => None,
            Expected::Version(version) => {
                map.metadata.resource_version = Some(version.as_str().to_owned());
                self.replace(&name, &map).await?
            }
            Expected::Any => match self.create(&name, &map).await? {
                Some(written) => Some(written),
                None => self.replace(&name, &map).await?,
            },
            Expected::Absent => match self.create(&name, &map).await? {
                Some(written) => Some(written),
                None => self.fill(&name, map).await?,
            },
        };
        let written = written.ok_or(WriteError::Conflict)?;
        Ok(Version::new(written.resource_version().unwrap_or_default()))
    }

    /// Puts a manifest where there is a ConfigMap of its name, and no manifest in it.
    async fn fill(&self, name: &str, mut map: ConfigMap) -> Result<Option<ConfigMap>, StoreError> {
        let there = self.find(name).await?;
        let there = there.filter(|there| bytes_of(there, MANIFEST).is_none());
        let Some(version) = there.and_then(|there| there.resource_version()) else {
            return Ok(None);
        };
        map.metadata.resource_version = Some(version);
        self.replace(name, &map).await
    }

    async fn put_trust(&self, key: &Key, bytes: &[u8]) -> Result<Version, WriteError> {
        let member = member(key);
        let version = Version::new(Digest::of(bytes).as_str());
        for _ in 0..TRIES {
            let there = self.find(TRUST).await?;
            let is_new = there.is_none();
            let mut map = there.unwrap_or_default();
            match bytes_of(&map, &member) {
                Some(there) if there == bytes => return Ok(version),
                Some(_) => return Err(WriteError::Conflict),
                None => {}
            }
            let fresh = labelled(TRUST, "trust", None).metadata;
            map.metadata.name = fresh.name;
            let labels = map.metadata.labels.get_or_insert_default();
            labels.extend(fresh.labels.unwrap_or_default());
            let members = map.binary_data.get_or_insert_default();
            members.extend(member_of(&member, bytes));
            let written = if is_new {
                self.create(TRUST, &map).await?
            } else {
                self.replace(TRUST, &map).await?
            };
            if written.is_some() {
                return Ok(version);
            }
        }
        Err(WriteError::Conflict)
    }

    /// Creates it; `None` if it is there.
    async fn create(&self, name: &str, map: &ConfigMap) -> Result<Option<ConfigMap>, StoreError> {
        match self.api.create(&PostParams::default(), map).await {
            Ok(written) => Ok(Some(written)),
            Err(Error::Api(status)) if status.is_already_exists() => Ok(None),
            Err(error) => Err(self.failed(name, &error)),
        }
    }

    /// Replaces it; `None` if it is not there, or not as it was.
    async fn replace(&self, name: &str, map: &ConfigMap) -> Result<Option<ConfigMap>, StoreError> {
        let written = self.api.replace(name, &PostParams::default(), map).await;
        match written {
            Ok(written) => Ok(Some(written)),
            Err(Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(None),
            Err(error) => Err(self.failed(name, &error)),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(self.failed(name, &error)),
        }
    }

    /// The names of those that hold a kind of thing.
    async fn names(&self, labels: &str) -> Result<Vec<String>, StoreError> {
        let mut list = ListParams::default().labels(labels).limit(PAGE);
        let mut names = Vec::new();
        loop {
            let page = self.api.list_metadata(&list).await;
            let page = page.map_err(|error| self.failed(labels, &error))?;
            names.extend(page.items.iter().map(ResourceExt::name_any));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => list = list.continue_token(&token),
                None => return Ok(names),
            }
        }
    }

    async fn list(&self) -> Result<BTreeSet<Scope>, StoreError> {
        let names = self.names(&format!("{LABEL}=manifest")).await?;
        let scope = |name: &String| name.strip_prefix("ruleset-")?.parse().ok();
        Ok(names.iter().filter_map(scope).collect())
    }
}

impl Store for ConfigMaps {
    fn place(&self, key: &Key) -> String {
        format!(
            "configmap {}/{}: {}",
            self.namespace,
            name(key),
            member(key)
        )
    }

    fn fences(&self) -> bool {
        true
    }

    /// Edges read from the replicas, which hold what they serve.
    fn thrift(&self) -> Option<Thrift> {
        Some(THRIFT)
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        Box::pin(self.get(key))
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        bytes: &'a [u8],
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(self.put(key, bytes, expected))
    }

    fn scopes(&self) -> BoxFuture<'_, Result<BTreeSet<Scope>, StoreError>> {
        Box::pin(self.list())
    }

    fn blobs<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(self.list_blobs(scope))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            key.may_go(self.place(key))?;
            match key {
                Key::Blob(scope, digest) => self.delete_blob(scope, digest).await,
                Key::Manifest(_) | Key::Trust(_) => self.delete(&name(key)).await,
            }
        })
    }
}

/// The ConfigMap that holds it, of a blob the first.
pub(super) fn name(key: &Key) -> String {
    match key {
        Key::Trust(_) => TRUST.to_owned(),
        Key::Manifest(scope) => format!("ruleset-{scope}"),
        Key::Blob(scope, digest) => parts::name(scope, digest, 0),
    }
}

/// The member that holds it.
fn member(key: &Key) -> String {
    match key {
        Key::Trust(version) => format!("{version}.json"),
        Key::Manifest(_) => MANIFEST.to_owned(),
        Key::Blob(..) => parts::MEMBER.to_owned(),
    }
}

fn member_of(name: &str, bytes: &[u8]) -> BTreeMap<String, ByteString> {
    BTreeMap::from([(name.to_owned(), ByteString(bytes.to_vec()))])
}

/// A member's bytes: what `kubectl create configmap --from-file` makes of a text is text.
pub(super) fn bytes_of<'m>(map: &'m ConfigMap, member: &str) -> Option<&'m [u8]> {
    let binary = map.binary_data.as_ref().and_then(|data| data.get(member));
    let text = || map.data.as_ref().and_then(|data| data.get(member));
    let binary = binary.map(|bytes| &*bytes.0);
    binary.or_else(|| text().map(String::as_bytes))
}

fn labelled(name: &str, what: &str, scope: Option<&Scope>) -> ConfigMap {
    let mut labels = BTreeMap::from([(LABEL.to_owned(), what.to_owned())]);
    labels.extend(scope.map(|scope| (SCOPE.to_owned(), scope.to_string())));
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

/// What an error says, in one line: the API server's own words where it answered.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}
