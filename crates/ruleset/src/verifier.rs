//! The one verifier of rulesets: from disk, network or ConfigMap, nothing is put in force without it.
//!
//! It holds what must be remembered (the trust document, a floor for each scope, the keys that were
//! trusted once) and reads nothing by itself. A cycle asks for bytes, step by step, and takes them
//! for what the signatures say and for nothing more: what carries them needs no trust at all.
//!
//! ```text
//! start ─► begin(scope) ─► Fetch: trust N + 1 ─► Persist ─┐
//!                             ▲───────────────────────────┘
//!                             └─► Fetch: manifest ─► Fetch: blobs ─► Persist ─► Done
//! ```
//!
//! The specification's own lines stand above the lines that do what they say, in
//! [`crate::envelope`], [`crate::trust`] and here: `run` has their order, `accept` those that ask
//! what is remembered and what time it is, `blobs` the last ones.

use crate::envelope;
use crate::key::KeyId;
use crate::manifest::{Digest, MAX_BYTES, MAX_STALE, PAYLOAD_TYPE};
use crate::names::{Cluster, Scope};
use crate::refusal::Refusal;
use crate::time::UnixTime;
use crate::trust::Trust;
use std::collections::{BTreeMap, BTreeSet};

mod accept;
mod blobs;
mod carrier;
mod ruleset;
mod run;
mod state;
mod step;

pub use carrier::Carrier;
pub use ruleset::{Accepted, Cycle, Outcome, Ruleset, Standing, Term};
pub use state::{Floor, NoOrder, Order, State};
pub use step::{Fetch, Fetched, Persist, Step, Wanted};

use state::{Document, Remembered};

/// How far a signer's clock may be ahead: 5 minutes.
pub const SKEW: u64 = 300;

/// The most trust documents that one cycle follows.
pub const MAX_TRUST_STEPS: usize = 1024;

/// What the operator has set, and no ruleset can change.
#[derive(Debug, Clone)]
pub struct Options {
    /// The installation.
    pub cluster: Cluster,
    /// The oldest that a ruleset may be, in seconds; tightens `expiresAt`.
    pub max_age: Option<u64>,
    /// The longest that an expired ruleset is served on, in seconds; tightens `stale.for`.
    pub max_stale: u64,
    /// The least place of every scope's ruleset, baked in at deployment.
    pub serial_floor: Option<Order>,
    /// The namespaces' UIDs, where they are pinned at deployment.
    pub scope_uids: BTreeMap<Scope, String>,
}

impl Options {
    /// Options that tighten nothing.
    pub const fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            max_age: None,
            max_stale: MAX_STALE,
            serial_floor: None,
            scope_uids: BTreeMap::new(),
        }
    }
}

/// The verifier. Rules about time take the wall clock as an argument.
///
/// A copy is for a rehearsal: what a cycle would ask for is found out on it, and nothing that comes of
/// it may be put in force.
#[derive(Debug, Clone)]
pub struct Verifier {
    options: Options,
    remembered: Remembered,
    in_force: BTreeMap<Scope, Held>,
}

/// What is in force of a scope, so that new trust can be asked of it.
#[derive(Debug, Clone)]
struct Held {
    envelope: Vec<u8>,
    digest: Digest,
    opened_under: u64,
}

impl Verifier {
    /// Starts from a pinned trust document and what was remembered.
    ///
    /// Trust on first use does not exist: the pinned document is required, at every start.
    pub fn start(pinned: &[u8], options: Options, state: State) -> Result<Self, Refusal> {
        // 1 p = --trust-root (required, pinned, any version); p.cluster == --cluster  else WrongCluster
        let pinned = Document::pinned(pinned)?;
        same_cluster(&options.cluster, &pinned.trust.cluster)?;
        let remembered = match state.into_remembered() {
            // 2 no t: t=p
            None => Remembered::first(pinned),
            Some(remembered) => {
                let (p, t) = (pinned.trust.version, remembered.trust.trust.version);
                same_cluster(&options.cluster, &remembered.trust.trust.cluster)?;
                // 2 equal and different payload: abort                               TrustMismatch
                if p == t && pinned.payload != remembered.trust.payload {
                    return Err(Refusal::TrustMismatch { version: p });
                }
                // 2 p.version > t.version: t=p
                if p >= t {
                    let mut remembered = remembered;
                    remembered.repin(pinned);
                    remembered
                } else {
                    // what the pinned document does not lead to is as good as lost
                    let walked = remembered.walked(&pinned);
                    walked.unwrap_or_else(|| Remembered::first(pinned))
                }
            }
        };
        Ok(Self {
            options,
            remembered,
            in_force: BTreeMap::new(),
        })
    }

    /// What must be remembered.
    pub fn state(&self) -> State {
        State::of(self.remembered.clone())
    }

    /// The trust document in use.
    pub fn trust(&self) -> &Trust {
        &self.remembered.trust.trust
    }

    /// The latest that was accepted of a scope.
    pub fn floor(&self, scope: &Scope) -> Option<&Floor> {
        self.remembered.floors.get(scope)
    }

    /// `now() = max(wall, hi)`: a clock set back does not revive what has expired. `hi` was at most
    /// `wall + SKEW` when it was accepted, so a thief cannot ratchet time forward.
    pub fn now(&self, wall: UnixTime) -> UnixTime {
        wall.max(self.remembered.latest)
    }

    const fn seen(&self) -> &BTreeSet<KeyId> {
        &self.remembered.seen_keys
    }

    /// if t changed: at the END of this cycle the in-force envelope must `open()` under t, else
    /// unready + 503 (`RemovedKey`; stale mode does not apply)
    ///
    /// `published` is an envelope of the payload in force that does open under t: signed anew by the
    /// next key it vouches for what is in force as well as the one that was held.
    fn withdraws(&mut self, scope: &Scope, published: Option<Vec<u8>>) -> bool {
        let trust = &self.remembered.trust.trust;
        let Some(held) = self.in_force.get_mut(scope) else {
            return false;
        };
        if held.opened_under == trust.version {
            return false;
        }
        let still_opens = trust.delegation(scope).is_some_and(|group| {
            let (signers, seen) = (group.signers(), &self.remembered.seen_keys);
            envelope::open(&held.envelope, PAYLOAD_TYPE, signers, MAX_BYTES, seen).is_ok()
        });
        if !still_opens {
            let Some(envelope) = published else {
                self.in_force.remove(scope);
                return true;
            };
            held.envelope = envelope;
        }
        held.opened_under = trust.version;
        false
    }
}

fn same_cluster(expected: &Cluster, got: &Cluster) -> Result<(), Refusal> {
    if expected == got {
        return Ok(());
    }
    let (expected, got) = (expected.clone(), got.clone());
    Err(Refusal::WrongCluster { expected, got })
}

#[cfg(test)]
mod tests;
