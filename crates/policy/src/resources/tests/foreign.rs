//! Namespaces, Services and routes.

use super::refused;
use crate::resources::Resources;
use serde_json::json;

#[test]
fn reads_what_policies_speak_of() {
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "shop"}, "spec": {"hostnames": ["a.example"]}});
    let mut accepted = route.clone();
    accepted["kind"] = json!("GRPCRoute");
    accepted["status"] = json!({"parents": [{"conditions": [
        {"type": "ResolvedRefs", "status": "True"}, {"type": "Accepted", "status": "True"}]}]});
    let mut refused = accepted.clone();
    refused["metadata"]["name"] = json!("refused");
    refused["status"]["parents"][0]["conditions"][1]["status"] = json!("False");
    let manifests = [
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "shop", "labels": {"env": "production"}}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "orders", "namespace": "shop"}}),
        json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {"name": "orders", "namespace": "shop"},
            "status": {"url": "https://orders.example"}}),
        route,
        accepted,
        refused,
    ];
    let resources = Resources::read(&manifests).unwrap();
    assert_eq!(resources.namespaces["shop"]["env"], "production");
    let key = ("shop".to_owned(), "orders".to_owned());
    assert!(resources.services.contains(&key));
    assert_eq!(
        resources.knative_services[&key].url.as_deref(),
        Some("https://orders.example")
    );
    let hostnames: Vec<_> = resources.routes.values().map(Vec::len).collect();
    let keys: Vec<_> = resources
        .routes
        .keys()
        .map(|(kind, _, name)| format!("{kind}/{name}"))
        .collect();
    assert_eq!(keys, ["GRPCRoute/r", "GRPCRoute/refused", "HTTPRoute/r"]);
    assert_eq!(
        hostnames,
        [1, 0, 1],
        "a route that no Gateway accepted has no hosts"
    );
}

/// Labels that cannot be read must not become none: no cluster policy would select the namespace.
#[test]
fn labels_and_hostnames_that_cannot_be_read_are_unreadable() {
    for labels in [
        json!(null),
        json!([]),
        json!({"env": true}),
        json!({"env": null}),
    ] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "a", "labels": labels}});
        assert_eq!(refused(&namespace).0, "metadata.labels");
    }
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "r"}, "spec": {"hostnames": [1]}});
    assert_eq!(refused(&route).0, "spec.hostnames");
}
