//! What is in force: swapped whole, read without a lock, never half of one and half of another.

use crate::decide;
use crate::decision::{Decision, Reason, RulesetRef};
use crate::index::{Hosts, Index};
use crate::request::{Malformed, Request};
use crate::token::Known;
use arc_swap::ArcSwap;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::names::{ApplicationId, Scope};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{Ruleset, Standing, Term};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an edge stands in front of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One application, whatever host is called.
    Application(ApplicationId),
    /// The application of the host that is called.
    ByHost,
}

/// Decides requests by the rulesets in force. It is shared, and never waits.
#[derive(Debug)]
pub struct Enforcer {
    target: Target,
    scopes: Vec<Scope>,
    fleet: ArcSwap<Fleet>,
    known: Arc<Known>,
}

/// All rulesets in force, and where each host leads.
#[derive(Debug, Default)]
struct Fleet {
    by_scope: BTreeMap<Scope, Arc<Index>>,
    order: Vec<Arc<Index>>,
    hosts: Hosts,
}

/// How a scope stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeStatus {
    /// The scope.
    pub scope: Scope,
    /// What is in force of it, and how that stands; `None` is nothing.
    pub in_force: Option<(Arc<RulesetRef>, Term, Standing)>,
}

impl Enforcer {
    /// An enforcer with nothing in force: it answers 503 until something is.
    pub fn new(target: Target, scopes: Vec<Scope>) -> Self {
        Self {
            target,
            scopes,
            fleet: ArcSwap::default(),
            known: Arc::default(),
        }
    }

    /// Puts a ruleset in force. The look-ups are made ready first; then it is one swap, and every
    /// request is decided by the whole old one or the whole new one.
    pub fn install(&self, ruleset: Verified<Ruleset>) {
        let index = Arc::new(Index::new(ruleset, &self.known));
        let scope = index.id.scope.clone();
        self.fleet.rcu(|fleet| {
            let mut by_scope = fleet.by_scope.clone();
            by_scope.insert(scope.clone(), Arc::clone(&index));
            Fleet::new(by_scope)
        });
    }

    /// Takes a scope's ruleset out of force: 503 from now on.
    pub fn withdraw(&self, scope: &Scope) {
        self.fleet.rcu(|fleet| {
            let mut by_scope = fleet.by_scope.clone();
            by_scope.remove(scope);
            Fleet::new(by_scope)
        });
    }

    /// Decides a request, at that time.
    pub fn decide(&self, request: &Request<'_>, now: UnixTime) -> Decision {
        let fleet = self.fleet.load();
        match &self.target {
            Target::Application(id) => {
                let Some(index) = fleet.order.first() else {
                    return decide::unavailable(Reason::NoRuleset);
                };
                let Some(target) = index.by_id.get(id).and_then(|&n| index.applications.get(n))
                else {
                    return Self::in_term(index, now, decide::not_covered);
                };
                let foreign = target.own.find(request.host()).is_empty();
                Self::in_term(index, now, |index| {
                    decide::decide(index, target, request, foreign, now)
                })
            }
            Target::ByHost => self.by_host(&fleet, request, now),
        }
    }

    fn by_host(&self, fleet: &Fleet, request: &Request<'_>, now: UnixTime) -> Decision {
        // while a scope is missing, whether it claims the host is not known
        if fleet.order.len() < self.scopes.len() || fleet.order.is_empty() {
            return decide::unavailable(Reason::NoRuleset);
        }
        let mut claimants = fleet.hosts.matching(request.host()).flatten();
        let Some(claimant) = claimants.next() else {
            return fleet.order.first().map_or_else(
                || decide::unavailable(Reason::NoRuleset),
                |index| decide::not_covered(index),
            );
        };
        // never a winner: with `payroll.example.com` one namespace would take from another a part of
        // its `*.example.com`, and with it the Deny that stands there
        if claimants.any(|other| other != claimant) {
            return decide::unavailable(Reason::HostAmbiguous);
        }
        let Some(index) = fleet.order.get(*claimant) else {
            return decide::unavailable(Reason::NoRuleset);
        };
        let target = match index.hosts.find(request.host()) {
            [one] => index.applications.get(*one),
            _ => return decide::unavailable(Reason::HostAmbiguous),
        };
        Self::in_term(index, now, |index| match target {
            Some(target) => decide::decide(index, target, request, false, now),
            None => decide::not_covered(index),
        })
    }

    /// A ruleset past its term decides nothing.
    fn in_term(index: &Index, now: UnixTime, decide: impl FnOnce(&Index) -> Decision) -> Decision {
        match index.term.standing(now) {
            Standing::Fresh | Standing::Stale => decide(index),
            Standing::Expired => Decision {
                ruleset: Some(Arc::clone(&index.id)),
                ..decide::unavailable(Reason::RulesetExpired)
            },
        }
    }

    /// The decision for a request that cannot be read.
    pub fn refuse(&self, malformed: Malformed) -> Decision {
        decide::malformed(malformed)
    }

    /// How each scope stands.
    pub fn status(&self, now: UnixTime) -> Vec<ScopeStatus> {
        let fleet = self.fleet.load();
        let status = |scope: &Scope| {
            let index = fleet.by_scope.get(scope);
            let in_force = index.map(|i| (Arc::clone(&i.id), i.term, i.term.standing(now)));
            ScopeStatus {
                scope: scope.clone(),
                in_force,
            }
        };
        self.scopes.iter().map(status).collect()
    }

    /// Whether every scope has a ruleset in force that may still be served.
    pub fn is_ready(&self, now: UnixTime) -> bool {
        let ready = |status: &ScopeStatus| {
            matches!(
                &status.in_force,
                Some((_, _, Standing::Fresh | Standing::Stale))
            )
        };
        self.status(now).iter().all(ready)
    }
}

impl Fleet {
    fn new(by_scope: BTreeMap<Scope, Arc<Index>>) -> Self {
        let order: Vec<Arc<Index>> = by_scope.values().cloned().collect();
        let mut hosts = Hosts::default();
        for (place, index) in order.iter().enumerate() {
            hosts.join(&index.hosts, place);
        }
        Self {
            by_scope,
            order,
            hosts,
        }
    }
}

#[cfg(test)]
mod tests;
