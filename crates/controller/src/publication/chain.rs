//! What is published already: read back through the one verifier, or nothing is published over it.

use super::authority::Document;
use super::published::NotPublished;
use super::store::{Key, Store, StoreError, Version};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::key::KeyId;
use countersign_ruleset::manifest::Manifest;
use countersign_ruleset::names::Cluster;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::Order;
use std::collections::BTreeSet;

mod proof;
mod read;

pub(super) use read::Claimed;

/// The most versions of trust that are followed.
const MAX_VERSIONS: usize = 1_024;

/// What was published last of a namespace.
#[derive(Debug, Clone)]
pub struct Last {
    /// What was signed.
    pub manifest: Manifest,
    /// Its digest.
    pub digest: Digest,
    /// Its envelope, as it came.
    pub envelope: Vec<u8>,
    /// What its blobs say; `None` if one of them is gone, or is not what was signed.
    pub whole: Option<Whole>,
    /// The state of the store that it is.
    pub version: Version,
    /// When the store took it, by the store's own clock, if it has one.
    pub written: Option<UnixTime>,
}

/// What the blobs of a ruleset say.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The rules.
    pub rules: Rules,
    /// The providers, with the keys that they had.
    pub keys: Keys,
    /// The blobs, as they came.
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

impl Last {
    /// Its place.
    pub const fn order(&self) -> Order {
        Order {
            trust: self.manifest.trust,
            serial: self.manifest.serial,
        }
    }
}

/// Trust, from the pinned document to the latest.
#[derive(Debug, Clone)]
pub struct Chain {
    cluster: Cluster,
    pinned: Trust,
    /// Each later version.
    later: Vec<Trust>,
    /// Each version as it came, the pinned one first.
    documents: Vec<Document>,
    /// Keys that were trusted once.
    seen: BTreeSet<KeyId>,
}

impl Chain {
    /// Opens the pinned document, and follows those that are given beside it. If none is given, the
    /// first that is published is the pinned one: whoever can write there could keep us from publishing,
    /// and no edge would follow him.
    pub async fn open(
        cluster: &Cluster,
        documents: &[Document],
        store: &dyn Store,
    ) -> Result<Self, NotPublished> {
        let Some((first, given)) = documents.split_first() else {
            let key = Key::Trust(1);
            let first = store.read(&key).await?.ok_or(NotPublished::NoTrust)?;
            let place = store.place(&key);
            let bytes = first.bytes;
            return Self::pinned(cluster.clone(), Document { place, bytes });
        };
        let mut chain = Self::pinned(cluster.clone(), first.clone())?;
        for document in given {
            chain.push(document.clone())?;
        }
        Ok(chain)
    }

    /// The pinned document alone.
    pub fn pinned(cluster: Cluster, document: Document) -> Result<Self, NotPublished> {
        let pinned = Trust::open_pinned(&document.bytes).map_err(|because| {
            let place = document.place.clone();
            NotPublished::Distrusted { place, because }
        })?;
        let pinned = pinned.into_inner();
        Ok(Self {
            cluster,
            seen: pinned.key_ids().cloned().collect(),
            pinned,
            later: Vec::new(),
            documents: vec![document],
        })
    }

    /// Goes on to the next version.
    pub fn push(&mut self, document: Document) -> Result<(), NotPublished> {
        let next = self.latest().open_next(&document.bytes, &self.seen);
        let next = next.map_err(|because| {
            let place = document.place.clone();
            NotPublished::Distrusted { place, because }
        })?;
        let next = next.into_inner();
        self.seen.extend(next.key_ids().cloned());
        self.later.push(next);
        self.documents.push(document);
        Ok(())
    }

    /// Follows the versions that are published. Whether there was one.
    pub async fn follow(&mut self, store: &dyn Store) -> Result<bool, NotPublished> {
        let before = self.documents.len();
        while self.documents.len() < MAX_VERSIONS {
            let key = Key::Trust(self.latest().version.saturating_add(1));
            let Some(stored) = store.read(&key).await? else {
                break;
            };
            self.push(Document {
                place: store.place(&key),
                bytes: stored.bytes,
            })?;
        }
        Ok(self.documents.len() > before)
    }

    /// Follows the versions that are published for as far as they follow, and says what does not. It is
    /// not served either: whoever can write there must not keep us from publishing.
    pub(super) async fn follow_what_follows(
        &mut self,
        store: &dyn Store,
    ) -> Result<Option<String>, StoreError> {
        match self.follow(store).await {
            Ok(_) => Ok(None),
            Err(NotPublished::Store(error @ StoreError::Failed { .. })) => Err(error),
            Err(other) => Ok(Some(other.to_string())),
        }
    }

    /// The latest.
    pub fn latest(&self) -> &Trust {
        self.later.last().unwrap_or(&self.pinned)
    }

    /// Each version's number and bytes.
    pub fn documents(&self) -> impl DoubleEndedIterator<Item = (u64, &[u8])> {
        let trusts = std::iter::once(&self.pinned).chain(&self.later);
        let numbers = trusts.map(|trust| trust.version).collect::<Vec<_>>();
        let bytes = self.documents.iter().map(|document| &*document.bytes);
        numbers.into_iter().zip(bytes.collect::<Vec<_>>())
    }

    /// Writes the documents that are not there yet. One that is, is never changed.
    pub async fn write(&self, store: &dyn Store) -> Result<(), NotPublished> {
        for (version, bytes) in self.documents() {
            let key = Key::Trust(version);
            let place = || store.place(&key);
            match store.read(&key).await {
                Ok(Some(there)) if there.bytes == bytes => {}
                Ok(Some(_)) | Err(StoreError::TooLarge { .. }) => {
                    let place = place();
                    return Err(NotPublished::OtherTrust { place, version });
                }
                Err(error) => return Err(error.into()),
                Ok(None) => {
                    let written = store.write(&key, bytes, super::Expected::Absent).await;
                    written.map_err(|because| NotPublished::unwritten(place(), because))?;
                }
            }
        }
        Ok(())
    }
}
