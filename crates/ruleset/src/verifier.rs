//! The one verifier of rulesets: from disk, network or ConfigMap, nothing is put in force without it.
//!
//! It holds what must be remembered (the trust document, a floor for each scope, keys that were
//! trusted once) and is driven over a [`Carrier`], which needs no trust at all: what it delivers
//! is taken for what the signatures say, and for nothing more.
//!
//! ```text
//! start ─► accept(scope): advance_trust ─► open manifest ─► order, time ─► blobs ─► commit
//! ```

use crate::envelope::Verified;
use crate::key::KeyId;
use crate::manifest::{BlobRef, Digest, Manifest};
use crate::names::{Cluster, Scope};
use crate::provider::Keys;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::time::UnixTime;
use crate::trust::Trust;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod accept;

/// How far a signer's clock may be ahead: 5 minutes.
pub const SKEW: u64 = 300;

/// The most trust documents that one cycle follows.
pub const MAX_TRUST_STEPS: usize = 1024;

/// Where a ruleset comes from.
pub trait Carrier {
    /// The envelope of `trust/VERSION.json`.
    fn trust(&mut self, version: u64) -> Fetched;
    /// The envelope of `SCOPE/manifest.json`.
    fn manifest(&mut self, scope: &Scope) -> Fetched;
    /// The blob's stored bytes, of which no more than `size + 1` are asked for.
    fn blob(&mut self, scope: &Scope, blob: &BlobRef) -> Fetched;
}

/// What a carrier delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bytes.
    Bytes(Vec<u8>),
    /// It is certain that there is none.
    NotFound,
    /// It could not be had, and nothing is known.
    Failed(String),
}

/// What the operator has set, and no ruleset can change.
#[derive(Debug, Clone)]
pub struct Options {
    /// The installation.
    pub cluster: Cluster,
    /// The oldest that a ruleset may be, in seconds; tightens `expiresAt`.
    pub max_age: Option<u64>,
    /// The longest that an expired ruleset is served on, in seconds; tightens `stale.for`.
    pub max_stale: u64,
    /// The least (trust, serial) of every scope, baked in at deployment.
    pub serial_floor: Option<(u64, u64)>,
    /// The namespaces' UIDs, where they are pinned at deployment.
    pub scope_uids: BTreeMap<Scope, String>,
}

impl Options {
    /// Options that tighten nothing.
    pub const fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            max_age: None,
            max_stale: crate::manifest::MAX_STALE,
            serial_floor: None,
            scope_uids: BTreeMap::new(),
        }
    }
}

/// What must be remembered across restarts. Losing it is losing the defence against what is old
/// and validly signed, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// The envelope of the latest trust document, as text.
    pub trust: Option<String>,
    /// Keys that were trusted once.
    pub seen_keys: BTreeSet<KeyId>,
    /// The latest that was accepted of each scope.
    pub floors: BTreeMap<Scope, Floor>,
    /// The latest `issuedAt` that was accepted: a signed lower bound of what time it is.
    pub latest: UnixTime,
}

/// The latest that was accepted of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Floor {
    /// Its trust document.
    pub trust: u64,
    /// Its serial.
    pub serial: u64,
    /// The digest of the manifest's payload.
    pub digest: Digest,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// The namespace's UID.
    #[serde(rename = "scopeUID")]
    pub scope_uid: String,
}

/// A ruleset that was signed, whole, new enough and well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// What was signed.
    pub manifest: Manifest,
    /// The digest of the manifest's payload: the ruleset's name in audit lines.
    pub digest: Digest,
    /// The rules.
    pub rules: Rules,
    /// The providers and their keys.
    pub keys: Keys,
    /// Until when it holds.
    pub term: Term,
}

/// Until when a ruleset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When it was issued: it is never earlier than that, whatever the clock says.
    pub issued_at: UnixTime,
    /// From then on it is stale.
    pub end: UnixTime,
    /// From then on it is not served.
    pub served_until: UnixTime,
}

/// How a ruleset in force stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Fresh,
    /// It is past its end, and served on as its signer allowed.
    Stale,
    /// It may not be served: 503.
    Expired,
}

