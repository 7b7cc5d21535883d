//! Namespaces, Services and routes.

use super::refused;
use crate::resources::Resources;
use crate::resources::route::Standing;
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
    let routes = resources.routes.values();
    let hosts: Vec<_> = routes
        .map(|route| resources.hosts_of("shop", route).unwrap().len())
        .collect();
    let keys: Vec<_> = resources
        .routes
        .keys()
        .map(|(kind, _, name)| format!("{kind}/{name}"))
        .collect();
    assert_eq!(keys, ["GRPCRoute/r", "GRPCRoute/refused", "HTTPRoute/r"]);
    assert_eq!(
        hosts,
        [1, 0, 1],
        "a route that no Gateway accepted has no hosts"
    );
}

/// Labels that cannot be read must not become none: no cluster policy would select the namespace.
#[test]
fn labels_that_cannot_be_read_are_unreadable() {
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
}

/// What one namespace writes into a route stops no other's policies: the route is for no host that a
/// policy could open, and may be for any that another route's policy opens.
#[test]
fn hostnames_that_cannot_be_read_are_none_and_nobody_elses_affair() {
    for hostnames in [json!([1]), json!(null), json!("a.example"), json!({"a": 1})] {
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "r"}, "spec": {"hostnames": hostnames}});
        let resources = Resources::read(&[route]).unwrap();
        let route = resources.routes.values().next().unwrap();
        assert!(route.hostnames.is_empty(), "{hostnames}");
    }
}

/// Or a host could be claimed by a route that was accepted for another, until its Gateway notices.
#[test]
fn an_acceptance_is_of_the_route_as_it_is() {
    let standing = |status: serde_json::Value| {
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "r", "generation": 7}, "spec": {}, "status": status});
        let resources = Resources::read(&[route]).unwrap();
        resources.routes.values().next().unwrap().standing
    };
    let parent = |status: &str, generation: u64| json!({"conditions": [{"type": "Accepted", "status": status, "observedGeneration": generation}]});
    let of = |parents: &[serde_json::Value]| standing(json!({"parents": parents}));
    assert_eq!(standing(json!({})), Standing::Unseen);
    assert_eq!(of(&[]), Standing::Pending);
    assert_eq!(of(&[parent("False", 7)]), Standing::Refused);
    assert_eq!(of(&[parent("True", 6)]), Standing::Unseen);
    assert_eq!(of(&[parent("True", 7)]), Standing::Accepted);
    assert_eq!(
        of(&[parent("True", 6), parent("True", 7)]),
        Standing::Accepted
    );
    assert_eq!(
        of(&[
            parent("False", 7),
            json!({"conditions": [{"type": "Accepted", "status": "True"}]})
        ]),
        Standing::Accepted
    );
    assert_eq!(
        of(&[json!(null), json!({"conditions": 7})]),
        Standing::Pending
    );
}

/// Or what a new route already takes would be held to be another's.
#[test]
fn a_refusal_is_of_every_gateway_and_of_the_route_as_it_is() {
    let gw = |name: &str| json!({"name": name});
    let said = |name: &str, status: &str, generation: u64| {
        json!({"parentRef": gw(name), "conditions": [
            {"type": "Accepted", "status": status, "observedGeneration": generation}]})
    };
    let read = |asked: serde_json::Value, parents: &[serde_json::Value]| {
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "r", "namespace": "shop", "generation": 7}, "spec": {"parentRefs": asked},
            "status": {"parents": parents}});
        let resources = Resources::read(&[route]).unwrap();
        let route = resources.routes.values().next().unwrap();
        (route.standing, route.settled)
    };
    let both = json!([{"name": "a"}, {"name": "b", "sectionName": null}]);
    let refused = said("a", "False", 7);
    for (parents, expected) in [
        (vec![], (Standing::Pending, false)),
        (vec![refused.clone()], (Standing::Pending, false)),
        (
            vec![refused.clone(), said("b", "False", 6)],
            (Standing::Pending, false),
        ),
        (
            vec![refused.clone(), said("b", "Unknown", 7)],
            (Standing::Pending, false),
        ),
        (
            vec![refused.clone(), said("b", "False", 7)],
            (Standing::Refused, true),
        ),
        (
            vec![refused.clone(), said("b", "True", 7)],
            (Standing::Accepted, true),
        ),
        (
            vec![refused.clone(), said("b", "True", 6)],
            (Standing::Unseen, false),
        ),
        (vec![said("a", "True", 7)], (Standing::Accepted, false)),
    ] {
        assert_eq!(read(both.clone(), &parents), expected, "{parents:?}");
    }
    let written_out = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "shop", "name": "a"});
    let mut out = refused.clone();
    out["parentRef"] = written_out;
    assert_eq!(
        read(json!([{"name": "a"}]), &[out]),
        (Standing::Refused, true)
    );
    let mut elsewhere = refused;
    elsewhere["parentRef"]["namespace"] = json!("ops");
    assert_eq!(
        read(json!([{"name": "a"}]), &[elsewhere]),
        (Standing::Pending, false)
    );
    let mut twice = said("a", "False", 7);
    twice["conditions"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "Accepted", "status": "Unknown"}));
    assert_eq!(
        read(json!([{"name": "a"}]), &[twice]),
        (Standing::Pending, false)
    );
}
