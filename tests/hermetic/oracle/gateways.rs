//! The oracle's reading of Gateways: which of a route's hostnames are its own, and which may be.

use super::World;
use super::hosts::both;
use super::meaning::list;
use super::pool::NAMESPACE;
use super::truth::{Truth, every, text};
use serde_json::{Value, json};

/// What the Gateways say of a route.
#[derive(PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing yet.
    Waiting,
    Refused,
    /// That it is for its hosts, or there is nobody who would say it.
    Counts,
}

impl World {
    /// The hosts of a route: its hostnames, as far as a listener that takes it is for them. If one cannot
    /// be read, the others are not the whole.
    pub(crate) fn hosts(&self, route: &Value) -> Vec<String> {
        let Some(names) = hostnames(route).filter(|_| heard(route) == Heard::Counts) else {
            return Vec::new();
        };
        let Some(listeners) = self.listeners(route) else {
            return names;
        };
        let mut hosts = Vec::new();
        for (listener, takes) in listeners {
            match listener.get("hostname").and_then(Value::as_str) {
                _ if takes != Some(true) => {}
                // Of a listener for every host a route without hostnames has any: none that is known.
                None if names.is_empty() => return Vec::new(),
                None => hosts.extend(names.clone()),
                Some(host) if names.is_empty() => hosts.push(host.to_owned()),
                Some(host) => hosts.extend(names.iter().filter_map(|name| both(name, host))),
            }
        }
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// For which hosts it may be beside: all that it names, as long as it cannot be told. `None` is any.
    pub(crate) fn perhaps(&self, route: &Value) -> Option<Vec<String>> {
        let hosts = self.hosts(route);
        let listeners = self.listeners(route).unwrap_or_default();
        let told = listeners.iter().all(|(_, takes)| takes.is_some());
        let strange = accepting(route).any(|one| gateway(one).is_none());
        if is_settled(route) && told && !strange {
            return (!hosts.is_empty()).then(Vec::new);
        }
        let names = hostnames(route).filter(|names| !names.is_empty())?;
        Some(names.into_iter().filter(|it| !hosts.contains(it)).collect())
    }

    /// The listeners of the Gateways that accepted a route, and whether each takes it; nothing if one of
    /// the Gateways is not seen, or there is none.
    fn listeners<'a>(&'a self, route: &'a Value) -> Option<Vec<(&'a Value, Truth)>> {
        let mut all = Vec::new();
        let gateways: Vec<_> = accepting(route).filter_map(gateway).collect();
        for parent in &gateways {
            let namespace = parent["namespace"].as_str().unwrap_or(NAMESPACE);
            let manifest = self.named("Gateway", text(parent, "name"), Some(namespace))?;
            let of_it = list(&manifest["spec"], "listeners").iter();
            all.extend(of_it.map(|one| (one, self.is_taken(route, one, parent, namespace))));
        }
        (!gateways.is_empty()).then_some(all)
    }

    /// Whether a listener takes a route: by its name, its port, its protocol, the kinds and the namespaces
    /// that it allows.
    fn is_taken(&self, route: &Value, listener: &Value, parent: &Value, of: &str) -> Truth {
        let same = |name: &str, field: &str| {
            Some(
                parent
                    .get(name)
                    .is_none_or(|it| listener.get(field) == Some(it)),
            )
        };
        let allowed = &listener["allowedRoutes"];
        let kinds = allowed.get("kinds").map(|_| list(allowed, "kinds"));
        every([
            same("sectionName", "name"),
            same("port", "port"),
            match text(listener, "protocol") {
                "HTTP" | "HTTPS" => Some(true),
                "TLS" | "TCP" => Some(false),
                _ => None,
            },
            Some(kinds.is_none_or(|kinds| kinds.iter().any(|one| one["kind"] == route["kind"]))),
            match allowed["namespaces"]["from"].as_str() {
                None | Some("Same") => Some(of == NAMESPACE),
                Some("All") => Some(true),
                Some("None") => Some(false),
                Some(_) => {
                    let selector = &allowed["namespaces"]["selector"];
                    self.selects(&json!({"namespaceSelector": selector}), NAMESPACE)
                }
            },
        ])
    }
}

/// The hostnames of a route; nothing if one of them is none.
fn hostnames(route: &Value) -> Option<Vec<String>> {
    let names: Option<Vec<&str>> = list(&route["spec"], "hostnames")
        .iter()
        .map(Value::as_str)
        .collect();
    let names = names.unwrap_or_default().into_iter();
    names
        .map(|name| (name == name.to_lowercase()).then(|| name.to_owned()))
        .collect()
}

/// What the Gateways that a route asks say of it as it is now. One that accepted it as it was has not
/// taken that back.
pub(crate) fn heard(route: &Value) -> Heard {
    match () {
        () if !route["status"]["parents"].is_array() => Heard::Counts,
        () if accepting(route).next().is_some() => Heard::Counts,
        () if is_settled(route) => Heard::Refused,
        () => Heard::Waiting,
    }
}

fn parents(route: &Value) -> &[Value] {
    list(&route["status"], "parents")
}

fn words(parent: &Value) -> impl Iterator<Item = &Value> {
    let conditions = list(parent, "conditions").iter();
    conditions.filter(|one| one["type"] == "Accepted")
}

fn accepting(route: &Value) -> impl Iterator<Item = &Value> {
    let accepts = |parent: &&Value| words(parent).any(|one| one["status"] == "True");
    parents(route).iter().filter(accepts)
}

/// Whether each Gateway that it asks has accepted or refused it, as it is now.
fn is_settled(route: &Value) -> bool {
    let now = route["metadata"].get("generation");
    let is_now = |word: &Value| {
        let of = word.get("observedGeneration");
        now.is_none() || of.is_none() || of == now
    };
    let answers = |parent: &Value| {
        let mut all = words(parent);
        words(parent).next().is_some()
            && all.all(|one| (one["status"] == "True" || one["status"] == "False") && is_now(one))
    };
    let mut asked = list(&route["spec"], "parentRefs").iter();
    let heard = |one: &Value| {
        parents(route)
            .iter()
            .any(|parent| parent["parentRef"] == *one)
    };
    !parents(route).is_empty() && parents(route).iter().all(answers) && asked.all(heard)
}

/// The Gateway that a parent is, if it is one.
fn gateway(parent: &Value) -> Option<&Value> {
    let reference = parent.get("parentRef")?;
    let is = reference.get("kind").is_none_or(|kind| kind == "Gateway");
    is.then_some(reference)
}
