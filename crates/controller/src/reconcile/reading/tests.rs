//! What one namespace means is what compiling everything says of it.

use super::{Carried, Input};
use crate::watch::{Cluster, Kind, Object};
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::jwks::FetchedKeys;
use countersign_policy::{Resources, compile};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn put(cluster: &mut Cluster, kind: Kind, (namespace, name): (&str, &str), more: &Value) {
    let mut written = json!({"metadata": {"name": name}});
    if !namespace.is_empty() {
        written["metadata"]["namespace"] = json!(namespace);
    }
    for (name, value) in more.as_object().into_iter().flatten() {
        written[name] = value.clone();
    }
    let object = Object::of(kind, serde_json::from_value(written).unwrap());
    cluster.put(object.unwrap());
}

fn policy(targets: &Value) -> Value {
    let rule = json!({"name": "a", "from": [
        {"roleRefs": [{"kind": "AccessRole", "name": "own"}]},
        {"providerRef": {"name": "okta"}, "groups": ["a"]},
        {"providerRef": {"kind": "TrustProvider", "name": "own"}},
    ]});
    json!({"spec": {"targetRefs": targets, "audiences": ["https://a"], "rules": [rule]}})
}

/// Two namespaces, each with something of everything, and what is the cluster's.
fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    let provider = |issuer: &str| json!({"spec": {"type": "OIDC", "issuer": issuer}});
    let okta = provider("https://okta.example.com");
    put(
        &mut cluster,
        Kind::ClusterTrustProvider,
        ("", "okta"),
        &okta,
    );
    let deny = json!({"name": "no", "from": [{"providerRef": {"name": "okta"}, "groups": ["x"]}]});
    let guard =
        json!({"spec": {"namespaceSelector": {"matchLabels": {"env": "b"}}, "deny": [deny]}});
    put(
        &mut cluster,
        Kind::ClusterAccessPolicy,
        ("", "guard"),
        &guard,
    );
    let listener = json!({"name": "http", "protocol": "HTTP", "port": 80, "hostname": "*.example.com",
        "allowedRoutes": {"namespaces": {"from": "All"}}});
    let gateway = json!({"spec": {"listeners": [listener]}});
    put(&mut cluster, Kind::Gateway, ("infra", "public"), &gateway);
    for name in ["a", "b"] {
        let labels = json!({"metadata": {"name": name, "labels": {"env": name}}});
        put(&mut cluster, Kind::Namespace, ("", name), &labels);
        let parent = json!({"namespace": "infra", "name": "public"});
        let accepted = json!({"type": "Accepted", "status": "True", "observedGeneration": 0});
        let route = json!({
            "spec": {"hostnames": [format!("{name}.example.com")], "parentRefs": [parent]},
            "status": {"parents": [{"parentRef": parent, "conditions": [accepted]}]},
        });
        put(&mut cluster, Kind::HttpRoute, (name, "web"), &route);
        put(&mut cluster, Kind::Service, (name, "api"), &json!({}));
        let own = provider(&format!("https://{name}.example.com"));
        put(&mut cluster, Kind::TrustProvider, (name, "own"), &own);
        let members = json!([{"providerRef": {"name": "okta"}, "groups": [name]}]);
        put(
            &mut cluster,
            Kind::AccessRole,
            (name, "own"),
            &json!({"spec": {"members": members}}),
        );
        let route =
            json!([{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "web"}]);
        put(
            &mut cluster,
            Kind::AccessPolicy,
            (name, "web"),
            &policy(&route),
        );
        let services = json!([{"group": "", "kind": "Service", "name": "api"},
            {"group": "", "kind": "Service", "name": "gone"}]);
        put(
            &mut cluster,
            Kind::AccessPolicy,
            (name, "api"),
            &policy(&services),
        );
    }
    cluster
}