impl Term {
    /// How it stands at that time.
    pub fn standing(&self, wall: UnixTime) -> Standing {
        let now = wall.max(self.issued_at);
        if now < self.end {
            Standing::Fresh
        } else if now < self.served_until {
            Standing::Stale
        } else {
            Standing::Expired
        }
    }
}

/// What a cycle came to.
#[derive(Debug)]
pub enum Outcome {
    /// Put this in force.
    InForce(Box<Accepted>),
    /// What is in force is what is published.
    Unchanged,
}

/// A ruleset to be put in force, and what to keep for a restart.
#[derive(Debug)]
pub struct Accepted {
    /// The ruleset.
    pub ruleset: Verified<Ruleset>,
    /// The manifest's envelope, as it came.
    pub envelope: Vec<u8>,
    /// The blobs' stored bytes, as they came.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

/// One look at a carrier.
#[derive(Debug)]
pub struct Cycle {
    /// What it came to. A refusal leaves in force what is.
    pub outcome: Result<Outcome, Refusal>,
    /// Whether what is in force must be withdrawn: the keys that signed it are trusted no longer,
    /// and nothing newer came. Then 503, whatever `stale` says.
    pub withdrawn: bool,
    /// Whether the state has changed and must be persisted.
    pub state_changed: bool,
}

/// The verifier. Rules about time take the wall clock as an argument.
#[derive(Debug)]
pub struct Verifier {
    options: Options,
    trust: Trust,
    trust_envelope: Vec<u8>,
    seen: BTreeSet<KeyId>,
    floors: BTreeMap<Scope, Floor>,
    latest: UnixTime,
    in_force: BTreeMap<Scope, Held>,
}

/// What is in force of a scope, so that new trust can be asked of it.
#[derive(Debug)]
struct Held {
    envelope: Vec<u8>,
    digest: Digest,
    opened_under: u64,
}

impl Verifier {
    /// Starts from a pinned trust document and what was remembered.
    pub fn start(pinned: &[u8], options: Options, state: State) -> Result<Self, Refusal> {
        // 1 p = --trust-root (required, pinned, any version); p.cluster == --cluster  else WrongCluster
        let trust = Trust::open_pinned(pinned)?.into_inner();
        same_cluster(&options.cluster, &trust.cluster)?;
        let mut verifier = Self {
            trust,
            trust_envelope: pinned.to_vec(),
            seen: state.seen_keys,
            floors: state.floors,
            latest: state.latest,
            in_force: BTreeMap::new(),
            options,
        };
        // 2 p.version > t.version or no t: t=p;  equal and different payload: abort   TrustMismatch
        if let Some(envelope) = state.trust.map(String::into_bytes) {
            let persisted = Trust::open_pinned(&envelope)?.into_inner();
            same_cluster(&verifier.options.cluster, &persisted.cluster)?;
            if persisted.version == verifier.trust.version && persisted != verifier.trust {
                return Err(Refusal::TrustMismatch {
                    version: persisted.version,
                });
            }
            if persisted.version > verifier.trust.version {
                verifier.trust = persisted;
                verifier.trust_envelope = envelope;
            }
        }
        verifier.seen.extend(verifier.trust.key_ids().cloned());
        Ok(verifier)
    }

    /// What must be remembered.
    pub fn state(&self) -> State {
        State {
            trust: Some(String::from_utf8_lossy(&self.trust_envelope).into_owned()),
            seen_keys: self.seen.clone(),
            floors: self.floors.clone(),
            latest: self.latest,
        }
    }

    /// The trust document in use.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The latest that was accepted of a scope.
    pub fn floor(&self, scope: &Scope) -> Option<&Floor> {
        self.floors.get(scope)
    }
}

fn same_cluster(expected: &Cluster, got: &Cluster) -> Result<(), Refusal> {
    if expected == got {
        return Ok(());
    }
    Err(Refusal::WrongCluster {
        expected: expected.to_string(),
        got: got.to_string(),
    })
}

#[cfg(all(test, feature = "sign"))]
mod tests;
