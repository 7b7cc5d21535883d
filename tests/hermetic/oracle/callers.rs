//! Random requests: who calls, with which token, and what.

use super::pool::{
    ACTORS, AUDIENCES, CLIENTS, DOMAINS, EMAILS, GROUPS, HOST, METHODS, NAMESPACE, PATHS,
    PROVIDERS, REALM_ROLES, SUBJECTS,
};
use super::{Asked, Token};
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// A request, with a token or without.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let host = prop_oneof![9 => Just(HOST), 1 => Just("foreign.example.com")];
    (
        host,
        select(&METHODS[..]),
        select(&PATHS[..]),
        weighted(0.85, token()),
    )
        .prop_map(|(host, method, path, token)| Asked {
            namespace: NAMESPACE.to_owned(),
            application: HOST.to_owned(),
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            token,
        })
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
        10 => Just(None),
        2 => select(&ACTORS[..]).prop_map(|actor| Some(json!({"sub": actor}))),
        1 => Just(Some(json!({"sub": 7}))),
    ];
    let overage = prop_oneof![
        20 => Just(None),
        1 => Just(Some(("_claim_names", json!({"groups": "src1"})))),
        1 => Just(Some(("_claim_names", json!({"other": "src1"})))),
    ];
    let verified =
        prop_oneof![5 => Just(Some(json!(true))), 1 => Just(Some(json!(false))), 1 => Just(None)];
    let aud = prop_oneof![
        6 => Just(json!([AUDIENCES[0], AUDIENCES[1]])),
        2 => Just(json!(AUDIENCES[0])),
        2 => Just(json!(AUDIENCES[1])),
        1 => Just(json!(AUDIENCES[2])),
    ];
    (
        providers(4),
        select(&SUBJECTS[..]),
        groups,
        weighted(0.8, select(&EMAILS[..])),
        verified,
        weighted(0.8, select(&CLIENTS[..])),
        act,
        (realm, aud, overage, weighted(0.6, select(&DOMAINS[..]))),
    )
        .prop_map(
            |(
                provider,
                subject,
                groups,
                email,
                verified,
                client,
                act,
                (realm, aud, overage, hd),
            )| {
                let kubernetes = provider.ends_with("/kubernetes");
                let subject = if kubernetes { SUBJECTS[2] } else { subject };
                let mut claims = Map::new();
                claims.insert("sub".to_owned(), json!(subject));
                claims.insert("aud".to_owned(), aud);
                let optional = [
                    ("groups", groups),
                    ("email", email.map(|email| json!(email))),
                    ("email_verified", verified),
                    ("hd", hd.map(|domain| json!(domain))),
                    ("azp", client.map(|client| json!(client))),
                    ("act", act),
                    ("realm_access", realm),
                ];
                claims.extend(overage.map(|(name, value)| (name.to_owned(), value)));
                for (name, value) in optional {
                    if let Some(value) = value {
                        claims.insert(name.to_owned(), value);
                    }
                }
                Token {
                    provider: provider.to_owned(),
                    claims: Value::Object(claims),
                }
            },
        )
}

/// One of the first providers, and okta as often as all others: or no token met a rule that names its
/// provider.
pub(crate) fn providers(first: usize) -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(PROVIDERS[0]), select(&PROVIDERS[1..first])]
}
