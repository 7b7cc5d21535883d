//! Random routes, and policies for them and for their sections.

use super::pool::{HOST, METHODS, NAMESPACE, ROUTES};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::{Value, json};

/// Perhaps a route, and by which section each policy names it.
pub(crate) fn route() -> impl Strategy<Value = Option<(Value, Vec<Option<Value>>)>> {
    let section = prop_oneof![
        3 => Just(None),
        8 => select(vec!["api", "site", "put"]).prop_map(|name| Some(json!(name))),
        1 => select(vec![json!("gone"), json!(null), json!(7)]).prop_map(Some),
    ];
    weighted(ROUTES, (vec(rule(), 1..4), vec(section, 4))).prop_map(|route| {
        let (rules, sections) = route?;
        let spec = json!({"hostnames": [HOST], "rules": rules});
        let route = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "shop", "namespace": NAMESPACE}, "spec": spec,
        });
        Some((route, sections))
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let name = prop_oneof![1 => Just(None), 6 => select(vec!["api", "site", "put"]).prop_map(Some)];
    (name, weighted(0.9, vec(one_match(), 1..4))).prop_map(|(name, matches)| {
        let mut rule = json!({});
        if let Some(name) = name {
            rule["name"] = json!(name);
        }
        if let Some(matches) = matches {
            rule["matches"] = json!(matches);
        }
        rule
    })
}

fn one_match() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![2 => Just(None), 8 => Just(Some("PathPrefix")), 4 => Just(Some("Exact")), 1 => Just(Some("RegularExpression"))];
    let path = (kind, select(vec!["/", "/a", "/a/b", "/b"]));
    let more = prop_oneof![
        10 => Just(None),
        1 => Just(Some("headers")),
        1 => Just(Some("queryParams")),
    ];
    (
        weighted(0.9, path),
        weighted(0.3, select(&METHODS[..])),
        more,
    )
        .prop_map(|(path, method, more)| {
            let mut one = json!({});
            if let Some((kind, value)) = path {
                one["path"] = json!({"value": value});
                if let Some(kind) = kind {
                    one["path"]["type"] = json!(kind);
                }
            }
            if let Some(method) = method {
                one["method"] = json!(method);
            }
            if let Some(more) = more {
                one[more] = json!([{"name": "x-tier", "value": "gold"}]);
            }
            one
        })
}

/// Turns a policy for the host into one for the route, or for a section of it. What was wrong stays.
pub(crate) fn aim(policy: &mut Value, section: Option<&Value>) {
    let Some(hosts) = policy["spec"]
        .as_object_mut()
        .and_then(|spec| spec.remove("hosts"))
    else {
        return;
    };
    let mut reference =
        json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"});
    if let Some(section) = section {
        reference["sectionName"] = section.clone();
    }
    policy["spec"]["targetRefs"] = if hosts == json!([HOST]) {
        json!([reference])
    } else {
        hosts
    };
}
