//! A provider's public keys: each admitted by itself, bound to its algorithms, found by exact `kid`.
//!
//! ```text
//! JWK ── admit ──┬─► Key   kid, algorithms, thumbprint, what verifies a signature
//!                └─► Skipped, with the reason; the rest of the set is none the worse
//! ```
//!
//! A set is used whole or not at all and is never joined with another one: a union would bring back
//! what the provider has withdrawn. Revoked keys are left out at every look-up, last.

use countersign_ruleset::provider::{Algorithm, PublicJwk};
use countersign_ruleset::time::UnixTime;

mod admit;
mod key;
mod modulus;

pub use admit::Misfit;
pub(crate) use key::Key;
pub use key::Thumbprint;

/// The keys of one provider, as they were fetched together.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    skipped: Vec<Skipped>,
    freshness: Freshness,
}

/// A key that was published and is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// Why it is not used.
    pub misfit: Misfit,
}

/// How long a set may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// For as long as the ruleset is: the keys are written in it.
    Inline,
    /// Until this instant, and no longer.
    Until(UnixTime),
}

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// Several keys would do, and there is no telling which one is meant.
    Ambiguous,
    /// The set has no key that can be used.
    Empty,
    /// The key is there, but counts no longer.
    Revoked,
    /// The keys were fetched too long ago to be relied on.
    Stale,
    /// No key of that name is for that algorithm.
    Unknown,
}

impl KeySet {
    /// Admits those keys that fit one of `algorithms`, each by itself.
    ///
    /// "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that
    /// are not understood by them, that are missing required members, or for which values are out
    /// of the supported ranges." (RFC 7517 §5)
    pub fn admit(jwks: &[PublicJwk], algorithms: &[Algorithm], freshness: Freshness) -> Self {
        let mut set = Self {
            keys: Vec::new(),
            skipped: Vec::new(),
            freshness,
        };
        for jwk in jwks {
            match Key::admit(jwk, algorithms) {
                Ok(key) => set.keys.push(key),
                Err(misfit) => set.skipped.push(Skipped {
                    kid: jwk.kid.clone(),
                    misfit,
                }),
            }
        }
        set
    }

    /// How many keys are in use.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is in use: then no token of the provider can be verified.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The thumbprints of the keys in use.
    pub fn thumbprints(&self) -> impl Iterator<Item = &Thumbprint> {
        self.keys.iter().map(Key::thumbprint)
    }

    /// The keys that were published and are not used.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// How long the set may be used.
    pub const fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Whether the set was fetched too long ago to be relied on.
    pub fn is_stale(&self, at: UnixTime) -> bool {
        match self.freshness {
            Freshness::Inline => false,
            Freshness::Until(end) => at > end,
        }
    }

    /// The one key for a token.
    ///
    /// By exact `kid` and by the key's own algorithms; two keys of one `kid` and of different types
    /// are no trouble so. Without a `kid`, only if exactly one key fits: trying several would make
    /// each forged token cost as many signature checks as the set has keys.
    pub(crate) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        at: UnixTime,
        revoked: impl Fn(&Thumbprint) -> bool,
    ) -> Result<&Key, NotFound> {
        if self.is_stale(at) {
            return Err(NotFound::Stale);
        }
        if self.keys.is_empty() {
            return Err(NotFound::Empty);
        }
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| kid.is_none_or(|kid| key.kid() == Some(kid)) && key.is_for(algorithm))
            .peekable();
        if fitting.peek().is_none() {
            return Err(NotFound::Unknown);
        }
        let mut in_force = fitting.filter(|key| !revoked(key.thumbprint()));
        let key = in_force.next().ok_or(NotFound::Revoked)?;
        // The same key published twice is still one key.
        if in_force.any(|other| other.thumbprint() != key.thumbprint()) {
            return Err(NotFound::Ambiguous);
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
