//! Random resources, with the mistakes that people and templates make.

use super::around::around;
use super::browsers::logins;
use super::conditions::condition;
use super::entries::{entry, identity, require, to};
use super::pool::{AUDIENCES, EARLIER, HOST, LATER, NAMESPACE, PROVIDERS, REQUIRE, WHEN};
use super::spoil::spoilt;
use super::{World, play};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

/// The resources without their providers: what is written of access.
pub(crate) fn world() -> BoxedStrategy<World> {
    (
        vec(policy().boxed(), 1..4),
        prop_oneof![4 => vec(cluster_policy(), 0..1), 3 => vec(cluster_policy(), 1..3)],
        vec(role(), 0..4),
        providers_there(),
        weighted(0.3, select(vec!["production", "test"])),
        (around(), logins()),
    )
        .prop_map(
            |(policies, cluster, roles, providers, env, (around, logins))| {
                let mut resources = Vec::new();
                resources.extend(named("AccessPolicy", Some(NAMESPACE), policies, "policy"));
                let edge = match around {
                    Some(around) => around.stand(&mut resources),
                    None => Some(format!("Host/{HOST}")),
                };
                resources.extend(named("ClusterAccessPolicy", None, cluster, "guard"));
                resources.extend(roles);
                once(&mut resources);
                resources.extend(env.map(|env| {
                    let metadata = json!({"name": NAMESPACE, "labels": {"env": env}});
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
                }));
                resources.extend(providers.into_iter().map(play::provider));
                logins.write(&mut resources);
                World { resources, edge }
            },
        )
        .boxed()
}

/// Most of the providers, the first nearly always.
fn providers_there() -> impl Strategy<Value = Vec<&'static str>> {
    let some = subsequence(&PROVIDERS[1..8], 3..=7);
    (weighted(0.95, Just(PROVIDERS[0])), some)
        .prop_map(|(first, some)| first.into_iter().chain(some).collect())
}

/// A policy with one Deny more.
#[cfg(test)]
pub(crate) fn deny() -> impl Strategy<Value = Value> {
    cluster_rule().prop_map(|mut rule| {
        rule["name"] = json!("another");
        rule["action"] = json!("Deny");
        let spec = json!({"hosts": [HOST], "rules": [rule]});
        resource("AccessPolicy", Some(NAMESPACE), "another", &spec)
    })
}

/// A guardrail more.
#[cfg(test)]
pub(crate) fn guardrail(name: &'static str) -> impl Strategy<Value = Value> {
    cluster_policy().prop_map(move |spec| resource("ClusterAccessPolicy", None, name, &spec))
}

/// One policy with one Allow, which asks much.
#[cfg(test)]
pub(crate) fn narrow() -> impl Strategy<Value = World> {
    let rule = (vec(entry(), 1..3), vec(to(), 1..3));
    (rule, vec(role(), 1..3), select(vec!["Enforce", "Observe"])).prop_map(
        |((from, to), mut roles, mode)| {
            let rules = json!([{"name": "rule", "action": "Allow", "from": from, "to": to}]);
            let spec =
                json!({"hosts": [HOST], "audiences": [AUDIENCES[0]], "mode": mode, "rules": rules});
            once(&mut roles);
            let mut resources = vec![resource("AccessPolicy", Some(NAMESPACE), "policy", &spec)];
            resources.extend(roles);
            resources.extend(
                [PROVIDERS[0], PROVIDERS[1]]
                    .iter()
                    .copied()
                    .map(play::provider),
            );
            let edge = Some(format!("Host/{HOST}"));
            World { resources, edge }
        },
    )
}

fn policy() -> impl Strategy<Value = Value> {
    let audiences = prop_oneof![
        2 => Just(None),
        2 => Just(Some(json!([AUDIENCES[0]]))),
        1 => Just(Some(json!([AUDIENCES[1]]))),
    ];
    let mode = prop_oneof![12 => Just(None), 1 => Just(Some(json!("Enforce"))), 1 => Just(Some(json!("Observe")))];
    let mistake = prop_oneof![
        60 => Just(None),
        1 => Just(Some(("mode", json!(null)))),
        1 => Just(Some(("mode", json!("observe")))),
        1 => Just(Some(("hosts", json!(null)))),
        1 => Just(Some(("hosts", json!([])))),
        1 => Just(Some(("audiences", json!(null)))),
        1 => Just(Some(("rules", json!([])))),
        1 => Just(Some(("rulse", json!([])))),
        1 => Just(Some(("colour", json!("blue")))),
    ];
    (vec(rule(), 1..4), audiences, mode, mistake).prop_map(|(rules, audiences, mode, mistake)| {
        let mut spec = json!({"hosts": [HOST], "rules": numbered(rules)});
        set(&mut spec, "audiences", audiences);
        set(&mut spec, "mode", mode);
        if let Some((name, value)) = mistake {
            set(&mut spec, name, Some(value));
        }
        spec
    })
}

