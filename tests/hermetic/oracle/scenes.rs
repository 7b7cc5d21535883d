//! Random resources and requests, from pools small enough that they meet, with the mistakes people make.

use super::{Asked, Token, World};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

pub(crate) const NAMESPACE: &str = "shop";
pub(crate) const HOST: &str = "orders.example.com";
const GROUPS: [&str; 3] = ["staff", "support", "contractors"];
const SUBJECTS: [&str; 3] = ["ana", "bo", "system:serviceaccount:shop:checkout"];
const EMAILS: [&str; 3] = ["ana@example.com", "bo@example.net", "Ana@Example.com"];
const DOMAINS: [&str; 2] = ["example.com", "example.net"];
const CLIENTS: [&str; 2] = ["web", "batch"];
const ACTORS: [&str; 2] = ["helper-bot", "other-bot"];
const REALM_ROLES: [&str; 2] = ["admin", "viewer"];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const PATTERNS: [&str; 9] = [
    "/", "/**", "/a", "/a/", "/a/**", "/a/*", "/a/{x}/c", "/b", "/{x}/**",
];
const PATHS: [&str; 9] = ["/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/ab", "/b", "/b/"];
const AUDIENCES: [&str; 3] = ["https://orders.example.com", "api://orders", "https://other.example.com"];
/// The last is nobody's.
pub(crate) const PROVIDERS: [&str; 5] = [
    "ClusterTrustProvider/okta",
    "ClusterTrustProvider/entra",
    "ClusterTrustProvider/kubernetes",
    "TrustProvider/own",
    "ClusterTrustProvider/gone",
];

/// The resources without their providers: what is written of access.
pub(crate) fn world() -> impl Strategy<Value = World> {
    (
        vec(policy(), 1..4),
        vec(cluster_policy(), 0..3),
        vec(role(), 0..4),
        subsequence(&PROVIDERS[..4], 2..=4),
    )
        .prop_map(|(policies, cluster, roles, providers)| {
            let mut resources = Vec::new();
            resources.extend(named("AccessPolicy", Some(NAMESPACE), policies, "policy"));
            resources.extend(named("ClusterAccessPolicy", None, cluster, "guard"));
            resources.extend(roles);
            resources.sort_by_key(|role| (role["kind"].to_string(), role["metadata"].to_string()));
            resources.dedup_by(|a, b| a["kind"] == b["kind"] && a["metadata"] == b["metadata"]);
            resources.extend(providers.into_iter().map(super::properties::provider));
            World { resources }
        })
}

/// A request, with a token or without.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let host = prop_oneof![9 => Just(HOST), 1 => Just("foreign.example.com")];
    (host, select(&METHODS[..]), select(&PATHS[..]), weighted(0.85, token())).prop_map(
        |(host, method, path, token)| Asked {
            namespace: NAMESPACE.to_owned(),
            application: HOST.to_owned(),
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            token,
        },
    )
}

fn token() -> impl Strategy<Value = Token> {
    let groups = prop_oneof![
        6 => subsequence(&GROUPS[..], 0..=2).prop_map(|groups| Some(json!(groups))),
        2 => Just(None),
        1 => Just(Some(json!("staff"))),
        1 => Just(Some(json!(["staff", 7]))),
    ];
    let realm = prop_oneof![
        4 => subsequence(&REALM_ROLES[..], 0..=2).prop_map(|roles| Some(json!({"roles": roles}))),
        2 => select(&REALM_ROLES[..]).prop_map(|role| Some(json!({"roles": role}))),
        2 => Just(None),
        1 => Just(Some(json!({"roles": 7}))),
    ];
    let act = prop_oneof![
        6 => Just(None),
        2 => select(&ACTORS[..]).prop_map(|actor| Some(json!({"sub": actor}))),
        1 => Just(Some(json!({"sub": 7}))),
    ];
    let verified = prop_oneof![5 => Just(Some(json!(true))), 1 => Just(Some(json!(false))), 1 => Just(None)];
    let aud = prop_oneof![
        6 => Just(json!([AUDIENCES[0], AUDIENCES[1]])),
        2 => Just(json!(AUDIENCES[0])),
        2 => Just(json!(AUDIENCES[1])),
        1 => Just(json!(AUDIENCES[2])),
    ];
    (
        select(&PROVIDERS[..4]),
        select(&SUBJECTS[..]),
        groups,
        weighted(0.8, select(&EMAILS[..])),
        verified,
        weighted(0.8, select(&CLIENTS[..])),
        act,
        (realm, aud),
    )
        .prop_map(|(provider, subject, groups, email, verified, client, act, (realm, aud))| {
            let kubernetes = provider.ends_with("/kubernetes");
            let subject = if kubernetes { SUBJECTS[2] } else { subject };
            let mut claims = Map::new();
            claims.insert("sub".to_owned(), json!(subject));
            claims.insert("aud".to_owned(), aud);
            let optional = [
                ("groups", groups),
                ("email", email.map(|email| json!(email))),
                ("email_verified", verified),
                ("azp", client.map(|client| json!(client))),
                ("act", act),
                ("realm_access", realm),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    claims.insert(name.to_owned(), value);
                }
            }
            Token {
                provider: provider.to_owned(),
                claims: Value::Object(claims),
            }
        })
}

