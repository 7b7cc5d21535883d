//! What is told by others than the watch: who leads, keys, edges, mirrors.

use super::queue::Work;
use super::{Parts, Reconciler};
use crate::lease::Leading;
use crate::provider_keys::{Asked, Known};
use crate::publication::MirrorState;
use crate::watch::Touched;
use countersign_policy::diagnostic::ResourceId;
use countersign_ruleset::names::Scope;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// What is told, and what was told last.
pub(super) struct Inbox {
    leading: watch::Receiver<Leading>,
    issuer: watch::Receiver<Asked>,
    keys: watch::Receiver<Arc<Known>>,
    /// The keys that were told last.
    known: Arc<Known>,
    edges: watch::Receiver<BTreeSet<Scope>>,
    mirrored: watch::Receiver<Arc<Vec<MirrorState>>>,
    /// How the mirrors stood last.
    stood: Arc<Vec<MirrorState>>,
}

impl Inbox {
    pub(super) fn of(parts: &Parts) -> Self {
        let mut keys = parts.keys.clone();
        let known = Arc::clone(&keys.borrow_and_update());
        Self {
            leading: parts.leading.clone(),
            issuer: parts.issuer.clone(),
            keys,
            known,
            edges: parts.acknowledgements.news(),
            mirrored: parts.mirrored.clone(),
            stood: Arc::default(),
        }
    }

    /// Waits for news, and says what they touch. Who tells nothing any longer is not waited for.
    pub(super) async fn news(&mut self, reconciler: &Reconciler) {
        tokio::select! {
            Ok(()) = self.leading.changed() => {}
            Ok(()) = self.issuer.changed() => reconciler.touch_everything(),
            Ok(()) = self.keys.changed() => {
                let new = Arc::clone(&self.keys.borrow_and_update());
                reconciler.touch(&changed(&self.known, &new));
                self.known = new;
            }
            Ok(()) = self.edges.changed() => {
                let scopes = reconciler.parts.acknowledgements.changed();
                reconciler.touch_all(scopes.into_iter().map(Work::Namespace));
            }
            Ok(()) = self.mirrored.changed() => {
                let stand = Arc::clone(&self.mirrored.borrow_and_update());
                let failing = self.stood.iter().chain(stand.iter()).flat_map(|it| it.failing.keys());
                reconciler.touch_all(failing.cloned().map(Work::Namespace));
                self.stood = stand;
            }
            else => std::future::pending().await,
        }
    }
}

/// What is touched by keys that came, went, or could not be had.
pub(super) fn changed(before: &Known, after: &Known) -> Touched {
    let mut touched = Touched::default();
    let mut differ = |id: &ResourceId| {
        touched.cluster = true;
        if id.namespace.is_empty() {
            touched.all = true;
        } else {
            touched.namespaces.insert(id.namespace.clone());
        }
    };
    let keys = |known: &Known, id: &ResourceId| {
        let fetched = known.keys.get(id);
        fetched.map(|it| (it.keys.clone(), it.jwks_url.clone()))
    };
    for id in before.keys.keys().chain(after.keys.keys()) {
        if keys(before, id) != keys(after, id) {
            differ(id);
        }
    }
    for id in before.troubles.keys().chain(after.troubles.keys()) {
        if before.troubles.get(id) != after.troubles.get(id) {
            differ(id);
        }
    }
    touched
}
