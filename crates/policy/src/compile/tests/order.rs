//! The order of what is written changes nothing, and no input panics.

use super::{PROVIDERS, compiled, manifests};
use crate::resources::Resources;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use proptest::test_runner::Config as ProptestConfig;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Manifests with something of every kind, and some mistakes.
pub(super) const WORLD: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: production}}}
---
{apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: shop}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: orders, namespace: shop}, status: {url: "https://orders.example.com"}}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessRole
metadata: {name: admin, namespace: shop}
spec:
  members:
  - {providerRef: {name: okta}, claims: [{path: [realm_access, roles], anyOf: [admin, owner]}]}
  - {serviceAccounts: [{namespace: shop, name: checkout}, {namespace: ops, name: "*"}]}
---
apiVersion: countersign.dev/v1alpha1
kind: ClusterAccessRole
metadata: {name: audit}
spec: {members: [{providerRef: {name: google}, subjects: ["1084"]}]}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  targetRefs: [{group: serving.knative.dev, kind: Service, name: orders}, {group: '', kind: Service, name: ledger}]
  audiences: ["https://orders.example.com", "api://orders"]
  login: {providerRef: {name: okta}}
  forward: [User, Email]
  disclose: Reason
  rules:
  - name: callers
    from:
    - {providerRef: {name: okta}, groups: [b, a], emailDomains: [example.com], emails: [ana@example.com]}
    - {providerRef: {kind: TrustProvider, name: own}, clients: [web], actors: [bot], subjects: [ana]}
    - {roleRefs: [{kind: AccessRole, name: admin}, {kind: ClusterAccessRole, name: audit}]}
    - {serviceAccounts: [{namespace: shop, name: web}]}
    to:
    - {methods: [POST, GET], paths: [/v1/**, "/t/{tenant}"], hosts: [orders.example.com]}
    - {paths: [/healthz], corsPreflight: true}
    expiresAt: "2026-11-24T02:00:00Z"
  - {name: open, from: [{anyone: true}], to: [{methods: [GET], paths: [/open]}]}
  - {name: stop, action: Deny, from: [{providerRef: {name: okta}, groups: [contractors]}], to: [{paths: [/v1/**]}]}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: watched, namespace: shop}
spec:
  mode: Observe
  hosts: [watched.example.com]
  rules:
  - {name: open, from: [{anyone: true}], to: [{paths: [/**]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  hostnames: [shop.example.com, "*.shop.example.com"]
  rules:
  - {name: api, matches: [{path: {value: /v1}}, {path: {type: Exact, value: /v2}, method: PUT}], backendRefs: [{name: ledger}, {name: orders}]}
  - {name: canary, matches: [{path: {value: /v1}, headers: [{name: a, value: b}, {name: c, value: d}]}]}
  - {name: site}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: beside, namespace: shop}
spec: {hostnames: [shop.example.com], rules: [{matches: [{path: {value: /beside}}]}]}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: shop, namespace: shop}
spec:
  targetRefs:
  - {group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop, sectionName: api}
  - {group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop, sectionName: site}
  rules:
  - {name: staff, from: [{providerRef: {name: okta}, groups: [staff]}]}
  - {name: none, action: Deny, from: [{anyone: true}], to: [{methods: [DELETE, PATCH]}]}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: whole, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  login: {providerRef: {kind: ClusterTrustProvider, name: okta}}
  disclose: Reason
  rules:
  - {name: open, from: [{anyone: true}], to: [{paths: [/healthz]}]}
  - {name: none, action: Deny, from: [{anyone: true}], to: [{methods: [TRACE]}]}
---
apiVersion: countersign.dev/v1alpha1
kind: ClusterAccessPolicy
metadata: {name: guard}
spec:
  mode: Enforce
  namespaceSelector: {matchLabels: {env: production}, matchExpressions: [{key: team, operator: NotIn, values: [x]}]}
  boundary:
  - {name: people, from: [{providerRef: {name: okta}}, {roleRefs: [{kind: ClusterAccessRole, name: audit}]}]}
  - {name: probes, from: [{anyone: true}], to: [{methods: [GET], paths: [/healthz]}]}
  deny:
  - {name: contractors, from: [{providerRef: {name: okta}, groups: [contractors]}], to: [{paths: [/admin/**]}]}
"#;

pub(super) fn world() -> Vec<Value> {
    let mut world = manifests(&format!("{PROVIDERS}\n---\n{WORLD}"));
    let okta = world.iter_mut().find(|it| it["metadata"]["name"] == "okta");
    okta.unwrap()["spec"]["client"] =
        serde_json::json!({"id": "web", "scopes": ["openid", "groups", "email"]});
    world
}

/// Turns every list in a value by so many places, where order means nothing.
fn turned(value: &Value, by: usize) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|one| turned(one, by)).collect();
            let by = by.checked_rem(list.len()).unwrap_or_default();
            list.rotate_left(by);
            Value::Array(list)
        }
        Value::Object(object) => {
            let member = |(name, one): (&String, &Value)| {
                // a claim's path is in order
                let one = if name == "path" {
                    one.clone()
                } else {
                    turned(one, by)
                };
                (name.clone(), one)
            };
            Value::Object(object.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

/// Values that come near to what is meant, and far from it.
fn value() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 30] = [
        "hostnames",
        "matches",
        "path",
        "value",
        "method",
        "headers",
        "service",
        "backendRefs",
        "rules",
        "from",
        "to",
        "name",
        "action",
        "providerRef",
        "groups",
        "anyone",
        "paths",
        "kind",
        "hosts",
        "targetRefs",
        "mode",
        "roleRefs",
        "serviceAccounts",
        "boundary",
        "deny",
        "members",
        "namespaceSelector",
        "matchLabels",
        "audiences",
        "rulez",
    ];
    let texts = select(vec![
        "",
        "okta",
        "Deny",
        "/a/**",
        "/%41",
        "a.example.com",
        "*",
        "é",
        "#0",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 4, |inner| {
        let members = vec((select(&NAMES[..]), inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            members.prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, one)| (name.to_owned(), one));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_manifests_changes_nothing(shuffled in Just(world()).prop_shuffle()) {
        assert_eq!(compiled(&shuffled), compiled(&world()));
    }

    #[test]
    fn the_order_of_lists_changes_no_byte(by in 1_usize..12) {
        let specs = world().into_iter().map(|mut manifest| {
            let spec = manifest.get("spec").map(|spec| turned(spec, by));
            if let Some(spec) = spec {
                manifest["spec"] = spec;
            }
            manifest
        });
        assert_eq!(compiled(&specs.collect::<Vec<_>>()).rulesets, compiled(&world()).rulesets);
    }

    #[test]
    fn no_route_panics_and_every_ruleset_can_be_read(
        kind in select(vec!["GRPCRoute", "HTTPRoute", "Gateway"]),
        rules in value(),
        parents in value(),
    ) {
        let mut manifests = world();
        let taken = |it: &Value| (&it["kind"], &it["metadata"]["name"]) == (&Value::from(kind), &Value::from("shop"));
        manifests.retain(|it| !taken(it));
        manifests.push(serde_json::json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {"hostnames": ["shop.example.com"], "rules": rules, "listeners": parents.clone()},
            "status": {"parents": parents},
        }));
        let resources = Resources::read(&manifests).unwrap();
        for compiled in super::compile(&resources, &BTreeMap::new()).rulesets.values() {
            let bytes = compiled.rules.to_bytes().unwrap();
            let read = countersign_ruleset::rules::Rules::from_bytes(&bytes);
            assert_eq!(read.as_ref(), Ok(&compiled.rules));
        }
    }

    #[test]
    fn no_spec_panics_and_every_ruleset_can_be_read(
        kind in select(vec!["AccessPolicy", "ClusterAccessPolicy", "AccessRole", "TrustProvider"]),
        spec in value(),
    ) {
        let mut manifests = world();
        manifests.push(serde_json::json!({
            "apiVersion": "countersign.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": "admin-two"},
            "spec": spec,
        }));
        if let Ok(resources) = Resources::read(&manifests) {
            for compiled in super::compile(&resources, &BTreeMap::new()).rulesets.values() {
                let bytes = compiled.rules.to_bytes().unwrap();
                let read = countersign_ruleset::rules::Rules::from_bytes(&bytes);
                assert_eq!(read.as_ref(), Ok(&compiled.rules));
            }
        }
    }
}
