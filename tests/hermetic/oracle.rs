//! Holds what is compiled and enforced against a naive reading of the same resources.
//!
//! The oracle reads manifests as JSON, line by line of the page that defines their meaning, and has no
//! type or function of the crates it is held against. Whatever it and the real path (compile, sign,
//! verify, decide) answer differently is a mistake in one of them or a hole in the page.

use serde_json::Value;

mod callers;
mod conditions;
#[cfg(test)]
mod coverage;
mod entries;
mod facts;
mod language;
mod mcp;
mod meaning;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod more;
#[cfg(not(test))]
pub(crate) mod pairs;
mod play;
mod pool;
mod preset;
#[cfg(test)]
mod properties;
mod reach;
mod routes;
mod rule;
#[cfg(test)]
mod sabotage;
mod scenes;
mod sections;
mod sent;
mod spoil;
mod token;
mod truth;
mod what;
mod when;
mod who;
mod word;

/// A set of resources, as manifests.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) resources: Vec<Value>,
}

/// One request as it is sent to an edge that is pinned to the world's one application.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) namespace: String,
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body, where it was read.
    pub(crate) body: Option<String>,
    /// Whence it comes, where that is established.
    pub(crate) source: Option<String>,
    pub(crate) token: Option<Token>,
}

/// A bearer token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The name of the provider whose key signed it.
    pub(crate) key: String,
    /// `typ` of its header.
    pub(crate) typ: Option<String>,
    pub(crate) claims: Value,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The reason's code.
    pub(crate) reason: &'static str,
    /// The rules of which one or more decided, as `KIND/NAME/RULE`.
    pub(crate) rules: Vec<String>,
    /// What those who only observe would make of it.
    pub(crate) would: Option<&'static str>,
}

impl World {
    fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources
            .iter()
            .filter(move |resource| resource["kind"] == kind)
    }

    /// The application in front of which the edge stands, as `KIND/NAME`: a route, or else the host.
    pub(crate) fn target(&self) -> String {
        let route = self.resources.iter().find(|one| {
            let kind = one["kind"].as_str().unwrap_or_default();
            ["GRPCRoute", "HTTPRoute"].contains(&kind)
        });
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        route.map_or_else(
            || format!("Host/{}", pool::HOST),
            |route| {
                let [kind, name] = [&route["kind"], &route["metadata"]["name"]].map(text);
                format!("{kind}.gateway.networking.k8s.io/{name}")
            },
        )
    }

    /// The role that a `roleRef` names.
    fn role(&self, namespace: Option<&str>, role: &Value) -> Option<&Value> {
        let kind = role
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or("AccessRole");
        let namespace = if kind == "AccessRole" {
            Some(namespace?)
        } else {
            None
        };
        self.named(kind, role["name"].as_str()?, namespace)
    }

    fn named(&self, kind: &str, name: &str, namespace: Option<&str>) -> Option<&Value> {
        let mut all = self.resources.iter();
        all.find(|one| {
            let meta = &one["metadata"];
            one["kind"] == kind && meta["name"] == name && meta["namespace"].as_str() == namespace
        })
    }
}
