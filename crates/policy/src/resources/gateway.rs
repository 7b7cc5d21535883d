//! Gateways: which of a route's hostnames are its own, where the Gateway that accepted it is known.
//!
//! To accept a route is not to give it each of its hostnames: "hostnames that do not match the
//! Listener's MUST be ignored". Or a route that was accepted for one host could claim any other.

use super::Resources;
use super::route::{Parent, Route, Standing};
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::Misnamed;
use countersign_ruleset::rules::Pending;
use serde_json::Value;
use std::collections::BTreeSet;

mod listener;

use listener::Asking;
pub(crate) use listener::Listener;

/// The listeners of a Gateway.
pub(super) fn listeners(manifest: &Value) -> Vec<Listener> {
    let written = manifest
        .pointer("/spec/listeners")
        .and_then(Value::as_array);
    written.into_iter().flatten().map(Listener::read).collect()
}

impl Resources {
    /// The hosts that a route answers for, as far as they are known: none, if no Gateway accepted it;
    /// those of its listeners, if the Gateways are known that did; and if one hostname cannot be
    /// read, the others are not the whole.
    pub(crate) fn hosts_of(
        &self,
        namespace: &str,
        route: &Route,
    ) -> Result<Vec<HostPattern>, Misnamed> {
        if matches!(route.standing, Standing::Pending | Standing::Refused) {
            return Ok(Vec::new());
        }
        let names = route.hostnames.iter().map(|name| name.parse());
        let names: Vec<HostPattern> = names.collect::<Result<_, _>>()?;
        let Some(listeners) = self.listeners(namespace, route) else {
            return Ok(names);
        };
        let mut hosts = Vec::new();
        for (listener, _) in listeners.iter().filter(|(_, takes)| takes.allows()) {
            let hostname = listener.hostname.as_deref().map(str::parse).transpose()?;
            match hostname {
                // a route without hostnames takes its listener's, and of one without takes any
                None if names.is_empty() => return Ok(Vec::new()),
                None => hosts.extend(names.iter().cloned()),
                Some(hostname) if names.is_empty() => hosts.push(hostname),
                Some(hostname) => hosts.extend(names.iter().filter_map(|it| both(it, &hostname))),
            }
        }
        hosts.sort();
        hosts.dedup();
        Ok(hosts)
    }

    /// For which hosts it may be beside these that are known: as long as one of the Gateways that it
    /// asks has not spoken, or it cannot be told what accepted it, for all that it names. A new route, or one that was changed, takes what its Gateway sends it before anybody can read
    /// here that it does.
    pub(crate) fn pending(
        &self,
        namespace: &str,
        route: &Route,
        known: &[HostPattern],
    ) -> Option<Pending> {
        let listeners = self.listeners(namespace, route).unwrap_or_default();
        let is_told = |(_, takes): &(_, Kleene)| *takes != Kleene::Unknown;
        let is_known =
            listeners.iter().all(is_told) && route.accepted_by.iter().all(Option::is_some);
        if route.settled && is_known {
            return None;
        }
        let names = route.hostnames.iter().map(|name| name.parse());
        let Ok(names) = names.collect::<Result<Vec<HostPattern>, _>>() else {
            return Some(Pending::Any);
        };
        if names.is_empty() {
            return Some(Pending::Any);
        }
        let known: BTreeSet<_> = known.iter().collect();
        let left: BTreeSet<_> = names.into_iter().filter(|it| !known.contains(it)).collect();
        (!left.is_empty()).then(|| Pending::Hosts(left.into_iter().collect()))
    }

    /// The listeners of the Gateways that accepted a route, and whether each takes it; `None` if they
    /// are not all known, or there is none.
    fn listeners(&self, namespace: &str, route: &Route) -> Option<Vec<(&Listener, Kleene)>> {
        let asking = Asking {
            kind: &route.kind,
            namespace,
            labels: self.namespaces.get(namespace),
        };
        let mut listeners = Vec::new();
        let gateways: Vec<_> = route.accepted_by.iter().flatten().collect();
        for parent in &gateways {
            let key = (parent.namespace.clone(), parent.name.clone());
            let all = self.gateways.get(&key)?.iter();
            listeners.extend(all.map(|it| (it, it.takes(parent, asking))));
        }
        (!gateways.is_empty()).then_some(listeners)
    }
}

/// The hosts of both: of two patterns that overlap, the narrower.
fn both(one: &HostPattern, other: &HostPattern) -> Option<HostPattern> {
    let narrower =
        |wide: &HostPattern, narrow: &HostPattern| wide.covers(narrow).then(|| narrow.clone());
    narrower(one, other).or_else(|| narrower(other, one))
}

#[cfg(test)]
mod tests;
