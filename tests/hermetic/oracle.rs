//! Holds what is compiled and enforced against a naive reading of the same resources.
//!
//! The oracle (`oracle/meaning.rs`, `reach.rs`, `who.rs`) reads manifests, line by line of the page that
//! defines their meaning. Whatever it and the real path (compile, sign, verify, decide) answer
//! differently is a mistake in one of them or a hole in the page.

use serde_json::Value;

mod callers;
mod meaning;
mod mistakes;
mod play;
mod pool;
mod properties;
mod reach;
mod sabotage;
mod scenes;
mod truth;
mod who;

/// A set of resources, as manifests.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) resources: Vec<Value>,
}

/// One request, at an edge that is pinned to an application of a namespace.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) namespace: String,
    /// The application's host.
    pub(crate) application: String,
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) token: Option<Token>,
}

/// A token that verifies, but for its audience.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// `KIND/NAME`.
    pub(crate) provider: String,
    pub(crate) claims: Value,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Allowed,
    Forbidden,
    Unauthenticated,
}

impl World {
    fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources
            .iter()
            .filter(move |resource| resource["kind"] == kind)
    }

    /// The provider of that name; one of a namespace only for that namespace.
    fn provider(&self, id: &str, namespace: Option<&str>) -> Option<&Value> {
        let (kind, name) = id.split_once('/')?;
        let namespace = if kind == "TrustProvider" {
            Some(namespace?)
        } else {
            None
        };
        self.named(kind, name, namespace)
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
