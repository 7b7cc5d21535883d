//! The manifest: the small signed document that names the blobs of one ruleset, by digest.

use crate::key::lower_hex;
use crate::names::{Cluster, Scope};
use crate::time::UnixTime;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The payload type of a manifest.
pub const PAYLOAD_TYPE: &str = "application/vnd.countersign.manifest.v1+json";

/// The most bytes of a manifest when it is written, so that a KMS can sign it.
pub const MAX_WRITTEN: usize = 3584;

/// The most bytes of its envelope when it is read.
pub const MAX_BYTES: usize = 16 << 10;

/// The most bytes of a blob, decoded.
pub const MAX_BLOB: u64 = 64 << 20;

/// The longest that an expired ruleset may be served on: 7 days.
pub const MAX_STALE: u64 = 7 * 86_400;

/// The schemas that this version reads; it writes the last.
pub const SCHEMAS: std::ops::RangeInclusive<u32> = 1..=1;

/// What one ruleset is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The schema, read before anything else.
    pub schema: u32,
    /// The installation.
    pub cluster: Cluster,
    /// The namespace.
    pub scope: Scope,
    /// The namespace's UID, so that a namespace made anew by someone else is another; empty if
    /// compiled without a cluster.
    #[serde(rename = "scopeUID")]
    pub scope_uid: String,
    /// The trust document whose keys sign it.
    pub trust: u64,
    /// Grows with each ruleset of the scope under one trust document.
    pub serial: u64,
    /// When it was signed.
    pub issued_at: UnixTime,
    /// Until when it holds.
    pub expires_at: UnixTime,
    /// Whether it may be served on.
    pub stale: Stale,
    /// The blobs: `keys` and `rules`, each once.
    pub blobs: Vec<BlobRef>,
    /// The digest of the manifest before, so that a fork shows in a store's history.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Digest>,
    /// What a reader may ignore.
    pub info: BTreeMap<String, String>,
}

/// Whether a ruleset may be served on past its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// For how many seconds; zero is not at all.
    #[serde(rename = "for")]
    pub seconds: u64,
}

/// One blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlobRef {
    /// What it holds.
    pub name: BlobName,
    /// The SHA-256 of the stored bytes.
    pub digest: Digest,
    /// How many bytes are stored.
    pub size: u64,
    /// How they are stored.
    pub encoding: Encoding,
    /// How many bytes they decode to.
    pub decoded_size: u64,
}

/// What a blob holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BlobName {
    /// The providers and their public keys.
    Keys,
    /// The rules.
    Rules,
}

/// How a blob is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// As it is.
    Identity,
}

/// A SHA-256, 64 characters of lower-case hex: checked before it becomes part of a path or URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(Box<str>);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 characters of lower-case hex")]
pub struct NotADigest;

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(lower_hex(digest(&SHA256, bytes).as_ref()).into())
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.into()))
        } else {
            Err(NotADigest)
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_cannot_climb_out_of_its_folder() {
        assert!(Digest::try_from("0".repeat(64)).is_ok());
        for bad in [
            "0".repeat(63),
            "A".repeat(64),
            format!("../{}", "0".repeat(61)),
            String::new(),
        ] {
            assert!(Digest::try_from(bad).is_err());
        }
    }
}
