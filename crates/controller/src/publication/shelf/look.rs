//! What is looked at: the ConfigMaps as they are, by the one verifier.

use super::{Fed, OnShelf, Served, Trusted};
use crate::publication::authority::Document;
use crate::publication::chain::Chain;
use crate::publication::config_maps::{self, MANIFEST, TRUST, bytes_of, joined};
use crate::publication::store::Key;
use bytes::Bytes;
use countersign_ruleset::manifest::BlobRef;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{Carrier, Cycle, Fetched, Options, Outcome, State, Verifier};
use k8s_openapi::api::core::v1::ConfigMap;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Fed {
    /// Follows trust. Whether there is more of it than before.
    pub(super) fn follow(&mut self, cluster: &Cluster) -> bool {
        let mut is_changed = false;
        if self.trusted.is_none() {
            let first = self.given.clone();
            let first = first.or_else(|| document(&self.maps, 1));
            self.trusted = first.and_then(|first| Trusted::start(cluster, first));
            is_changed = self.trusted.is_some();
        }
        let Some(Trusted { chain, .. }) = &mut self.trusted else {
            return false;
        };
        loop {
            let version = chain.latest().version.saturating_add(1);
            let Some(next) = document(&self.maps, version) else {
                return is_changed;
            };
            if let Err(error) = chain.push(next) {
                tracing::warn!(%error, "a trust document is not served");
                return is_changed;
            }
            is_changed = true;
        }
    }

    /// The trust documents that follow.
    pub(super) fn documents(&self) -> Vec<(u64, Bytes)> {
        let chain = self.trusted.iter().map(|it| &it.chain);
        let documents = chain.flat_map(Chain::documents);
        let copied = documents.map(|(version, it)| (version, Bytes::copy_from_slice(it)));
        copied.collect()
    }

    /// Looks at what is published of a namespace, if anything is.
    pub(super) fn look(&mut self, scope: &Scope, now: UnixTime) -> Option<Cycle> {
        let key = Key::Manifest(scope.clone());
        let trusted = self.trusted.as_mut()?;
        self.maps.get(&config_maps::name(&key))?;
        let mut carrier = Maps {
            maps: &self.maps,
            chain: &trusted.chain,
        };
        Some(trusted.verifier.accept(scope, &mut carrier, now, false))
    }
}

impl Served {
    /// Takes what came of it. Whether something else is served from now on.
    pub(super) fn take(&mut self, scope: Scope, cycle: Cycle) -> bool {
        let place = self.places.entry(scope).or_default();
        if cycle.withdrawn {
            // its keys are trusted no longer: no edge takes it
            place.before = None;
            place.current.send_replace(None);
        }
        match cycle.outcome {
            Ok(Outcome::InForce(accepted)) => {
                place.refused = None;
                let next = Some(Arc::new(OnShelf::of(*accepted)));
                place.before = place.current.send_replace(next);
                true
            }
            Ok(Outcome::Unchanged) => {
                place.refused = None;
                cycle.withdrawn
            }
            Err(refusal) => {
                place.refused = Some(refusal);
                cycle.withdrawn
            }
        }
    }
}

/// A trust document as it is published.
fn document(maps: &BTreeMap<String, ConfigMap>, version: u64) -> Option<Document> {
    let bytes = bytes_of(maps.get(TRUST)?, &format!("{version}.json"))?;
    Some(Document {
        place: format!("configmap {TRUST}: {version}.json"),
        bytes: bytes.to_vec(),
    })
}

impl Trusted {
    fn start(cluster: &Cluster, pinned: Document) -> Option<Self> {
        let options = Options::new(cluster.clone());
        let verifier = Verifier::start(&pinned.bytes, options, State::default());
        let verifier = match verifier {
            Ok(verifier) => verifier,
            Err(refusal) => {
                tracing::warn!(place = pinned.place, %refusal, "there is no trust to serve by");
                return None;
            }
        };
        let chain = Chain::pinned(cluster.clone(), pinned).ok()?;
        Some(Self { chain, verifier })
    }
}

/// The ConfigMaps as a carrier.
struct Maps<'m> {
    maps: &'m BTreeMap<String, ConfigMap>,
    chain: &'m Chain,
}

impl Carrier for Maps<'_> {
    fn trust(&mut self, version: u64) -> Fetched {
        let mut documents = self.chain.documents();
        let found = documents.find(|(number, _)| *number == version);
        found.map_or(Fetched::NotFound, |(_, it)| Fetched::Bytes(it.to_vec()))
    }

    fn manifest(&mut self, scope: &Scope) -> Fetched {
        let key = Key::Manifest(scope.clone());
        let map = self.maps.get(&config_maps::name(&key));
        let bytes = map.and_then(|map| bytes_of(map, MANIFEST));
        bytes.map_or(Fetched::NotFound, |it| Fetched::Bytes(it.to_vec()))
    }

    fn blob(&mut self, scope: &Scope, blob: &BlobRef) -> Fetched {
        let part = |number| {
            self.maps
                .get(&config_maps::part(scope, &blob.digest, number))
        };
        joined(&blob.digest, part).map_or(Fetched::NotFound, Fetched::Bytes)
    }
}

/// The namespace of a manifest or of a part.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    let name = name.strip_prefix("ruleset-")?;
    let scope = name.split_once('.').map_or(name, |(scope, _)| scope);
    scope.parse().ok()
}
