//! Holds what is compiled and enforced against a naive reading of the same resources.
//!
//! The oracle reads manifests as JSON, line by line of the page that defines their meaning, and has no
//! type or function of the crates it is held against. Whatever it and the real path (compile, sign,
//! verify, decide) answer differently is a mistake in one of them or a hole in the page.

use serde_json::Value;

mod aims;
#[cfg(test)]
mod alone;
mod around;
mod browsers;
mod callers;
mod conditions;
#[cfg(test)]
mod coverage;
mod entries;
mod facts;
mod faults;
mod gateways;
mod hosts;
mod language;
mod login;
mod mcp;
mod meaning;
mod memory;
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
mod provider;
mod reach;
mod recast;
mod routes;
mod rule;
#[cfg(test)]
mod sabotage;
mod scenes;
mod sections;
mod sent;
mod sessions;
mod shapes;
mod spoil;
mod token;
#[cfg(test)]
mod trust;
mod truth;
mod what;
mod when;
mod who;
mod word;

/// A set of resources, as manifests.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) resources: Vec<Value>,
    /// The application to which the edge is pinned; none, if it goes by the host that is called.
    pub(crate) edge: Option<String>,
}

/// One request as it is sent to an edge.
#[derive(Debug, Clone, PartialEq)]
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
    /// What a browser keeps of a login.
    pub(crate) session: Option<Session>,
}

/// A bearer token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// The name of the provider whose key signed it.
    pub(crate) key: String,
    /// `typ` of its header.
    pub(crate) typ: Option<String>,
    /// The header that carries it, if it is not `Authorization`.
    pub(crate) header: Option<&'static str>,
    pub(crate) claims: Value,
}

/// A session: somebody logged in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    /// At which provider, as `KIND/NAME`.
    pub(crate) by: String,
    /// As whose client.
    pub(crate) client: String,
    /// What was asked for.
    pub(crate) scopes: Vec<String>,
    /// What came of it.
    pub(crate) id_token: Token,
    pub(crate) made_at: i64,
    pub(crate) made_for: MadeFor,
}

/// The application that a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeFor {
    ThisOne,
    OtherApplication,
    /// One of this name in another namespace.
    OtherNamespace,
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
    /// At which provider a browser is to log in, as `KIND/NAME`.
    pub(crate) login: Option<String>,
}

impl World {
    fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources
            .iter()
            .filter(move |resource| resource["kind"] == kind)
    }

    /// The application in front of which the edge stands, as `KIND/NAME`.
    pub(crate) fn target(&self) -> String {
        self.edge.clone().unwrap_or_default()
    }

    /// The same resources, with an edge in front of that application.
    fn at(&self, target: String) -> Self {
        Self {
            resources: self.resources.clone(),
            edge: Some(target),
        }
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
