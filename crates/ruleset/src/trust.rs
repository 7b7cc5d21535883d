//! Trust documents: which keys may sign rulesets, said by root keys, each version by the one before.
//!
//! This is how signing keys rotate with no edge touched. A signing key cannot appoint its
//! successor: only root keys sign trust documents, and they never sign rulesets.

use crate::envelope::{self, MAX_SIGNATURES, Signers, Unopened, Verified};
use crate::json;
use crate::key::{KeyId, PublicKey};
use crate::names::{Cluster, Scope};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The payload type of a trust document.
pub const PAYLOAD_TYPE: &str = "application/vnd.countersign.trust.v1+json";

/// The most bytes of a trust document's envelope.
pub const MAX_BYTES: usize = 16 << 10;

/// The longest validity that a root may allow: 400 days, for rulesets baked into images.
pub const MAX_VALIDITY: u64 = 400 * 86_400;

/// The validity that is allowed unless a root says otherwise: 7 days.
pub const DEFAULT_VALIDITY: u64 = 7 * 86_400;

/// One version of what is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trust {
    /// The installation: two of them cannot share a document.
    pub cluster: Cluster,
    /// From 1, each the last plus one.
    pub version: u64,
    /// From then on nothing new is accepted: the only bound on a thief who holds a signing key and
    /// withholds the next version.
    pub expires_at: UnixTime,
    /// Who signs trust documents.
    pub root: Root,
    /// Who signs rulesets.
    pub rulesets: Vec<Delegation>,
}

/// Who signs trust documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Root {
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// How many must sign.
    pub threshold: u32,
}

/// Who signs the rulesets of some scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delegation {
    /// The scopes, or `*` for those that no other delegation names.
    pub scopes: Vec<String>,
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// How many must sign.
    pub threshold: u32,
    /// The longest `expiresAt - issuedAt`, in seconds.
    pub max_validity: u64,
}

/// Why a trust document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrusted {
    /// It says what a trust document may not say.
    #[error("the trust document is invalid: {0}")]
    Invalid(#[from] Fault),
    /// Its payload is not what was promised.
    #[error("the trust document's payload: {0}")]
    Malformed(#[from] json::Malformed),
    /// It is not the next one.
    #[error("expected trust document {expected}, got {got}")]
    OutOfOrder {
        /// The next version.
        expected: u64,
        /// What it says.
        got: u64,
    },
    /// It was not opened.
    #[error("the trust document was not opened: {0}")]
    Unopened(#[from] Unopened),
    /// It is of another installation.
    #[error("expected a trust document of the cluster `{expected}`, got one of `{got}`")]
    WrongCluster {
        /// Ours.
        expected: Cluster,
        /// Its.
        got: Cluster,
    },
}

/// What a trust document may not say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// One key could meet a threshold of two.
    #[error("a key of {0} is listed twice")]
    KeyTwice(&'static str),
    /// It delegates nothing.
    #[error("a delegation names no scope")]
    NoScope,
    /// A scope that could not be part of a path.
    #[error("expected a scope or `*`, got `{0}`")]
    NotAScope(String),
    /// The key that never leaves its safe would sign every hour.
    #[error("the root key {0} may not sign rulesets")]
    RootSignsRulesets(KeyId),
    /// Then it would not be clear whose keys count.
    #[error("two delegations name the scope `{0}`")]
    ScopeTwice(String),
    /// It could be met by nobody, or by anybody.
    #[error("expected a threshold of 1 to {keys} of {of}, got {threshold}")]
    Threshold {
        /// Whose.
        of: &'static str,
        /// How many keys there are.
        keys: usize,
        /// The threshold.
        threshold: u32,
    },
    /// More keys than an envelope has room for signatures.
    #[error("expected at most {MAX_SIGNATURES} keys of {of}, got {got}")]
    TooManyKeys {
        /// Whose.
        of: &'static str,
        /// How many.
        got: usize,
    },
    /// A ruleset that hardly ends, or has ended when it begins.
    #[error("expected a validity of 1 to {MAX_VALIDITY} s, got {0}")]
    Validity(u64),
    /// The first version is 1.
    #[error("expected a version from 1, got 0")]
    Version,
}

impl Root {
    /// As signers.
    pub fn signers(&self) -> Signers<'_> {
        Signers {
            keys: &self.keys,
            threshold: self.threshold,
        }
    }

    fn open(&self, bytes: &[u8], seen: &BTreeSet<KeyId>) -> Result<Verified<Vec<u8>>, Unopened> {
        envelope::open(bytes, PAYLOAD_TYPE, self.signers(), MAX_BYTES, seen)
    }
}

impl Delegation {
    /// As signers.
    pub fn signers(&self) -> Signers<'_> {
        Signers {
            keys: &self.keys,
            threshold: self.threshold,
        }
    }
}

