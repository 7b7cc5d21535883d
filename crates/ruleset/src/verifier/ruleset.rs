//! What a cycle comes to: a verified ruleset, until when it holds, or why there is none.

use crate::envelope::Verified;
use crate::manifest::{Digest, Manifest};
use crate::provider::Keys;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::time::UnixTime;

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
    /// It is never earlier than that, whatever the clock says: the latest `issuedAt` that was
    /// accepted when this ruleset was.
    pub earliest: UnixTime,
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
    /// expiry: on `end`: stale mode `FailClosed` → 503 + unready; `for` → serve, metric, until
    /// end+for, then 503
    pub fn standing(&self, wall: UnixTime) -> Standing {
        let now = wall.max(self.earliest);
        if now < self.end {
            Standing::Fresh
        } else if now < self.served_until {
            Standing::Stale
        } else {
            Standing::Expired
        }
    }

    /// When it will stand otherwise, for a timer; `None` if it never will.
    pub fn changes_at(&self, wall: UnixTime) -> Option<UnixTime> {
        match self.standing(wall) {
            Standing::Fresh => Some(self.end),
            Standing::Stale => Some(self.served_until),
            Standing::Expired => None,
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

/// What came of one look at a carrier.
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
