//! A mounted ConfigMap as a carrier: flat keys, and a kubelet that swaps all of them at once.

use super::directory::read;
use countersign_ruleset::manifest::{self, BlobRef};
use countersign_ruleset::names::Scope;
use countersign_ruleset::trust;
use countersign_ruleset::verifier::{Carrier, Fetched};
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// `trust.N.json`, `SCOPE.manifest.json`, and `SCOPE.sha256.DIGEST` or the same with `.gz`: a
/// ConfigMap has no folders, and holds a MiB.
#[derive(Debug)]
pub struct ConfigMap {
    path: PathBuf,
    pinned: PathBuf,
}

impl ConfigMap {
    /// A carrier over the folder where a ConfigMap is mounted.
    pub fn new(path: PathBuf) -> Self {
        let pinned = path.clone();
        Self { path, pinned }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps to what is there now. The kubelet writes a change into a folder of its own and then
    /// moves the link `..data` there: a look that followed the link for each file would mix the two.
    pub(super) fn pin(&mut self) {
        let data = self.path.join("..data");
        self.pinned = fs::canonicalize(data).unwrap_or_else(|_| self.path.clone());
    }

    fn key(&self, name: &str, cap: usize) -> Fetched {
        read(&self.pinned.join(name), cap)
    }
}

impl Carrier for ConfigMap {
    fn trust(&mut self, version: u64) -> Fetched {
        self.key(&format!("trust.{version}.json"), trust::MAX_BYTES)
    }

    fn manifest(&mut self, scope: &Scope) -> Fetched {
        self.key(&format!("{scope}.manifest.json"), manifest::MAX_BYTES)
    }

    fn blob(&mut self, scope: &Scope, blob: &BlobRef) -> Fetched {
        let cap = usize::try_from(blob.size).unwrap_or(usize::MAX);
        let name = format!("{scope}.sha256.{}", blob.digest);
        match self.key(&name, cap) {
            Fetched::NotFound => {}
            found => return found,
        }
        match self.key(&format!("{name}.gz"), MAX_KEY) {
            Fetched::Bytes(packed) => unpack(&packed, blob.size),
            other => other,
        }
    }
}

/// The most bytes of a ConfigMap's key.
const MAX_KEY: usize = 1 << 20;

/// Of what is packed no more is unpacked than one byte above what was signed.
fn unpack(packed: &[u8], size: u64) -> Fetched {
    let mut bytes = Vec::new();
    let mut decoder = GzDecoder::new(packed).take(size.saturating_add(1));
    match decoder.read_to_end(&mut bytes) {
        Ok(_) => Fetched::Bytes(bytes),
        Err(error) => Fetched::Failed(format!("expected gzip: {error}")),
    }
}
