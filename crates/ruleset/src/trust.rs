//! Trust documents: which keys may sign rulesets, said by root keys, each version by the one before.
//!
//! This is how signing keys rotate with no edge touched. A signing key cannot appoint its
//! successor: only root keys sign trust documents, and they never sign rulesets.

use crate::envelope::{Signers, Unopened, Verified, open};
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
    /// It was not opened.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// Its payload is not what was promised.
    #[error("the trust document's payload: {0}")]
    Malformed(#[from] json::Malformed),
    /// It says what a trust document may not say.
    #[error("the trust document is invalid: {0}")]
    Invalid(String),
}

impl Root {
    /// As signers.
    pub fn signers(&self) -> Signers<'_> {
        Signers {
            keys: &self.keys,
            threshold: self.threshold,
        }
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
    /// Opens a document under its own root: the start, where the very bytes are pinned.
    pub fn open_pinned(bytes: &[u8]) -> Result<Verified<Self>, Distrusted> {
        let claimed = peek(bytes)?;
        claimed.open_next(bytes, &BTreeSet::new())
    }

    /// Opens the next document under this root *and* its own.
    pub fn open_next(
        &self,
        bytes: &[u8],
        seen: &BTreeSet<KeyId>,
    ) -> Result<Verified<Self>, Distrusted> {
        // n = strict(open(b, TRUST, t.root)); open(b, TRUST, n.root)     # old AND new threshold
        let opened = open(bytes, PAYLOAD_TYPE, self.root.signers(), MAX_BYTES, seen)?;
        let next =
            opened.and_then(|payload| json::strict::<Self>(&payload, json::Limits::PAYLOAD))?;
        open(bytes, PAYLOAD_TYPE, next.root.signers(), MAX_BYTES, seen)?;
        next.and_then(|next| next.inspect().map(|()| next).map_err(Distrusted::Invalid))
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

    /// keys unique by SPKI, 1 ≤ threshold ≤ |keys|, no root key among rulesets keys,
    /// scopes of the groups do not overlap (an exact name beats "*")   else `TrustInvalid`
    fn inspect(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("expected a version from 1, got 0".into());
        }
        let root = distinct("root", &self.root.keys, self.root.threshold)?;
        let mut scopes = BTreeSet::new();
        for delegation in &self.rulesets {
            let keys = distinct("rulesets", &delegation.keys, delegation.threshold)?;
            if let Some(shared) = keys.intersection(&root).next() {
                return Err(format!("the root key {shared} may not sign rulesets"));
            }
            if delegation.scopes.is_empty() {
                return Err("a delegation names no scope".into());
            }
            for scope in &delegation.scopes {
                if scope != "*" && scope.parse::<Scope>().is_err() {
                    return Err(format!("expected a scope or `*`, got `{scope}`"));
                }
                if !scopes.insert(scope) {
                    return Err(format!("two delegations name the scope `{scope}`"));
                }
            }
            if !(1..=MAX_VALIDITY).contains(&delegation.max_validity) {
                let got = delegation.max_validity;
                return Err(format!(
                    "expected a validity of 1 to {MAX_VALIDITY} s, got {got}"
                ));
            }
        }
        Ok(())
    }
}

fn distinct<'k>(
    of: &str,
    keys: &'k [PublicKey],
    threshold: u32,
) -> Result<BTreeSet<&'k KeyId>, String> {
    let ids: BTreeSet<_> = keys.iter().map(PublicKey::id).collect();
    if ids.len() != keys.len() {
        return Err(format!("a key of {of} is listed twice"));
    }
    if keys.len() > crate::envelope::MAX_SIGNATURES {
        let most = crate::envelope::MAX_SIGNATURES;
        return Err(format!(
            "expected at most {most} keys of {of}, got {}",
            keys.len()
        ));
    }
    if threshold == 0 || usize::try_from(threshold).is_ok_and(|t| t > keys.len()) {
        return Err(format!(
            "expected a threshold of 1 to {} of {of}, got {threshold}",
            keys.len()
        ));
    }
    Ok(ids)
}

/// What a pinned document says of its own root, before anything is verified.
fn peek(bytes: &[u8]) -> Result<Trust, Distrusted> {
    let limits = json::Limits {
        bytes: MAX_BYTES,
        ..json::Limits::ENVELOPE
    };
    let envelope: crate::envelope::Envelope =
        json::strict(bytes, limits).map_err(|e| Unopened::Malformed(e.to_string()))?;
    let payload = crate::envelope::base64(&envelope.payload)?;
    Ok(json::strict(&payload, json::Limits::PAYLOAD)?)
}

#[cfg(all(test, feature = "sign"))]
mod tests;
