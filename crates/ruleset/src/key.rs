//! Public keys of trust documents: an algorithm that belongs to the key, and an id that is computed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The DER of an Ed25519 SubjectPublicKeyInfo before its 32 bytes (RFC 8410 §4).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The DER of a P-256 SubjectPublicKeyInfo before its uncompressed point (RFC 5480 §2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// ECDSA with P-256 and SHA-256, signatures in ASN.1 DER as a KMS gives them.
    EcdsaP256,
    /// Ed25519, signatures of 64 bytes.
    Ed25519,
}

/// A key's id: the SHA-256 of its SubjectPublicKeyInfo, in lower-case hex. Computed, never read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an Ed25519 or P-256 public key as SubjectPublicKeyInfo, got {0}")]
pub struct NotAKey(&'static str);

/// A public key: `{"algorithm":"Ed25519","spki":"<base64>"}`.
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
        let algorithm = match (
            spki.strip_prefix(&ED25519_PREFIX),
            spki.strip_prefix(&P256_PREFIX),
        ) {
            (Some(key), _) if key.len() == 32 => KeyAlgorithm::Ed25519,
            (_, Some(point)) if point.len() == 65 && point.first() == Some(&4) => {
                KeyAlgorithm::EcdsaP256
            }
            _ => return Err(NotAKey("another structure")),
        };
        let id = KeyId(lower_hex(digest(&SHA256, spki).as_ref()));
        Ok(Self {
            algorithm,
            spki: spki.into(),
            id,
        })
    }

    #[cfg(feature = "sign")]
    pub(crate) fn from_ed25519(key: &[u8]) -> Result<Self, NotAKey> {
        Self::from_spki(&[&ED25519_PREFIX[..], key].concat())
    }

    #[cfg(feature = "sign")]
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

    /// Whether `signature` over `message` is by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self.algorithm {
            KeyAlgorithm::Ed25519 => {
                let key = self.spki.get(ED25519_PREFIX.len()..).unwrap_or_default();
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            KeyAlgorithm::EcdsaP256 => {
                let point = self.spki.get(P256_PREFIX.len()..).unwrap_or_default();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
        };
        verified.is_ok()
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
        let spki = STANDARD
            .decode(&written.spki)
            .map_err(|_| NotAKey("another base64"))?;
        let key = Self::from_spki(&spki)?;
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

pub(crate) fn lower_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ED25519_PREFIX, PublicKey};

    #[test]
    fn an_id_is_the_digest_of_the_key() {
        let key = PublicKey::from_spki(&[&ED25519_PREFIX[..], &[7; 32]].concat()).unwrap();
        assert_eq!(key.id().as_str().len(), 64);
        let json = serde_json::to_string(&key).unwrap();
        assert!(
            json.starts_with(r#"{"algorithm":"Ed25519","spki":"MCowBQYDK2VwAyEABwcH"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    }

    #[test]
    fn refuses_another_structure_length_or_algorithm() {
        for spki in [
            vec![],
            vec![0; 44],
            [&ED25519_PREFIX[..], &[7; 33]].concat(),
        ] {
            assert!(PublicKey::from_spki(&spki).is_err());
        }
        let json = r#"{"algorithm":"EcdsaP256","spki":"MCowBQYDK2VwAyEABwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}"#;
        let refusal = serde_json::from_str::<PublicKey>(json)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("another algorithm"), "{refusal}");
    }
}