fn cluster_policy() -> impl Strategy<Value = Value> {
    let selector = prop_oneof![
        3 => Just(json!({})),
        2 => Just(json!({"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}})),
        1 => Just(json!({"matchLabels": {"env": "production"}})),
        1 => Just(json!({"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}})),
        1 => Just(json!({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["production"]}]})),
        1 => Just(json!({"matchExpressions": [{"key": "env", "operator": "Exists"}, {"key": "team", "operator": "DoesNotExist"}]})),
    ];
    let all = json!({"from": [{"anyone": true}], "to": [{"paths": ["/**"]}]});
    let boundary = prop_oneof![
        8 => Just(None),
        4 => vec(cluster_rule(), 1..3).prop_map(|rules| Some(numbered(rules))),
        4 => cluster_rule().prop_map(move |rule| Some(numbered(vec![rule, all.clone()]))),
        1 => Just(Some(json!([]))),
    ];
    let deny = weighted(0.5, vec(cluster_rule(), 1..3).prop_map(numbered));
    let mode = weighted(
        0.2,
        select(vec![json!("Enforce"), json!("Observe"), json!(null)]),
    );
    let spec =
        (spoilt(selector), boundary, deny, mode).prop_map(|(selector, boundary, deny, mode)| {
            let mut spec = json!({"namespaceSelector": selector});
            set(&mut spec, "boundary", boundary);
            set(&mut spec, "deny", deny);
            set(&mut spec, "mode", mode);
            spec
        });
    spoilt(spec)
}

fn role() -> impl Strategy<Value = Value> {
    let kind = select(vec!["AccessRole", "ClusterAccessRole"]);
    let spec = vec(spoilt(identity()), 1..3).prop_map(|members| json!({"members": members}));
    (kind, spoilt(spec)).prop_map(|(kind, spec)| {
        let namespace = (kind == "AccessRole").then_some(NAMESPACE);
        resource(kind, namespace, "admins", &spec)
    })
}

/// A rule with an action, or with something that only looks like one.
fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        60 => Just(None),
        8 => Just(Some(("action", json!("Allow")))),
        8 => Just(Some(("action", json!("Deny")))),
        1 => Just(Some(("action", json!("deny")))),
        1 => Just(Some(("action", json!(null)))),
        1 => Just(Some(("acton", json!("Deny")))),
        1 => Just(Some(("acton", json!("Allow")))),
        1 => Just(Some(("effect", json!("DENY")))),
        1 => Just(Some(("colour", json!("blue")))),
    ];
    let end = weighted(
        0.1,
        select(vec![
            json!(EARLIER),
            json!(LATER),
            json!(null),
            json!("soon"),
        ]),
    );
    (cluster_rule(), action, end).prop_map(|(mut rule, action, end)| {
        if let Some((name, value)) = action {
            set(&mut rule, name, Some(value));
        }
        set(&mut rule, "expiresAt", end);
        rule
    })
}

fn cluster_rule() -> impl Strategy<Value = Value> {
    let to = weighted(0.6, vec(spoilt(to()), 1..3));
    let when = weighted(WHEN, condition());
    let require = weighted(REQUIRE, spoilt(require()));
    let rule =
        (vec(spoilt(entry()), 1..3), to, when, require).prop_map(|(from, to, when, require)| {
            let mut rule = json!({"from": from});
            set(&mut rule, "to", to.map(Value::Array));
            set(&mut rule, "when", when);
            set(&mut rule, "require", require);
            rule
        });
    spoilt(rule)
}

/// Each name once: twice is unreadable.
fn once(resources: &mut Vec<Value>) {
    resources.sort_by_key(|one| (one["kind"].to_string(), one["metadata"].to_string()));
    resources.dedup_by(|a, b| a["kind"] == b["kind"] && a["metadata"] == b["metadata"]);
}

fn numbered(rules: Vec<Value>) -> Value {
    let named = rules.into_iter().enumerate().map(|(number, mut rule)| {
        rule["name"] = json!(format!("rule-{number}"));
        rule
    });
    named.collect()
}

fn named(kind: &str, namespace: Option<&str>, specs: Vec<Value>, name: &str) -> Vec<Value> {
    let numbered = specs.into_iter().enumerate();
    numbered
        .map(|(number, spec)| resource(kind, namespace, &format!("{name}-{number}"), &spec))
        .collect()
}

pub(crate) fn resource(kind: &str, namespace: Option<&str>, name: &str, spec: &Value) -> Value {
    let mut metadata = json!({"name": name});
    set(
        &mut metadata,
        "namespace",
        namespace.map(|namespace| json!(namespace)),
    );
    json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
}

pub(crate) fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}