#[test]
fn each_namespace_alone_means_what_it_means_among_all() {
    let cluster = cluster();
    let everything: Vec<Value> = Kind::ALL
        .into_iter()
        .flat_map(|kind| cluster.of_kind(kind))
        .map(|object| object.manifest.clone())
        .collect();
    let whole = compile(&Resources::read(&everything).unwrap(), &BTreeMap::new());
    for name in ["a", "b"] {
        let alone = Input::of(&cluster, name).compile(&BTreeMap::new(), None);
        assert!(alone.unreadable.is_empty());
        let scope = name.parse().unwrap();
        let rules = |all: &BTreeMap<_, countersign_policy::Compiled>| all.get(&scope).cloned();
        assert!(rules(&whole.rulesets).is_some());
        assert_eq!(
            rules(&alone.compilation.rulesets),
            rules(&whole.rulesets),
            "{name}"
        );
        for (id, outcome) in &alone.compilation.statuses {
            assert_eq!(Some(outcome), whole.statuses.get(id), "{id}");
        }
    }
    let of_cluster = Input::of(&cluster, "").compile(&BTreeMap::new(), None);
    assert_eq!(of_cluster.compilation.statuses.len(), 2);
    for (id, outcome) in &of_cluster.compilation.statuses {
        assert_eq!(Some(outcome), whole.statuses.get(id), "{id}");
    }
}

fn too_many_rules() -> Value {
    let rule = json!({"name": "a", "from": [{"anyone": true}], "to": [{"paths": ["/"]}]});
    json!({"spec": {"hosts": ["a.example.com"], "rules": vec![rule; 65]}})
}

/// What cannot be read may have been a Deny: its own namespace stops, and no other.
#[test]
fn what_cannot_be_read_stops_its_own_namespace() {
    let mut cluster = cluster();
    put(
        &mut cluster,
        Kind::AccessPolicy,
        ("a", "large"),
        &too_many_rules(),
    );
    let stopped = Input::of(&cluster, "a").compile(&BTreeMap::new(), None);
    let id = ResourceId {
        kind: "AccessPolicy".to_owned(),
        namespace: "a".to_owned(),
        name: "large".to_owned(),
    };
    let why = stopped.unreadable.get(&id).unwrap();
    assert!(why.contains("at most 64 members, got 65"), "{why}");
    // the others are told what is right and wrong with them all the same
    assert!(stopped.compilation.statuses.len() > 4);
    let other = Input::of(&cluster, "b").compile(&BTreeMap::new(), None);
    assert!(other.unreadable.is_empty());
}

#[test]
fn what_of_the_cluster_cannot_be_read_stops_all() {
    let mut cluster = cluster();
    let deny = json!({"name": "a", "from": [{"anyone": true}]});
    let large = json!({"spec": {"namespaceSelector": {}, "deny": vec![deny; 65]}});
    put(
        &mut cluster,
        Kind::ClusterAccessPolicy,
        ("", "large"),
        &large,
    );
    for name in ["a", "b", ""] {
        let stopped = Input::of(&cluster, name).compile(&BTreeMap::new(), None);
        assert_eq!(stopped.unreadable.len(), 1, "{name}");
    }
}

/// A Gateway of others that cannot be read is none: nobody is let in by it, and nobody stopped.
#[test]
fn a_gateway_of_others_stops_nobody() {
    let mut cluster = cluster();
    let private = json!({"spec": {"listeners": [{"$serde_json::private::Number": "1"}]}});
    put(&mut cluster, Kind::Gateway, ("infra", "broken"), &private);
    let alone = Input::of(&cluster, "a").compile(&BTreeMap::new(), None);
    assert!(alone.unreadable.is_empty());
    assert!(!alone.compilation.rulesets.is_empty());
}

/// A route that cannot be read is none, or anybody who may make one could stop the namespace.
#[test]
fn what_is_not_ours_stops_nobody() {
    let mut cluster = cluster();
    let before = Input::of(&cluster, "a").compile(&BTreeMap::new(), None);
    let name = "a".repeat(64);
    for kind in [
        Kind::HttpRoute,
        Kind::GrpcRoute,
        Kind::Service,
        Kind::Gateway,
    ] {
        put(&mut cluster, kind, ("a", &name), &json!({"spec": {}}));
    }
    let after = Input::of(&cluster, "a").compile(&BTreeMap::new(), None);
    assert!(after.unreadable.is_empty(), "{:?}", after.unreadable);
    assert_eq!(after.compilation, before.compilation);
}

