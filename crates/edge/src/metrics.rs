//! Numbers for whoever is on call, in the OpenMetrics text form.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// All numbers. What every request counts is held, so that none looks a label up.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    allowed: Counter,
    decisions: Family<Decided, Counter>,
    observed: Family<Observed, Counter>,
    /// Requests that are being answered.
    pub(crate) in_flight: Gauge,
    /// Connections of callers.
    pub(crate) connections: Gauge,
    /// Connections closed at once, for there were too many.
    pub(crate) connections_refused: Counter,
    /// Audit lines that were lost, for they came faster than they could be written.
    pub(crate) audit_dropped: Counter,
    /// Requests that ended in a panic, and so were denied.
    pub(crate) panics: Counter,
    /// Heads with too many fields or bytes: they are answered 431 before anything is decided.
    pub(crate) refused_heads: Counter,
    upstream_failures: Family<Failure, Counter>,
    /// The serial in force, by scope.
    pub(crate) serial: Family<InScope, Gauge>,
    /// Whether a scope has a ruleset in force: 1 fresh, 0 none or past its term.
    pub(crate) in_force: Family<InScope, Gauge>,
    /// Seconds until the ruleset in force is past its term.
    pub(crate) expires_in: Family<InScope, Gauge>,
    pub(crate) refusals: Family<Refused, Counter>,
    /// States that could not be written: a restart may lose its floor.
    pub(crate) unpersisted: Counter,
    unsigned: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Decided {
    verdict: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Observed {
    would: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Failure {
    kind: &'static str,
}

/// A scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct InScope {
    pub(crate) scope: String,
}

/// A refused ruleset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Refused {
    pub(crate) scope: String,
    pub(crate) reason: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let decisions = Family::<Decided, Counter>::default();
        let allowed = Decided {
            verdict: "allow",
            reason: "Allowed",
        };
        let mut metrics = Self {
            registry: Registry::with_prefix("countersign"),
            allowed: decisions.get_or_create_owned(&allowed),
            decisions,
            observed: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            audit_dropped: Counter::default(),
            panics: Counter::default(),
            refused_heads: Counter::default(),
            upstream_failures: Family::default(),
            serial: Family::default(),
            in_force: Family::default(),
            expires_in: Family::default(),
            refusals: Family::default(),
            unpersisted: Counter::default(),
            unsigned: Counter::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("decisions", "Decisions", self.decisions.clone());
        let observed = "What would have been decided otherwise by policies that are only observed";
        r.register("observed", observed, self.observed.clone());
        let in_flight = "Requests that are being answered";
        r.register("requests_in_flight", in_flight, self.in_flight.clone());
        r.register(
            "connections",
            "Connections of callers",
            self.connections.clone(),
        );
        let refused = "Connections closed at once, for there were too many";
        r.register(
            "connections_refused",
            refused,
            self.connections_refused.clone(),
        );
        let dropped = "Audit lines lost, for they came faster than they could be written";
        r.register("audit_dropped", dropped, self.audit_dropped.clone());
        r.register("panics", "Requests denied by a panic", self.panics.clone());
        let heads = "Requests answered 431, for their head was too large";
        r.register("refused_heads", heads, self.refused_heads.clone());
        let failures = "Requests let in that the upstream did not answer";
        r.register(
            "upstream_failures",
            failures,
            self.upstream_failures.clone(),
        );
        r.register("ruleset_serial", "The serial in force", self.serial.clone());
        let in_force = "Whether a ruleset is in force and within its term";
        r.register("ruleset_in_force", in_force, self.in_force.clone());
        let expires = "Seconds until the ruleset in force is past its term";
        r.register(
            "ruleset_expires_in_seconds",
            expires,
            self.expires_in.clone(),
        );
        let refusals = "Rulesets that were refused";
        r.register("ruleset_refusals", refusals, self.refusals.clone());
        let unpersisted = "States that could not be written";
        r.register("state_unpersisted", unpersisted, self.unpersisted.clone());
        let unsigned = "Requests sent on without the assertion that a policy asks for";
        r.register("assertions_unsigned", unsigned, self.unsigned.clone());
    }

    /// Counts a decision. What is let in takes no lock; a denial looks its counter up.
    pub(crate) fn decided(&self, allowed: bool, reason: &'static str) {
        if allowed {
            self.allowed.inc();
        } else {
            let verdict = "deny";
            self.decisions
                .get_or_create(&Decided { verdict, reason })
                .inc();
        }
    }

    /// Counts what policies that are only observed would have decided.
    pub(crate) fn observed(&self, allow: bool) {
        let would = if allow { "allow" } else { "deny" };
        self.observed.get_or_create(&Observed { would }).inc();
    }

    /// Counts a request that is sent on without the assertion that a policy asks for; whether it is
    /// the first.
    pub(crate) fn unsigned(&self) -> bool {
        self.unsigned.inc() == 0
    }

    /// Counts a request that the upstream did not answer.
    pub(crate) fn upstream_failed(&self, kind: &'static str) {
        self.upstream_failures
            .get_or_create(&Failure { kind })
            .inc();
    }

    /// The numbers as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
