//! One admitted key: the algorithms it is for, its thumbprint, and the check of a signature.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::Algorithm;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;
use std::fmt;

/// A key's name that nobody can choose: the SHA-256 of its required members in their one order
/// (RFC 7638 §3), in base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(Box<str>);

impl Thumbprint {
    /// Of the JSON object that RFC 7638 §3.2 prescribes for the key's type.
    pub(super) fn of(required_members: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, required_members.as_bytes());
        Self(URL_SAFE_NO_PAD.encode(digest).into())
    }

    /// As text: 43 characters of base64url.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that was admitted.
pub(crate) struct Key {
    pub(super) kid: Option<Box<str>>,
    /// INVARIANT: at least one; each fits the key's type and curve, the JWK's own `alg` and the
    /// provider's list. `Key::admit` establishes it.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) material: DecodingKey,
    pub(super) signature_len: usize,
    pub(super) thumbprint: Thumbprint,
}

impl Key {
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) const fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature` is this key's, over `message`.
    ///
    /// The length comes first, and is exact: "If the JWS Signature is not a 64-octet sequence, the
    /// validation has failed." (RFC 7518 §3.4); "If the length of the signature S is not k octets,
    /// output "invalid signature" and stop." (RFC 8017 §8.1.2, §8.2.2)
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        if !self.is_for(algorithm) || signature.len() != self.signature_len {
            return false;
        }
        // The provider is named and not the process-wide default: which code checks signatures
        // must not depend on the features that some other crate turns on.
        (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&named(algorithm), &self.material)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

const fn named(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
    }
}
