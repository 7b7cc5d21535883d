//! A folder as a store: what edges read from a disk, and what pipelines publish into.

use super::store::{Expected, Key, Store, StoreError, Stored, Version, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::future::ready;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Whoever writes holds its lock, so that of two writers on one machine one sees the other's work.
const LOCK: &str = ".lock";

/// `trust/N.json`, `SCOPE/manifest.json`, `SCOPE/blobs/sha256/DIGEST`.
///
/// The disk is asked on the spot: these futures are done when they are made.
#[derive(Debug, Clone)]
pub struct Directory(PathBuf);

impl Directory {
    /// A store in the folder, which is made when something is written.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The namespaces that have a manifest; none if there is no folder.
    pub fn list(&self) -> Result<BTreeSet<Scope>, StoreError> {
        let mut scopes = BTreeSet::new();
        for name in names(&self.0)? {
            if let Ok(scope) = name.parse::<Scope>()
                && fs::symlink_metadata(self.path(&Key::Manifest(scope.clone()))).is_ok()
            {
                scopes.insert(scope);
            }
        }
        Ok(scopes)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.join(key.path())
    }

    fn look(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let path = self.path(key);
        let Some(bytes) = read(&path, key.most())? else {
            return Ok(None);
        };
        let version = version(&bytes);
        Ok(key.found(bytes, version))
    }

    fn put(&self, key: &Key, bytes: &[u8], expected: &Expected) -> Result<Version, WriteError> {
        key.admit(bytes)?;
        let failed = |path: &Path, error| StoreError::failed(path.display(), error);
        fs::create_dir_all(&self.0).map_err(|error| failed(&self.0, error))?;
        let _lock = lock(&self.0.join(LOCK)).map_err(|error| failed(&self.0, error))?;
        let there = self.look(key)?;
        let is_there = there.as_ref().is_some_and(|there| there.bytes == bytes);
        let is_expected = match (expected, &there) {
            _ if key.is_immutable() => there.is_none() || is_there,
            (Expected::Absent, there) => there.is_none(),
            (Expected::Version(version), there) => {
                there.as_ref().is_some_and(|it| it.version == *version)
            }
            (Expected::Any, _) => true,
        };
        if !is_expected {
            return Err(WriteError::Conflict);
        }
        let path = self.path(key);
        if !is_there {
            replace(&path, bytes).map_err(|error| failed(&path, error))?;
        }
        Ok(version(bytes))
    }

    fn list_blobs(&self, scope: &Scope) -> Result<BTreeSet<Digest>, StoreError> {
        let folder = self.0.join(scope.as_str()).join("blobs/sha256");
        let names = names(&folder)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    fn take_away(&self, key: &Key) -> Result<(), StoreError> {
        key.may_go(self.place(key))?;
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StoreError::failed(path.display(), error))
            }
            _ => Ok(()),
        }
    }
}

impl Store for Directory {
    fn place(&self, key: &Key) -> String {
        self.path(key).display().to_string()
    }

    fn fences(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        Box::pin(ready(self.look(key)))
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        bytes: &'a [u8],
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(ready(self.put(key, bytes, &expected)))
    }

    fn scopes(&self) -> BoxFuture<'_, Result<BTreeSet<Scope>, StoreError>> {
        Box::pin(ready(self.list()))
    }

    fn blobs<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<BTreeSet<Digest>, StoreError>> {
        Box::pin(ready(self.list_blobs(scope)))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(self.take_away(key)))
    }
}

/// A state is its content: a folder keeps no count of its changes.
fn version(bytes: &[u8]) -> Version {
    Version::new(Digest::of(bytes).as_str())
}

/// The names in a folder; none if there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::failed(folder.display(), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    Ok(names)
}

/// Reads one byte more than may be there at most, so that too much is seen and never held.
fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |error| StoreError::failed(path.display(), error);
    let file = match fs::metadata(path) {
        // to open a pipe would wait for whoever writes into it, which may be nobody
        Ok(found) if !found.is_file() => {
            return Err(failed(io::Error::other(
                "expected a file, got something else",
            )));
        }
        Ok(_) => File::open(path),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        let place = path.display().to_string();
        return Err(StoreError::TooLarge { place, most });
    }
    Ok(Some(bytes))
}

/// Waits for the folder's lock, which goes with what is returned. A file system that knows no locks is
/// written to without one.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.lock() {
        Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

/// Writes beside, flushes, moves, flushes the folder: a reader sees the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("a file has a folder"))?;
    fs::create_dir_all(folder)?;
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::Directory;
    use crate::publication::conformance::{
        blob, conforms, does_not_read_what_is_too_large, manifest, scope,
    };
    use crate::publication::store::{Expected, Key, Store, WriteError};
    use std::collections::BTreeSet;
    use std::fs;
    use std::sync::Arc;

    #[tokio::test]
    async fn conforms_as_a_store() {
        let folder = tempfile::tempdir().unwrap();
        conforms(&Directory::new(folder.path().join("published"))).await;
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Directory::new(folder.path().join("published"));
        assert_eq!(store.scopes().await, Ok(BTreeSet::new()));
        assert_eq!(store.blobs(&scope("shop")).await, Ok(BTreeSet::new()));
        assert_eq!(store.read(&Key::Trust(1)).await, Ok(None));
        store.remove(&manifest("shop")).await.unwrap();
        assert!(!folder.path().join("published").exists());
    }

    #[tokio::test]
    async fn reads_no_more_than_may_be_there_and_nothing_that_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Directory::new(folder.path().to_path_buf());
        fs::create_dir_all(folder.path().join("shop")).unwrap();
        let key = manifest("shop");
        fs::write(folder.path().join(key.path()), vec![b'x'; key.most() + 1]).unwrap();
        does_not_read_what_is_too_large(&store, &key).await;
        fs::create_dir_all(folder.path().join("trust/1.json")).unwrap();
        let refused = store.read(&Key::Trust(1)).await.unwrap_err().to_string();
        assert!(
            refused.ends_with("expected a file, got something else"),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_blob_that_was_cut_short_is_not_there_and_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let store = Directory::new(folder.path().to_path_buf());
        let key = blob("shop", b"rules");
        store.write(&key, b"rules", Expected::Absent).await.unwrap();
        fs::write(folder.path().join(key.path()), b"ru").unwrap();
        assert_eq!(store.read(&key).await, Ok(None));
        store.write(&key, b"rules", Expected::Absent).await.unwrap();
        assert_eq!(store.read(&key).await.unwrap().unwrap().bytes, b"rules");
    }

    /// Processes that publish into one folder at once: each state has one successor.
    #[test]
    fn of_writers_that_meet_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let place = Arc::new(folder.path().to_path_buf());
        let key = manifest("shop");
        let version = Directory::new(place.to_path_buf())
            .put(&key, b"0", &Expected::Absent)
            .unwrap();
        let writers: Vec<_> = (1..=8)
            .map(|number| {
                let (place, key, version) = (Arc::clone(&place), key.clone(), version.clone());
                std::thread::spawn(move || {
                    let bytes = format!("{number}");
                    let store = Directory::new(place.to_path_buf());
                    store.put(&key, bytes.as_bytes(), &Expected::Version(version))
                })
            })
            .collect();
        let results: Vec<_> = writers.into_iter().map(|it| it.join().unwrap()).collect();
        let done = results.iter().filter(|it| it.is_ok()).count();
        let lost = |it: &&_| **it == Err(WriteError::Conflict);
        assert_eq!((done, results.iter().filter(lost).count()), (1, 7));
    }
}
