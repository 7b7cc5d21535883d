//! Public keys of trust documents: an algorithm that belongs to the key, and an id that is computed.

use crate::digest::Digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The DER of an Ed25519 SubjectPublicKeyInfo before its 32 bytes (RFC 8410 §4).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The DER of a P-256 SubjectPublicKeyInfo before its uncompressed point (RFC 5480 §2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// How a key signs. There is no other way, and a message has no say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// ECDSA with P-256 and SHA-256; signatures are ASN.1 DER, as a KMS gives them.
    EcdsaP256,
    /// Ed25519 (RFC 8032); signatures are 64 bytes.
    Ed25519,
}

/// A key's id: the SHA-256 of its SubjectPublicKeyInfo, in lower-case hex.
///
/// It is computed and never read from a message, so nobody can name a key what another is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digest);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes that are no key that can verify here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an Ed25519 or P-256 public key as SubjectPublicKeyInfo, got {0}")]
pub struct NotAKey(&'static str);

/// A public key: `{"algorithm":"Ed25519","spki":"MCow…"}`.
///
/// There is one encoding of each key, so two keys are the same exactly if their ids are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    spki: Box<[u8]>,
    id: KeyId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    algorithm: KeyAlgorithm,
    spki: String,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    pub fn from_spki(spki: &[u8]) -> Result<Self, NotAKey> {
        let ed25519 = spki.strip_prefix(&ED25519_PREFIX);
        let p256 = spki.strip_prefix(&P256_PREFIX);
        let algorithm = match (ed25519, p256) {
            (Some(key), _) if key.len() == 32 => KeyAlgorithm::Ed25519,
            (_, Some(point)) if point.len() == 65 && point.first() == Some(&4) => {
                KeyAlgorithm::EcdsaP256
            }
            _ => return Err(NotAKey("another structure")),
        };
        // A point off the curve is refused here, where it is named, and not at each signature.
        ParsedPublicKey::new(algorithm.verification(), spki)
            .map_err(|_| NotAKey("a point that is not on the curve"))?;
        Ok(Self {
            algorithm,
            spki: spki.into(),
            id: KeyId(Digest::of(spki)),
        })
    }

    /// Reads `-----BEGIN PUBLIC KEY-----` (RFC 7468 §13).
    pub fn from_pem(pem: &str) -> Result<Self, NotAKey> {
        let body = pem.trim().strip_prefix(BEGIN);
        let body = body.and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or(NotAKey("another PEM"))?;
        body.split_whitespace().collect::<String>().parse()
    }

    /// The key as `-----BEGIN PUBLIC KEY-----`.
    pub fn to_pem(&self) -> String {
        // Either kind of key fits on two lines of 64 characters.
        let body = STANDARD.encode(&self.spki);
        let (first, second) = body.split_at_checked(64).unwrap_or((&body, ""));
        let lines = [BEGIN, first, second, END];
        let mut pem = String::new();
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            pem.push_str(line);
            pem.push('\n');
        }
        pem
    }

    #[cfg(any(test, feature = "sign"))]
    pub(crate) fn from_ed25519(key: &[u8]) -> Result<Self, NotAKey> {
        Self::from_spki(&[&ED25519_PREFIX[..], key].concat())
    }

    #[cfg(any(test, feature = "sign"))]
    pub(crate) fn from_p256(point: &[u8]) -> Result<Self, NotAKey> {
        Self::from_spki(&[&P256_PREFIX[..], point].concat())
    }

    /// How it signs.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Its id.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// The SubjectPublicKeyInfo in DER.
    pub const fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether `signature` over `message` is by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm.verification(), &self.spki)
            .verify(message, signature)
            .is_ok()
    }
}

impl KeyAlgorithm {
    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
            Self::Ed25519 => &ED25519,
        }
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    /// Reads a SubjectPublicKeyInfo as base64 of its DER.
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let spki = STANDARD.decode(text);
        Self::from_spki(&spki.map_err(|_| NotAKey("another base64"))?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.algorithm, self.id)
    }
}

impl TryFrom<Written> for PublicKey {
    type Error = NotAKey;

    fn try_from(written: Written) -> Result<Self, NotAKey> {
        let key: Self = written.spki.parse()?;
        if key.algorithm == written.algorithm {
            Ok(key)
        } else {
            Err(NotAKey("another algorithm"))
        }
    }
}

impl From<PublicKey> for Written {
    fn from(key: PublicKey) -> Self {
        Self {
            algorithm: key.algorithm,
            spki: STANDARD.encode(&key.spki),
        }
    }
}

#[cfg(test)]
mod tests;
