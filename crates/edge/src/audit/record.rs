//! What a line is made of: of a decision and its caller only what may be told.

use crate::id::DecisionId;
use countersign_enforcer::decision::{Decision, RuleRef, RulesetRef, Would};
use countersign_ruleset::names::{ApplicationId, ProviderId};
use countersign_ruleset::rules::Audited;
use countersign_ruleset::time::UnixTime;
use http::Method;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// A decision, and what was asked for as far as it can be said for sure.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) id: DecisionId,
    /// When.
    pub(crate) at: UnixTime,
    /// What was decided.
    pub(crate) decision: Decision,
    /// The method.
    pub(crate) method: Method,
    /// The host and the path in their canonical forms; `None` if they have none.
    pub(crate) called: Option<(String, String)>,
    /// Where it comes from, if that is established.
    pub(crate) source: Option<IpAddr>,
}

/// The same without what may not be told: so little waits in the queue that it can be long.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: DecisionId,
    pub(super) at: UnixTime,
    pub(super) permitted: bool,
    pub(super) reason: &'static str,
    /// The status of a denial; what the upstream answers is not known yet.
    pub(super) status: Option<u16>,
    pub(super) rules: Vec<RuleRef>,
    pub(super) would: Option<Would>,
    pub(super) application: Option<ApplicationId>,
    pub(super) ruleset: Option<Arc<RulesetRef>>,
    pub(super) method: Method,
    pub(super) called: Option<(String, String)>,
    pub(super) provider: Option<ProviderId>,
    pub(super) claims: Vec<(String, Audited, Value)>,
    pub(super) actor: Option<Box<str>>,
    pub(super) source: Option<IpAddr>,
}

impl Record {
    pub(super) fn of(entry: Entry) -> Self {
        let decision = entry.decision;
        let permitted = decision.is_permitted();
        let caller = decision.caller.as_ref();
        Self {
            id: entry.id,
            at: entry.at,
            permitted,
            reason: decision.reason.as_str(),
            status: (!permitted).then(|| decision.status()),
            provider: caller.map(|claims| claims.provider().clone()),
            claims: told(&decision),
            actor: caller.and_then(|claims| claims.actor().known().map(Into::into)),
            rules: decision.rules,
            would: decision.would,
            application: decision.application,
            ruleset: decision.ruleset,
            method: entry.method,
            called: entry.called,
            source: entry.source,
        }
    }
}

/// The claims on the list of those that may be told.
fn told(decision: &Decision) -> Vec<(String, Audited, Value)> {
    let (Some(caller), Some(audited)) = (&decision.caller, &decision.audited) else {
        return Vec::new();
    };
    let claim = |(name, form): (&String, &Audited)| {
        let value = caller.claim(std::slice::from_ref(name)).known()?;
        Some((name.clone(), *form, value.clone()))
    };
    audited.iter().filter_map(claim).collect()
}
