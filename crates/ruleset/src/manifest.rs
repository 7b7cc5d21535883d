//! The manifest: the small signed document that names the blobs of one ruleset, by digest.

pub use crate::digest::Digest;
use crate::json;
use crate::names::{Cluster, Scope};
use crate::time::UnixTime;
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
    /// What a reader may ignore: the one place where a later version may add something.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub info: BTreeMap<String, serde_json::Value>,
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

/// Why a manifest is refused for what it says itself, whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not exactly the two blobs.
    #[error("expected exactly the blobs `keys` and `rules`, got {0}")]
    Blobs(String),
    /// It is not the JSON of one.
    #[error(transparent)]
    Json(#[from] json::Malformed),
    /// Its schema is newer than any that is read here.
    #[error("its schema {got} is newer than {newest}, the newest read here: update this edge")]
    SchemaTooNew {
        /// Its schema.
        got: u32,
        /// The newest read.
        newest: u32,
    },
    /// Its schema is older than any that is read here.
    #[error("its schema {got} is older than {oldest}, the oldest read here: compile it anew")]
    SchemaTooOld {
        /// Its schema.
        got: u32,
        /// The oldest read.
        oldest: u32,
    },
    /// It may be served on for too long.
    #[error("expected `stale.for` up to {MAX_STALE} s, got {0} s")]
    Stale(u64),
    /// A blob is larger than may be read.
    #[error("expected blobs of at most {MAX_BLOB} bytes, got one of {0}")]
    TooLarge(u64),
    /// It ends before it begins, or holds for longer than its signer may say.
    #[error("expected `expiresAt` after {issued_at} and up to {latest}, got {expires_at}")]
    Validity {
        /// When it was issued.
        issued_at: UnixTime,
        /// When it says that it expires.
        expires_at: UnixTime,
        /// The latest that is allowed.
        latest: UnixTime,
    },
}

impl Manifest {
    /// Reads a payload that was opened.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Unfit> {
        #[derive(Deserialize)]
        struct Peek {
            schema: u32,
        }
        // 3 peek m.schema: MIN ≤ schema ≤ MAX                     else SchemaTooOld | SchemaTooNew
        let Peek { schema: got } = json::strict(payload, json::Limits::PAYLOAD)?;
        let (oldest, newest) = (*SCHEMAS.start(), *SCHEMAS.end());
        if got < oldest {
            return Err(Unfit::SchemaTooOld { got, oldest });
        }
        if got > newest {
            return Err(Unfit::SchemaTooNew { got, newest });
        }
        //   then strict(m)                                                        else Malformed
        Ok(json::strict(payload, json::Limits::PAYLOAD)?)
    }

    /// What is said of time, whatever time it is; `max_validity` is what the root allows.
    pub(crate) fn inspect_times(&self, max_validity: u64) -> Result<(), Unfit> {
        // 7 issuedAt < expiresAt ≤ issuedAt+g.maxValidity, stale.for ≤ 7d, serial ≤ 2^53-1 (as every
        //   integer that is read)                                                 else Malformed
        let (issued_at, expires_at) = (self.issued_at, self.expires_at);
        let latest = issued_at.plus(max_validity);
        if expires_at <= issued_at || expires_at > latest {
            return Err(Unfit::Validity {
                issued_at,
                expires_at,
                latest,
            });
        }
        if self.stale.seconds > MAX_STALE {
            return Err(Unfit::Stale(self.stale.seconds));
        }
        Ok(())
    }

    /// The two blobs: the keys, the rules.
    pub(crate) fn both_blobs(&self) -> Result<(&BlobRef, &BlobRef), Unfit> {
        // 8 m.blobs = exactly {rules, keys}; digest ~ [0-9a-f]{64} (by its type)    else Malformed
        let (keys, rules) = match self.blobs.as_slice() {
            [a, b] if (a.name, b.name) == (BlobName::Keys, BlobName::Rules) => (a, b),
            [a, b] if (a.name, b.name) == (BlobName::Rules, BlobName::Keys) => (b, a),
            other => {
                let names: Vec<&str> = other.iter().map(|blob| blob.name.as_str()).collect();
                return Err(Unfit::Blobs(names.join(", ")));
            }
        };
        //   size, decodedSize ≤ caps                                               else TooLarge
        let sizes = [keys, rules].map(|blob| blob.size.max(blob.decoded_size));
        match sizes.into_iter().find(|&size| size > MAX_BLOB) {
            Some(got) => Err(Unfit::TooLarge(got)),
            None => Ok((keys, rules)),
        }
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl BlobName {
    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Rules => "rules",
        }
    }
}
