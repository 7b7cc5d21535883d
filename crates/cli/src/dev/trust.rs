//! The development trust: made in memory at each start, for the cluster `dev`, which production refuses.

use crate::Clock;
use crate::keys::DEV;
use crate::publish::{self, Order, Published};
use anyhow::{Context, Result};
use countersign_policy::Compiled;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::trust::Trust;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// For how long a development ruleset holds; it is signed anew long before.
const VALID_FOR: u64 = 86_400;

/// A root, a signing key, and a folder that only this process's user reads.
#[derive(Debug)]
pub(super) struct Installation {
    cluster: Cluster,
    key: Arc<SigningKey>,
    trust: Vec<u8>,
    /// It goes when this is dropped.
    folder: tempfile::TempDir,
}

impl Installation {
    /// A new one. The root key is forgotten at once: nothing follows this trust.
    pub(super) fn new(clock: Clock) -> Result<Self> {
        let cluster: Cluster = DEV.parse()?;
        let root = SigningKey::generate(KeyAlgorithm::Ed25519)?;
        let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
        let [root_public, public] = [&root, &key].map(|key| key.public_key().clone());
        let expires_at = (clock.seconds)().plus(countersign_ruleset::trust::MAX_VALIDITY);
        let document = Trust::first(cluster.clone(), root_public, public, expires_at);
        let trust = sign::trust(&document, &[&root])?;
        let folder = tempfile::Builder::new()
            .prefix("countersign-dev-")
            .tempdir();
        Ok(Self {
            cluster,
            key: Arc::new(key),
            trust,
            folder: folder.context("no folder for the rulesets")?,
        })
    }

    /// The document that the edge is pinned to.
    pub(super) fn trust(&self) -> &[u8] {
        &self.trust
    }

    /// The installation's name.
    pub(super) const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Where rulesets are published.
    pub(super) fn published(&self) -> PathBuf {
        self.folder.path().join("published")
    }

    /// Where tokens are kept for whoever tries.
    pub(super) fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    /// The namespaces that were published, those that are gone since included.
    pub(super) fn scopes(&self) -> Result<BTreeSet<Scope>> {
        publish::scopes(&self.published())
    }

    /// Publishes, as `countersign compile` does.
    pub(super) fn publish(
        &self,
        rulesets: &BTreeMap<Scope, Compiled>,
        clock: Clock,
    ) -> Result<Vec<Published>> {
        let out = self.published();
        publish::publish(
            rulesets,
            &Order {
                cluster: &self.cluster,
                key: &self.key,
                trust: &self.trust,
                trust_folder: None::<&Path>,
                out: &out,
                uids: &BTreeMap::new(),
                valid_for: VALID_FOR,
                stale_for: 0,
                now: (clock.seconds)(),
                milliseconds: (clock.milliseconds)(),
            },
        )
    }
}
