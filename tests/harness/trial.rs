//! The whole path in memory: manifests are read, compiled, signed, verified, and requests decided.

use crate::publish::Installation;
use countersign_enforcer::request::Request;
use countersign_enforcer::store::{Enforcer, Target};
use countersign_policy::{Compilation, Resources, compile};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::collections::BTreeMap;

/// What time it is: 2026-11-24T12:00:00Z.
pub const NOW: UnixTime = UnixTime(1_795_521_600);

/// An edge that is pinned to one application of one namespace.
#[derive(Debug)]
pub struct Trial {
    enforcer: Enforcer,
}

/// A decision, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The reason's code.
    pub reason: String,
    /// The status of the answer; 200 where the request is let in.
    pub status: u16,
    /// The rules that decided, as `AccessPolicy/NAME/RULE`.
    pub rules: Vec<String>,
}

/// Reads and compiles manifests whose providers have inline keys.
///
/// # Panics
/// If they cannot be read.
pub fn compiled(resources: &[Value]) -> Compilation {
    let resources = Resources::read(resources)
        .unwrap_or_else(|unreadable| panic!("they cannot be read: {unreadable:?}"));
    compile(&resources, &BTreeMap::new())
}

impl Trial {
    /// Puts what the manifests mean for a namespace in force at an edge in front of `KIND/NAME`.
    ///
    /// # Panics
    /// If the manifests cannot be read, or what comes of them is refused.
    pub fn of(resources: &[Value], scope: &str, target: &str) -> Self {
        Self::from(&compiled(resources), scope, target)
    }

    /// The same, of what was compiled. A namespace without a ruleset leaves the edge without one.
    ///
    /// # Panics
    /// If the ruleset is refused.
    pub fn from(compilation: &Compilation, scope: &str, target: &str) -> Self {
        let scope: Scope = scope.parse().expect("a scope");
        let target = Target::Application(target.parse().expect("KIND/NAME"));
        let enforcer = Enforcer::new(target, vec![scope.clone()]);
        if let Some(compiled) = compilation.rulesets.get(&scope) {
            let ruleset = Installation::new(NOW).publish(&compiled.rules, &compiled.keys, NOW);
            enforcer.install(ruleset.expect("the verifier takes what was compiled"));
        }
        Self { enforcer }
    }

    /// Decides a request, of which only the head is looked at.
    pub fn decide(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Outcome {
        let decision = match Request::new(method, uri, headers, None) {
            Ok(request) => self.enforcer.decide(&request, NOW),
            Err(malformed) => self.enforcer.refuse(malformed),
        };
        let rules = decision.rules.iter();
        Outcome {
            reason: decision.reason.as_str().to_owned(),
            status: decision.status(),
            rules: rules
                .map(|rule| format!("{}/{}", rule.policy, rule.rule))
                .collect(),
        }
    }
}
