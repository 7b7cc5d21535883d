//! Random browsers: what they say of themselves, and the sessions that they keep; and random logins.

use super::callers::{claims, more_claims};
use super::pool::{AUDIENCES, CLIENTS, NOW, SUBJECTS, issuer};
use super::scenes::set;
use super::{Asked, MadeFor, Session, Token};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// What a browser does to a request.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    says: Vec<(&'static str, &'static str)>,
    session: Option<Session>,
    /// Whether a token stays beside.
    bears: bool,
}

/// Perhaps a browser, mostly with a session.
pub(crate) fn browser() -> BoxedStrategy<Option<Browser>> {
    let one = (says(), weighted(0.75, session()), weighted(0.1, Just(())));
    weighted(
        0.3,
        one.prop_map(|(says, session, bears)| Browser {
            says,
            session,
            bears: bears.is_some(),
        }),
    )
    .boxed()
}

impl Browser {
    pub(crate) fn sends(self, mut asked: Asked) -> Asked {
        let said = self.says.into_iter();
        asked
            .headers
            .extend(said.map(|(name, value)| (name.to_owned(), value.to_owned())));
        asked.token = asked.token.filter(|_| self.bears);
        asked.session = self.session;
        asked
    }
}

/// Mostly that somebody navigates, or that a page of the application itself asks.
fn says() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    const MODE: (&str, &str) = ("sec-fetch-mode", "navigate");
    const DEST: (&str, &str) = ("sec-fetch-dest", "document");
    const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9");
    const OTHER: (&str, &str) = ("origin", "https://evil.example");
    let site = |site| ("sec-fetch-site", site);
    let odd = select(vec![
        vec![MODE],
        vec![DEST],
        vec![MODE, MODE, DEST],
        vec![MODE, ("sec-fetch-dest", "iframe")],
        vec![PAGE, site("none")],
        vec![("accept", "*/*")],
        vec![("accept", "text/html;q=0, */*")],
        vec![("accept", "application/xml, text/html;level=1")],
        vec![PAGE, ("x-requested-with", "XMLHttpRequest")],
        vec![PAGE, OTHER],
        vec![PAGE, ("upgrade", "websocket")],
        vec![site("same-site")],
        vec![site("same-origin"), site("cross-site")],
        vec![site("same-party")],
        vec![OTHER],
        vec![("origin", "null")],
        vec![OTHER, OTHER],
        vec![OTHER, site("same-origin")],
        vec![("origin", "https://orders.example.com")],
        vec![("origin", "https://orders.example.com:8443")],
        vec![("upgrade", "websocket")],
        vec![("upgrade", "websocket"), site("same-origin")],
    ]);
    prop_oneof![
        4 => Just(vec![MODE, DEST]),
        2 => Just(vec![PAGE]),
        1 => Just(vec![MODE, DEST, site("cross-site")]),
        2 => Just(vec![site("same-origin")]),
        2 => Just(vec![site("cross-site")]),
        2 => Just(vec![("upgrade", "websocket"), OTHER]),
        2 => Just(Vec::new()),
        4 => odd,
    ]
}

fn session() -> impl Strategy<Value = Session> {
    let by = prop_oneof![
        6 => Just("ClusterTrustProvider/okta"), 1 => Just("ClusterTrustProvider/entra"),
        1 => Just("ClusterTrustProvider/google"), 1 => Just("ClusterTrustProvider/azure"), 1 => Just("TrustProvider/own"),
    ];
    let client = prop_oneof![8 => Just(CLIENTS[0]), 1 => Just(CLIENTS[1]), 1 => Just(AUDIENCES[1])];
    let when = prop_oneof![
        4 => Just(NOW - 60),
        // The date of a token is a minute before: on both sides of a revocation, and of the end.
        4 => select(vec![NOW - 540, NOW - 541, NOW + 61, NOW - 43_199, NOW - 43_200, NOW - 90_000]),
    ];
    let made_for = prop_oneof![8 => Just(MadeFor::ThisOne), 1 => Just(MadeFor::OtherApplication), 1 => Just(MadeFor::OtherNamespace)];
    let scopes = prop_oneof![4 => Just(vec!["openid"]), 1 => Just(vec!["email", "openid"])];
    (
        by,
        (client, scopes),
        when,
        made_for,
        (claims(), more_claims()),
    )
        .prop_map(
            |(by, (client, scopes), made_at, made_for, (claims, more))| {
                let said = claims.into_iter().chain(more).flatten();
                Session {
                    by: by.to_owned(),
                    client: client.to_owned(),
                    scopes: scopes.into_iter().map(str::to_owned).collect(),
                    id_token: id_token((by, client), made_at, said.collect()),
                    made_at,
                    made_for,
                }
            },
        )
}

