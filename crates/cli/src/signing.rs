//! Who signs: a private key, and the trust document that says for which namespaces it may.

use anyhow::{Context, Result, bail};
use countersign_ruleset::key::PublicKey;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::sign::{Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{self, Trust};
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

/// Whether a key may sign a namespace's rulesets.
pub(crate) fn may_sign(trust: &Trust, scope: &Scope, key: &PublicKey) -> bool {
    let delegation = trust.delegation(scope);
    delegation.is_some_and(|delegation| delegation.keys.contains(key))
}

/// What is to be signed, asked of the trust document before anything is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The installation.
    pub(crate) cluster: &'a Cluster,
    /// For how many seconds it is to hold.
    pub(crate) valid_for: u64,
    /// For how many seconds it may be served on.
    pub(crate) stale_for: u64,
    /// Now.
    pub(crate) now: UnixTime,
}

/// Whether edges would take what this key signs for the namespace.
pub(crate) fn inspect(
    trust: &Trust,
    scope: &Scope,
    key: &SigningKey,
    terms: Terms<'_>,
) -> Result<()> {
    let version = trust.version;
    if trust.cluster != *terms.cluster {
        bail!(
            "expected a trust document of the cluster `{}`, got one of `{}`: say --cluster {}, or name \
             another document with --trust",
            terms.cluster,
            trust.cluster,
            trust.cluster
        );
    }
    if terms.now >= trust.expires_at {
        bail!(
            "trust document {version} expired at {}: publish the next version, signed by the root key",
            trust.expires_at
        );
    }
    let Some(delegation) = trust.delegation(scope) else {
        bail!("trust document {version} delegates nobody for `{scope}`");
    };
    if !may_sign(trust, scope, key.public_key()) {
        let keys: Vec<&str> = delegation
            .keys
            .iter()
            .map(|key| key.id().as_str())
            .collect();
        bail!(
            "expected a key that trust document {version} delegates for `{scope}` ({}), got {}: name \
             that key with --sign-with",
            keys.join(", "),
            key.public_key().id()
        );
    }
    if delegation.threshold > 1 {
        bail!(
            "trust document {version} asks for {} signatures on `{scope}`, and this command makes one",
            delegation.threshold
        );
    }
    if !(1..=delegation.max_validity).contains(&terms.valid_for) {
        bail!(
            "expected --valid-for of 1 to {} s, as trust document {version} allows, got {} s",
            delegation.max_validity,
            terms.valid_for
        );
    }
    if terms.stale_for > countersign_ruleset::manifest::MAX_STALE {
        bail!(
            "expected --stale-for up to {} s, got {} s",
            countersign_ruleset::manifest::MAX_STALE,
            terms.stale_for
        );
    }
    Ok(())
}
