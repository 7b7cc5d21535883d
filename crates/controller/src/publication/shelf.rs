//! The verified copy of what is published: what every replica serves, whether or not it leads.
//!
//! It is fed with the primary store's ConfigMaps as they change, and looks at them as an edge does: what
//! does not verify, is older, or is not whole yet, changes nothing.

use super::authority::Document;
use super::chain::Chain;
use super::config_maps::{LABEL, TRUST};
use bytes::Bytes;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{Accepted, Order, Verifier};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

mod follow;
mod look;
#[cfg(test)]
mod tests;

pub use follow::follow;
use look::scope_of;

/// A ruleset as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnShelf {
    /// The manifest, as it came.
    pub envelope: Bytes,
    /// The digest of its payload.
    pub digest: Digest,
    /// Its place.
    pub order: Order,
    /// The end of its validity.
    pub expires_at: UnixTime,
    /// Its blobs, as they came.
    blobs: BTreeMap<Digest, Bytes>,
}

/// A ruleset, or that there is none yet.
type Offer = Option<Arc<OnShelf>>;

/// Holds what is served.
#[derive(Debug)]
pub struct Shelf {
    cluster: Cluster,
    /// What is looked at, and by whom. To verify takes its time: this is held before the other, and by
    /// nobody who is served.
    fed: Mutex<Fed>,
    served: Mutex<Served>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Fed {
    given: Option<Document>,
    /// The ConfigMaps as they are, whoever wrote them.
    maps: BTreeMap<String, ConfigMap>,
    trusted: Option<Trusted>,
}

#[derive(Debug, Default)]
struct Served {
    /// The trust documents, in order.
    documents: Vec<(u64, Bytes)>,
    places: BTreeMap<Scope, Place>,
    /// Whether all that is published was looked at once.
    is_whole: bool,
}

/// What is verified with, once there is trust.
#[derive(Debug)]
struct Trusted {
    chain: Chain,
    verifier: Verifier,
}

/// A namespace's place on the shelf.
#[derive(Debug)]
struct Place {
    current: watch::Sender<Offer>,
    /// The one before: an edge that has read its manifest comes back for its blobs.
    before: Offer,
    /// Why what is published is not on the shelf.
    refused: Option<Refusal>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            current: watch::Sender::new(None),
            before: None,
            refused: None,
        }
    }
}

