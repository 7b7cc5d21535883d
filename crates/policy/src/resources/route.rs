//! Routes of Gateway API: for which hosts they are, and what each of their rules takes.
//!
//! A route is written by others, and not refused for what cannot be read in it: a match that cannot be
//! read may take anything. What it takes by precedence is worked out in `lower/section.rs`.

use crate::field::described;
use countersign_ruleset::rules::SectionMatch;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

mod matches;
mod status;

/// The most rules that are read of one route: four times what Gateway API allows.
const MOST_RULES: usize = 64;

/// The most matches of all its rules: eight times.
const MOST_MATCHES: usize = 1_024;

/// What matters of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// `HTTPRoute` or `GRPCRoute`.
    pub(crate) kind: String,
    /// The hostnames, as they are written.
    pub(crate) hostnames: Vec<String>,
    /// What the Gateways that it asks say of it.
    pub(crate) standing: Standing,
    /// Whether each of them has said what it makes of the route as it is now.
    pub(crate) settled: bool,
    /// The Gateways that accepted it; `None` is a parent of another kind.
    pub(crate) accepted_by: Vec<Option<Parent>>,
    /// Its rules, in order; or why they cannot be read.
    pub(crate) rules: Result<Vec<RouteRule>, Unread>,
    /// Which of its sections cannot be told for every request, and why: found out once, where a policy
    /// asks.
    pub(crate) unclear: OnceLock<BTreeMap<String, String>>,
}

/// What the Gateways say of a route, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing, or nothing of it as it is now.
    Unseen,
    /// One of them accepted it.
    Accepted,
    /// None of them did yet: it answers for no host, and may already take what is sent to one.
    Pending,
    /// All of them refused it as it is now.
    Refused,
}

/// A Gateway, or one listener of it, that accepted a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The listener; `None` is every one.
    pub(crate) section: Option<String>,
    /// The port of its listeners; `None` is every one.
    pub(crate) port: Option<u64>,
}

/// Why the rules of a route cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There are more than anyone writes.
    TooMany(String),
    /// They are no list.
    NoList(String),
}

/// One rule of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RouteRule {
    /// Its name, by which a policy refers to it.
    pub(crate) name: Option<String>,
    /// What it takes, one sufficing.
    pub(crate) matches: Vec<RouteMatch>,
    /// The core Services of the same namespace that it sends to.
    pub(crate) services: BTreeSet<String>,
}

/// One match of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteMatch {
    /// In the form that is signed.
    pub(crate) takes: SectionMatch,
    /// Whether it is a prefix that is written with a slash at its end: some count that slash when
    /// they look for the longest, and some do not.
    pub(crate) slash: bool,
    /// What makes it unclear, for a person.
    pub(crate) unclear: Option<String>,
}

impl Route {
    /// Reads it. What is no list of texts is no hostname: so it gives none, and may be for any host.
    pub(super) fn read(kind: &str, namespace: &str, manifest: &Value) -> Self {
        Self {
            kind: kind.to_owned(),
            hostnames: hostnames(manifest),
            standing: status::standing(namespace, manifest),
            settled: status::is_settled(namespace, manifest),
            accepted_by: status::accepted_by(namespace, manifest),
            rules: rules(kind, namespace, manifest.pointer("/spec/rules")),
            unclear: OnceLock::new(),
        }
    }
}

impl Route {
    /// The rules of that name. More than one is a mistake, and none is too.
    pub(crate) fn named(&self, name: &str) -> Result<Vec<&RouteRule>, &Unread> {
        let rules = self.rules.as_ref()?.iter();
        Ok(rules
            .filter(|it| it.name.as_deref() == Some(name))
            .collect())
    }
}

fn hostnames(manifest: &Value) -> Vec<String> {
    let written = manifest.pointer("/spec/hostnames");
    written
        .and_then(|written| Vec::deserialize(written).ok())
        .unwrap_or_default()
}

fn rules(kind: &str, namespace: &str, written: Option<&Value>) -> Result<Vec<RouteRule>, Unread> {
    let all = [Value::Object(Map::new())];
    let written = match written {
        // "the default is a prefix path match on `/`"
        None => all.as_slice(),
        Some(Value::Array(rules)) => rules.as_slice(),
        Some(other) => {
            let got = described(other);
            return Err(Unread::NoList(format!(
                "expected a list of rules, got {got}"
            )));
        }
    };
    let most = |most: usize, what: &str, got: usize| {
        let message = format!("expected at most {most} {what}, got {got}");
        if got > most {
            Err(Unread::TooMany(message))
        } else {
            Ok(())
        }
    };
    most(MOST_RULES, "rules", written.len())?;
    let matches = written
        .iter()
        .filter_map(|rule| rule.get("matches")?.as_array());
    most(MOST_MATCHES, "matches", matches.map(Vec::len).sum())?;
    Ok(written
        .iter()
        .map(|rule| one(kind, namespace, rule))
        .collect())
}

fn one(kind: &str, namespace: &str, rule: &Value) -> RouteRule {
    let backends = rule.get("backendRefs").and_then(Value::as_array);
    let services = backends.into_iter().flatten();
    RouteRule {
        name: rule.get("name").and_then(Value::as_str).map(str::to_owned),
        matches: matches::of(kind, rule),
        services: services.filter_map(|it| service(namespace, it)).collect(),
    }
}

fn service(namespace: &str, backend: &Value) -> Option<String> {
    let is = |name: &str, default: &str| match backend.get(name) {
        None => true,
        Some(written) => written == default,
    };
    let name = backend.get("name").and_then(Value::as_str)?;
    (is("group", "") && is("kind", "Service") && is("namespace", namespace))
        .then(|| name.to_owned())
}
