//! What the loader tells: told on to the log, to the metrics and to whoever asks on the admin socket.

use crate::metrics::{InScope, Metrics, Refused};
use countersign_enforcer::load::{News as Look, Observer, Report};
use countersign_ruleset::names::Scope;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The last refusal of each scope and carrier. The same one again is counted, and logged no more.
#[derive(Debug, Clone)]
pub(crate) struct News {
    refusals: Arc<Mutex<BTreeMap<(Scope, String), Refusal>>>,
    metrics: Arc<Metrics>,
}

/// A refusal, by its name and in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl News {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            refusals: Arc::default(),
            metrics,
        }
    }

    /// What a loader tells its looks to.
    pub(crate) fn observer(&self) -> Observer {
        let news = self.clone();
        Arc::new(move |report| news.told(report))
    }

    /// The last refusals of a scope that still stand, by carrier.
    pub(crate) fn refusals(&self, scope: &Scope) -> BTreeMap<String, Refusal> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let own = refusals.iter().filter(|((of, _), _)| of == scope);
        own.map(|((_, carrier), refusal)| (carrier.clone(), refusal.clone()))
            .collect()
    }

    fn told(&self, report: &Report) {
        let (scope, carrier) = (&report.scope, report.carrier.as_str());
        if report.withdrawn {
            withdrawn(scope, carrier);
        }
        if !report.persisted {
            self.unpersisted(scope);
        }
        match &report.news {
            Look::InForce { serial } => {
                self.forget(scope, carrier);
                in_force(scope, *serial, carrier);
            }
            Look::Unchanged => self.forget(scope, carrier),
            Look::Refused(refusal) => {
                let reason = refusal.as_str();
                let scope = scope.to_string();
                self.metrics
                    .refusals
                    .get_or_create(&Refused { scope, reason })
                    .inc();
                self.refused(report, reason, refusal.to_string());
            }
        }
    }

    fn unpersisted(&self, scope: &Scope) {
        self.metrics.unpersisted.inc();
        tracing::error!(%scope, "the state could not be written: a restart may lose its floor");
    }

    fn refused(&self, report: &Report, reason: &'static str, message: String) {
        let refusal = Refusal { reason, message };
        let place = (report.scope.clone(), report.carrier.clone());
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.get(&place) == Some(&refusal) {
            return;
        }
        let Refusal { reason, message } = &refusal;
        tracing::warn!(
            scope = %report.scope, carrier = report.carrier, reason, message,
            "a ruleset was refused; what is in force stays"
        );
        refusals.insert(place, refusal);
    }

    fn forget(&self, scope: &Scope, carrier: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.remove(&(scope.clone(), carrier.to_owned()));
    }
}

fn in_force(scope: &Scope, serial: u64, carrier: &str) {
    tracing::info!(%scope, serial, carrier, "in force");
}

fn withdrawn(scope: &Scope, carrier: &str) {
    tracing::error!(%scope, carrier, "what was in force is withdrawn: its keys are trusted no longer");
}

/// The label of a scope.
pub(crate) fn label(scope: &Scope) -> InScope {
    InScope {
        scope: scope.to_string(),
    }
}