impl Trust {
    /// The first document of an installation: one root key, one signing key, every scope.
    pub fn first(
        cluster: Cluster,
        root: PublicKey,
        signing: PublicKey,
        expires_at: UnixTime,
    ) -> Self {
        Self {
            cluster,
            version: 1,
            expires_at,
            root: Root {
                keys: vec![root],
                threshold: 1,
            },
            rulesets: vec![Delegation {
                scopes: vec!["*".to_owned()],
                keys: vec![signing],
                threshold: 1,
                max_validity: DEFAULT_VALIDITY,
            }],
        }
    }

    /// Opens a document under its own root: the start, where the very document is pinned.
    pub fn open_pinned(bytes: &[u8]) -> Result<Verified<Self>, Distrusted> {
        let claimed = envelope::claimed(bytes, PAYLOAD_TYPE, MAX_BYTES)?;
        let claimed = Self::parse(&claimed)?;
        let opened = claimed.root.open(bytes, &BTreeSet::new())?;
        let pinned = opened.and_then(|payload| Self::parse(&payload))?;
        pinned.inspect()?;
        Ok(pinned)
    }

    /// Opens the next document, under this root *and* its own.
    pub fn open_next(
        &self,
        bytes: &[u8],
        seen: &BTreeSet<KeyId>,
    ) -> Result<Verified<Self>, Distrusted> {
        // n = strict(open(b, TRUST, t.root)); open(b, TRUST, n.root)      # old AND new threshold
        let opened = self.root.open(bytes, seen)?;
        let next = opened.and_then(|payload| Self::parse(&payload))?;
        next.root.open(bytes, seen)?;
        // n.version == t.version+1                                             else TrustOutOfOrder
        let expected = self.version.saturating_add(1);
        if next.version != expected {
            let got = next.version;
            return Err(Distrusted::OutOfOrder { expected, got });
        }
        // n.cluster == t.cluster                                                  else WrongCluster
        if next.cluster != self.cluster {
            let (expected, got) = (self.cluster.clone(), next.cluster.clone());
            return Err(Distrusted::WrongCluster { expected, got });
        }
        next.inspect()?;
        Ok(next)
    }

    /// strict(payload): UTF-8, no duplicate, no unknown member, depth ≤ 16, integers ≤ 2^53-1
    fn parse(payload: &[u8]) -> Result<Self, Distrusted> {
        Ok(json::strict(payload, json::Limits::PAYLOAD)?)
    }

    /// The one delegation for a scope: an exact name beats `*`.
    pub fn delegation(&self, scope: &Scope) -> Option<&Delegation> {
        let names = |wanted: &str| {
            self.rulesets
                .iter()
                .find(move |d| d.scopes.iter().any(|scope| scope == wanted))
        };
        names(scope.as_str()).or_else(|| names("*"))
    }

    /// Every key's id.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        let signing = self.rulesets.iter().flat_map(|d| &d.keys);
        self.root.keys.iter().chain(signing).map(PublicKey::id)
    }

    /// What a document may not say, though every root signs it.
    pub(crate) fn inspect(&self) -> Result<(), Fault> {
        if self.version == 0 {
            return Err(Fault::Version);
        }
        // keys unique by SPKI, 1 ≤ threshold ≤ |keys|                             else TrustInvalid
        let root = group("root", self.root.signers())?;
        let mut scopes = BTreeSet::new();
        for delegation in &self.rulesets {
            let keys = group("rulesets", delegation.signers())?;
            // no root key among rulesets keys                                     else TrustInvalid
            if let Some(&shared) = keys.intersection(&root).next() {
                return Err(Fault::RootSignsRulesets(shared.clone()));
            }
            delegation.inspect()?;
            // scopes of the groups do not overlap (an exact name beats "*")       else TrustInvalid
            for scope in &delegation.scopes {
                if !scopes.insert(scope) {
                    return Err(Fault::ScopeTwice(scope.clone()));
                }
            }
        }
        Ok(())
    }
}

impl Delegation {
    fn inspect(&self) -> Result<(), Fault> {
        if self.scopes.is_empty() {
            return Err(Fault::NoScope);
        }
        let named = |scope: &&String| *scope != "*" && scope.parse::<Scope>().is_err();
        if let Some(other) = self.scopes.iter().find(named) {
            return Err(Fault::NotAScope(other.chars().take(80).collect()));
        }
        if !(1..=MAX_VALIDITY).contains(&self.max_validity) {
            return Err(Fault::Validity(self.max_validity));
        }
        Ok(())
    }
}

/// The ids of a group's keys.
fn group<'k>(of: &'static str, signers: Signers<'k>) -> Result<BTreeSet<&'k KeyId>, Fault> {
    let Signers { keys, threshold } = signers;
    let ids: BTreeSet<_> = keys.iter().map(PublicKey::id).collect();
    let got = keys.len();
    if ids.len() != got {
        return Err(Fault::KeyTwice(of));
    }
    if got > MAX_SIGNATURES {
        return Err(Fault::TooManyKeys { of, got });
    }
    if threshold == 0 || usize::try_from(threshold).is_ok_and(|threshold| threshold > got) {
        let keys = got;
        return Err(Fault::Threshold {
            of,
            keys,
            threshold,
        });
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
