//! Object stores: buckets, and whatever else the `object_store` crate reaches.

use super::directory::Directory;
use super::store::{Expected, Key, Store, StoreError, Stored, Version, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A text that names no place for rulesets, or none that this build can reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// It is not written as one.
    #[error(
        "expected file:///PATH, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH, got `{0}`"
    )]
    Unknown(String),
    /// It is left out of this build.
    #[error("{place}: this build reaches no {scheme}://; it is the feature `{feature}`")]
    LeftOut {
        /// What was asked for.
        place: String,
        /// Its kind.
        scheme: String,
        /// What would reach it.
        feature: &'static str,
    },
    /// It is not described well enough by its name and the environment.
    #[error("{place}: {why}")]
    Unfit {
        /// What was asked for.
        place: String,
        /// Why.
        why: String,
    },
}

/// The store at a place; what else a bucket's service needs comes from its usual variables.
pub fn mirror_at(place: &str) -> Result<Arc<dyn Store>, NoPlace> {
    let unknown = || NoPlace::Unknown(place.to_owned());
    let (scheme, rest) = place.split_once("://").ok_or_else(unknown)?;
    if scheme == "file" {
        let path = rest.starts_with('/').then(|| rest.into());
        return Ok(Arc::new(Directory::new(path.ok_or_else(unknown)?)));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(unknown());
    }
    let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|_| unknown())?;
    let store = match scheme {
        "s3" => s3(place, bucket),
        "gs" => gs(place, bucket),
        "az" => az(place, bucket),
        _ => return Err(unknown()),
    };
    Ok(Arc::new(Objects::new(store?, prefix, place, true)))
}

#[cfg(feature = "aws")]
fn s3(place: &str, bucket: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    let builder = object_store::aws::AmazonS3Builder::from_env().with_bucket_name(bucket);
    built(place, builder.build())
}

#[cfg(not(feature = "aws"))]
fn s3(place: &str, _: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    left_out(place, "s3", "aws")
}

#[cfg(feature = "gcp")]
fn gs(place: &str, bucket: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env();
    built(place, builder.with_bucket_name(bucket).build())
}

#[cfg(not(feature = "gcp"))]
fn gs(place: &str, _: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    left_out(place, "gs", "gcp")
}

#[cfg(feature = "azure")]
fn az(place: &str, container: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    let builder = object_store::azure::MicrosoftAzureBuilder::from_env();
    built(place, builder.with_container_name(container).build())
}

#[cfg(not(feature = "azure"))]
fn az(place: &str, _: &str) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    left_out(place, "az", "azure")
}

#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
fn built<S: ObjectStore>(
    place: &str,
    store: Result<S, Error>,
) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    let unfit = |error: Error| NoPlace::Unfit {
        place: place.to_owned(),
        why: error.to_string(),
    };
    let store: Arc<dyn ObjectStore> = Arc::new(store.map_err(unfit)?);
    Ok(store)
}

#[cfg(not(all(feature = "aws", feature = "gcp", feature = "azure")))]
fn left_out(
    place: &str,
    scheme: &str,
    feature: &'static str,
) -> Result<Arc<dyn ObjectStore>, NoPlace> {
    Err(NoPlace::LeftOut {
        place: place.to_owned(),
        scheme: scheme.to_owned(),
        feature,
    })
}

/// An object store.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    name: String,
    fences: bool,
}

