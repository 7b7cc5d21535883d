//! From what is to be said to what is published: a draft, a signature, the blobs, the manifest.

use super::{Moment, Publisher, lock};
use crate::publication::authority::{ClockRule, Inquiry};
use crate::publication::chain::Chain;
use crate::publication::known::{Gist, Known};
use crate::publication::published::{NotPublished, Published};
use crate::publication::store::{Expected, Key};
use crate::publication::sweep::Kept;
use crate::signing::SigningService;
use countersign_policy::Compiled;
use countersign_ruleset::json::MAX_INTEGER;
use countersign_ruleset::manifest::Manifest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{Draft, Issue, Publication, Unsigned};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Order, SKEW};
use std::borrow::Cow;
use std::sync::Arc;

/// What is to be said.
pub(super) struct What<'a> {
    pub(super) scope: &'a Scope,
    /// The namespace's UID; `None` is that of before.
    pub(super) uid: Option<&'a str>,
    pub(super) rules: &'a Rules,
    pub(super) keys: &'a Keys,
    /// Whether nothing is said of the namespace any longer.
    pub(super) emptied: bool,
}

impl<'a> What<'a> {
    /// What a namespace's resources mean, or the empty set.
    pub(super) fn of(
        scope: &'a Scope,
        uid: Option<&'a str>,
        compiled: Option<&'a Compiled>,
        empty: &'a Compiled,
    ) -> Self {
        let Compiled { rules, keys } = compiled.unwrap_or(empty);
        Self {
            scope,
            uid,
            rules,
            keys,
            emptied: compiled.is_none(),
        }
    }
}

/// A ruleset that is not published yet.
pub(super) struct Next {
    signer: Arc<dyn SigningService>,
    draft: Draft,
    gist: Option<Gist>,
    /// What is published now.
    known: Option<Known>,
    /// By how many seconds the clock is behind what was signed, and when that was.
    behind: Option<(u64, UnixTime)>,
    rules: usize,
    emptied: bool,
}

/// A ruleset that is signed, and not written.
pub(super) struct Signed {
    next: Next,
    publication: Publication,
}

/// Keys that were fetched before they are published: those that a clock which was ahead has fetched later
/// may be of any age, and no edge takes a ruleset with them.
fn timely(keys: &Keys, now: UnixTime) -> Cow<'_, Keys> {
    let is_early = |at: Option<UnixTime>| at.is_some_and(|at| at > now);
    if !keys.providers.iter().any(|it| is_early(it.fetched_at)) {
        return Cow::Borrowed(keys);
    }
    let mut keys = keys.clone();
    for provider in &mut keys.providers {
        if provider.fetched_at.is_some_and(|at| at.since(now) > SKEW) {
            provider.keys.clear();
            provider.fetched_at = None;
        } else if is_early(provider.fetched_at) {
            provider.fetched_at = Some(now);
        }
    }
    Cow::Owned(keys)
}

impl Next {
    /// How many bytes its blobs come to.
    pub(super) fn bytes(&self) -> usize {
        let sizes = self.draft.manifest.blobs.iter().map(|it| it.size);
        let sum = sizes.fold(0, u64::saturating_add);
        usize::try_from(sum).unwrap_or(usize::MAX)
    }

    fn manifest(&self) -> &Manifest {
        &self.draft.manifest
    }
}

impl Publisher {
    /// What is to be published next of a namespace.
    pub(super) fn next(
        &self,
        what: &What<'_>,
        known: Option<Known>,
        trust: &Trust,
        at: Moment,
    ) -> Result<Next, NotPublished> {
        let (scope, terms) = (what.scope, &self.terms);
        let inquiry = Inquiry {
            cluster: &self.cluster,
            keyring: &lock(&self.keyring).clone(),
            terms,
            now: at.now,
        };
        let signer = inquiry.signer(trust, scope)?;
        // a later trust document begins the serials anew, or a thief's last would be ours
        let ever = lock(&self.known).get(scope).cloned();
        let ever = ever.filter(|ever| ever.highest.trust == trust.version);
        let least = ever.as_ref();
        let least = least.map_or(0, |ever| ever.highest.serial.saturating_add(1));
        if least > MAX_INTEGER {
            return Err(NotPublished::SerialsEnded(scope.clone()));
        }
        // an edge that knows the namespace's UID takes no ruleset without it
        let uid = known.as_ref().map(|known| &*known.manifest.scope_uid);
        let uid = what.uid.or(uid).unwrap_or_default().to_owned();
        let issue = Issue {
            cluster: self.cluster.clone(),
            scope: scope.clone(),
            scope_uid: uid,
            trust: trust.version,
            serial: at.milliseconds.max(least),
            issued_at: at.now,
            valid_for: terms.valid_for,
            stale_for: terms.stale_for,
            previous: known.as_ref().map(|known| known.digest.clone()),
        };
        let ever = ever.filter(|_| terms.clock == ClockRule::Strict);
        let keys = timely(what.keys, at.now);
        Ok(Next {
            signer,
            draft: Draft::new(what.rules, &keys, issue)?,
            gist: Gist::of(&keys),
            known,
            behind: ever.map(|ever| (ever.latest.since(at.now), ever.latest)),
            rules: what.rules.rules().count(),
            emptied: what.emptied,
        })
    }

