//! The state directory: floors, trust, and the ruleset in force, so that a restart needs no network.
//!
//! A file is written beside its place, flushed, and moved there: a reader sees the old one or the
//! new one. What cannot be written is logged and the new ruleset is put in force all the same, for
//! a revocation in it matters more; what cannot be read counts as missing, which is what deleting
//! it would do.

use countersign_ruleset::json;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Accepted, State};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The largest state file: floors of some ten thousand scopes, and the longest chain of trust.
const LIMITS: json::Limits = json::Limits {
    bytes: 40 << 20,
    depth: 8,
    exact_integers: true,
};

/// A directory that only this edge writes.
#[derive(Debug)]
pub struct StateDirectory(PathBuf);

impl StateDirectory {
    /// A state directory; it is made when it is first written.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was remembered; nothing if there is nothing that can be read.
    pub fn read(&self) -> State {
        let path = self.0.join("state.json");
        let lost = |error: &dyn std::fmt::Display| {
            tracing::error!(path = %path.display(), %error, "the state is unreadable: floors are lost");
            State::default()
        };
        match bounded(&path) {
            Ok(bytes) => json::strict(&bytes, LIMITS).unwrap_or_else(|error| lost(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => lost(&error),
        }
    }

    /// Remembers; says whether it could be written.
    pub(crate) fn write(&self, state: &State) -> bool {
        let written = serde_json::to_vec(state)
            .map_err(io::Error::other)
            .and_then(|bytes| replace(&self.0.join("state.json"), &bytes));
        self.told(&written)
    }

    /// Keeps a ruleset for the next start: its blobs first, so that the manifest never names what is
    /// not there.
    pub(crate) fn keep(&self, scope: &Scope, accepted: &Accepted) -> bool {
        let folder = self.0.join(scope.as_str());
        let blobs = folder.join("blobs/sha256");
        let mut each = accepted.blobs.iter();
        let kept = each
            .try_for_each(|(digest, bytes)| replace(&blobs.join(digest.as_str()), bytes))
            .and_then(|()| replace(&folder.join("manifest.json"), &accepted.envelope))
            .and_then(|()| sweep(&blobs, &accepted.blobs));
        self.told(&kept)
    }

    fn told(&self, written: &io::Result<()>) -> bool {
        if let Err(error) = written {
            let path = self.0.display();
            tracing::error!(%path, %error, "the state could not be written: a restart may lose floors");
        }
        written.is_ok()
    }
}

/// A file, of which one byte more is read than may be there: more is then refused as too long.
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(LIMITS.bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path)?.take(most.saturating_add(1));
    io::BufReader::new(file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes away the blobs of rulesets before.
fn sweep(folder: &Path, keep: &[(Digest, Vec<u8>)]) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !keep.iter().any(|(digest, _)| *digest.as_str() == *name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes beside, flushes, moves, flushes the folder.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::other("a file has a folder"))?;
    // rules hold e-mail addresses and groups: nobody else may read them
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension("tmp");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}
