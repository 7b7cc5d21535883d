//! Numbers for whoever is on call, in the OpenMetrics text form.

use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All numbers.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Whether this replica leads.
    pub(crate) leads: Gauge,
    /// What waits and could be compiled now.
    pub(crate) queued: Gauge,
    /// Namespaces that were compiled.
    pub(crate) compiled: Counter,
    /// How long that took.
    pub(crate) compile_seconds: Histogram,
    /// Rulesets that were published and said something new, or were signed anew.
    pub(crate) published: Counter,
    /// Rulesets that could not be published, by why.
    pub(crate) unpublished: Family<Why, Counter>,
    /// Statuses that were written.
    pub(crate) statuses: Counter,
    /// Writes that the API server did not take.
    pub(crate) unwritten: Counter,
    /// Seconds until the ruleset that expires first does.
    expires_in: Gauge,
    terms: Mutex<BTreeMap<Scope, UnixTime>>,
    /// The kinds that cannot be watched for now.
    pub(crate) unwatched: Gauge,
}

/// Why something was not published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Why {
    pub(crate) reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("countersign_controller"),
            leads: Gauge::default(),
            queued: Gauge::default(),
            compiled: Counter::default(),
            compile_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 14)),
            published: Counter::default(),
            unpublished: Family::default(),
            statuses: Counter::default(),
            unwritten: Counter::default(),
            expires_in: Gauge::default(),
            terms: Mutex::default(),
            unwatched: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("leads", "Whether this replica leads", self.leads.clone());
        let queued = "Namespaces that changed and wait to be compiled";
        r.register("queued", queued, self.queued.clone());
        r.register("compiled", "Namespaces compiled", self.compiled.clone());
        let seconds = "How long a namespace took to compile";
        r.register("compile_seconds", seconds, self.compile_seconds.clone());
        r.register("published", "Rulesets published", self.published.clone());
        let unpublished = "Rulesets that could not be published";
        r.register("unpublished", unpublished, self.unpublished.clone());
        r.register("statuses", "Statuses written", self.statuses.clone());
        let unwritten = "Writes that the API server did not take";
        r.register("unwritten", unwritten, self.unwritten.clone());
        let expires = "Seconds until the ruleset that expires first does";
        r.register("expires_in_seconds", expires, self.expires_in.clone());
        let unwatched = "Kinds that cannot be watched for now";
        r.register("unwatched", unwatched, self.unwatched.clone());
    }

    /// Where others put theirs, before anything is told.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Until when a ruleset holds that was published.
    pub(crate) fn holds_until(&self, scope: &Scope, end: UnixTime) {
        self.terms().insert(scope.clone(), end);
    }

    /// Counts until the first end, as it is now.
    pub(crate) fn tell_term(&self, now: UnixTime) {
        let first = self.terms().values().min().copied();
        let left = first.map_or(0, |end| end.since(now));
        self.expires_in.set(i64::try_from(left).unwrap_or(i64::MAX));
    }

    /// Forgets what others publish from now on.
    pub(crate) fn leads_no_longer(&self) {
        self.terms().clear();
    }

    fn terms(&self) -> MutexGuard<'_, BTreeMap<Scope, UnixTime>> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, as a text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // INVARIANT: a String takes whatever is written
        let _ = encode(&mut text, &self.registry);
        text
    }
}
