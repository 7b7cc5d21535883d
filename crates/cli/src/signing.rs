//! Files of who signs: a private key, and the trust document that says for which namespaces it may.

use anyhow::{Context, Result};
use countersign_ruleset::sign::SigningKey;
use countersign_ruleset::trust;
use std::fs;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a private key's file.
const MAX_KEY: u64 = 16 << 10;

/// Reads a private key.
pub(crate) fn read_key(path: &Path) -> Result<SigningKey> {
    let mut pem = Zeroizing::new(String::new());
    let file = fs::File::open(path);
    file.and_then(|file| file.take(MAX_KEY).read_to_string(&mut pem))
        .with_context(|| path.display().to_string())?;
    SigningKey::from_pem(&pem).with_context(|| path.display().to_string())
}

/// Reads the document that edges are pinned to, as it came.
pub(crate) fn read_trust(path: &Path) -> Result<Vec<u8>> {
    let most = u64::try_from(trust::MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = fs::File::open(path);
    file.and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .with_context(|| path.display().to_string())?;
    Ok(bytes)
}

/// A runtime for commands that ask an API server.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.context("no runtime")
}
