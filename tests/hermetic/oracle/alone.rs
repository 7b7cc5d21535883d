//! One namespace, compiled from what concerns it, means what it means among all of them: so that a
//! change in one has only that one compiled anew.

use super::play::readable;
use super::pool::NAMESPACE;
use super::properties::hold;
use super::scenes;
use serde_json::{Value, json};

/// The namespace of the second world.
const OTHER: &str = "elsewhere";

/// What concerns a namespace: its own resources, the cluster's, and the Gateways of all.
fn concerns(resource: &Value, namespace: &str) -> bool {
    let metadata = &resource["metadata"];
    match resource["kind"].as_str() {
        Some("Namespace") => metadata["name"] == namespace,
        Some("Gateway") => true,
        _ => metadata.get("namespace").is_none_or(|it| it == namespace),
    }
}

/// Whether a resource is of no namespace; those of the second world would be of the first, too.
fn is_of_cluster(resource: &Value) -> bool {
    resource["kind"] != "Namespace" && resource["metadata"].get("namespace").is_none()
}

fn moved(mut resource: Value) -> Value {
    let namespaced = resource["metadata"].get("namespace").is_some();
    let field = if namespaced { "namespace" } else { "name" };
    resource["metadata"][field] = json!(OTHER);
    resource
}

#[test]
fn each_namespace_alone_means_what_it_means_among_all() {
    hold((scenes::world(), scenes::world()), |(one, other)| {
        let other = other.resources.iter().filter(|it| !is_of_cluster(it));
        let mut world = one.clone();
        world.resources.extend(other.cloned().map(moved));
        let Some(whole) = readable(&world) else {
            return Ok(());
        };
        for namespace in [NAMESPACE, OTHER] {
            let mut alone = world.clone();
            alone.resources.retain(|it| concerns(it, namespace));
            let alone = readable(&alone).ok_or("alone it cannot be read")?;
            let scope = namespace.parse().map_err(|_| "a scope")?;
            if alone.rulesets.get(&scope) != whole.rulesets.get(&scope) {
                return Err(format!("{namespace}: alone it is another ruleset"));
            }
            if alone.rulesets.len() > 1 {
                return Err(format!("{namespace}: more than one ruleset"));
            }
            for (id, outcome) in &alone.statuses {
                if whole.statuses.get(id) != Some(outcome) {
                    return Err(format!("{id}: alone it is told something else"));
                }
            }
        }
        Ok(())
    });
}
