//! An edge of several namespaces, in front of routes: which host leads where, and who may claim one.

use countersign_enforcer::store::{Enforcer, Target};
use countersign_ruleset::names::Scope;
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use std::sync::Arc;
use tests::publish::Installation;
use tests::trial::{NOW, Trial, compiled};

/// An edge of these scopes that goes by the host.
fn edge(scopes: &[&str], manifests: &[Value]) -> Trial {
    let compilation = compiled(manifests);
    let scopes: Vec<Scope> = scopes
        .iter()
        .map(|it| it.parse().expect("a scope"))
        .collect();
    let enforcer = Enforcer::new(Target::ByHost, scopes.clone());
    for scope in &scopes {
        let compiled = &compilation.rulesets[scope];
        let ruleset = Installation::new(NOW).publish(&compiled.rules, &compiled.keys, NOW);
        enforcer.install(ruleset.expect("the verifier takes what was compiled"));
    }
    Trial::around(Arc::new(enforcer), NOW)
}

/// `REASON by RULES` of a GET.
fn told(trial: &Trial, url: &str) -> String {
    let uri: Uri = url.parse().expect("a URL");
    let outcome = trial.decide(&Method::GET, &uri, &HeaderMap::new());
    format!("{} {}", outcome.reason, outcome.rules.join(", "))
        .trim_end()
        .to_owned()
}

fn route(
    namespace: &str,
    name: &str,
    hostnames: &[&str],
    prefix: &str,
    accepted: Option<&str>,
) -> Value {
    let condition = json!([{"type": "Accepted", "status": accepted}]);
    let parent =
        json!({"parentRef": {"name": "edge", "namespace": "infra"}, "conditions": condition});
    let parents = accepted.map(|_| json!({"parents": [parent]}));
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"hostnames": hostnames, "rules": [{"matches": [{"path": {"value": prefix}}]}]},
        "status": parents,
    })
}

/// A policy that opens what it names.
fn open(namespace: &str, target: &Value) -> Value {
    let rule = json!({"name": "open", "from": [{"anyone": true}], "to": [{"paths": ["/**"]}]});
    let mut spec = json!({"rules": [rule]});
    match target.as_str() {
        Some(host) => spec["hosts"] = json!([host]),
        None => spec["targetRefs"] = json!([target]),
    }
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"name": namespace, "namespace": namespace}, "spec": spec,
    })
}

fn named(route: &str) -> Value {
    json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route})
}

const SHOP: &str = "https://shop.example.com/";

#[test]
fn an_edge_of_several_namespaces_takes_a_host_from_its_gateway_alone() {
    let shop = |accepted| {
        [
            route("shop", "site", &["shop.example.com"], "/", accepted),
            open("shop", &named("site")),
        ]
    };
    let with = |accepted, other: &[Value]| {
        let manifests = [&shop(accepted)[..], other].concat();
        told(&edge(&["evil", "shop"], &manifests), SHOP)
    };
    let harmless = [open("evil", &json!("evil.example.com"))];
    assert_eq!(
        with(Some("True"), &harmless),
        "Allowed AccessPolicy/shop/open"
    );
    for not in [None, Some("False"), Some("Unknown")] {
        assert_eq!(with(not, &harmless), "NotCovered", "{not:?}");
    }
    // what a policy says of itself is no claim
    let said = [open("evil", &json!("shop.example.com"))];
    assert_eq!(with(Some("True"), &said), "Allowed AccessPolicy/shop/open");
    let unseen = [
        route("evil", "r", &["shop.example.com"], "/", None),
        open("evil", &named("r")),
    ];
    assert_eq!(
        with(Some("True"), &unseen),
        "Allowed AccessPolicy/shop/open"
    );
    // of two that were accepted it is nobody's
    let accepted = [
        route("evil", "r", &["*.example.com"], "/", Some("True")),
        open("evil", &named("r")),
    ];
    assert_eq!(with(Some("True"), &accepted), "HostAmbiguous");
    // a Gateway that was asked for another host gave only that one
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "infra"},
        "spec": {"listeners": [
            {"name": "shop", "port": 443, "protocol": "HTTPS", "hostname": "shop.example.com", "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}}},
            {"name": "all", "port": 443, "protocol": "HTTPS", "hostname": "*.apps.example.com", "allowedRoutes": {"namespaces": {"from": "All"}}},
        ]},
    });
    let names = ["shop.example.com", "evil.apps.example.com"];
    let claim = [
        route("evil", "r", &names, "/", Some("True")),
        open("evil", &named("r")),
    ];
    assert_eq!(with(Some("True"), &claim), "HostAmbiguous");
    let claim = [&claim[..], &[gateway]].concat();
    assert_eq!(with(Some("True"), &claim), "Allowed AccessPolicy/shop/open");
    let manifests = [&shop(Some("True"))[..], &claim].concat();
    let own = told(
        &edge(&["evil", "shop"], &manifests),
        "https://evil.apps.example.com/",
    );
    assert_eq!(own, "Allowed AccessPolicy/evil/open");
}

#[test]
fn an_edge_of_one_namespace_takes_the_hosts_that_its_policies_say() {
    let manifests = [open("shop", &json!("shop.example.com"))];
    assert_eq!(
        told(&edge(&["shop"], &manifests), SHOP),
        "Allowed AccessPolicy/shop/open"
    );
}

/// What no policy covers is denied, also where a policy covers the rest of the host.
#[test]
fn routes_of_one_host_are_each_their_own() {
    let manifests = [
        route("shop", "site", &["shop.example.com"], "/", None),
        route("shop", "admin", &["shop.example.com"], "/admin", None),
        open("shop", &named("site")),
    ];
    let edge = edge(&["shop"], &manifests);
    assert_eq!(told(&edge, SHOP), "Allowed AccessPolicy/shop/open");
    assert_eq!(
        told(&edge, "https://shop.example.com/admin/users"),
        "NotCovered"
    );
}
