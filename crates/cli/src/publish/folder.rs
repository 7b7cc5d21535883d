//! The published folder: a reader sees a whole ruleset, the old one or the new one.

use super::last::{Chain, trust_path};
use anyhow::{Context, Result, bail};
use countersign_ruleset::names::Scope;
use countersign_ruleset::sign::Publication;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The namespaces that a folder has a ruleset of; none if there is no folder.
pub(crate) fn scopes(folder: &Path) -> Result<BTreeSet<Scope>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error).context(folder.display().to_string()),
    };
    let mut scopes = BTreeSet::new();
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let name = entry.file_name();
        let scope = name.to_str().and_then(|name| name.parse::<Scope>().ok());
        if let Some(scope) = scope
            && fs::symlink_metadata(entry.path().join("manifest.json")).is_ok()
        {
            scopes.insert(scope);
        }
    }
    Ok(scopes)
}

/// Writes the trust documents that are not there yet. One that is, is never changed.
pub(super) fn write_trust(out: &Path, chain: &Chain) -> Result<()> {
    for (version, bytes) in chain.documents() {
        let path = trust_path(out, version);
        match fs::read(&path) {
            Ok(there) if there == bytes => {}
            Ok(_) => bail!(
                "{}: another trust document {version} is published there than the one given by \
                 --trust: publish to another folder, or name that document",
                path.display()
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                replace(&path, bytes).with_context(|| path.display().to_string())?;
            }
            Err(error) => return Err(error).context(path.display().to_string()),
        }
    }
    Ok(())
}

/// Writes a ruleset: its blobs first, so that the manifest never names what is not there.
pub(super) fn write(out: &Path, scope: &Scope, publication: &Publication) -> io::Result<()> {
    let folder = out.join(scope.as_str());
    for (digest, bytes) in &publication.blobs {
        let path = folder.join("blobs/sha256").join(digest.as_str());
        let is_there = fs::read(&path).is_ok_and(|there| there == *bytes);
        if !is_there {
            replace(&path, bytes)?;
        }
    }
    replace(&folder.join("manifest.json"), &publication.manifest)
}

/// Writes beside, flushes, moves, flushes the folder.
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