/// What came of a login, as that provider tells it: no more than an ID token holds.
fn id_token((by, client): (&str, &str), made_at: i64, mut claims: Map<String, Value>) -> Token {
    let (_, name) = by.split_once('/').unwrap_or_default();
    for of_access in ["client_id", "scope", "scp"] {
        claims.remove(of_access);
    }
    claims.entry("sub").or_insert(json!(SUBJECTS[0]));
    if let Some(party) = claims.get_mut("azp") {
        *party = json!(client);
    }
    let usual = json!({
        "iss": issuer(name), "aud": client, "nonce": "n", "iat": made_at.saturating_sub(60), "exp": made_at.saturating_add(600),
    });
    claims.extend(usual.as_object().cloned().unwrap_or_default());
    Token {
        key: name.to_owned(),
        typ: Some("JWT".to_owned()),
        header: None,
        claims: Value::Object(claims),
    }
}

/// What is written of logins: in each policy, and perhaps otherwise in a provider.
#[derive(Debug, Clone)]
pub(crate) struct Logins {
    policies: Vec<Option<Value>>,
    client: Option<(&'static str, Option<Value>)>,
}

pub(crate) fn logins() -> BoxedStrategy<Logins> {
    let named = |name: &str| json!({"providerRef": {"name": name}});
    let login = prop_oneof![
        9 => Just(None),
        9 => Just(Some(named("okta"))),
        3 => select(vec![named("entra"), named("google"), named("azure"), json!({"providerRef": {"kind": "TrustProvider", "name": "own"}})]).prop_map(Some),
        1 => select(vec![
            named("keyless"), named("kubernetes"), named("gone"), json!(null), json!({}), json!({"providerRef": null}), json!("okta"),
            json!({"providerRef": {"name": "okta"}, "scopes": ["openid"]}), json!({"providerRef": {"name": "okta", "kind": "Provider"}}), json!({"provider": {"name": "okta"}}),
        ]).prop_map(Some),
    ];
    let odd = select(vec![
        None,
        Some(json!(null)),
        Some(json!({})),
        Some(json!({"id": ""})),
        Some(json!({"id": 7})),
        Some(json!({"id": CLIENTS[1]})),
        Some(json!({"id": AUDIENCES[1]})),
        Some(json!({"id": AUDIENCES[0]})),
        Some(json!({"id": CLIENTS[0], "colour": "blue"})),
        Some(json!({"ID": CLIENTS[0]})),
        Some(json!({"id": CLIENTS[0], "scopes": ["openid", "email"]})),
        Some(json!({"id": CLIENTS[0], "scopes": ["email"]})),
        Some(json!({"id": CLIENTS[0], "scopes": []})),
    ]);
    let scopes = Just(Some(
        json!({"id": CLIENTS[0], "scopes": ["openid", "email"]}),
    ));
    let client = prop_oneof![1 => scopes, 2 => odd];
    let whose = select(vec![
        "okta",
        "okta",
        "okta",
        "okta",
        "entra",
        "own",
        "kubernetes",
        "github",
    ]);
    (vec(login, 4), weighted(0.3, (whose, client)))
        .prop_map(|(policies, client)| Logins { policies, client })
        .boxed()
}

impl Logins {
    pub(crate) fn write(self, resources: &mut [Value]) {
        let policies = resources
            .iter_mut()
            .filter(|one| one["kind"] == "AccessPolicy");
        for (policy, login) in policies.zip(self.policies) {
            set(&mut policy["spec"], "login", login);
        }
        let Some((name, client)) = self.client else {
            return;
        };
        let providers = resources
            .iter_mut()
            .filter(|one| one["metadata"]["name"] == name);
        for spec in providers.filter_map(|one| one["spec"].as_object_mut()) {
            spec.remove("client");
            spec.extend(client.clone().map(|client| ("client".to_owned(), client)));
        }
    }
}
