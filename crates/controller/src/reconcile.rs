//! Keeps what is published and what is said equal to what the cluster's resources mean.
//!
//! ```text
//! watch ─► Touched ─► Queue ─► one namespace: read, compile ─► Publisher ─► statuses
//!                     quiet, fair        pure                  fenced       what changed
//! ```
//!
//! Every change leads to the same: a namespace is compiled as a whole, from what is there now. What
//! comes of it is the same bytes if it means the same, and then nothing is published.

use crate::Clock;
use crate::endpoint::Acknowledgements;
use crate::lease::Leading;
use crate::metrics::Metrics;
use crate::provider_keys::{Asked, Known};
use crate::publication::{MirrorState, Moment, NotPublished, Publisher};
use crate::status::writer::Writer;
use crate::watch::{Cluster, Shared, Touched};
use countersign_policy::resources::KeySource;
use countersign_ruleset::names::Scope;
use inbox::Inbox;
use jobs::Jobs;
use notice::Noticed;
use queue::{Next, Queue, Work};
use standing::Standings;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use unsure::Patience;

mod inbox;
mod jobs;
mod namespace;
mod notice;
mod publishing;
mod queue;
mod reading;
mod standing;
mod unsure;
mod whole;

/// How much is done at once.
const AT_ONCE: usize = 4;

/// How soon to try again to take up the lead.
const AGAIN: Duration = Duration::from_secs(2);

/// What a reconciler works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) shared: Shared,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) writer: Writer,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    /// What is known of the cluster's own issuer.
    pub(crate) issuer: watch::Receiver<Asked>,
    pub(crate) leading: watch::Receiver<Leading>,
    pub(crate) keys: watch::Receiver<Arc<Known>>,
    pub(crate) sources: watch::Sender<Vec<KeySource>>,
    pub(crate) acknowledgements: Arc<Acknowledgements>,
    pub(crate) mirrored: watch::Receiver<Arc<Vec<MirrorState>>>,
}

/// Reconciles.
#[derive(Debug)]
pub(crate) struct Reconciler {
    parts: Parts,
    queue: Mutex<Queue>,
    wake: Notify,
    standings: Mutex<Standings>,
    /// What was done while something was not heard of, and is to be done again when all is.
    held: Mutex<BTreeSet<Work>>,
    noticed: Mutex<Noticed>,
}

