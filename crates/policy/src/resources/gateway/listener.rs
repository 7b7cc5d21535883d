//! One listener of a Gateway: which routes it takes, by protocol, kind, namespace and reference.

use super::Parent;
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use serde_json::Value;
use std::collections::BTreeMap;

/// The label that every namespace has.
const NAME: &str = "kubernetes.io/metadata.name";

const GROUP: &str = "gateway.networking.k8s.io";

/// One listener of a Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    name: Option<String>,
    port: Option<u64>,
    /// `None` is every host.
    pub(super) hostname: Option<String>,
    /// Whether its protocol carries HTTP that is read here.
    http: Kleene,
    /// The kinds that it takes of those its protocol carries; `None` is all of them.
    kinds: Option<BTreeMap<String, Kleene>>,
    from: From,
}

/// The routes of which namespaces it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    All,
    Same,
    None,
    Labelled(BTreeMap<String, String>),
    /// That cannot be told.
    Unknown,
}

/// A route that asks to be attached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    /// The labels of its namespace, if that is among the manifests.
    pub(super) labels: Option<&'a BTreeMap<String, String>>,
}

impl Listener {
    /// Of one that cannot be read it is not known what it takes.
    pub(super) fn read(written: &Value) -> Self {
        let text = |name: &str| written.get(name).and_then(Value::as_str).map(str::to_owned);
        let (name, hostname) = (text("name"), text("hostname"));
        let is_read = name.is_some() && (hostname.is_some() || written.get("hostname").is_none());
        Self {
            name,
            port: written.get("port").and_then(Value::as_u64),
            hostname: hostname.filter(|it| !it.is_empty()),
            http: http(written),
            kinds: kinds(written),
            from: if is_read {
                from(written)
            } else {
                From::Unknown
            },
        }
    }

    /// Whether the route is attached to it by that reference.
    pub(super) fn takes(&self, parent: &Parent, route: Asking<'_>) -> Kleene {
        let section = parent.section.as_ref();
        let named = section.is_none_or(|it| Some(it) == self.name.as_ref());
        let at = parent.port.is_none_or(|it| Some(it) == self.port);
        let kind = self.kinds.as_ref().map_or(True, |kinds| {
            let wanted = [route.kind, ""].into_iter();
            Kleene::any(wanted.filter_map(|it| kinds.get(it).copied()))
        });
        let from = self.from.takes(parent.namespace == route.namespace, route);
        Kleene::all([named.into(), at.into(), self.http, kind, from])
    }
}

/// "Matching routes MUST be of a kind that the protocol supports": no HTTP goes through TLS that the
/// Gateway does not end, or through TCP.
fn http(listener: &Value) -> Kleene {
    match listener.get("protocol").and_then(Value::as_str) {
        Some("HTTP") => True,
        Some("HTTPS") => match listener.pointer("/tls/mode").map(Value::as_str) {
            None | Some(Some("Terminate")) => True,
            Some(Some("Passthrough")) => False,
            Some(_) => Unknown,
        },
        Some("TLS" | "TCP" | "UDP") => False,
        // one of an implementation's own, or none
        _ => Unknown,
    }
}

/// `allowedRoutes.kinds`; what cannot be read may be any kind, and stands as `""`.
fn kinds(listener: &Value) -> Option<BTreeMap<String, Kleene>> {
    let unread = || (String::new(), Unknown);
    let kind = |written: &Value| {
        let of = |group: &Value| group == GROUP;
        let name = written.get("kind").and_then(Value::as_str);
        match (written.get("group"), name) {
            (group, Some(name)) if group.is_none_or(of) => (name.to_owned(), True),
            (Some(Value::String(_)), Some(_)) => (String::new(), False),
            _ => unread(),
        }
    };
    match listener.pointer("/allowedRoutes/kinds")? {
        Value::Array(written) if written.is_empty() => None,
        Value::Array(written) => {
            let mut kinds = BTreeMap::new();
            for (name, known) in written.iter().map(kind) {
                let at = kinds.entry(name).or_insert(False);
                *at = known.or(*at);
            }
            Some(kinds)
        }
        _ => Some(BTreeMap::from([unread()])),
    }
}

/// `allowedRoutes.namespaces`; the default is the Gateway's own.
fn from(listener: &Value) -> From {
    let written = listener.pointer("/allowedRoutes/namespaces");
    match written.and_then(|it| it.get("from")).map(Value::as_str) {
        None | Some(Some("Same")) => From::Same,
        Some(Some("All")) => From::All,
        Some(Some("None")) => From::None,
        Some(Some("Selector")) => {
            let selector = written.and_then(|it| it.get("selector")?.as_object());
            let labels = selector.filter(|it| it.keys().all(|name| name == "matchLabels"));
            let labels = labels.and_then(|it| it.get("matchLabels")?.as_object());
            let pair =
                |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.into()));
            let labels = labels.and_then(|it| it.iter().map(pair).collect());
            labels.map_or(From::Unknown, From::Labelled)
        }
        Some(_) => From::Unknown,
    }
}

impl From {
    fn takes(&self, same: bool, route: Asking<'_>) -> Kleene {
        match self {
            Self::All => True,
            Self::Same => same.into(),
            Self::None => False,
            Self::Unknown => Unknown,
            Self::Labelled(wanted) => Kleene::all(wanted.iter().map(|(key, value)| {
                if key == NAME {
                    // every namespace has it, also one that is not among the manifests
                    return (value == route.namespace).into();
                }
                let labels = route.labels;
                labels.map_or(Unknown, |it| (it.get(key) == Some(value)).into())
            })),
        }
    }
}