    /// Publishes it, if there is something new to be said.
    pub(super) async fn go_on(
        &self,
        next: Next,
        chain: &Arc<Chain>,
        at: Moment,
    ) -> Result<Published, NotPublished> {
        let gist = next.gist.as_ref();
        let (behind, last) = next.behind.unwrap_or_default();
        if let Some(known) = &next.known
            && known.says(next.manifest(), gist)
            && !known.is_due(gist, &self.terms, at.now)
            && behind <= SKEW
        {
            let published = self.published(&next, known, at.now);
            return Ok(Published {
                changed: false,
                ..published
            });
        }
        if behind > 0 {
            return Err(NotPublished::Clock {
                scope: next.manifest().scope.clone(),
                now: at.now,
                last,
            });
        }
        let signed = Self::sign(next, chain).await?;
        self.entrust(chain).await?;
        self.write(signed, chain, at.now).await
    }

    /// Signs it, and opens what was sealed as an edge would.
    pub(super) async fn sign(next: Next, chain: &Chain) -> Result<Signed, NotPublished> {
        let signer = &next.signer;
        let (message, key) = (next.draft.message(), signer.public_key());
        let signature = signer.sign(&message).await.map_err(Unsigned::Signer)?;
        // a service may hold another key by now than it did when it was asked for it
        if !key.verifies(&message, &signature) {
            let why = format!("what it signed is not by the key {}", key.id());
            return Err(Unsigned::Signer(why).into());
        }
        let publication = next.draft.clone().seal(&[(key.id(), signature)])?;
        chain.prove(next.manifest(), &publication)?;
        Ok(Signed { next, publication })
    }

    /// Writes a ruleset: its blobs first, so that the manifest never names what is not there.
    pub(super) async fn write(
        &self,
        signed: Signed,
        chain: &Arc<Chain>,
        now: UnixTime,
    ) -> Result<Published, NotPublished> {
        let Signed { next, publication } = signed;
        let scope = &next.manifest().scope;
        let known = next.known.as_ref();
        for (digest, bytes) in &publication.blobs {
            if !known.is_some_and(|known| known.has(digest)) {
                let key = Key::Blob(scope.clone(), digest.clone());
                let written = self.store.write(&key, bytes, Expected::Any).await;
                written.map_err(|why| NotPublished::unwritten(self.store.place(&key), why))?;
            }
        }
        let key = Key::Manifest(scope.clone());
        let expected = Expected::from(known.map(|known| &known.version));
        let written = self
            .store
            .write(&key, &publication.manifest, expected)
            .await;
        let version =
            written.map_err(|why| NotPublished::unwritten(self.store.place(&key), why))?;
        let manifest = next.manifest().clone();
        let known = Known {
            version,
            highest: Order {
                trust: manifest.trust,
                serial: manifest.serial,
            },
            latest: manifest.issued_at,
            manifest,
            digest: publication.digest,
            gist: next.gist.clone(),
        };
        let known = self.remember(scope, known);
        self.tell(scope, chain);
        self.sweep(scope, &known, now).await;
        Ok(self.published(&next, &known, now))
    }

    /// What is kept of before: where edges read, as long as an older manifest may be in force.
    fn kept(&self) -> Kept {
        let whole = Kept {
            grace: self.terms.valid_for.saturating_add(self.terms.stale_for),
            most: usize::MAX,
        };
        self.store.thrift().map_or(whole, |thrift| Kept {
            grace: thrift.grace,
            most: thrift.unneeded,
        })
    }

    /// Removes what no manifest names any longer. What cannot be removed now is looked at again after the
    /// next publication.
    async fn sweep(&self, scope: &Scope, known: &Known, now: UnixTime) {
        let Ok(there) = self.store.blobs(scope).await else {
            return;
        };
        let blobs = known.manifest.blobs.iter();
        let needed = blobs.map(|blob| blob.digest.clone()).collect();
        let due = lock(&self.sweep).due(scope, &there, &needed, now, self.kept());
        for digest in due {
            let key = Key::Blob(scope.clone(), digest);
            if let Err(error) = self.store.remove(&key).await {
                tracing::debug!(%error, "a blob that is not needed could not be removed");
            }
        }
    }

    fn published(&self, next: &Next, known: &Known, now: UnixTime) -> Published {
        let manifest = &known.manifest;
        Published {
            scope: manifest.scope.clone(),
            trust: manifest.trust,
            serial: manifest.serial,
            digest: known.digest.clone(),
            issued_at: manifest.issued_at,
            expires_at: manifest.expires_at,
            resign_at: known.resign_at(&self.terms, now),
            rules: next.rules,
            emptied: next.emptied,
            changed: true,
        }
    }
}
