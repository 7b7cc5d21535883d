//! The two blobs: each is what was signed, byte for byte, before any of it is read.

use super::accept::Opened;
use super::step::Fetched;
use super::{Accepted, Ruleset, Term};
use crate::digest::Digest;
use crate::manifest::{BlobName, BlobRef, Encoding, Unfit};
use crate::provider::Keys;
use crate::refusal::{Refusal, Unrunnable};
use crate::rules::{self, Rules};

/// A manifest that was accepted, and the blobs that have come.
#[derive(Debug)]
pub(super) struct Gathering {
    opened: Opened,
    term: Term,
    wants_keys: BlobRef,
    wants_rules: BlobRef,
    pub(super) keys: Option<Vec<u8>>,
}

impl Gathering {
    /// Step 8, as far as the manifest goes.
    pub(super) fn new(opened: Opened, term: Term) -> Result<Self, Unfit> {
        let (keys, rules) = opened.manifest.both_blobs()?;
        let (wants_keys, wants_rules) = (keys.clone(), rules.clone());
        Ok(Self {
            opened,
            term,
            wants_keys,
            wants_rules,
            keys: None,
        })
    }

    /// The blob that has not come yet: the keys first.
    pub(super) const fn missing(&self) -> &BlobRef {
        if self.keys.is_none() {
            &self.wants_keys
        } else {
            &self.wants_rules
        }
    }
}

/// Step 8, of each blob: the decoded bytes.
pub(super) fn received(blob: &BlobRef, fetched: Fetched) -> Result<Vec<u8>, Refusal> {
    let name = blob.name;
    let missing = |reason| {
        let digest = blob.digest.clone();
        Refusal::BlobMissing {
            name,
            digest,
            reason,
        }
    };
    // each: take from cache by digest or fetch ≤ size+1 bytes within one deadline  else BlobMissing
    let bytes = match fetched {
        Fetched::Bytes(bytes) => bytes,
        Fetched::NotFound => return Err(missing("there is none".to_owned())),
        Fetched::Failed(reason) => return Err(missing(reason)),
    };
    // len == size else BlobSize
    let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if got != blob.size {
        let expected = blob.size;
        return Err(Refusal::BlobSize {
            name,
            expected,
            got,
        });
    }
    // sha256 == digest else BlobDigest
    let digest = Digest::of(&bytes);
    if digest != blob.digest {
        return Err(Refusal::BlobDigest {
            name,
            expected: blob.digest.clone(),
            got: digest,
        });
    }
    // decode stops at decodedSize, equal, else BlobDecoded
    match blob.encoding {
        Encoding::Identity if got == blob.decoded_size => Ok(bytes),
        Encoding::Identity => Err(Refusal::BlobDecoded {
            name,
            expected: blob.decoded_size,
            got,
        }),
    }
}

/// Step 9: what was signed is also what an edge can run.
pub(super) fn assemble(
    gathering: Gathering,
    keys_bytes: Vec<u8>,
    rules_bytes: Vec<u8>,
) -> Result<Accepted, Unrunnable> {
    let Gathering {
        opened,
        term,
        wants_keys,
        wants_rules,
        ..
    } = gathering;
    let Opened {
        manifest,
        envelope,
        digest,
        ..
    } = opened;
    // 9 strict parse; counts within limits; ids unique                          else RulesInvalid
    let invalid = |name| move |because: rules::Invalid| Unrunnable::Invalid { name, because };
    let keys = Keys::from_bytes(&keys_bytes).map_err(invalid(BlobName::Keys))?;
    let rules = Rules::from_bytes(&rules_bytes).map_err(invalid(BlobName::Rules))?;
    if rules.scope != manifest.scope {
        return Err(Unrunnable::Scope {
            expected: manifest.scope.clone(),
            got: rules.scope,
        });
    }
    //   every provider named in rules is in keys                                else RulesInvalid
    let unknown = rules
        .providers()
        .into_iter()
        .find(|id| keys.provider(id).is_none());
    if let Some(unknown) = unknown {
        return Err(Unrunnable::ProviderUnknown(unknown.clone()));
    }
    // fetchedAt ≤ manifest.issuedAt: the signer, which fetched them, knows no later time
    for provider in &keys.providers {
        if let Some(fetched_at) = provider.fetched_at.filter(|&at| at > manifest.issued_at) {
            let provider = provider.id.clone();
            return Err(Unrunnable::KeysFromTheFuture {
                provider,
                fetched_at,
            });
        }
    }
    let ruleset = manifest.and_then(|manifest| {
        Ok::<_, Unrunnable>(Ruleset {
            manifest,
            digest,
            rules,
            keys,
            term,
        })
    })?;
    let blobs = vec![
        (wants_keys.digest, keys_bytes),
        (wants_rules.digest, rules_bytes),
    ];
    Ok(Accepted {
        ruleset,
        envelope,
        blobs,
    })
}
