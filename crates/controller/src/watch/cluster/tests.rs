//! What a change touches.

use super::{Cluster, Touched};
use crate::watch::{Kind, Object};
use serde_json::{Value, json};

fn object(kind: Kind, namespace: &str, name: &str, more: &Value) -> Object {
    let mut written = json!({"metadata": {"name": name, "uid": format!("{namespace}-{name}")}});
    if !namespace.is_empty() {
        written["metadata"]["namespace"] = json!(namespace);
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        written[name] = value.clone();
    }
    Object::of(kind, serde_json::from_value(written).unwrap()).unwrap()
}

fn namespaces(names: &[&str]) -> Touched {
    Touched {
        namespaces: names.iter().map(|&it| it.to_owned()).collect(),
        ..Touched::default()
    }
}

#[test]
fn a_change_in_a_namespace_touches_it_alone() {
    let mut cluster = Cluster::default();
    let policy = |rules: Value| {
        let more = json!({"spec": {"rules": rules}, "status": {}});
        object(Kind::AccessPolicy, "shop", "orders", &more)
    };
    assert_eq!(cluster.put(policy(json!([]))), namespaces(&["shop"]));
    assert_eq!(cluster.put(policy(json!([1]))), namespaces(&["shop"]));
    assert!(cluster.put(policy(json!([1]))).is_nothing());
    let gone = cluster.remove(Kind::AccessPolicy, "shop", "orders");
    assert_eq!(gone, namespaces(&["shop"]));
    let gone = cluster.remove(Kind::AccessPolicy, "shop", "orders");
    assert!(gone.is_nothing());
}

#[test]
fn a_status_touches_nothing_and_is_known() {
    let mut cluster = Cluster::default();
    let with = |status: &str| {
        let more = json!({"spec": {}, "status": {"hosts": [status]}});
        object(Kind::AccessPolicy, "shop", "orders", &more)
    };
    cluster.put(with("a"));
    assert!(cluster.put(with("b")).is_nothing());
    let there = cluster
        .object(Kind::AccessPolicy, "shop", "orders")
        .unwrap();
    assert_eq!(there.status, json!({"hosts": ["b"]}));
}

#[test]
fn a_change_of_the_cluster_touches_all() {
    let mut cluster = Cluster::default();
    let role = object(Kind::ClusterAccessRole, "", "admins", &json!({"spec": {}}));
    assert!(cluster.put(role).all);
    let gateway = object(Kind::Gateway, "infra", "public", &json!({"spec": {}}));
    let touched = cluster.put(gateway);
    assert!(touched.routes && !touched.all && touched.namespaces.is_empty());
    let namespace = object(Kind::Namespace, "", "shop", &json!({}));
    assert_eq!(cluster.put(namespace), namespaces(&["shop"]));
}

/// After a list, what was missed while nobody watched is made up for, and the rest stays untouched.
#[test]
fn a_list_touches_what_is_new_changed_or_gone() {
    let mut cluster = Cluster::default();
    let service = |namespace: &str| object(Kind::Service, namespace, "web", &json!({}));
    assert!(cluster.unknown().contains(&Kind::Service));
    cluster.replace(
        Kind::Service,
        vec![service("a"), service("b"), service("c")],
    );
    assert!(!cluster.unknown().contains(&Kind::Service));
    let again = Object {
        uid: "another".to_owned(),
        ..service("b")
    };
    let touched = cluster.replace(Kind::Service, vec![service("a"), again, service("d")]);
    assert_eq!(touched, namespaces(&["b", "c", "d"]));
    assert_eq!(cluster.of_kind(Kind::Service).count(), 3);
}

#[test]
fn the_namespaces_are_those_that_have_something_of_ours() {
    let mut cluster = Cluster::default();
    cluster.put(object(Kind::Service, "plain", "web", &json!({})));
    cluster.put(object(
        Kind::HttpRoute,
        "routed",
        "web",
        &json!({"spec": {}}),
    ));
    cluster.put(object(
        Kind::TrustProvider,
        "shop",
        "okta",
        &json!({"spec": {}}),
    ));
    cluster.put(object(
        Kind::ClusterAccessRole,
        "",
        "admins",
        &json!({"spec": {}}),
    ));
    assert_eq!(cluster.namespaces().collect::<Vec<_>>(), ["shop"]);
    assert!(cluster.has_routes("routed") && !cluster.has_routes("plain"));
}
