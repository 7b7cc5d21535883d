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
    Malformed(#[from] NoEnvelope),
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
    #[error("the signature by the key {0} does not verify: it was changed on its way")]
    BadSignature(KeyId),
    /// It is signed by a key that was trusted once.
    #[error("the key {0} was trusted before, and is no longer: sign anew by a key that is")]
    RemovedKey(KeyId),
    /// It is signed by a key that never was.
    #[error("expected a signature by a trusted key, got one that names `{0}`")]
    UnknownKey(String),
}

/// Why some bytes are no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEnvelope {
    /// A member is not base64, or one that could have been written otherwise (RFC 4648 §3.5).
    #[error("expected padded, canonical base64 in `{0}`")]
    Base64(&'static str),
    /// It is not the JSON of one.
    #[error(transparent)]
    Json(#[from] json::Malformed),
    /// It has none or too many, each of which would cost a verification.
    #[error("expected 1 to {MAX_SIGNATURES} signatures, got {0}")]
    Signatures(usize),
}

/// Keys, and how many of them must sign.
#[derive(Debug, Clone, Copy)]
pub struct Signers<'a> {
    /// The keys.
    pub keys: &'a [PublicKey],
    /// How many distinct ones must sign; at least one.
    pub threshold: u32,
}

impl Signers<'_> {
    /// Zero signatures are never enough, whatever a threshold says.
    fn least(self) -> usize {
        usize::try_from(self.threshold).unwrap_or(usize::MAX).max(1)
    }
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
    let closed = read(bytes, payload_type, cap)?;
    // 4 msg = PAE(type, payload);
    //   ok = { SPKI(k) | k ∈ group.keys, some sig verifies under k by k.alg }
    let message = pre_authentication_encoding(payload_type, &closed.payload);
    let mut ok = BTreeSet::new();
    for (keyid, sig) in &closed.signatures {
        // keyid: order of tries only
        let (named, others): (Vec<_>, Vec<_>) = signers
            .keys
            .iter()
            .partition(|key| key.id().as_str() == keyid);
        let mut tries = named.into_iter().chain(others);
        // a set of keys, not of signatures: one key counts once however often it signs
        ok.extend(
            tries
                .find(|key| key.verifies(&message, sig))
                .map(PublicKey::id),
        );
    }
    // 5 |ok| ≥ group.threshold
    if ok.len() >= signers.least() {
        // 6 return payload                                   # the very bytes that are parsed
        Ok(Verified(closed.payload))
    } else {
        Err(missing(&closed, signers, ok.len(), seen))
    }
}

/// What an envelope claims to hold, before anyone vouches for it. Only a trust document that is
/// pinned is looked at so: its own keys are inside.
pub(crate) fn claimed(
    bytes: &[u8],
    payload_type: &'static str,
    cap: usize,
) -> Result<Vec<u8>, Unopened> {
    read(bytes, payload_type, cap).map(|closed| closed.payload)
}

/// An envelope that is well formed, of the right type, and still closed.
struct Closed {
    payload: Vec<u8>,
    signatures: Vec<(String, Vec<u8>)>,
}

fn read(bytes: &[u8], payload_type: &'static str, cap: usize) -> Result<Closed, Unopened> {
    // 1 len ≤ cap                                                                else TooLarge
    if bytes.len() > cap {
        let got = bytes.len();
        return Err(Unopened::TooLarge { most: cap, got });
    }
    // 2 JSON: UTF-8, no duplicate member, depth ≤ 8; unknown envelope members ignored;
    //   1..8 signatures; canonical base64, either alphabet                      else Malformed
    let limits = json::Limits {
        bytes: cap,
        ..json::Limits::ENVELOPE
    };
    let envelope: Envelope = json::strict(bytes, limits).map_err(NoEnvelope::Json)?;
    let count = envelope.signatures.len();
    if !(1..=MAX_SIGNATURES).contains(&count) {
        return Err(NoEnvelope::Signatures(count).into());
    }
    let payload = base64(&envelope.payload, "payload")?;
    let decoded = envelope.signatures.into_iter();
    let decoded = decoded.map(|s| Ok::<_, Unopened>((s.keyid, base64(&s.sig, "sig")?)));
    let signatures = decoded.collect::<Result<_, _>>()?;
    // 3 env.payloadType == type                                          else WrongPayloadType
    if envelope.payload_type != payload_type {
        return Err(Unopened::WrongPayloadType {
            expected: payload_type,
            got: excerpt(&envelope.payload_type),
        });
    }
    Ok(Closed {
        payload,
        signatures,
    })
}

/// 5 else (ok≠∅: `ThresholdNotMet` | keyid∈group: `BadSignature` | keyid∈seenKeys: `RemovedKey`
///   | `UnknownKey`)
fn missing(closed: &Closed, signers: Signers<'_>, got: usize, seen: &BTreeSet<KeyId>) -> Unopened {
    if got > 0 {
        let threshold = signers.threshold;
        return Unopened::ThresholdNotMet { threshold, got };
    }
    let named = || closed.signatures.iter().map(|(keyid, _)| keyid.as_str());
    let group = || signers.keys.iter().map(PublicKey::id);
    if let Some(id) = group().find(|id| named().any(|name| name == id.as_str())) {
        return Unopened::BadSignature(id.clone());
    }
    if let Some(id) = seen
        .iter()
        .find(|id| named().any(|name| name == id.as_str()))
    {
        return Unopened::RemovedKey(id.clone());
    }
    Unopened::UnknownKey(excerpt(named().next().unwrap_or_default()))
}

/// A stranger's text, short and on one line: it goes into logs.
fn excerpt(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
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

/// Padded and canonical, in either alphabet (DSSE v1, RFC 4648 §4 and §5).
fn base64(text: &str, member: &'static str) -> Result<Vec<u8>, NoEnvelope> {
    let standard = STANDARD.decode(text);
    standard
        .or_else(|_| URL_SAFE.decode(text))
        .map_err(|_| NoEnvelope::Base64(member))
}

#[cfg(test)]
mod tests;
