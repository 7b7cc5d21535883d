//! What is published already: read back through the one verifier, or nothing is published over it.

use super::Order;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_enforcer::load::Directory;
use countersign_ruleset::manifest::{Digest, Manifest};
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, State, Verifier};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most versions of trust that are followed.
const MAX_VERSIONS: usize = 1_024;

/// What was published last of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    /// What was signed.
    pub(super) manifest: Manifest,
    /// Its digest.
    pub(super) digest: Digest,
    /// The providers, with the keys that they had.
    pub(super) keys: Keys,
}

/// Trust, from the pinned document to the latest.
pub(super) struct Chain {
    /// Each version with its bytes as they came.
    documents: Vec<(Trust, Vec<u8>)>,
}

impl Chain {
    /// Follows the versions beside the pinned one, and those that are published.
    pub(super) fn follow(order: &Order<'_>) -> Result<Self> {
        let pinned = Trust::open_pinned(order.trust).context("the document given by --trust")?;
        let mut trust = pinned.into_inner();
        let mut seen: BTreeSet<_> = trust.key_ids().cloned().collect();
        let mut documents = vec![(trust.clone(), order.trust.to_vec())];
        let published = order.out.join("trust");
        let folders: Vec<&Path> = order
            .trust_folder
            .into_iter()
            .chain([&*published])
            .collect();
        while documents.len() < MAX_VERSIONS {
            let name = format!("{}.json", trust.version.saturating_add(1));
            let found = folders.iter().map(|folder| folder.join(&name));
            let Some(path) = found.into_iter().find(|path| path.exists()) else {
                break;
            };
            let bytes = crate::signing::read_trust(&path)?;
            let next = trust.open_next(&bytes, &seen);
            trust = next
                .with_context(|| path.display().to_string())?
                .into_inner();
            seen.extend(trust.key_ids().cloned());
            documents.push((trust.clone(), bytes));
        }
        Ok(Self { documents })
    }

    /// The latest, if there is any.
    pub(super) fn latest(&self) -> Result<&Trust> {
        let latest = self.documents.last().map(|(trust, _)| trust);
        latest.context("expected a trust document, got none")
    }

    /// Each version's number and bytes.
    pub(super) fn documents(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.documents
            .iter()
            .map(|(trust, bytes)| (trust.version, &**bytes))
    }

    /// Reads what is published of a namespace, however old it is.
    ///
    /// It is opened under the latest trust, or under one before: so a publisher can go on after a key
    /// was withdrawn. What opens under none was not published by us.
    pub(super) fn read(&self, scope: &Scope, order: &Order<'_>) -> Result<Option<Last>> {
        let place = order.place(scope);
        let Ok(bytes) = std::fs::read(place.join("manifest.json")) else {
            return Ok(None);
        };
        let mut refused = None;
        for newest in (1..=self.documents.len()).rev() {
            let mut carrier = Earlier {
                documents: self.documents.get(..newest).unwrap_or_default(),
                folder: Directory::new(order.out.to_path_buf()),
            };
            let options = Options::new(order.cluster.clone());
            let mut verifier = Verifier::start(order.trust, options, State::default())?;
            // what has expired since was no less published: it is looked at as of its own time
            let wall = issued_at(&bytes).unwrap_or(order.now);
            match verifier.accept(scope, &mut carrier, wall, false).outcome {
                Ok(Outcome::InForce(accepted)) => {
                    let ruleset = accepted.ruleset.into_inner();
                    return Ok(Some(Last {
                        manifest: ruleset.manifest,
                        digest: ruleset.digest,
                        keys: ruleset.keys,
                    }));
                }
                Ok(Outcome::Unchanged) => {}
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        let (name, why) = refused.map_or(("Malformed", String::new()), |refusal| {
            (refusal.as_str(), refusal.to_string())
        });
        bail!(
            "{}: what is published there cannot be verified: {name}: {why}. Nothing was published. Look \
             at who wrote it; to begin anew, take the folder away",
            place.display()
        )
    }
}

/// When a manifest says it was issued. Nothing is decided by it: it only says as of when it is looked
/// at, and it is signed, too.
fn issued_at(envelope: &[u8]) -> Option<UnixTime> {
    #[derive(Deserialize)]
    struct Envelope {
        payload: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        issued_at: UnixTime,
    }
    let envelope: Envelope = serde_json::from_slice(envelope).ok()?;
    let payload = STANDARD.decode(envelope.payload).ok()?;
    serde_json::from_slice(&payload)
        .ok()
        .map(|payload: Payload| payload.issued_at)
}

/// What was published, as of an earlier version of trust.
struct Earlier<'c> {
    documents: &'c [(Trust, Vec<u8>)],
    folder: Directory,
}

impl Carrier for Earlier<'_> {
    fn trust(&mut self, version: u64) -> Fetched {
        let found = self
            .documents
            .iter()
            .find(|(trust, _)| trust.version == version);
        found.map_or(Fetched::NotFound, |(_, bytes)| {
            Fetched::Bytes(bytes.clone())
        })
    }

    fn manifest(&mut self, scope: &Scope) -> Fetched {
        self.folder.manifest(scope)
    }

    fn blob(&mut self, scope: &Scope, blob: &countersign_ruleset::manifest::BlobRef) -> Fetched {
        self.folder.blob(scope, blob)
    }
}

/// Where a version of trust is published.
pub(super) fn trust_path(out: &Path, version: u64) -> PathBuf {
    out.join("trust").join(format!("{version}.json"))
}
