//! Random requests: who calls, with which token, and what.

use super::pool::{
    ACTORS, AUDIENCES, CLIENTS, DOMAINS, EMAILS, GROUPS, HOST, METHODS, NAMESPACE, NOW, PATHS,
    PROVIDERS, REALM_ROLES, SUBJECTS, issuer,
};
use super::{Asked, Token, browsers};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// A request, with a token or without.
pub(crate) fn asked() -> BoxedStrategy<Asked> {
    // Boxed, for so much at once is more than the stack of a test has room for.
    (sent(), browsers::browser())
        .prop_map(|(asked, browser)| match browser {
            Some(browser) => browser.sends(asked),
            None => asked,
        })
        .boxed()
}

fn sent() -> impl Strategy<Value = Asked> {
    let host = prop_oneof![
        16 => Just(HOST), 1 => Just("Orders.Example.com:443"), 1 => Just("orders.example.com."), 1 => Just("foreign.example.com"),
        1 => Just("new.example.com"), 1 => Just("orders.shop.svc"),
    ];
    let source = select(vec![
        None,
        Some("10.1.2.3"),
        Some("192.0.2.7"),
        Some("2001:db8::1"),
    ]);
    (
        host,
        select(&METHODS[..]),
        prop_oneof![14 => select(&PATHS[..14]), 1 => select(&PATHS[14..])],
        headers(),
        body(),
        source,
        weighted(0.85, token()),
    )
        .prop_map(|(host, method, path, headers, body, source, token)| Asked {
            namespace: NAMESPACE.to_owned(),
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body,
            source: source.map(str::to_owned),
            token,
            session: None,
        })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let preflight = vec![
        ("origin", "https://web.example.com"),
        ("access-control-request-method", "GET"),
    ];
    prop_oneof![
        12 => Just(Vec::new()),
        5 => Just(preflight),
        1 => Just(vec![("origin", "https://web.example.com")]),
        6 => vec((select(vec!["x-tier", "tier"]), select(vec!["gold", "silver"])), 1..4),
        1 => Just(vec![("authorization", "Basic YTpi")]),
    ]
    .prop_map(|all| {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        all.into_iter().map(owned).collect()
    })
}

/// What is posted, mostly a call of a tool or two; not all that is JSON to one is JSON to another.
fn body() -> impl Strategy<Value = Option<String>> {
    let one = select(vec![
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}}"#,
        r#"{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "delete"}}"#,
        r#"{"jsonrpc": "2.0", "id": 3, "method": "tools/list"}"#,
        r#"{"jsonrpc": "2.0", "id": 4, "result": {}}"#,
    ]);
    let odd = select(vec![
        "",
        "[]",
        "{}",
        "not json",
        r#"{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "method": "tools/call"}"#,
    ]);
    let batch = vec(one.clone(), 1..4).prop_map(|all| format!("[{}]", all.join(", ")));
    prop_oneof![
        6 => Just(None),
        6 => one.prop_map(|one| Some(one.to_owned())),
        2 => batch.prop_map(Some),
        1 => odd.prop_map(|odd| Some(odd.to_owned())),
    ]
}

fn token() -> impl Strategy<Value = Token> {
    (
        prop_oneof![1 => Just(PROVIDERS[0]), 1 => providers(8)],
        (claims(), more_claims()),
        fault(),
    )
        .prop_map(|(id, (claims, more), fault)| {
            let (_, name) = id.split_once('/').unwrap_or_default();
            let mut all = json!({"iss": issuer(name), "iat": NOW - 60, "exp": NOW + 600});
            let typ = match name {
                "kubernetes" => None,
                "google" | "github" | "azure" => Some("JWT"),
                _ => Some("at+jwt"),
            };
            let own = match name {
                "kubernetes" => json!({"sub": SUBJECTS[2]}),
                "github" => json!({"repository_owner_id": "4711"}),
                "azure" => json!({"azpacr": "1"}),
                _ => json!({}),
            };
            let own = own.as_object().cloned().unwrap_or_default();
            for (claim, value) in claims.into_iter().chain(more).flatten().chain(own) {
                all[&claim] = value;
            }
            let mut token = Token {
                key: name.to_owned(),
                typ: typ.map(str::to_owned),
                header: None,
                claims: all,
            };
            if let Some(fault) = fault {
                spoil(&mut token, fault);
            }
            token
        })
}

