//! Other places where rulesets are published, written after the primary one: each fails alone and holds up nothing.

use super::chain::{Chain, Last, Whole};
use super::store::{Expected, Key, Store};
use super::sweep::{Kept, Sweep};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use futures::future::{BoxFuture, join_all};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

#[cfg(test)]
mod tests;

/// How long a namespace that a mirror did not take is left alone at first; twice as long after each time.
const FIRST: Duration = Duration::from_secs(1);

/// And at most.
const LONGEST: Duration = Duration::from_mins(5);

/// What a mirror is to hold: a ruleset that was read back and verified, whole.
#[derive(Debug)]
pub struct Copied {
    /// Trust, up to the latest document.
    pub chain: Arc<Chain>,
    /// The namespace.
    pub scope: Scope,
    /// What is published of it.
    pub last: Last,
    /// What its blobs say.
    pub whole: Whole,
}

/// A place that is written after the primary one.
pub trait Mirror: Debug + Send + Sync {
    /// What it is called in a status.
    fn name(&self) -> String;
    /// Makes it hold this, or something newer; or says why it does not.
    fn put<'a>(&'a self, copied: &'a Copied) -> BoxFuture<'a, Result<(), String>>;
}

/// How a mirror stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorState {
    /// Which.
    pub name: String,
    /// The namespaces whose ruleset it could not be given, and why.
    pub failing: BTreeMap<Scope, String>,
}

/// The mirrors of a primary store.
#[derive(Debug)]
pub struct Mirrors {
    primary: Arc<dyn Store>,
    lanes: Vec<Lane>,
    state: watch::Sender<Arc<Vec<MirrorState>>>,
}

/// One mirror, and what it waits for.
#[derive(Debug)]
struct Lane {
    mirror: Box<dyn Mirror>,
    /// What has not been tried yet.
    fresh: Mutex<BTreeMap<Scope, Arc<Chain>>>,
    wake: Notify,
}

/// What a mirror could not be given. A namespace that always fails waits for itself alone.
#[derive(Debug)]
struct Failed {
    chain: Arc<Chain>,
    pause: Duration,
    again: Instant,
}

impl Failed {
    fn after(before: Option<&Self>, chain: Arc<Chain>) -> Self {
        let pause = before.map_or(FIRST, |it| it.pause.saturating_mul(2).min(LONGEST));
        let now = Instant::now();
        Self {
            chain,
            pause,
            again: now.checked_add(pause).unwrap_or(now),
        }
    }
}

impl Mirrors {
    /// Mirrors of what the primary store holds.
    pub fn new(primary: Arc<dyn Store>, mirrors: Vec<Box<dyn Mirror>>) -> Self {
        let state = mirrors.iter().map(|mirror| MirrorState {
            name: mirror.name(),
            failing: BTreeMap::new(),
        });
        let state = watch::Sender::new(Arc::new(state.collect()));
        let lane = |mirror| Lane {
            mirror,
            fresh: Mutex::default(),
            wake: Notify::new(),
        };
        Self {
            primary,
            lanes: mirrors.into_iter().map(lane).collect(),
            state,
        }
    }

    /// How they stand.
    pub fn state(&self) -> watch::Receiver<Arc<Vec<MirrorState>>> {
        self.state.subscribe()
    }

    /// Says that there is something of a namespace to be mirrored. It is read when it is its turn, so
    /// that what is mirrored is the newest.
    pub fn offer(&self, scope: &Scope, chain: &Arc<Chain>) {
        for lane in &self.lanes {
            lock(&lane.fresh).insert(scope.clone(), Arc::clone(chain));
            lane.wake.notify_one();
        }
    }

    /// Mirrors what is offered, for as long as it is polled.
    pub async fn run(&self) {
        join_all((0..self.lanes.len()).map(|number| self.follow(number))).await;
    }