fn policy() -> impl Strategy<Value = Value> {
    let audiences = prop_oneof![
        2 => Just(None),
        2 => Just(Some(json!([AUDIENCES[0]]))),
        1 => Just(Some(json!([AUDIENCES[1]]))),
    ];
    let mode = prop_oneof![8 => Just(None), 1 => Just(Some(json!("Enforce"))), 1 => Just(Some(json!("Observe")))];
    (vec(rule(), 1..4), audiences, mode).prop_map(|(rules, audiences, mode)| {
        let mut spec = json!({"hosts": [HOST], "rules": numbered(rules)});
        set(&mut spec, "audiences", audiences);
        set(&mut spec, "mode", mode);
        spec
    })
}

fn cluster_policy() -> impl Strategy<Value = Value> {
    let selector = prop_oneof![
        3 => Just(json!({})),
        2 => Just(json!({"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}})),
        1 => Just(json!({"matchLabels": {"env": "production"}})),
        1 => Just(json!({"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}})),
    ];
    let boundary = prop_oneof![
        4 => Just(None),
        4 => vec(cluster_rule(), 1..3).prop_map(|rules| Some(numbered(rules))),
        1 => Just(Some(json!([]))),
    ];
    let deny = weighted(0.5, vec(cluster_rule(), 1..3).prop_map(numbered));
    let spec = (selector, boundary, deny).prop_map(|(selector, boundary, deny)| {
        let mut spec = json!({"namespaceSelector": selector});
        set(&mut spec, "boundary", boundary);
        set(&mut spec, "deny", deny);
        spec
    });
    (spec, weighted(0.05, Just(json!("blue")))).prop_map(|(mut spec, unknown)| {
        set(&mut spec, "boundry", unknown);
        spec
    })
}

fn role() -> impl Strategy<Value = Value> {
    let kind = select(vec!["AccessRole", "ClusterAccessRole"]);
    (kind, vec(identity(), 1..3)).prop_map(|(kind, members)| {
        let namespace = (kind == "AccessRole").then_some(NAMESPACE);
        resource(kind, namespace, "admins", json!({"members": members}))
    })
}

/// A rule with an action, or with something that only looks like one.
fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        20 => Just(None),
        4 => Just(Some(("action", json!("Allow")))),
        8 => Just(Some(("action", json!("Deny")))),
        1 => Just(Some(("action", json!("deny")))),
        1 => Just(Some(("action", json!(null)))),
        1 => Just(Some(("acton", json!("Deny")))),
        1 => Just(Some(("acton", json!("Allow")))),
        1 => Just(Some(("effect", json!("DENY")))),
        1 => Just(Some(("colour", json!("blue")))),
    ];
    (cluster_rule(), action).prop_map(|(mut rule, action)| {
        if let Some((name, value)) = action {
            set(&mut rule, name, Some(value));
        }
        rule
    })
}

fn cluster_rule() -> impl Strategy<Value = Value> {
    let to = weighted(0.7, vec(spoilt(to()), 1..3));
    let rule = (vec(spoilt(entry()), 1..3), to).prop_map(|(from, to)| {
        let mut rule = json!({"from": from});
        set(&mut rule, "to", to.map(Value::Array));
        rule
    });
    spoilt(rule)
}

fn entry() -> impl Strategy<Value = Value> {
    let role = select(vec![
        json!({"kind": "AccessRole", "name": "admins"}),
        json!({"kind": "ClusterAccessRole", "name": "admins"}),
        json!({"kind": "AccessRole", "name": "gone"}),
    ]);
    prop_oneof![
        8 => identity(),
        2 => Just(json!({"anyone": true})),
        2 => vec(role, 1..3).prop_map(|roles| json!({"roleRefs": roles})),
    ]
}

/// An entry that a role too may have as member.
fn identity() -> impl Strategy<Value = Value> {
    let accounts = select(vec![
        json!({"namespace": "shop", "name": "checkout"}),
        json!({"namespace": "shop", "name": "*"}),
        json!({"namespace": "*", "name": "checkout"}),
        json!({"namespace": "ops", "name": "*"}),
    ]);
    prop_oneof![
        6 => of_provider(),
        1 => vec(accounts, 1..3).prop_map(|accounts| json!({"serviceAccounts": accounts})),
    ]
}

fn of_provider() -> impl Strategy<Value = Value> {
    let some = |pool: &'static [&'static str]| {
        weighted(0.2, subsequence(pool, 1..=2).prop_map(|some| json!(some)))
    };
    let claim = subsequence(&REALM_ROLES[..], 1..=2)
        .prop_map(|roles| json!([{"path": ["realm_access", "roles"], "anyOf": roles}]));
    (
        select(&PROVIDERS[..]),
        weighted(0.4, subsequence(&GROUPS[..], 1..=2).prop_map(|some| json!(some))),
        some(&EMAILS),
        some(&DOMAINS),
        some(&SUBJECTS),
        some(&CLIENTS),
        some(&ACTORS),
        weighted(0.2, claim),
    )
        .prop_map(|(provider, groups, emails, domains, subjects, clients, actors, claims)| {
            let (kind, name) = provider.split_once('/').unwrap_or_default();
            let mut entry = json!({"providerRef": {"name": name}});
            if kind != "ClusterTrustProvider" {
                entry["providerRef"]["kind"] = json!(kind);
            }
            set(&mut entry, "groups", groups);
            set(&mut entry, "emails", emails);
            set(&mut entry, "emailDomains", domains);
            set(&mut entry, "subjects", subjects);
            set(&mut entry, "clients", clients);
            set(&mut entry, "actors", actors);
            set(&mut entry, "claims", claims);
            entry
        })
}

fn to() -> impl Strategy<Value = Value> {
    let hosts = prop_oneof![Just(json!([HOST])), Just(json!(["*.example.com"])), Just(json!(["other.example.com"]))];
    (
        weighted(0.2, hosts),
        weighted(0.5, subsequence(&METHODS[..], 1..=2)),
        subsequence(&PATTERNS[..], 1..=3),
        any::<bool>(),
    )
        .prop_map(|(hosts, methods, paths, all)| {
            let mut to = json!({});
            set(&mut to, "hosts", hosts);
            set(&mut to, "methods", methods.map(|methods| json!(methods)));
            if !all || to.as_object().is_some_and(Map::is_empty) {
                set(&mut to, "paths", Some(json!(paths)));
            }
            to
        })
}

/// Sometimes with one of the mistakes that people and templates make.
fn spoilt(of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (of, weighted(0.06, (0..4_u8, any::<Index>()))).prop_map(|(mut value, mistake)| {
        if let (Some((kind, at)), Some(object)) = (mistake, value.as_object_mut()) {
            let name = object.keys().nth(at.index(object.len())).cloned().unwrap_or_default();
            match kind {
                0 => drop(object.insert(name, Value::Null)),
                1 => drop(object.insert(name, json!([]))),
                2 => drop(object.insert(format!("x{name}"), json!(["blue"]))),
                _ => {
                    let taken = object.remove(&name).unwrap_or_default();
                    object.insert(format!("{name}z"), taken);
                }
            }
        }
        value
    })
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
    numbered.map(|(number, spec)| resource(kind, namespace, &format!("{name}-{number}"), spec)).collect()
}

pub(crate) fn resource(kind: &str, namespace: Option<&str>, name: &str, spec: Value) -> Value {
    let mut metadata = json!({"name": name});
    set(&mut metadata, "namespace", namespace.map(|namespace| json!(namespace)));
    json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}