impl Shelf {
    /// An empty shelf. Without a pinned document, the first that is published is pinned.
    pub fn new(cluster: Cluster, pinned: Option<Document>) -> Self {
        let fed = Fed {
            given: pinned,
            ..Fed::default()
        };
        Self {
            cluster,
            fed: Mutex::new(fed),
            served: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// The manifest of a namespace.
    pub fn manifest(&self, scope: &Scope) -> Option<Bytes> {
        Some(self.current(scope)?.envelope.clone())
    }

    /// What is served of a namespace.
    pub fn current(&self, scope: &Scope) -> Option<Arc<OnShelf>> {
        let served = lock(&self.served);
        let place = served.places.get(scope)?;
        place.current.borrow().clone()
    }

    /// A blob of what is served of a namespace, or was served last.
    pub fn blob(&self, scope: &Scope, digest: &Digest) -> Option<Bytes> {
        let served = lock(&self.served);
        let place = served.places.get(scope)?;
        let of = |offer: &Offer| Some(offer.as_ref()?.blobs.get(digest)?.clone());
        of(&place.current.borrow()).or_else(|| of(&place.before))
    }

    /// A trust document, once it is known to follow from the pinned one.
    pub fn trust(&self, version: u64) -> Option<Bytes> {
        let served = lock(&self.served);
        let mut documents = served.documents.iter();
        let found = documents.find(|(number, _)| *number == version);
        found.map(|(_, bytes)| bytes.clone())
    }

    /// The version of the latest trust document.
    pub fn latest(&self) -> Option<u64> {
        let last = lock(&self.served).documents.last()?.0;
        Some(last)
    }

    /// Why what is published of a namespace is not served.
    pub fn refused(&self, scope: &Scope) -> Option<Refusal> {
        lock(&self.served).places.get(scope)?.refused.clone()
    }

    /// The namespaces that are served.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        let served = lock(&self.served);
        let served = served.places.iter();
        let served = served.filter(|(_, place)| place.current.borrow().is_some());
        served.map(|(scope, _)| scope.clone()).collect()
    }

    /// Counts the changes of anything.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Follows one namespace, without being woken by the others.
    pub fn watch(&self, scope: &Scope) -> watch::Receiver<Offer> {
        let mut served = lock(&self.served);
        if !served.places.contains_key(scope) {
            // names that nobody asks for any longer are not kept
            served.places.retain(|_, place| {
                let is_served = place.current.borrow().is_some();
                is_served || place.refused.is_some() || place.current.receiver_count() > 0
            });
        }
        let place = served.places.entry(scope.clone()).or_default();
        place.current.subscribe()
    }

    /// Takes a ConfigMap as it is now.
    pub fn put(&self, map: ConfigMap, now: UnixTime) {
        self.put_all(vec![map], now);
    }

    /// Takes all of them at once: what was there and is not among them is gone.
    pub fn put_whole(&self, maps: Vec<ConfigMap>, now: UnixTime) {
        self.forget();
        self.put_all(maps, now);
        lock(&self.served).is_whole = true;
    }

    /// Whether all that is published was looked at once.
    pub fn is_whole(&self) -> bool {
        lock(&self.served).is_whole
    }

    /// Forgets the ConfigMaps, which are listed anew and need not be held twice. What is served goes on.
    pub fn forget(&self) {
        lock(&self.fed).maps.clear();
    }

    /// Takes a ConfigMap away. What is served goes on: it was signed, and nothing says that it holds no
    /// longer.
    pub fn take(&self, map: &ConfigMap) {
        lock(&self.fed).maps.remove(&map.name_any());
    }

    /// Looks again at what was refused: a clock may have come to it since.
    pub fn again(&self, now: UnixTime) {
        let served = lock(&self.served);
        let refused = served.places.iter();
        let refused = refused.filter(|(_, place)| place.refused.is_some());
        let scopes = refused.map(|(scope, _)| scope.clone()).collect();
        drop(served);
        self.look(&mut lock(&self.fed), scopes, false, now);
    }

    fn put_all(&self, maps: Vec<ConfigMap>, now: UnixTime) {
        let mut fed = lock(&self.fed);
        let mut touched = BTreeSet::new();
        let mut has_trust = false;
        for map in maps {
            let name = map.name_any();
            match map.labels().get(LABEL).map(String::as_str) {
                Some("trust") => has_trust |= name == TRUST,
                Some("manifest" | "blob") => touched.extend(scope_of(&name)),
                _ => continue,
            }
            fed.maps.insert(name, map);
        }
        let is_begun = fed.trusted.is_some();
        let is_changed = (has_trust || !is_begun) && fed.follow(&self.cluster);
        if is_changed {
            lock(&self.served).documents = fed.documents();
            let manifests = fed.maps.keys().filter(|name| !name.contains('.'));
            touched.extend(manifests.filter_map(|name| scope_of(name)));
        }
        self.look(&mut fed, touched, is_changed, now);
    }

    /// Looks at one namespace after the other: whoever is served need not wait for all of them.
    fn look(&self, fed: &mut Fed, scopes: BTreeSet<Scope>, mut is_changed: bool, now: UnixTime) {
        for scope in scopes {
            if let Some(cycle) = fed.look(&scope, now) {
                is_changed |= lock(&self.served).take(scope, cycle);
            }
        }
        if is_changed {
            let count = |count: &mut u64| *count = count.wrapping_add(1);
            self.changes.send_modify(count);
        }
    }
}

/// What a task that panicked left is whole: nothing is half-done while a lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OnShelf {
    fn of(accepted: Accepted) -> Self {
        let manifest = &accepted.ruleset.manifest;
        let blobs = accepted.blobs.into_iter();
        Self {
            digest: accepted.ruleset.digest.clone(),
            order: Order {
                trust: manifest.trust,
                serial: manifest.serial,
            },
            expires_at: manifest.expires_at,
            envelope: accepted.envelope.into(),
            blobs: blobs
                .map(|(digest, bytes)| (digest, bytes.into()))
                .collect(),
        }
    }
}
