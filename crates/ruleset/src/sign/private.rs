//! Private keys: made, kept as PKCS#8 PEM, never printed, wiped when dropped.

use super::Signer;
use crate::key::{KeyAlgorithm, PublicKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A text that is no private key that can sign here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an Ed25519 or P-256 private key as PKCS#8 PEM")]
pub struct Unusable;

/// A private key. It has no readable form but [`SigningKey::to_pem`].
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// A new key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Unusable> {
        match algorithm {
            KeyAlgorithm::Ed25519 => Self::ed25519(Ed25519KeyPair::generate()),
            KeyAlgorithm::EcdsaP256 => {
                Self::p256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING))
            }
        }
    }

    /// An Ed25519 key from its seed, for documents whose very bytes are pinned by tests.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Unusable> {
        Self::ed25519(Ed25519KeyPair::from_seed_unchecked(seed))
    }

    /// Reads PKCS#8 PEM (RFC 7468 §10).
    pub fn from_pem(pem: &str) -> Result<Self, Unusable> {
        let body = pem
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END));
        let body: Zeroizing<String> =
            Zeroizing::new(body.ok_or(Unusable)?.split_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(&*body).map_err(|_| Unusable)?);
        Self::ed25519(Ed25519KeyPair::from_pkcs8(&der)).or_else(|_| {
            Self::p256(EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &der,
            ))
        })
    }

    /// The key as PKCS#8 PEM, for a file that only its owner reads.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Unusable> {
        let der = Zeroizing::new(match &self.pair {
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(|_| Unusable)?.as_ref().to_vec(),
            Pair::P256(pair) => pair.to_pkcs8v1().map_err(|_| Unusable)?.as_ref().to_vec(),
        });
        let body = Zeroizing::new(STANDARD.encode(&*der));
        let mut pem = Zeroizing::new(format!("{BEGIN}\n"));
        for line in body.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(END);
        pem.push('\n');
        Ok(pem)
    }

    fn ed25519<E>(pair: Result<Ed25519KeyPair, E>) -> Result<Self, Unusable> {
        let pair = pair.map_err(|_| Unusable)?;
        let public = PublicKey::from_ed25519(pair.public_key().as_ref()).map_err(|_| Unusable)?;
        Ok(Self {
            pair: Pair::Ed25519(pair),
            public,
        })
    }

    fn p256<E>(pair: Result<EcdsaKeyPair, E>) -> Result<Self, Unusable> {
        let pair = pair.map_err(|_| Unusable)?;
        let public = PublicKey::from_p256(pair.public_key().as_ref()).map_err(|_| Unusable)?;
        Ok(Self {
            pair: Pair::P256(pair),
            public,
        })
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| "the key could not sign".to_owned()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, redacted)", self.public)
    }
}