/// A Deny of the cluster reaches a namespace all the same whose owner wrote what cannot be read.
#[test]
fn what_cannot_be_read_keeps_no_deny_of_the_cluster_away() {
    let mut cluster = cluster();
    let scope = "a".parse().unwrap();
    let meant = |cluster: &Cluster| {
        let reading = Input::of(cluster, "a").compile(&BTreeMap::new(), None);
        reading.compilation.rulesets[&scope].clone()
    };
    let before = meant(&cluster);
    let deny = json!({"name": "all", "from": [{"anyone": true}]});
    let emergency = json!({"spec": {"namespaceSelector": {}, "deny": [deny]}});
    let of_cluster = ("", "emergency");
    put(
        &mut cluster,
        Kind::ClusterAccessPolicy,
        of_cluster,
        &emergency,
    );
    let expected = meant(&cluster);
    assert_ne!(before, expected);
    let large = too_many_rules();
    put(&mut cluster, Kind::AccessPolicy, ("a", "large"), &large);
    let input = Input::of(&cluster, "a");
    assert!(!input.compile(&BTreeMap::new(), None).unreadable.is_empty());
    let wanting = [provider("ClusterTrustProvider", "", "okta")].into();
    let carried = input.carry(&before, &BTreeMap::new(), None);
    assert_eq!(carried, Carried::Whole(expected, wanting));
    // what the cluster says and cannot be read is not what it no longer says
    put(
        &mut cluster,
        Kind::ClusterAccessPolicy,
        ("", "large"),
        &json!({}),
    );
    let carried = Input::of(&cluster, "a").carry(&before, &BTreeMap::new(), None);
    assert_eq!(carried, Carried::Unreadable);
}

fn provider(kind: &str, namespace: &str, name: &str) -> ResourceId {
    ResourceId {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Who has just begun to lead has fetched nothing yet, and takes no published keys away.
#[test]
fn the_keys_that_are_not_known_are_wanting_from_the_first() {
    let cluster = cluster();
    let input = Input::of(&cluster, "a");
    let okta = provider("ClusterTrustProvider", "", "okta");
    let own = provider("TrustProvider", "a", "own");
    let reading = input.compile(&BTreeMap::new(), None);
    assert_eq!(reading.wanting, [okta.clone(), own.clone()].into());
    let fetched = FetchedKeys {
        keys: Vec::new(),
        jwks_url: "https://okta.example.com/keys".to_owned(),
        fetched_at: UnixTime(1),
    };
    let reading = input.compile(&BTreeMap::from([(okta, fetched)]), None);
    assert_eq!(reading.wanting, [own].into());
}

/// What another has left behind in a namespace of that name is not its own.
#[test]
fn what_is_older_than_its_namespace_gives_nothing() {
    let mut cluster = cluster();
    let made = |name: &str, at: &str| {
        json!({"metadata": {"name": name, "namespace": "a",
        "creationTimestamp": at}})
    };
    let itself = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-02T00:01:00Z"}});
    put(&mut cluster, Kind::Namespace, ("", "a"), &itself);
    let of = |cluster: &Cluster| {
        let reading = Input::of(cluster, "a").compile(&BTreeMap::new(), None);
        reading.unreadable.into_keys().collect::<Vec<_>>()
    };
    // each API server has a clock of its own
    let mut role = made("older", "2026-01-02T00:00:00Z");
    role["spec"] = json!({"members": []});
    put(&mut cluster, Kind::AccessRole, ("a", "older"), &role);
    assert_eq!(of(&cluster), []);
    role["metadata"]["creationTimestamp"] = json!("2026-01-01T23:59:59Z");
    put(&mut cluster, Kind::AccessRole, ("a", "older"), &role);
    assert_eq!(of(&cluster), [provider("AccessRole", "a", "older")]);
}
