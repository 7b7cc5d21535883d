//! Who publishes, and on which terms: asked of the trust document before anything is signed.

use crate::signing::{Keyring, SigningService};
use countersign_ruleset::key::PublicKey;
use countersign_ruleset::manifest::MAX_STALE;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use std::sync::Arc;

/// Who publishes.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The installation.
    pub cluster: Cluster,
    /// The pinned trust document, and those of its later versions that are at hand beside the published
    /// ones, in order. If there is none, the first that is published is pinned.
    pub trust: Vec<Document>,
    /// The keys that may sign, as far as trust lets them.
    pub keyring: Keyring,
}

/// A trust document, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where from, as messages name it.
    pub place: String,
    /// The envelope.
    pub bytes: Vec<u8>,
}

/// How publications hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// For how many seconds.
    pub valid_for: u64,
    /// For how many seconds edges may serve them on.
    pub stale_for: u64,
    /// The smallest age that any edge allows a ruleset, in seconds; at a quarter of it they are signed
    /// anew.
    pub smallest_age: u64,
    /// What is done by a clock that is behind what was published.
    pub clock: ClockRule,
}

impl Terms {
    /// After how many seconds a ruleset is signed anew.
    pub(super) fn renewed_after(&self) -> u64 {
        (self.smallest_age.min(self.valid_for) / 4).max(1)
    }
}

/// What is done by a clock that is behind the time at which the last ruleset was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRule {
    /// Nothing is published: what a controller signs with a slow clock holds for less than it says, and
    /// nobody would notice.
    Strict,
    /// It is published, with the next serial: whoever runs a command sees what it says.
    Lenient,
}

/// Why edges would not take what is to be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The trust document delegates the namespace to nobody.
    #[error("trust document {version} delegates nobody for `{scope}`")]
    Nobody {
        /// The document.
        version: u64,
        /// The namespace.
        scope: Scope,
    },
    /// There is nothing to sign with.
    #[error("there is no signing key: {0}")]
    NoKey(String),
    /// It delegates it to others.
    #[error(
        "expected a key that trust document {version} delegates for `{scope}` ({expected}), got {got}"
    )]
    OtherKey {
        /// The document.
        version: u64,
        /// The namespace.
        scope: Scope,
        /// Whose keys.
        expected: String,
        /// Ours.
        got: String,
    },
    /// It asks for more signatures than are made here.
    #[error(
        "trust document {version} asks for {threshold} signatures on `{scope}`, and one is made here"
    )]
    Threshold {
        /// The document.
        version: u64,
        /// The namespace.
        scope: Scope,
        /// How many.
        threshold: u32,
    },
    /// It has expired.
    #[error(
        "trust document {version} expired at {at}: publish the next version, signed by the root key"
    )]
    TrustExpired {
        /// The document.
        version: u64,
        /// When.
        at: UnixTime,
    },
    /// It is of another installation.
    #[error("expected a trust document of the cluster `{expected}`, got one of `{got}`")]
    WrongCluster {
        /// Ours.
        expected: Cluster,
        /// Its.
        got: Cluster,
    },
    /// It is to be served on for too long.
    #[error("expected to be served on for up to {MAX_STALE} s after its end, got {0} s")]
    Stale(u64),
    /// It is to hold for longer than the root allows.
    #[error(
        "expected a validity of 1 to {most} s, as trust document {version} allows, got {got} s"
    )]
    Validity {
        /// The document.
        version: u64,
        /// The longest.
        most: u64,
        /// What was asked for.
        got: u64,
    },
}

/// What is asked of trust before a namespace's ruleset is signed.
pub(super) struct Inquiry<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) keyring: &'a Keyring,
    pub(super) terms: &'a Terms,
    pub(super) now: UnixTime,
}

impl Inquiry<'_> {
    /// Who signs what edges would take of the namespace.
    pub(super) fn signer(
        &self,
        trust: &Trust,
        scope: &Scope,
    ) -> Result<Arc<dyn SigningService>, Unfit> {
        let version = trust.version;
        if trust.cluster != *self.cluster {
            return Err(Unfit::WrongCluster {
                expected: self.cluster.clone(),
                got: trust.cluster.clone(),
            });
        }
        if self.now >= trust.expires_at {
            let at = trust.expires_at;
            return Err(Unfit::TrustExpired { version, at });
        }
        let signer = self.delegate(trust, scope)?;
        if self.terms.stale_for > MAX_STALE {
            return Err(Unfit::Stale(self.terms.stale_for));
        }
        Ok(signer)
    }

    fn delegate(&self, trust: &Trust, scope: &Scope) -> Result<Arc<dyn SigningService>, Unfit> {
        let (version, scope) = (trust.version, scope.clone());
        let Some(delegation) = trust.delegation(&scope) else {
            return Err(Unfit::Nobody { version, scope });
        };
        if let Some(why) = self.keyring.lack() {
            return Err(Unfit::NoKey(why.to_owned()));
        }
        let Some(signer) = self.keyring.signer(trust, &scope) else {
            let ids = |keys: &mut dyn Iterator<Item = &PublicKey>| {
                let ids: Vec<_> = keys.map(|key| key.id().as_str()).collect();
                ids.join(", ")
            };
            let expected = ids(&mut delegation.keys.iter());
            let got = ids(&mut self.keyring.public_keys().take(1));
            return Err(Unfit::OtherKey {
                version,
                scope,
                expected,
                got,
            });
        };
        let threshold = delegation.threshold;
        if threshold > 1 {
            return Err(Unfit::Threshold {
                version,
                scope,
                threshold,
            });
        }
        let (most, got) = (delegation.max_validity, self.terms.valid_for);
        if !(1..=most).contains(&got) {
            return Err(Unfit::Validity { version, most, got });
        }
        Ok(Arc::clone(signer))
    }
}