    async fn follow(&self, number: usize) {
        let Some(lane) = self.lanes.get(number) else {
            return;
        };
        let mut failed: BTreeMap<Scope, Failed> = BTreeMap::new();
        loop {
            let next = failed.values().map(|it| it.again).min();
            tokio::select! {
                () = lane.wake.notified() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let now = Instant::now();
                    let mut fresh = lock(&lane.fresh);
                    for (scope, it) in failed.iter().filter(|(_, it)| it.again <= now) {
                        fresh.entry(scope.clone()).or_insert_with(|| Arc::clone(&it.chain));
                    }
                }
            }
            let batch = std::mem::take(&mut *lock(&lane.fresh));
            for (scope, chain) in batch {
                let done = self.copy(lane, &scope, &chain).await;
                self.tell(number, &scope, done.as_ref().err());
                let before = failed.remove(&scope);
                if done.is_err() {
                    failed.insert(scope, Failed::after(before.as_ref(), chain));
                }
            }
        }
    }

    async fn copy(&self, lane: &Lane, scope: &Scope, chain: &Arc<Chain>) -> Result<(), String> {
        let told = |error: super::NotPublished| error.to_string();
        let now = UnixTime::default();
        let read = chain.read(scope, &*self.primary, now).await;
        // what is gone from the primary store goes on where it is: it denies nothing to remove it
        let Some(mut last) = read.map_err(told)? else {
            return Ok(());
        };
        let whole = last.whole.take();
        let copied = Copied {
            chain: Arc::clone(chain),
            scope: scope.clone(),
            whole: whole.ok_or("a blob is missing in the primary store")?,
            last,
        };
        lane.mirror.put(&copied).await
    }

    fn tell(&self, number: usize, scope: &Scope, why: Option<&String>) {
        self.state.send_if_modified(|all| {
            let held = all.get(number).and_then(|it| it.failing.get(scope));
            if held == why {
                return false;
            }
            if let Some(state) = Arc::make_mut(all).get_mut(number) {
                match why {
                    Some(why) => state.failing.insert(scope.clone(), why.clone()),
                    None => state.failing.remove(scope),
                };
            }
            true
        });
    }
}

/// A store as a mirror.
#[derive(Debug)]
pub struct StoreMirror {
    name: String,
    store: Arc<dyn Store>,
    /// For how many seconds a blob is kept that no manifest names.
    grace: u64,
    sweep: Mutex<Sweep>,
}

impl StoreMirror {
    /// A mirror that is called by where it is.
    pub fn new(name: String, store: Arc<dyn Store>, grace: u64) -> Self {
        Self {
            name,
            store,
            grace,
            sweep: Mutex::default(),
        }
    }

    async fn copy(&self, copied: &Copied) -> Result<(), String> {
        let Copied {
            chain,
            scope,
            last,
            whole,
        } = copied;
        let (store, now) = (&*self.store, last.manifest.issued_at);
        chain.write(store).await.map_err(|it| it.to_string())?;
        // what cannot be verified is not written over here either
        let there = chain.read(scope, store, now).await;
        let there = there.map_err(|it| it.to_string())?;
        let is_whole = there.as_ref().is_some_and(|there| there.whole.is_some());
        let order = there.as_ref().map(Last::order);
        if is_whole && order >= Some(last.order()) {
            return Ok(());
        }
        for (digest, bytes) in &whole.blobs {
            let key = Key::Blob(scope.clone(), digest.clone());
            let written = store.write(&key, bytes, Expected::Any).await;
            written.map_err(|why| format!("{}: {why}", store.place(&key)))?;
        }
        // a newer one that lacks a blob of ours is not set back: it has the blob now, or waits for another
        if order < Some(last.order()) {
            let key = Key::Manifest(scope.clone());
            let expected = Expected::from(there.as_ref().map(|there| &there.version));
            let written = store.write(&key, &last.envelope, expected).await;
            written.map_err(|why| format!("{}: {why}", store.place(&key)))?;
        }
        self.sweep(copied, now).await;
        Ok(())
    }

    async fn sweep(&self, copied: &Copied, now: UnixTime) {
        let Ok(there) = self.store.blobs(&copied.scope).await else {
            return;
        };
        let blobs = copied.last.manifest.blobs.iter();
        let needed: BTreeSet<_> = blobs.map(|blob| blob.digest.clone()).collect();
        let kept = Kept {
            grace: self.grace,
            most: usize::MAX,
        };
        let due = lock(&self.sweep).due(&copied.scope, &there, &needed, now, kept);
        for digest in due {
            let key = Key::Blob(copied.scope.clone(), digest);
            if let Err(error) = self.store.remove(&key).await {
                tracing::debug!(%error, "a blob that is not needed could not be removed");
            }
        }
    }
}

impl Mirror for StoreMirror {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn put<'a>(&'a self, copied: &'a Copied) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.copy(copied))
    }
}

/// What a task that panicked left is whole: nothing is half-done while a lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
