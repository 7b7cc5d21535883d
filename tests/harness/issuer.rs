//! Somebody who issues tokens: a key, and what he signs with it, right and wrong.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair and its `kid`.
#[derive(Debug)]
pub struct Issuer {
    kid: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Issuer {
    /// One that signs with Ed25519. The key is made of the name, so that a failing case fails again.
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    pub fn ed25519(kid: &str) -> Self {
        let seed = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, kid.as_bytes());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).expect("a seed");
        Self {
            kid: kid.to_owned(),
            pair: Pair::Ed25519(pair),
        }
    }

    /// One that signs with ECDSA on P-256.
    ///
    /// # Panics
    /// If there is no randomness.
    pub fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness");
        Self {
            kid: kid.to_owned(),
            pair: Pair::P256(pair),
        }
    }

    /// One that signs with RSA of 2,048 bits, as most providers do.
    ///
    /// # Panics
    /// If there is no randomness.
    pub fn rsa(kid: &str) -> Self {
        Self {
            kid: kid.to_owned(),
            pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness")),
        }
    }

    /// The name of its algorithm in `alg`.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// Its public key, as a provider publishes it.
    pub fn jwk(&self) -> Value {
        let (kid, alg) = (self.kid.as_str(), self.algorithm());
        match &self.pair {
            Pair::Ed25519(pair) => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": alg, "use": "sig", "x": x})
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "alg": alg, "use": "sig", "x": x, "y": y})
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let [n, e] = [public.modulus(), public.exponent()]
                    .map(|part| URL_SAFE_NO_PAD.encode(part.big_endian_without_leading_zero()));
                json!({"kty": "RSA", "kid": kid, "alg": alg, "use": "sig", "n": n, "e": e})
            }
        }
    }

    /// A set of this one key (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }

    /// A token with these claims, of the type given by `typ`.
    pub fn token(&self, typ: &str, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "kid": self.kid, "typ": typ});
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// A compact JWS over whatever header and claims are given.
    ///
    /// # Panics
    /// If there is no randomness.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let input = signing_input(header, claims);
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(input.as_bytes()).as_ref().to_vec(),
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), input.as_bytes());
                signature.expect("randomness").as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
                    .expect("randomness");
                signature
            }
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The classic confusion: a MAC whose secret is the public key that everybody has.
    pub fn mac(&self, header: &str, claims: &str) -> String {
        let public = match &self.pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, public);
        let input = signing_input(header, claims);
        let tag = hmac::sign(&key, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

/// RFC 7515 §5.1, step 5.
fn signing_input(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}")
}
