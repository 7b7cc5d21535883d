//! The issuer's keys, one of each kind that providers sign with, made in memory at each start.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::Algorithm;
use serde_json::{Value, json};

/// What tokens are signed with if a provider may sign with several, short signatures first.
const PREFERRED: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::EdDSA,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::RS384,
    Algorithm::PS384,
    Algorithm::RS512,
    Algorithm::PS512,
];

/// The keys.
pub(super) struct Keys {
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

/// A key, and the algorithm it signs with.
pub(super) struct Key<'k> {
    keys: &'k Keys,
    /// The algorithm.
    pub(super) algorithm: Algorithm,
    /// The key's name.
    pub(super) kid: &'static str,
}

impl Keys {
    /// New ones; `None` if there is no randomness.
    pub(super) fn generate() -> Option<Self> {
        Some(Self {
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?,
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?,
            ed25519: Ed25519KeyPair::generate().ok()?,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).ok()?,
        })
    }

    /// The public keys (RFC 7517 §5).
    pub(super) fn jwks(&self) -> Value {
        let ec = |pair: &EcdsaKeyPair, kid: &str, crv: &str| {
            // 0x04, then both coordinates (SEC 1 §2.3.3)
            let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len() / 2);
            let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
            json!({"kty": "EC", "crv": crv, "kid": kid, "use": "sig", "x": x, "y": y})
        };
        let x = URL_SAFE_NO_PAD.encode(self.ed25519.public_key().as_ref());
        let modulus = self.rsa.public_key().modulus();
        let exponent = self.rsa.public_key().exponent();
        let n = URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(exponent.big_endian_without_leading_zero());
        json!({"keys": [
            ec(&self.p256, "dev-p256", "P-256"),
            ec(&self.p384, "dev-p384", "P-384"),
            {"kty": "OKP", "crv": "Ed25519", "kid": "dev-ed25519", "use": "sig", "x": x},
            {"kty": "RSA", "kid": "dev-rsa", "use": "sig", "n": n, "e": e},
        ]})
    }

    /// A key for one of these algorithms.
    pub(super) fn fitting(&self, algorithms: &[Algorithm]) -> Option<Key<'_>> {
        let algorithm = PREFERRED.into_iter().find(|one| algorithms.contains(one))?;
        let kid = match algorithm {
            Algorithm::ES256 => "dev-p256",
            Algorithm::ES384 => "dev-p384",
            Algorithm::EdDSA => "dev-ed25519",
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => "dev-rsa",
        };
        Some(Key {
            keys: self,
            algorithm,
            kid,
        })
    }
}

impl Key<'_> {
    /// A signature (RFC 7518 §3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let encoding: &'static dyn RsaEncoding = match self.algorithm {
            Algorithm::ES256 => return ecdsa(&self.keys.p256, message),
            Algorithm::ES384 => return ecdsa(&self.keys.p384, message),
            Algorithm::EdDSA => return Some(self.keys.ed25519.sign(message).as_ref().to_vec()),
            Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        };
        let mut bytes = vec![0; self.keys.rsa.public_modulus_len()];
        let signed = self
            .keys
            .rsa
            .sign(encoding, &SystemRandom::new(), message, &mut bytes);
        signed.ok().map(|()| bytes)
    }
}

fn ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Option<Vec<u8>> {
    let signature = pair.sign(&SystemRandom::new(), message).ok()?;
    Some(signature.as_ref().to_vec())
}