/// What a claim may be: mostly what one expects.
pub(crate) fn claims() -> Vec<BoxedStrategy<Option<(String, Value)>>> {
    let groups = prop_oneof![
        8 => subsequence(&GROUPS[..], 0..=2).prop_map(|groups| json!(groups)),
        1 => select(vec![json!("staff"), json!(["staff", 7]), json!(null), json!({})]),
    ];
    let realm = prop_oneof![
        4 => subsequence(&REALM_ROLES[..], 0..=2).prop_map(|roles| json!({"roles": roles})),
        2 => select(&REALM_ROLES[..]).prop_map(|role| json!({"roles": role})),
        1 => select(vec![json!({"roles": 7}), json!({"roles": ["admin", 7]}), json!({"roles": null}), json!({}), json!("admin")]),
    ];
    let act = prop_oneof![
        3 => select(&ACTORS[..]).prop_map(|actor| json!({"sub": actor})),
        1 => select(&ACTORS[..]).prop_map(|actor| json!({"sub": actor, "act": {"sub": "helper-bot"}})),
        1 => select(vec![json!({"sub": 7}), json!({}), json!("helper-bot"), json!(null)]),
    ];
    let aud = prop_oneof![
        6 => Just(json!([AUDIENCES[0], AUDIENCES[1]])),
        2 => Just(json!(AUDIENCES[0])),
        2 => Just(json!(AUDIENCES[1])),
        1 => Just(json!(AUDIENCES[2])),
    ];
    vec![
        texts("sub", 0.99, &SUBJECTS),
        claim("aud", 0.99, aud),
        claim("groups", 0.8, groups),
        texts("email", 0.8, &EMAILS),
        odd(
            "email",
            vec![
                json!("a@b@example.com"),
                json!("ana@exämple.com"),
                json!(7),
                json!(""),
            ],
        )
        .prop_map(rarely)
        .boxed(),
        claim(
            "email_verified",
            0.85,
            select(vec![
                json!(true),
                json!(true),
                json!(true),
                json!(false),
                json!("true"),
            ]),
        ),
        claim(
            "xms_edov",
            0.8,
            select(vec![json!(true), json!(true), json!(false)]),
        ),
        texts("hd", 0.6, &DOMAINS),
        texts("azp", 0.8, &CLIENTS),
        texts("client_id", 0.2, &CLIENTS),
        claim("act", 0.2, act),
        claim("realm_access", 0.7, realm),
        claim(
            "_claim_names",
            0.15,
            select(vec![
                json!({"groups": "src1"}),
                json!({"groups": "src1"}),
                json!({"other": "src1"}),
            ]),
        ),
        claim("hasgroups", 0.04, Just(json!(true))),
        texts(
            "tid",
            0.7,
            &["0b5c3c1e-0000-4000-8000-000000000001", "other"],
        ),
    ]
}

