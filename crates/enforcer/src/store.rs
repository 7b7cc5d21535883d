//! What is in force: swapped whole, read without a lock, never half of one and half of another.

use crate::decide;
use crate::decision::{Decision, Reason, RulesetRef};
use crate::explain::{self, Explanation, Place};
use crate::index::{Hosts, Index, Untaken};
use crate::request::{Malformed, Request};
use crate::session::{self, AuthenticationRequest, NoSession, Session};
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
    /// The application of the host that is called. Of several scopes a host is that of the route
    /// whose Gateway accepted it: nobody else vouches that it is not another's.
    ByHost,
    /// The same, but each scope is believed which hosts are its own: for who owns all of them, as on
    /// a developer's machine.
    ByClaimedHost,
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
    /// Whether it is of several namespaces: then one could claim the hosts of another, and those
    /// alone count that a Gateway accepted.
    shared: bool,
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
            Fleet::new(by_scope, self.is_shared())
        });
    }

    /// Takes a scope's ruleset out of force: 503 from now on.
    pub fn withdraw(&self, scope: &Scope) {
        self.fleet.rcu(|fleet| {
            let mut by_scope = fleet.by_scope.clone();
            by_scope.remove(scope);
            Fleet::new(by_scope, self.is_shared())
        });
    }

    fn is_shared(&self) -> bool {
        self.target == Target::ByHost && self.scopes.len() > 1
    }

    /// Decides a request, at that time.
    pub fn decide(&self, request: &Request<'_>, now: UnixTime) -> Decision {
        let fleet = self.fleet.load();
        self.decide_by(&fleet, request, now).0
    }

    /// Decides a request and says why: each rule that could bear on it, expected against got. It
    /// costs more than a decision, and holds what the rules ask of the caller's claims.
    pub fn explain(&self, request: &Request<'_>, now: UnixTime) -> Explanation {
        let fleet = self.fleet.load();
        let (decision, place) = self.decide_by(&fleet, request, now);
        explain::explain(&decision, place, request, now)
    }

    fn decide_by<'f>(
        &self,
        fleet: &'f Fleet,
        request: &Request<'_>,
        now: UnixTime,
    ) -> (Decision, Option<Place<'f>>) {
        match self.place(fleet, request, now) {
            Ok(place) => {
                let Place {
                    index,
                    target,
                    foreign,
                } = place;
                let decision = decide::decide(index, target, request, foreign, now);
                (decision, Some(place))
            }
            Err(decision) => (*decision, None),
        }
    }

    /// The application that is called, or why none is asked.
    fn place<'f>(
        &self,
        fleet: &'f Fleet,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Result<Place<'f>, Box<Decision>> {
        let Target::Application(id) = &self.target else {
            return self.by_host(fleet, request, now);
        };
        let index = fleet.order.first().ok_or_else(no_ruleset)?;
        in_term(index, now)?;
        let target = index.by_id.get(id).and_then(|&n| index.applications.get(n));
        let target = target.ok_or_else(|| Box::new(decide::not_covered(index)))?;
        Ok(Place {
            index,
            target,
            foreign: target.own.find(request.host()).is_empty(),
        })
    }

    fn by_host<'f>(
        &self,
        fleet: &'f Fleet,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Result<Place<'f>, Box<Decision>> {
        // while a scope is missing, whether it claims the host is not known
        let first = fleet.order.first().ok_or_else(no_ruleset)?;
        if fleet.order.len() < self.scopes.len() {
            return Err(no_ruleset());
        }
        let ambiguous = || Box::new(decide::unavailable(Reason::HostAmbiguous));
        let mut claimants = fleet.hosts.matching(request.host()).flatten();
        let claimant = claimants
            .next()
            .ok_or_else(|| Box::new(decide::not_covered(first)))?;
        // never a winner: with `payroll.example.com` one namespace would take from another a part of
        // its `*.example.com`, and with it the Deny that stands there
        if claimants.any(|other| other != claimant) {
            return Err(ambiguous());
        }
        let index = fleet.order.get(*claimant).ok_or_else(no_ruleset)?;
        let of_index = fleet.hosts_of(index).find(request.host());
        in_term(index, now)?;
        let target = index.taker(of_index, request).map_err(|it| match it {
            Untaken::Ambiguous => ambiguous(),
            Untaken::ByNobody => Box::new(decide::not_covered(index)),
        })?;
        Ok(Place {
            index,
            target,
            foreign: false,
        })
    }

    /// Makes a session of the ID token that a login to the application came back with, received from
    /// the provider itself by who sent the browser with that request.
    ///
    /// # Errors
    /// If the token is not for that login, or there is none.
    pub fn log_in(
        &self,
        (scope, application): (&Scope, &ApplicationId),
        id_token: &str,
        request: AuthenticationRequest<'_>,
        now: UnixTime,
    ) -> Result<Session, NoSession> {
        let fleet = self.fleet.load();
        let index = fleet.by_scope.get(scope).ok_or(NoSession::NoRuleset)?;
        in_term(index, now).map_err(|_| NoSession::NoRuleset)?;
        let target = index.by_id.get(application);
        let target = target.and_then(|&n| index.applications.get(n));
        let target = target.ok_or(NoSession::WithoutLogin)?;
        session::log_in(index, target, id_token, request, now)
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

fn no_ruleset() -> Box<Decision> {
    Box::new(decide::unavailable(Reason::NoRuleset))
}

/// A ruleset past its term decides nothing.
fn in_term(index: &Index, now: UnixTime) -> Result<(), Box<Decision>> {
    match index.term.standing(now) {
        Standing::Fresh | Standing::Stale => Ok(()),
        Standing::Expired => Err(Box::new(Decision {
            ruleset: Some(Arc::clone(&index.id)),
            ..decide::unavailable(Reason::RulesetExpired)
        })),
    }
}

impl Fleet {
    fn new(by_scope: BTreeMap<Scope, Arc<Index>>, shared: bool) -> Self {
        let order: Vec<Arc<Index>> = by_scope.values().cloned().collect();
        let mut fleet = Self {
            by_scope,
            order,
            hosts: Hosts::default(),
            shared,
        };
        let mut hosts = Hosts::default();
        for (place, index) in fleet.order.iter().enumerate() {
            hosts.join(fleet.hosts_of(index), place);
        }
        fleet.hosts = hosts;
        fleet
    }

    /// The hosts that count of a namespace.
    fn hosts_of<'i>(&self, index: &'i Index) -> &'i Hosts {
        if self.shared {
            &index.accepted
        } else {
            &index.hosts
        }
    }
}

#[cfg(test)]
mod tests;
