//! What is remembered across restarts, as plain data that the caller keeps.

use super::{MAX_TRUST_STEPS, Ruleset};
use crate::digest::Digest;
use crate::envelope::{self, Verified};
use crate::key::KeyId;
use crate::names::Scope;
use crate::time::UnixTime;
use crate::trust::{self, Distrusted, Trust};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What must be remembered across restarts; by default nothing, as before the first start.
///
/// Losing it is losing the defence against what is old and validly signed, and nothing else: so
/// what cannot be read counts as lost. Every start walks the trust documents anew, from the pinned
/// one: whoever can write this can do what deleting it does, and make the edge refuse (floors or a
/// time too high, another cluster's document); he cannot put in force what no root has signed for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(Option<Remembered>);

impl State {
    pub(super) const fn of(remembered: Remembered) -> Self {
        Self(Some(remembered))
    }

    pub(super) fn into_remembered(self) -> Option<Remembered> {
        self.0
    }
}

/// state (persisted): trust doc t; seenKeys; floor\[scope\]; hi = max issuedAt accepted
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Remembered {
    /// The latest trust document.
    pub(super) trust: Arc<Document>,
    /// Those from the one after the pinned document to the latest: how the latest is vouched for.
    chain: Vec<Arc<Document>>,
    /// Keys that were trusted once: they name a refusal, and decide nothing.
    pub(super) seen_keys: BTreeSet<KeyId>,
    /// The latest that was accepted of each scope.
    pub(super) floors: BTreeMap<Scope, Floor>,
    /// The latest `issuedAt` that was accepted: a signed lower bound of what time it is.
    pub(super) latest: UnixTime,
}

impl Remembered {
    /// What is remembered at a first start.
    pub(super) fn first(pinned: Document) -> Self {
        Self {
            seen_keys: pinned.trust.key_ids().cloned().collect(),
            trust: Arc::new(pinned),
            chain: Vec::new(),
            floors: BTreeMap::new(),
            latest: UnixTime::default(),
        }
    }

    /// Goes on to a later trust document.
    pub(super) fn follow(&mut self, next: Document) {
        self.seen_keys.extend(next.trust.key_ids().cloned());
        self.trust = Arc::new(next);
        self.chain.push(Arc::clone(&self.trust));
    }

    /// Begins anew at a pinned document that is not older than the latest.
    pub(super) fn repin(&mut self, pinned: Document) {
        self.follow(pinned);
        self.chain.clear();
    }

    /// Walks from the pinned document to the latest; `None` if the chain does not reach it.
    pub(super) fn walked(mut self, pinned: &Document) -> Option<Self> {
        let after = |d: &Arc<Document>| d.trust.version > pinned.trust.version;
        self.chain.retain(after);
        if self.chain.len() > MAX_TRUST_STEPS {
            return None;
        }
        let mut at = pinned.clone();
        for next in &self.chain {
            at = at.next(next.envelope.clone(), &self.seen_keys).ok()?;
        }
        (at == *self.trust).then_some(self)
    }

    /// 10 commit: floor\[scope\]; hi=max(hi,issuedAt)
    pub(super) fn accept(&mut self, scope: &Scope, ruleset: &Ruleset) {
        let m = &ruleset.manifest;
        let floor = Floor {
            trust: m.trust,
            serial: m.serial,
            digest: ruleset.digest.clone(),
            issued_at: m.issued_at,
            scope_uid: m.scope_uid.clone(),
        };
        self.floors.insert(scope.clone(), floor);
        self.latest = self.latest.max(m.issued_at);
    }
}

/// The latest that was accepted of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Floor {
    /// Its trust document.
    pub trust: u64,
    /// Its serial.
    pub serial: u64,
    /// The digest of the manifest's payload, never of its envelope: signing anew changes that.
    pub digest: Digest,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// The namespace's UID; empty if it was compiled without a cluster.
    #[serde(rename = "scopeUID")]
    pub scope_uid: String,
}

impl Floor {
    /// Its place.
    pub const fn order(&self) -> Order {
        Order {
            trust: self.trust,
            serial: self.serial,
        }
    }
}

/// The place of a ruleset among those of its scope, written `TRUST:SERIAL`.
///
/// A higher trust document begins the serials anew, so the highest serial that a thief can sign is
/// behind the owner as soon as the owner publishes a trust document without the stolen key.
///
/// ```
/// use countersign_ruleset::verifier::Order;
/// let thief: Order = "1:9007199254740991".parse()?;
/// assert!(thief < "2:1".parse()?);
/// # Ok::<_, countersign_ruleset::verifier::NoOrder>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// The trust document's version.
    pub trust: u64,
    /// The serial under it.
    pub serial: u64,
}

/// A text that is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `TRUST:SERIAL`, two whole numbers, got `{0}`")]
pub struct NoOrder(String);

impl FromStr for Order {
    type Err = NoOrder;

    fn from_str(text: &str) -> Result<Self, NoOrder> {
        let parts = text.split_once(':');
        let order = parts.and_then(|(trust, serial)| {
            let (trust, serial) = (trust.parse().ok()?, serial.parse().ok()?);
            Some(Self { trust, serial })
        });
        order.ok_or_else(|| NoOrder(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.trust, self.serial)
    }
}

/// A trust document that was opened, with its envelope: only so can it be opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Document {
    pub(super) trust: Trust,
    /// The digest of the payload: two documents are the same if their payloads are.
    pub(super) payload: Digest,
    envelope: Vec<u8>,
}

impl Document {
    /// A document that is opened by its own root.
    pub(super) fn pinned(envelope: &[u8]) -> Result<Self, Distrusted> {
        let trust = Trust::open_pinned(envelope)?;
        Self::of(trust, envelope.to_vec())
    }

    /// The document after this one.
    pub(super) fn next(
        &self,
        envelope: Vec<u8>,
        seen: &BTreeSet<KeyId>,
    ) -> Result<Self, Distrusted> {
        let trust = self.trust.open_next(&envelope, seen)?;
        Self::of(trust, envelope)
    }

    fn of(trust: Verified<Trust>, envelope: Vec<u8>) -> Result<Self, Distrusted> {
        let payload = envelope::claimed(&envelope, trust::PAYLOAD_TYPE, trust::MAX_BYTES)?;
        Ok(Self {
            trust: trust.into_inner(),
            payload: Digest::of(&payload),
            envelope,
        })
    }
}

impl TryFrom<String> for Document {
    type Error = Distrusted;

    fn try_from(envelope: String) -> Result<Self, Distrusted> {
        Self::pinned(envelope.as_bytes())
    }
}

impl From<Document> for String {
    /// An envelope that was opened is JSON, and JSON is UTF-8: nothing is lost.
    fn from(document: Document) -> Self {
        Self::from_utf8_lossy(&document.envelope).into_owned()
    }
}
