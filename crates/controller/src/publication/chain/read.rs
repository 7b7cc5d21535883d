//! Reads a namespace's ruleset back: under the latest trust document, or under one before.

use super::{Chain, Last, Whole};
use crate::publication::authority::Document;
use crate::publication::published::NotPublished;
use crate::publication::store::{Key, Store, StoreError, Stored};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::envelope;
use countersign_ruleset::manifest::{self, Manifest};
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{
    Accepted, Fetched, Options, Outcome, State, Step, Verifier, Wanted,
};
use serde::Deserialize;

impl Chain {
    /// Reads what is published of a namespace, however old it is.
    ///
    /// It is opened under the latest trust, or under one before: so a publisher can go on after a key
    /// was withdrawn. What opens under none was not published by us. A manifest that opens is the last
    /// one though its blobs be gone: nobody but us can have signed it, and what is missing can be
    /// published again.
    pub async fn read(
        &self,
        scope: &Scope,
        store: &dyn Store,
        now: UnixTime,
    ) -> Result<Option<Last>, NotPublished> {
        let key = Key::Manifest(scope.clone());
        let unverifiable = |name, why| NotPublished::Unverifiable {
            place: store.place(&key),
            name,
            why,
        };
        let stored = match store.read(&key).await {
            Ok(None) => return Ok(None),
            Ok(Some(stored)) => stored,
            Err(StoreError::TooLarge { most, .. }) => {
                let why = format!("expected at most {most} bytes, got more");
                return Err(unverifiable("TooLarge", why));
            }
            Err(error) => return Err(error.into()),
        };
        let mut refused = None;
        for newest in (1..=self.documents.len()).rev() {
            match self.look(newest, scope, &stored.bytes, store, now).await? {
                Ok(found) => return Ok(Some(found.with(stored))),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        let (name, why) = refused.map_or(("Malformed", String::new()), |refusal| {
            (refusal.as_str(), refusal.to_string())
        });
        Err(unverifiable(name, why))
    }

    /// Looks at it as of an earlier version of trust.
    async fn look(
        &self,
        newest: usize,
        scope: &Scope,
        envelope: &[u8],
        store: &dyn Store,
        now: UnixTime,
    ) -> Result<Result<Found, Refusal>, NotPublished> {
        let documents = self.documents.get(..newest).unwrap_or_default();
        let pinned = documents.first().map_or(&[][..], |first| &first.bytes);
        let options = Options::new(self.cluster.clone());
        let mut verifier = match Verifier::start(pinned, options, State::default()) {
            Ok(verifier) => verifier,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // what has expired since was no less published: it is looked at as of its own time, by which
        // nothing is decided, and which is signed, too
        let wall = Claimed::of(envelope).map_or(now, |claimed| claimed.issued_at);
        let mut step = verifier.begin(scope, wall, false);
        let outcome = loop {
            step = match step {
                Step::Fetch(fetch) => {
                    let fetched = match fetch.wanted() {
                        Wanted::Trust(version) => self.earlier(documents, version),
                        Wanted::Manifest => Fetched::Bytes(envelope.to_vec()),
                        Wanted::Blob(blob) => {
                            let key = Key::Blob(scope.clone(), blob.digest);
                            let stored = store.read(&key).await?;
                            stored.map_or(Fetched::NotFound, |it| Fetched::Bytes(it.bytes))
                        }
                    };
                    fetch.got(fetched)
                }
                Step::Persist(persist) => persist.done(),
                Step::Done(cycle) => break cycle.outcome,
            };
        };
        Ok(match outcome {
            Ok(Outcome::InForce(accepted)) => Ok(Found::Whole(accepted)),
            // it was signed and is ours: the verifier asks for blobs after everything else. What no edge
            // takes is published over like what is gone
            Err(Refusal::BlobMissing { .. } | Refusal::RulesInvalid(_)) => {
                self.opened(newest, scope, envelope)
            }
            Err(refusal) => Err(refusal),
            // nothing was in force before
            Ok(Outcome::Unchanged) => Err(Refusal::NotFound {
                scope: scope.clone(),
            }),
        })
    }

    /// A manifest whose blobs are gone, opened once more.
    fn opened(&self, newest: usize, scope: &Scope, envelope: &[u8]) -> Result<Found, Refusal> {
        let mut trusts = std::iter::once(&self.pinned).chain(&self.later);
        let not_delegated = || Refusal::NotDelegated {
            scope: scope.clone(),
        };
        let trust = trusts.nth(newest.saturating_sub(1));
        let group = trust.and_then(|trust| trust.delegation(scope));
        let signers = group.ok_or_else(not_delegated)?.signers();
        let (kind, most) = (manifest::PAYLOAD_TYPE, manifest::MAX_BYTES);
        let payload = envelope::open(envelope, kind, signers, most, &self.seen)?;
        let digest = Digest::of(&payload);
        let manifest = serde_json::from_slice(&payload).map_err(|_| not_delegated())?;
        Ok(Found::Damaged(Box::new((manifest, digest))))
    }

    /// A version, if it was there by then.
    fn earlier(&self, documents: &[Document], version: u64) -> Fetched {
        let place = version.checked_sub(self.pinned.version);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let found = place.and_then(|place| documents.get(place));
        found.map_or(Fetched::NotFound, |found| {
            Fetched::Bytes(found.bytes.clone())
        })
    }
}

/// What a manifest turned out to be.
enum Found {
    Whole(Box<Accepted>),
    Damaged(Box<(Manifest, Digest)>),
}

impl Found {
    fn with(self, stored: Stored) -> Last {
        let Stored {
            bytes: envelope,
            version,
            written,
        } = stored;
        match self {
            Self::Damaged(opened) => Last {
                manifest: opened.0,
                digest: opened.1,
                envelope,
                whole: None,
                version,
                written,
            },
            Self::Whole(accepted) => {
                let ruleset = accepted.ruleset.into_inner();
                Last {
                    manifest: ruleset.manifest,
                    digest: ruleset.digest,
                    envelope,
                    whole: Some(Whole {
                        rules: ruleset.rules,
                        keys: ruleset.keys,
                        blobs: accepted.blobs,
                    }),
                    version,
                    written,
                }
            }
        }
    }
}

/// What a manifest says of itself, before anyone vouches for it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::publication) struct Claimed {
    pub(in crate::publication) trust: u64,
    pub(in crate::publication) serial: u64,
    issued_at: UnixTime,
}

impl Claimed {
    pub(in crate::publication) fn of(envelope: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            payload: String,
        }
        let envelope: Envelope = serde_json::from_slice(envelope).ok()?;
        let payload = STANDARD.decode(envelope.payload).ok()?;
        serde_json::from_slice(&payload).ok()
    }
}