/// What else may be said: scopes, how the login was, and whatever a team may have of its own.
pub(crate) fn more_claims() -> Vec<BoxedStrategy<Option<(String, Value)>>> {
    vec![
        odd(
            "scope",
            vec![
                json!("read"),
                json!("read write"),
                json!("write read other"),
                json!(""),
            ],
        ),
        odd(
            "scp",
            vec![
                json!(["read"]),
                json!(["read", "write"]),
                json!("read write"),
                json!(7),
            ],
        ),
        odd("acr", vec![json!("gold"), json!("silver"), json!(7)]),
        odd(
            "amr",
            vec![
                json!(["mfa", "pwd"]),
                json!(["pwd"]),
                json!("mfa"),
                json!([]),
            ],
        ),
        odd(
            "auth_time",
            vec![json!(NOW - 600), json!(NOW - 7_200), json!("then")],
        ),
        odd(
            "tenant",
            vec![
                json!("a"),
                json!("b"),
                json!(7),
                json!(null),
                json!(["a", "viewer"]),
            ],
        ),
        odd("other", vec![json!("a"), json!("b")]),
        odd("level", vec![json!(0), json!(1), json!(2), json!("1")]),
        odd("trusted", vec![json!(true), json!(false), json!("true")]),
        texts("repository", 0.8, &["example/platform", "example/other"]),
        texts("repository_id", 0.8, &["4711", "4712"]),
        texts("ref", 0.8, &["refs/heads/main", "refs/heads/next"]),
        texts("event_name", 0.8, &["push", "pull_request"]),
        texts("sid", 0.3, &["session-1", "session-2"]),
        texts("jti", 0.3, &["id-1", "id-2"]),
    ]
}

fn texts(
    name: &'static str,
    chance: f64,
    pool: &'static [&'static str],
) -> BoxedStrategy<Option<(String, Value)>> {
    claim(name, chance, select(pool).prop_map(|one| json!(one)))
}

fn odd(name: &'static str, values: Vec<Value>) -> BoxedStrategy<Option<(String, Value)>> {
    claim(name, 0.5, select(values))
}

fn claim(
    name: &'static str,
    chance: f64,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(String, Value)>> {
    weighted(chance, value)
        .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        .boxed()
}

/// Only the oddest of what is odd.
fn rarely(claim: Option<(String, Value)>) -> Option<(String, Value)> {
    claim.filter(|(_, value)| value != "")
}

/// What is wrong with a token, if anything is.
#[derive(Debug, Clone)]
enum Fault {
    Without(&'static str),
    With(&'static str, Value),
    Typ(Option<&'static str>),
    Key(&'static str),
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    weighted(
        0.2,
        prop_oneof![
            2 => select(vec!["sub", "aud", "exp", "iat", "iss"]).prop_map(Fault::Without),
            1 => select(vec![("sub", json!(7)), ("sub", json!("")), ("aud", json!([])), ("aud", json!(["a", 7])), ("exp", json!("soon")), ("iat", json!(null)), ("nbf", json!("then"))]).prop_map(|(name, value)| Fault::With(name, value)),
            3 => select(vec![("exp", NOW - 31), ("exp", NOW - 30), ("exp", NOW - 29), ("nbf", NOW + 30), ("nbf", NOW + 31), ("iat", NOW + 30), ("iat", NOW + 31), ("exp", NOW + 86_341), ("exp", NOW + 86_340), ("exp", NOW + 3_541), ("exp", NOW + 21_541)]).prop_map(|(name, time)| Fault::With(name, json!(time))),
            1 => select(vec![json!("https://okta.example.com/"), json!("https://other.example.com"), json!("accounts.google.com"), json!(["https://okta.example.com"])]).prop_map(|issuer| Fault::With("iss", issuer)),
            2 => select(vec![None, Some("JWT"), Some("AT+JWT"), Some("dpop+jwt")]).prop_map(Fault::Typ),
            1 => select(vec![("nonce", json!("n")), ("azpacr", json!(null)), ("scp", json!("read"))]).prop_map(|(name, value)| Fault::With(name, value)),
            1 => select(vec!["entra", "own"]).prop_map(Fault::Key),
        ],
    )
}

fn spoil(token: &mut Token, fault: Fault) {
    match fault {
        Fault::Without(name) => drop(
            token
                .claims
                .as_object_mut()
                .and_then(|all: &mut Map<_, _>| all.remove(name)),
        ),
        Fault::With(name, value) => token.claims[name] = value,
        Fault::Typ(typ) => token.typ = typ.map(str::to_owned),
        Fault::Key(key) => key.clone_into(&mut token.key),
    }
}

/// One of the first providers, and okta more often than all others: or no token met a rule that names its
/// provider.
pub(crate) fn providers(first: usize) -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(PROVIDERS[0]), 2 => select(&PROVIDERS[1..first])]
}