impl Objects {
    /// A store below the prefix. Whether it fences depends on whether the service writes on a condition:
    /// S3, Google Cloud Storage and Azure do; a local file system does not.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: Path, name: &str, fences: bool) -> Self {
        Self {
            store,
            prefix,
            name: name.trim_end_matches('/').to_owned(),
            fences,
        }
    }

    fn path(&self, key: &Key) -> Path {
        let path = key.path();
        let parts = path.split('/');
        parts.fold(self.prefix.clone(), Path::join)
    }

    fn failed(&self, key: &Key, error: &Error) -> StoreError {
        StoreError::failed(self.place(key), error)
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let found = match self.store.get(&self.path(key)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(key, &error)),
        };
        let most = key.most();
        if usize::try_from(found.meta.size).is_ok_and(|size| size <= most) {
            let name = (found.meta.e_tag.clone(), found.meta.version.clone());
            let bytes = found.bytes().await;
            let bytes = bytes.map_err(|error| self.failed(key, &error))?;
            return Ok(key.found(bytes.to_vec(), version(name)));
        }
        let place = self.place(key);
        Err(StoreError::TooLarge { place, most })
    }

    async fn put(
        &self,
        key: &Key,
        bytes: &[u8],
        expected: Expected,
    ) -> Result<Version, WriteError> {
        key.admit(bytes)?;
        if key.is_immutable() {
            return self.put_once(key, bytes).await;
        }
        let mode = match &expected {
            Expected::Absent => PutMode::Create,
            Expected::Version(version) => PutMode::Update(named(version)),
            Expected::Any => PutMode::Overwrite,
        };
        match self.try_put(key, bytes, mode).await? {
            Tried::Done(version) => Ok(version),
            Tried::Conflict => Err(WriteError::Conflict),
            // nothing better can be done here than to look first
            Tried::Unconditional => {
                let there = self.get(key).await?.map(|there| there.version);
                if Expected::from(there.as_ref()) != expected {
                    return Err(WriteError::Conflict);
                }
                self.overwrite(key, bytes).await
            }
        }
    }

    /// Writes what is never changed, or finds it there.
    async fn put_once(&self, key: &Key, bytes: &[u8]) -> Result<Version, WriteError> {
        match self.get(key).await? {
            Some(there) if there.bytes == bytes => return Ok(there.version),
            Some(_) => return Err(WriteError::Conflict),
            None => {}
        }
        match self.try_put(key, bytes, PutMode::Create).await? {
            Tried::Done(version) => Ok(version),
            Tried::Unconditional => self.overwrite(key, bytes).await,
            // somebody else has just written it, or it was damaged
            Tried::Conflict => match self.get(key).await? {
                Some(there) if there.bytes == bytes => Ok(there.version),
                Some(_) => Err(WriteError::Conflict),
                None => self.overwrite(key, bytes).await,
            },
        }
    }

    async fn overwrite(&self, key: &Key, bytes: &[u8]) -> Result<Version, WriteError> {
        match self.try_put(key, bytes, PutMode::Overwrite).await? {
            Tried::Done(version) => Ok(version),
            Tried::Conflict | Tried::Unconditional => Err(WriteError::Conflict),
        }
    }

    async fn try_put(&self, key: &Key, bytes: &[u8], mode: PutMode) -> Result<Tried, StoreError> {
        let options = PutOptions::from(mode);
        let payload = bytes.to_vec().into();
        let path = self.path(key);
        match self.store.put_opts(&path, payload, options).await {
            Ok(put) => Ok(Tried::Done(version((put.e_tag, put.version)))),
            Err(Error::NotImplemented { .. }) => Ok(Tried::Unconditional),
            Err(
                Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. },
            ) => Ok(Tried::Conflict),
            Err(error) => Err(self.failed(key, &error)),
        }
    }

    async fn list(&self) -> Result<BTreeSet<Scope>, StoreError> {
        let listed = self.store.list_with_delimiter(Some(&self.prefix)).await;
        let listed = listed.map_err(|error| StoreError::failed(&self.name, error))?;
        let mut scopes = BTreeSet::new();
        for folder in listed.common_prefixes {
            let scope = folder.parts().next_back();
            let Some(Ok(scope)) = scope.map(|it| it.as_ref().parse::<Scope>()) else {
                continue;
            };
            let key = Key::Manifest(scope.clone());
            match self.store.head(&self.path(&key)).await {
                Ok(_) => scopes.insert(scope),
                Err(Error::NotFound { .. }) => continue,
                Err(error) => return Err(self.failed(&key, &error)),
            };
        }
        Ok(scopes)
    }

    async fn list_blobs(&self, scope: &Scope) -> Result<BTreeSet<Digest>, StoreError> {
        let folder = [scope.as_str(), "blobs", "sha256"];
        let folder = folder.into_iter().fold(self.prefix.clone(), Path::join);
        let listed = self.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(|error| StoreError::failed(&self.name, error))?;
        let names = listed
            .objects
            .iter()
            .filter_map(|it| it.location.filename());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        key.may_go(self.place(key))?;
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(key, &error)),
        }
    }
}

/// What came of a write on a condition.
enum Tried {
    Done(Version),
    Conflict,
    /// The service knows no such condition.
    Unconditional,
}

impl Store for Objects {
    fn place(&self, key: &Key) -> String {
        format!("{}/{key}", self.name)
    }

    fn fences(&self) -> bool {
        self.fences
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
        Box::pin(self.delete(key))
    }
}

/// A service names a state by an `ETag`, by a version, or by both; neither has a line feed.
fn version((e_tag, version): (Option<String>, Option<String>)) -> Version {
    let [e_tag, version] = [e_tag, version].map(Option::unwrap_or_default);
    Version::new(format!("{e_tag}\n{version}"))
}

fn named(version: &Version) -> UpdateVersion {
    let (e_tag, version) = version.as_str().split_once('\n').unwrap_or_default();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    UpdateVersion {
        e_tag: some(e_tag),
        version: some(version),
    }
}

#[cfg(test)]
mod tests;
