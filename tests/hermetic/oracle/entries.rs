//! Random parts of rules: who, what, and what is asked beside.

use super::callers::providers;
use super::pool::{
    ACTORS, CLIENTS, DOMAINS, EMAILS, GROUPS, HOST, MCP, METHODS, PATTERNS, REALM_ROLES, SCOPES,
    SUBJECTS, WORKLOADS,
};
use super::scenes::set;
use super::spoil::spoilt;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// What a caller must have done beside.
pub(crate) fn require() -> impl Strategy<Value = Value> {
    fields(vec![
        (
            "scopes",
            0.5,
            subsequence(&SCOPES[..], 1..=2)
                .prop_map(|some| json!(some))
                .boxed(),
        ),
        (
            "acrValues",
            0.2,
            subsequence(vec!["gold", "silver"], 1..=2)
                .prop_map(|some| json!(some))
                .boxed(),
        ),
        (
            "amr",
            0.2,
            subsequence(vec!["mfa", "pwd"], 1..=2)
                .prop_map(|some| json!(some))
                .boxed(),
        ),
        (
            "maxAuthAge",
            0.2,
            select(vec![json!("15m"), json!("3h"), json!("5s")]).boxed(),
        ),
        (
            "proofOfPossession",
            0.25,
            select(vec![json!(true), json!(true), json!(false)]).boxed(),
        ),
    ])
}

/// An object with some of these members.
fn fields(all: Vec<(&'static str, f64, BoxedStrategy<Value>)>) -> impl Strategy<Value = Value> {
    let field = |(name, chance, value): (&'static str, f64, BoxedStrategy<Value>)| {
        weighted(chance, value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let all: Vec<_> = all.into_iter().map(field).collect();
    all.prop_map(|all| all.into_iter().flatten().collect())
}

pub(crate) fn entry() -> impl Strategy<Value = Value> {
    let role = select(vec![
        json!({"kind": "AccessRole", "name": "admins"}),
        json!({"kind": "ClusterAccessRole", "name": "admins"}),
        json!({"kind": "AccessRole", "name": "gone"}),
    ]);
    // A workload by itself, and one that callers are: beside other matchers it seldom decides.
    let workload = select(vec![
        json!({"providerRef": {"name": "github"}, "workloads": [{"github": {"repository": "example/platform"}}]}),
        json!({"providerRef": {"name": "google"}, "workloads": [{"google": {"serviceAccount": "run@shop.iam.gserviceaccount.com"}}]}),
        json!({"providerRef": {"name": "github"}, "workloads": [{"github": {"repository": "example/platform"}}, {"github": {"repositoryID": "4712"}}]}),
        json!({"providerRef": {"name": "google"}, "workloads": [{"google": {"serviceAccount": "run@shop.iam.gserviceaccount.com"}}, {"google": {"uniqueID": "1084"}}]}),
    ]);
    prop_oneof![
        6 => identity(),
        2 => workload,
        5 => Just(json!({"providerRef": {"name": "okta"}})),
        3 => Just(json!({"anyone": true})),
        2 => vec(role, 1..3).prop_map(|roles| json!({"roleRefs": roles})),
    ]
}

/// An entry that a role too may have as member.
pub(crate) fn identity() -> impl Strategy<Value = Value> {
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
        subsequence(pool, 1..=2)
            .prop_map(|some| json!(some))
            .boxed()
    };
    let claim = subsequence(&REALM_ROLES[..], 1..=2)
        .prop_map(|roles| json!([{"path": ["realm_access", "roles"], "anyOf": roles}]));
    let matchers = fields(vec![
        ("groups", 0.3, some(&GROUPS)),
        ("emails", 0.12, some(&EMAILS)),
        ("emailDomains", 0.12, some(&DOMAINS)),
        ("subjects", 0.12, some(&SUBJECTS)),
        ("clients", 0.12, some(&CLIENTS)),
        ("actors", 0.12, some(&ACTORS)),
        ("claims", 0.12, claim.boxed()),
        (
            "workloads",
            WORKLOADS,
            vec(spoilt(workload()), 1..3).prop_map(Value::Array).boxed(),
        ),
    ]);
    (providers(9), matchers, any::<bool>()).prop_map(|(provider, mut entry, apt)| {
        // Mostly a provider that speaks for the platform.
        let platform = |name: &str| entry["workloads"][0].get(name).is_some();
        let provider = match () {
            () if apt && platform("google") => "ClusterTrustProvider/google",
            () if apt && platform("github") => "ClusterTrustProvider/github",
            () => provider,
        };
        let (kind, name) = provider.split_once('/').unwrap_or_default();
        entry["providerRef"] = json!({"name": name});
        if kind != "ClusterTrustProvider" {
            entry["providerRef"]["kind"] = json!(kind);
        }
        entry
    })
}

/// A workload, by the platform that vouches for it.
pub(crate) fn workload() -> impl Strategy<Value = Value> {
    let text = |of: &'static [&'static str]| select(of).prop_map(|one| json!(one)).boxed();
    let google = fields(vec![
        ("serviceAccount", 0.7, text(&EMAILS)),
        ("uniqueID", 0.5, text(&SUBJECTS)),
    ]);
    let github = fields(vec![
        (
            "repository",
            0.7,
            text(&["example/platform", "example/other"]),
        ),
        ("repositoryID", 0.3, text(&["4711", "4712", "x"])),
        ("ref", 0.4, text(&["refs/heads/main", "main"])),
        (
            "events",
            0.3,
            subsequence(vec!["push", "release"], 1..=2)
                .prop_map(|some| json!(some))
                .boxed(),
        ),
    ]);
    prop_oneof![
        2 => spoilt(google).prop_map(|one| json!({"google": one})),
        3 => spoilt(github).prop_map(|one| json!({"github": one})),
        1 => Just(json!({"spiffe": {"id": "spiffe://example.com/a"}})),
    ]
}

/// One entry of `to`.
pub(crate) fn to() -> impl Strategy<Value = Value> {
    let hosts = prop_oneof![
        Just(json!([HOST])),
        Just(json!(["*.example.com"])),
        Just(json!(["other.example.com"]))
    ];
    let some = |pool: &'static [&'static str]| {
        subsequence(pool, 1..=2)
            .prop_map(|some| json!(some))
            .boxed()
    };
    let preflight = select(vec![json!(true), json!(true), json!(false), json!("true")]);
    let mcp = fields(vec![
        ("tools", 0.7, some(&["search", "delete"])),
        ("methods", 0.5, some(&["tools/call", "tools/list"])),
    ]);
    let more = fields(vec![
        ("hosts", 0.2, hosts.boxed()),
        ("methods", 0.3, some(&METHODS)),
        ("corsPreflight", 0.1, preflight.boxed()),
        ("mcp", MCP, spoilt(mcp).boxed()),
    ]);
    (more, subsequence(&PATTERNS[..], 1..=3), any::<bool>()).prop_map(|(mut to, paths, all)| {
        if !all || to.as_object().is_some_and(Map::is_empty) {
            set(&mut to, "paths", Some(json!(paths)));
        }
        to
    })
}
