//! One namespace at a time, or all of them or none: what is new is signed, and what says the same is left alone.

use super::authority::{Authority, Document, Terms};
use super::chain::{Chain, Last};
use super::known::Known;
use super::mirrors::Mirrors;
use super::published::{NotPublished, Published};
use super::store::{Key, Store, StoreError};
use super::sweep::Sweep;
use crate::signing::Keyring;
use countersign_policy::Compiled;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
pub use fence::Seen;
use next::{Next, What};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod fence;
mod next;
#[cfg(test)]
pub(super) mod tests;

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In whole seconds.
    pub now: UnixTime,
    /// In milliseconds: the serial, unless one that is no smaller is published.
    pub milliseconds: u64,
}

/// Publishes into one store.
///
/// It may be asked for several namespaces at once, and for one namespace once at a time.
#[derive(Debug)]
pub struct Publisher {
    store: Arc<dyn Store>,
    cluster: Cluster,
    documents: Vec<Document>,
    keyring: Mutex<Keyring>,
    terms: Terms,
    trust: Mutex<Option<Followed>>,
    known: Mutex<BTreeMap<Scope, Known>>,
    sweep: Mutex<Sweep>,
    /// What does not follow, and was told.
    foreign: Mutex<Option<String>>,
    mirrors: Option<Arc<Mirrors>>,
}

/// Trust, when it was looked for last, and whether it is in the store.
#[derive(Debug, Clone)]
struct Followed {
    chain: Arc<Chain>,
    looked: UnixTime,
    is_written: bool,
}

impl Publisher {
    /// A publisher that has read nothing yet.
    pub fn new(store: Arc<dyn Store>, authority: Authority, terms: Terms) -> Self {
        Self {
            store,
            cluster: authority.cluster,
            documents: authority.trust,
            keyring: Mutex::new(authority.keyring),
            terms,
            trust: Mutex::default(),
            known: Mutex::default(),
            sweep: Mutex::default(),
            foreign: Mutex::default(),
            mirrors: None,
        }
    }

    /// Tells these of whatever is published, and of whatever is found to be.
    #[must_use]
    pub fn with_mirrors(mut self, mirrors: Arc<Mirrors>) -> Self {
        self.mirrors = Some(mirrors);
        self
    }

    /// Signs with these keys from now on.
    pub fn take_up(&self, keyring: Keyring) {
        *lock(&self.keyring) = keyring;
    }

    /// The latest trust document.
    pub async fn trust(&self, at: Moment) -> Result<Trust, NotPublished> {
        Ok(self.chain(at.now).await?.latest().clone())
    }

    /// The namespaces that are published.
    pub async fn scopes(&self) -> Result<BTreeSet<Scope>, NotPublished> {
        Ok(self.store.scopes().await?)
    }

    /// What is published of a namespace, read back and verified.
    pub async fn last(&self, scope: &Scope, at: Moment) -> Result<Option<Last>, NotPublished> {
        let chain = self.chain(at.now).await?;
        chain.read(scope, &*self.store, at.now).await
    }

    /// Publishes what a namespace's resources mean, or the empty set, which denies. What is published
    /// and says the same is signed anew when it is due, and left alone before.
    ///
    /// Without a UID, the namespace has the one that it was published with last.
    pub async fn publish(
        &self,
        scope: &Scope,
        uid: Option<&str>,
        compiled: Option<&Compiled>,
        at: Moment,
    ) -> Result<Published, NotPublished> {
        let chain = self.chain(at.now).await?;
        let known = self.known(scope, &chain, at.now).await?;
        self.publish_known((scope, uid), compiled, known, &chain, at)
            .await
    }

    async fn publish_known(
        &self,
        (scope, uid): (&Scope, Option<&str>),
        compiled: Option<&Compiled>,
        known: Option<Known>,
        chain: &Arc<Chain>,
        at: Moment,
    ) -> Result<Published, NotPublished> {
        let empty = empty(scope);
        let what = What::of(scope, uid, compiled, &empty);
        let next = self.next(&what, known.clone(), chain.latest(), at)?;
        let why = match self.excess(scope, &next) {
            Some(excess) => excess,
            None => match self.go_on(next, chain, at).await {
                Err(refused @ NotPublished::Refused { .. }) => refused,
                done => return done,
            },
        };
        // what was published before would go on, and no Deny of the cluster would reach it any longer
        let nothing = What::of(scope, uid, None, &empty);
        let next = self.next(&nothing, known, chain.latest(), at)?;
        self.go_on(next, chain, at).await?;
        Err(why)
    }

    /// What the store has no room for.
    fn excess(&self, scope: &Scope, next: &Next) -> Option<NotPublished> {
        let (most, got) = (self.store.thrift()?.ruleset, next.bytes());
        (got > most).then(|| NotPublished::TooLarge {
            scope: scope.clone(),
            most,
            got,
        })
    }

    /// Lets what is published of a namespace go on: it is signed anew when it is due. `None` if there is
    /// nothing.
    pub async fn renew(
        &self,
        scope: &Scope,
        uid: Option<&str>,
        at: Moment,
    ) -> Result<Option<Published>, NotPublished> {
        let chain = self.chain(at.now).await?;
        let last = chain.read(scope, &*self.store, at.now).await?;
        let Some(last) = last else { return Ok(None) };
        let known = self.remember(scope, Known::read(&last));
        let whole = last.whole.ok_or_else(|| NotPublished::Unverifiable {
            place: self.store.place(&Key::Manifest(scope.clone())),
            name: "BlobMissing",
            why: "a blob is gone, and what it said is not known here".to_owned(),
        })?;
        let what = What {
            scope,
            uid,
            rules: &whole.rules,
            keys: &whole.keys,
            emptied: false,
        };
        let next = self.next(&what, Some(known), chain.latest(), at)?;
        self.go_on(next, &chain, at).await.map(Some)
    }

