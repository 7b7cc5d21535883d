//! What the Gateways that a route asks say of it.
//!
//! A Gateway that has not spoken yet, or of an earlier generation, has neither accepted the route nor
//! refused it: it may already send it requests, and so take them from the other routes of the host.

use super::{Parent, Standing};
use serde_json::Value;
use std::collections::BTreeSet;

/// An acceptance of an earlier generation says nothing of the hostnames that are there now.
pub(super) fn standing(namespace: &str, manifest: &Value) -> Standing {
    let written = manifest.pointer("/status/parents");
    if !written.is_some_and(Value::is_array) {
        return Standing::Unseen;
    }
    let accepting = || parents(manifest).filter_map(acceptance);
    if accepting().any(|condition| is_current(manifest, condition)) {
        Standing::Accepted
    } else if accepting().next().is_some() {
        Standing::Unseen
    } else if is_settled(namespace, manifest) {
        Standing::Refused
    } else {
        Standing::Pending
    }
}

/// The Gateways that accepted it; `None` is a parent of another kind, of which nothing is known.
pub(super) fn accepted_by(namespace: &str, manifest: &Value) -> Vec<Option<Parent>> {
    parents(manifest)
        .filter(|it| acceptance(it).is_some())
        .map(|it| gateway(namespace, it.get("parentRef")?))
        .collect()
}

/// Whether each Gateway that it asks has accepted or refused it as it is now.
pub(super) fn is_settled(namespace: &str, manifest: &Value) -> bool {
    let mut answered = BTreeSet::new();
    for parent in parents(manifest) {
        if !is_answer(manifest, parent) {
            return false;
        }
        answered.insert(parent.get("parentRef").map(|it| identity(namespace, it)));
    }
    let asked = manifest.pointer("/spec/parentRefs");
    let mut asked = asked.and_then(Value::as_array).into_iter().flatten();
    !answered.is_empty() && asked.all(|it| answered.contains(&Some(identity(namespace, it))))
}

fn parents(manifest: &Value) -> impl Iterator<Item = &Value> {
    let written = manifest.pointer("/status/parents");
    written.and_then(Value::as_array).into_iter().flatten()
}

/// The Gateway that a reference to a parent names, if it is one and can be read.
fn gateway(namespace: &str, reference: &Value) -> Option<Parent> {
    let field = |name: &str| reference.get(name).filter(|it| !it.is_null());
    let is = |name: &str, default: &str| field(name).is_none_or(|it| it == default);
    let text = |name: &str| match field(name) {
        None => Some(None),
        Some(written) => written.as_str().map(|it| Some(it.to_owned())),
    };
    let is_gateway = is("group", "gateway.networking.k8s.io") && is("kind", "Gateway");
    is_gateway.then_some(())?;
    Some(Parent {
        namespace: text("namespace")?.unwrap_or_else(|| namespace.to_owned()),
        name: text("name")??,
        section: text("sectionName")?,
        port: match field("port") {
            None => None,
            Some(written) => Some(written.as_u64()?),
        },
    })
}

/// What a reference to a parent says, its defaults filled in: a controller may write them out.
fn identity(namespace: &str, reference: &Value) -> String {
    let part = |name: &str, default: &str| {
        let written = reference.get(name).filter(|it| !it.is_null());
        written.cloned().unwrap_or_else(|| default.into())
    };
    let parts = [
        part("group", "gateway.networking.k8s.io"),
        part("kind", "Gateway"),
        part("namespace", namespace),
        part("name", ""),
        part("sectionName", ""),
        part("port", ""),
    ];
    Value::from(parts.to_vec()).to_string()
}

/// The condition by which a Gateway accepts it.
fn acceptance(parent: &Value) -> Option<&Value> {
    words(parent).find(|it| is(it, "True"))
}

/// Whether a Gateway has accepted or refused it as it is now.
fn is_answer(manifest: &Value, parent: &Value) -> bool {
    let mut words = words(parent).peekable();
    words.peek().is_some()
        && words.all(|it| (is(it, "True") || is(it, "False")) && is_current(manifest, it))
}

fn words(parent: &Value) -> impl Iterator<Item = &Value> {
    let conditions = parent.get("conditions").and_then(Value::as_array);
    let conditions = conditions.into_iter().flatten();
    conditions.filter(|it| it.get("type").and_then(Value::as_str) == Some("Accepted"))
}

fn is(condition: &Value, status: &str) -> bool {
    condition.get("status").and_then(Value::as_str) == Some(status)
}

fn is_current(manifest: &Value, condition: &Value) -> bool {
    let generation = manifest.pointer("/metadata/generation");
    let of = condition.get("observedGeneration");
    generation.is_none() || of.is_none() || of == generation
}
