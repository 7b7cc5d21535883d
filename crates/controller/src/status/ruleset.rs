//! The Ruleset of a namespace: what is published, who has it in force, and what nothing covers.

use super::condition::{self, Programmed};
use super::edges::Edges;
use crate::publication::Published;
use crate::watch::{Kind, Object};
use countersign_policy::v1alpha1::RulesetStatus;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Its name: there is one in a namespace.
pub(crate) const NAME: &str = "countersign";

/// The most targets that are named.
const MEMBERS: usize = 256;

/// How the ruleset of a namespace stands.
#[derive(Debug)]
pub(crate) struct Stands<'s> {
    /// What is published.
    pub(crate) published: Option<&'s Published>,
    /// Whether that is what was asked for.
    pub(crate) programmed: &'s Programmed,
    /// Who has it in force.
    pub(crate) edges: &'s Edges,
    /// What is wrong with other places that it is published to; `None`, if there are none.
    pub(crate) mirrors: Option<Vec<String>>,
}

/// Its status: what was there before keeps its times, and what it says of what is published, if
/// nothing was.
pub(crate) fn of(
    stands: &Stands<'_>,
    uncovered: Vec<String>,
    before: &RulesetStatus,
    now: Timestamp,
) -> RulesetStatus {
    let place = stands.published.map(|it| (it.trust, it.serial));
    let in_force = stands.edges.in_force(place);
    let said = condition::of_ruleset(stands.programmed, in_force, stands.mirrors.as_deref());
    let generation = 1;
    let mut status = RulesetStatus {
        conditions: condition::dated(&before.conditions, &said, generation, now),
        edges: Some(stands.edges.told.clone()),
        uncovered,
        ..before.clone()
    };
    if let Some(published) = stands.published {
        status.serial = i64::try_from(published.serial).ok();
        status.digest = Some(published.digest.to_string());
        status.expires_at = Some(published.expires_at.to_string());
    }
    status
}

/// The targets of a namespace that no policy which is enforced names.
pub(crate) fn uncovered(objects: &[Arc<Object>]) -> Vec<String> {
    let policies = objects.iter().filter(|it| it.kind == Kind::AccessPolicy);
    let enforced = policies.filter(|it| text(&it.manifest, "/spec/mode") != Some("Observe"));
    let named: BTreeSet<String> = enforced.flat_map(|it| targets(&it.manifest)).collect();
    let mut uncovered: Vec<String> = objects
        .iter()
        .filter_map(|it| as_target(it))
        .filter(|it| !named.contains(it))
        .collect();
    uncovered.sort();
    uncovered.truncate(MEMBERS);
    uncovered
}

/// What a target is called: `Service/web`, `HTTPRoute.gateway.networking.k8s.io/shop`.
fn as_target(object: &Object) -> Option<String> {
    let group = match object.kind {
        // Knative makes some for each service of its own; nobody but Knative names them
        Kind::Service if object.of_knative => return None,
        Kind::Service => "",
        Kind::KnativeService => "serving.knative.dev",
        Kind::GrpcRoute | Kind::HttpRoute => "gateway.networking.k8s.io",
        Kind::ClusterAccessPolicy
        | Kind::ClusterAccessRole
        | Kind::ClusterTrustProvider
        | Kind::AccessPolicy
        | Kind::AccessRole
        | Kind::TrustProvider
        | Kind::Ruleset
        | Kind::Namespace
        | Kind::Gateway
        | Kind::EndpointSlice => return None,
    };
    Some(target(group, object.kind.as_str(), &object.name))
}

fn target(group: &str, kind: &str, name: &str) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group}/{name}")
}

/// What the targets of a policy are called.
pub(super) fn targets(manifest: &Value) -> Vec<String> {
    let targets = manifest
        .pointer("/spec/targetRefs")
        .and_then(Value::as_array);
    let named = targets.into_iter().flatten().filter_map(|it| {
        let (group, kind) = (text(it, "/group")?, text(it, "/kind")?);
        Some(target(group, kind, text(it, "/name")?))
    });
    named.collect()
}

fn text<'m>(manifest: &'m Value, pointer: &str) -> Option<&'m str> {
    manifest.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::uncovered;
    use crate::watch::{Kind, Object};
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn object(kind: Kind, name: &str, more: &Value) -> Arc<Object> {
        let mut written = json!({"metadata": {"namespace": "shop", "name": name}});
        for (name, value) in more.as_object().into_iter().flatten() {
            written[name] = value.clone();
        }
        let object = serde_json::from_value(written).unwrap();
        Arc::new(Object::of(kind, object).unwrap())
    }

    #[test]
    fn what_no_policy_names_or_only_an_observed_one_is_uncovered() {
        let policy = |name: &str, mode: &str, target: &str| {
            let target = json!({"group": "", "kind": "Service", "name": target});
            let spec = json!({"mode": mode, "targetRefs": [target], "rules": []});
            object(Kind::AccessPolicy, name, &json!({"spec": spec}))
        };
        let objects = [
            object(Kind::Service, "orders", &json!({})),
            object(Kind::Service, "billing", &json!({})),
            object(Kind::Service, "search", &json!({})),
            object(Kind::KnativeService, "orders", &json!({})),
            object(Kind::HttpRoute, "shop", &json!({"spec": {}})),
            policy("orders", "Enforce", "orders"),
            policy("search", "Observe", "search"),
        ];
        let expected = [
            "HTTPRoute.gateway.networking.k8s.io/shop",
            "Service.serving.knative.dev/orders",
            "Service/billing",
            "Service/search",
        ];
        assert_eq!(uncovered(&objects), expected);
    }
}