    /// Publishes all of them, or none, whether or not they say something new. A namespace that was
    /// published before and is no longer among them gets the empty set; those of other keys are left
    /// alone.
    pub async fn publish_all(
        &self,
        rulesets: &BTreeMap<Scope, Compiled>,
        uids: &BTreeMap<Scope, String>,
        at: Moment,
    ) -> Result<Vec<Published>, NotPublished> {
        let there = self.store.scopes().await?;
        let chain = self.chain(at.now).await?;
        let all: BTreeSet<&Scope> = rulesets.keys().chain(&there).collect();
        let mut signed = Vec::new();
        for scope in all {
            let compiled = rulesets.get(scope);
            let may_sign = || lock(&self.keyring).signer(chain.latest(), scope).is_some();
            if compiled.is_none() && !may_sign() {
                continue;
            }
            let known = self.known(scope, &chain, at.now).await?;
            let empty = empty(scope);
            let uid = uids.get(scope).map(String::as_str);
            let what = What::of(scope, uid, compiled, &empty);
            let next = self.next(&what, known, chain.latest(), at)?;
            signed.push(Self::sign(next, &chain).await?);
        }
        self.entrust(&chain).await?;
        let mut published = Vec::new();
        for signed in signed {
            published.push(self.write(signed, &chain, at.now).await?);
        }
        Ok(published)
    }

    /// Trust as it is now, looked for once a second.
    async fn chain(&self, now: UnixTime) -> Result<Arc<Chain>, NotPublished> {
        let followed = lock(&self.trust).clone();
        let (mut chain, was_written) = match followed {
            Some(followed) if followed.looked == now => return Ok(followed.chain),
            Some(followed) => ((*followed.chain).clone(), followed.is_written),
            None => (
                Chain::open(&self.cluster, &self.documents, &*self.store).await?,
                false,
            ),
        };
        if self.store.thrift().is_some() {
            self.tell_foreign(chain.follow_what_follows(&*self.store).await?);
        } else {
            chain.follow(&*self.store).await?;
        }
        let is_written = was_written && self.has_latest(&chain).await?;
        let chain = Arc::new(chain);
        *lock(&self.trust) = Some(Followed {
            chain: Arc::clone(&chain),
            looked: now,
            is_written,
        });
        Ok(chain)
    }

    /// Whether the latest trust document is in the store: one that was restored from a copy lacks it.
    async fn has_latest(&self, chain: &Chain) -> Result<bool, StoreError> {
        let key = Key::Trust(chain.latest().version);
        match self.store.read(&key).await {
            Ok(there) => Ok(there.is_some()),
            Err(StoreError::TooLarge { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sees that the trust documents are there before what is signed under them.
    async fn entrust(&self, chain: &Chain) -> Result<(), NotPublished> {
        let is_written = lock(&self.trust).as_ref().is_some_and(|it| it.is_written);
        if !is_written {
            match chain.write(&*self.store).await {
                // edges read from the replicas, which hold what they have verified; and it is told
                Err(other @ NotPublished::OtherTrust { .. }) if self.store.thrift().is_some() => {
                    warn_of_other(&other);
                }
                written => written?,
            }
            if let Some(followed) = lock(&self.trust).as_mut() {
                followed.is_written = true;
            }
        }
        Ok(())
    }

    /// What is known of what is published: what was known before, if it is still what is there, and need
    /// not be signed anew; then it is looked at whole, so that what was lost is found.
    async fn known(
        &self,
        scope: &Scope,
        chain: &Arc<Chain>,
        now: UnixTime,
    ) -> Result<Option<Known>, NotPublished> {
        let known = lock(&self.known).get(scope).cloned();
        // by a clock that seems to be behind, the store is asked when it took what is there
        let is_usable =
            |it: &Known| !it.is_due(None, &self.terms, now) && it.latest.since(now) == 0;
        if let Some(known) = known.filter(is_usable) {
            let there = self.store.read(&Key::Manifest(scope.clone())).await?;
            if there.is_some_and(|there| there.version == known.version) {
                return Ok(Some(known));
            }
        }
        let last = chain.read(scope, &*self.store, now).await?;
        if last.is_some() {
            self.tell(scope, chain);
        }
        Ok(last.map(|last| self.remember(scope, Known::read(&last))))
    }

    /// What follows no trust document that is known here, and is put where the next one would be.
    pub fn foreign_trust(&self) -> Option<String> {
        lock(&self.foreign).clone()
    }

    fn tell_foreign(&self, foreign: Option<String>) {
        let mut before = lock(&self.foreign);
        if *before != foreign {
            if let Some(why) = &foreign {
                tracing::error!(
                    why,
                    "a trust document is not followed: see who has written it"
                );
            }
            *before = foreign;
        }
    }

    fn tell(&self, scope: &Scope, chain: &Arc<Chain>) {
        if let Some(mirrors) = &self.mirrors {
            mirrors.offer(scope, chain);
        }
    }

    /// Remembers what is there, beside the highest that ever was.
    fn remember(&self, scope: &Scope, known: Known) -> Known {
        let mut all = lock(&self.known);
        let known = known.after(all.get(scope));
        all.insert(scope.clone(), known.clone());
        known
    }
}

fn empty(scope: &Scope) -> Compiled {
    Compiled {
        rules: Rules::empty(scope.clone()),
        keys: Keys::default(),
    }
}

fn warn_of_other(other: &NotPublished) {
    tracing::error!(%other, "a trust document is not what was verified: see who has written it");
}

/// What a task that panicked left is whole: nothing is half-done while a lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
