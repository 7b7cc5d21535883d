//! Makes what the verifier opens: signing keys, trust documents, published rulesets.

use crate::envelope::{Envelope, Signature, pre_authentication_encoding};
use crate::key::{KeyId, PublicKey};
use crate::manifest::{self, BlobName, BlobRef, Digest, Encoding, Manifest, Stale};
use crate::names::{Cluster, Scope};
use crate::provider::Keys;
use crate::rules::Rules;
use crate::time::UnixTime;
use crate::trust::{self, Trust};
use std::collections::BTreeMap;

mod private;

pub use private::{SigningKey, Unusable};

/// Something that signs: a key in memory, or a KMS.
pub trait Signer {
    /// The public key.
    fn public_key(&self) -> &PublicKey;
    /// A signature over the message, as the key's algorithm defines it.
    ///
    /// # Errors
    /// Says why the signer would not or could not.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String>;
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum Unsigned {
    /// A payload could not be written.
    #[error("the payload could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// A manifest is larger than a KMS signs.
    #[error("expected a manifest of at most {most} bytes, got {got}")]
    TooLarge {
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// The signer failed.
    #[error("the signer failed: {0}")]
    Signer(String),
}

/// A signed envelope of a payload.
pub fn envelope(
    payload_type: &str,
    payload: &[u8],
    signers: &[&dyn Signer],
) -> Result<Vec<u8>, Unsigned> {
    let message = pre_authentication_encoding(payload_type, payload);
    let mut signatures = Vec::with_capacity(signers.len());
    for signer in signers {
        let signature = signer.sign(&message).map_err(Unsigned::Signer)?;
        signatures.push((signer.public_key().id(), signature));
    }
    sealed(payload_type, payload, &signatures)
}

/// An envelope of signatures that were made.
fn sealed(
    payload_type: &str,
    payload: &[u8],
    signatures: &[(&KeyId, Vec<u8>)],
) -> Result<Vec<u8>, Unsigned> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let signatures = signatures.iter().map(|(keyid, signature)| Signature {
        keyid: keyid.to_string(),
        sig: STANDARD.encode(signature),
    });
    Ok(serde_json::to_vec(&Envelope {
        payload_type: payload_type.into(),
        payload: STANDARD.encode(payload),
        signatures: signatures.collect(),
    })?)
}

/// A signed trust document: by the root keys of this version, and of the one before.
pub fn trust(document: &Trust, signers: &[&dyn Signer]) -> Result<Vec<u8>, Unsigned> {
    envelope(trust::PAYLOAD_TYPE, &serde_json::to_vec(document)?, signers)
}

/// What a manifest says beside the blobs.
#[derive(Debug, Clone)]
pub struct Issue {
    /// The installation.
    pub cluster: Cluster,
    /// The namespace.
    pub scope: Scope,
    /// Its UID, or empty.
    pub scope_uid: String,
    /// The trust document whose keys sign.
    pub trust: u64,
    /// Larger than the last of this scope.
    pub serial: u64,
    /// Now.
    pub issued_at: UnixTime,
    /// For how many seconds it holds.
    pub valid_for: u64,
    /// For how many seconds it may be served on after.
    pub stale_for: u64,
    /// The manifest before.
    pub previous: Option<Digest>,
}

/// A ruleset, ready to be put where edges find it.
#[derive(Debug, Clone)]
pub struct Publication {
    /// `SCOPE/manifest.json`.
    pub manifest: Vec<u8>,
    /// `SCOPE/blobs/sha256/DIGEST`.
    pub blobs: [(Digest, Vec<u8>); 2],
    /// The digest of the manifest's payload.
    pub digest: Digest,
}

/// A ruleset that waits for its signatures, where to sign is to ask a service and takes its time.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The digest of the manifest's payload.
    pub digest: Digest,
    /// What the manifest says.
    pub manifest: Manifest,
    payload: Vec<u8>,
    blobs: [(Digest, Vec<u8>); 2],
}

impl Draft {
    /// A ruleset as it will be published, unsigned.
    pub fn new(rules: &Rules, keys: &Keys, issue: Issue) -> Result<Self, Unsigned> {
        let (keys_ref, keys) = blob(BlobName::Keys, keys.to_bytes()?);
        let (rules_ref, rules) = blob(BlobName::Rules, rules.to_bytes()?);
        let manifest = Manifest {
            schema: *manifest::SCHEMAS.end(),
            cluster: issue.cluster,
            scope: issue.scope,
            scope_uid: issue.scope_uid,
            trust: issue.trust,
            serial: issue.serial,
            issued_at: issue.issued_at,
            expires_at: issue.issued_at.plus(issue.valid_for),
            stale: Stale {
                seconds: issue.stale_for,
            },
            blobs: vec![keys_ref, rules_ref],
            previous: issue.previous,
            info: BTreeMap::new(),
        };
        let payload = serde_json::to_vec(&manifest)?;
        if payload.len() > manifest::MAX_WRITTEN {
            return Err(Unsigned::TooLarge {
                most: manifest::MAX_WRITTEN,
                got: payload.len(),
            });
        }
        Ok(Self {
            digest: Digest::of(&payload),
            manifest,
            payload,
            blobs: [keys, rules],
        })
    }

    /// What is to be signed.
    pub fn message(&self) -> Vec<u8> {
        pre_authentication_encoding(manifest::PAYLOAD_TYPE, &self.payload)
    }

    /// The ruleset with its signatures, each beside the key that made it.
    pub fn seal(self, signatures: &[(&KeyId, Vec<u8>)]) -> Result<Publication, Unsigned> {
        Ok(Publication {
            manifest: sealed(manifest::PAYLOAD_TYPE, &self.payload, signatures)?,
            blobs: self.blobs,
            digest: self.digest,
        })
    }
}

/// Signs a ruleset.
pub fn publish(
    rules: &Rules,
    keys: &Keys,
    issue: Issue,
    signers: &[&dyn Signer],
) -> Result<Publication, Unsigned> {
    let draft = Draft::new(rules, keys, issue)?;
    let manifest = envelope(manifest::PAYLOAD_TYPE, &draft.payload, signers)?;
    Ok(Publication {
        manifest,
        blobs: draft.blobs,
        digest: draft.digest,
    })
}

fn blob(name: BlobName, bytes: Vec<u8>) -> (BlobRef, (Digest, Vec<u8>)) {
    let digest = Digest::of(&bytes);
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let encoding = Encoding::Identity;
    let reference = BlobRef {
        name,
        digest: digest.clone(),
        size,
        encoding,
        decoded_size: size,
    };
    (reference, (digest, bytes))
}

#[cfg(test)]
mod tests;