impl Reconciler {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            queue: Mutex::default(),
            wake: Notify::new(),
            standings: Mutex::default(),
            held: Mutex::default(),
            noticed: Mutex::default(),
        }
    }

    /// Something changed.
    pub(crate) fn touch(&self, touched: &Touched) {
        let works = works(touched, &self.parts.shared.view().cluster);
        self.touch_all(works);
    }

    /// Everything is to be looked at anew: trust changed, or who leads.
    pub(crate) fn touch_everything(&self) {
        let all = Touched {
            all: true,
            ..Touched::default()
        };
        self.touch(&all);
    }

    fn touch_all(&self, works: impl IntoIterator<Item = Work>) {
        let now = (self.parts.clock.monotonic)();
        let mut queue = lock(&self.queue);
        for work in works {
            queue.touch(work, now);
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// Works until it is told to stop; what is being done then is finished.
    pub(crate) async fn run(self: &Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut inbox = Inbox::of(&self.parts);
        let (mut jobs, mut patience) = (Jobs::default(), Patience::default());
        let mut leads = false;
        loop {
            leads = self.leadership(leads).await;
            let wait = if leads {
                self.begin(&mut jobs, &mut patience)
            } else {
                None
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.wake.notified() => {}
                () = inbox.news(self) => {}
                () = jobs.join(self), if !jobs.is_empty() => {}
                () = sleep(wait, self.parts.clock) => {}
            }
        }
        jobs.finish(self).await;
    }

    /// Whether this replica leads now.
    fn leads(&self) -> bool {
        let now = (self.parts.clock.monotonic)();
        self.parts.leading.borrow().is_some_and(|until| until > now)
    }

    /// Takes up the lead, or lays it down. Whoever takes it up looks at everything: what was done, and
    /// by whom, is what is there.
    async fn leadership(&self, led: bool) -> bool {
        let leads = self.leads();
        self.parts.metrics.leads.set(i64::from(leads));
        if led && !leads {
            self.parts.metrics.leads_no_longer();
            lock(&self.standings).clear();
        }
        if leads && !led {
            return self.take_up().await;
        }
        leads
    }

    async fn take_up(&self) -> bool {
        match self.parts.publisher.scopes().await {
            Ok(scopes) => {
                lock(&self.standings).published(scopes.iter().cloned());
                self.touch_everything();
                self.touch_all(scopes.into_iter().map(Work::Namespace));
                true
            }
            Err(error) => {
                tracing::warn!(%error, "what is published could not be looked at");
                tokio::time::sleep(AGAIN).await;
                false
            }
        }
    }

    /// Begins what can be begun; until when there is nothing more. While something is not heard of, that
    /// is waited for, and not for ever: what is published must be signed anew.
    fn begin(self: &Arc<Self>, jobs: &mut Jobs, patience: &mut Patience) -> Option<Instant> {
        let now = (self.parts.clock.monotonic)();
        let view = self.parts.shared.view();
        let is_in_doubt = !self.doubts(&view).is_empty();
        // what only tells of edges is waited for, too, or what is said of them would go to and fro
        let is_unready = !view.unready().is_empty();
        drop(view);
        if let Some(until) = patience.until(is_in_doubt || is_unready, now) {
            return Some(until);
        }
        if !is_in_doubt {
            let held = std::mem::take(&mut *lock(&self.held));
            if !held.is_empty() {
                self.touch_all(held);
            }
        }
        let mut queue = lock(&self.queue);
        let waiting = i64::try_from(queue.depth(now)).unwrap_or(i64::MAX);
        self.parts.metrics.queued.set(waiting);
        while jobs.len() < AT_ONCE {
            match queue.next(now) {
                Next::Take(work) => jobs.spawn(self, work),
                Next::Wait(until) => return Some(until),
                Next::Idle => return None,
            }
        }
        None
    }

    /// Does it, and says when it is to be done again.
    async fn work(&self, work: &Work) -> Result<Option<Instant>, NotPublished> {
        match work {
            Work::Cluster => Ok(self.whole().await),
            Work::Namespace(scope) => self.namespace(scope).await,
        }
    }

    /// Takes down what came of it; nothing came of what panicked.
    fn concluded(&self, work: &Work, outcome: Option<&Result<Option<Instant>, NotPublished>>) {
        let now = (self.parts.clock.monotonic)();
        let mut queue = lock(&self.queue);
        queue.done(work);
        match outcome {
            Some(Ok(again)) => {
                queue.succeeded(work);
                if let Some(again) = again {
                    queue.schedule(work.clone(), *again);
                }
            }
            Some(Err(_)) => queue.retry(work.clone(), now),
            None => {
                tracing::error!(?work, "it panicked, and is tried again");
                queue.retry(work.clone(), now);
            }
        }
        drop(queue);
        self.settle(work);
    }

    fn moment(&self) -> Moment {
        Moment {
            now: (self.parts.clock.now)(),
            milliseconds: (self.parts.clock.milliseconds)(),
        }
    }
}

/// Until then, or for ever.
async fn sleep(until: Option<Instant>, clock: Clock) {
    match until {
        Some(until) => {
            let left = until.saturating_duration_since((clock.monotonic)());
            tokio::time::sleep(left).await;
        }
        None => std::future::pending().await,
    }
}

/// What is to be done for what was touched.
fn works(touched: &Touched, cluster: &Cluster) -> Vec<Work> {
    let mut works = Vec::new();
    if touched.all || touched.cluster {
        works.push(Work::Cluster);
    }
    let all = cluster
        .namespaces()
        .filter(|it| touched.all || (touched.routes && cluster.has_routes(it)));
    let named = touched.namespaces.iter().map(String::as_str);
    // INVARIANT: a namespace's name is a DNS label, or the API server would not have it
    let scopes = all.chain(named).filter_map(|it| it.parse::<Scope>().ok());
    works.extend(scopes.map(Work::Namespace));
    works
}

/// What a task that panicked left is whole: nothing is half-done while a lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
