//! The signed envelope (DSSE v1), and the evidence that one was opened.
//!
//! The algorithm belongs to the key and the payload's type to the verifier, so a message has
//! nothing to say about how it is verified. What is signed are the very bytes that are parsed.

use crate::json;
use crate::key::{KeyId, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Deref;

/// The most signatures of one envelope.
pub const MAX_SIGNATURES: usize = 8;

/// Something that an envelope's signatures vouch for. Only opening an envelope makes one.
///
/// ```compile_fail,E0423
/// let forged = countersign_ruleset::envelope::Verified(b"rules".to_vec());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What else is known once the payload is: the evidence passes on, it is never made anew.
    pub(crate) fn and_then<U, E>(
        self,
        f: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Verified<U>, E> {
        f(self.0).map(Verified)
    }

    /// What was verified.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Why an envelope was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// It is longer than may be read.
    #[error("expected at most {most} bytes, got {got}")]
    TooLarge {
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// It is no envelope.
    #[error("expected a DSSE envelope: {0}")]
    Malformed(String),
    /// It holds something else.
    #[error("expected the payload type `{expected}`, got `{got}`")]
    WrongPayloadType {
        /// What was asked for.
        expected: &'static str,
        /// What it says.
        got: String,
    },
    /// Too few of the keys signed it.
    #[error("expected signatures by {threshold} of the keys, got {got}")]
    ThresholdNotMet {
        /// How many are needed.
        threshold: u32,
        /// How many there are.
        got: usize,
    },
    /// It names one of the keys, which did not sign it.
    #[error("the signature by the key {0} does not verify")]
    BadSignature(String),
    /// It is signed by a key that was trusted once.
    #[error("the key {0} was trusted before, and is no longer")]
    RemovedKey(String),
    /// It is signed by a key that never was.
    #[error("expected a signature by a trusted key, got one that names `{0}`")]
    UnknownKey(String),
}

/// Keys, and how many of them must sign.
#[derive(Debug, Clone, Copy)]
pub struct Signers<'a> {
    /// The keys.
    pub keys: &'a [PublicKey],
    /// How many distinct ones must sign; at least one.
    pub threshold: u32,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "payloadType")]
    pub(crate) payload_type: String,
    pub(crate) payload: String,
    pub(crate) signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Signature {
    #[serde(default)]
    pub(crate) keyid: String,
    pub(crate) sig: String,
}

/// Opens an envelope. `seen` are keys that were trusted once: they only name the refusal.
pub fn open(
    bytes: &[u8],
    payload_type: &'static str,
    signers: Signers<'_>,
    cap: usize,
    seen: &BTreeSet<KeyId>,
) -> Result<Verified<Vec<u8>>, Unopened> {
    // 1 len ≤ cap
    if bytes.len() > cap {
        return Err(Unopened::TooLarge {
            most: cap,
            got: bytes.len(),
        });
    }
    // 2 JSON: UTF-8, no duplicate member, depth ≤ 8; unknown envelope members ignored;
    //   1..8 signatures; canonical base64, either alphabet
    let limits = json::Limits {
        bytes: cap,
        ..json::Limits::ENVELOPE
    };
    let envelope: Envelope =
        json::strict(bytes, limits).map_err(|e| Unopened::Malformed(e.to_string()))?;
    let count = envelope.signatures.len();
    if !(1..=MAX_SIGNATURES).contains(&count) {
        let reason = format!("expected 1 to {MAX_SIGNATURES} signatures, got {count}");
        return Err(Unopened::Malformed(reason));
    }
    let payload = base64(&envelope.payload)?;
    // 3 env.payloadType == type
    if envelope.payload_type != payload_type {
        let got = envelope.payload_type.chars().take(120).collect();
        return Err(Unopened::WrongPayloadType {
            expected: payload_type,
            got,
        });
    }
    // 4 ok = { SPKI(k) | k ∈ group.keys, some sig verifies under k by k.alg }
    //   keyid is no more than an order of tries; here every key is tried with every signature
    let message = pre_authentication_encoding(payload_type, &payload);
    let mut ok = BTreeSet::new();
    for signature in &envelope.signatures {
        let sig = base64(&signature.sig)?;
        let by = signers
            .keys
            .iter()
            .filter(|key| key.verifies(&message, &sig));
        ok.extend(by.map(PublicKey::id));
    }
    // 5 |ok| ≥ group.threshold
    let enough = u32::try_from(ok.len()).is_ok_and(|n| n >= signers.threshold.max(1));
    if enough {
        Ok(Verified(payload))
    } else {
        Err(missing(&envelope, signers, ok.len(), seen))
    }
}

/// 5 else (ok≠∅: ThresholdNotMet | keyid∈group: BadSignature | keyid∈seenKeys: RemovedKey | UnknownKey)
fn missing(
    envelope: &Envelope,
    signers: Signers<'_>,
    got: usize,
    seen: &BTreeSet<KeyId>,
) -> Unopened {
    if got > 0 {
        return Unopened::ThresholdNotMet {
            threshold: signers.threshold,
            got,
        };
    }
    let named = || envelope.signatures.iter().map(|s| s.keyid.as_str());
    if let Some(id) = named().find(|id| signers.keys.iter().any(|key| key.id().as_str() == *id)) {
        return Unopened::BadSignature(id.to_owned());
    }
    if let Some(id) = named().find(|id| seen.iter().any(|key| key.as_str() == *id)) {
        return Unopened::RemovedKey(id.to_owned());
    }
    Unopened::UnknownKey(
        named()
            .next()
            .unwrap_or_default()
            .chars()
            .take(64)
            .collect(),
    )
}

/// DSSE v1: `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`.
pub(crate) fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// Padded and canonical, in either alphabet (DSSE v1).
pub(crate) fn base64(text: &str) -> Result<Vec<u8>, Unopened> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .map_err(|_| Unopened::Malformed("expected canonical base64".into()))
}

#[cfg(all(test, feature = "sign"))]
mod tests;
