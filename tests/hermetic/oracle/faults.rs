//! What may be otherwise with a provider: what is written as it may be, and what cannot be read.

use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::Value;

/// A field of a provider that is otherwise, or left out.
pub(crate) type Change = (&'static str, Option<Value>);

/// What is otherwise with a provider: mostly nothing, or what may well be.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop_oneof![
        5 => vec(select(right()), 0..3),
        3 => select(wrong()).prop_map(|one| vec![one]),
    ]
}

fn right() -> Vec<Change> {
    RIGHT.iter().map(read).collect()
}

fn read((name, text): &(&'static str, &str)) -> Change {
    (name, Some(serde_json::from_str(text).expect("JSON")))
}

const RIGHT: [(&str, &str); 23] = [
    ("tenants", r#"["example.com"]"#),
    ("tenants", r#"["4711"]"#),
    ("tenants", r#"["shop"]"#),
    ("tenants", r#"["0b5c3c1e-0000-4000-8000-000000000001"]"#),
    ("tokenTypes", r#"["IDToken"]"#),
    ("tokenTypes", r#"["AccessToken", "IDToken"]"#),
    ("tokenTypes", r#"["AccessToken"]"#),
    ("maxLifetime", r#""10m""#),
    ("maxLifetime", r#""48h""#),
    ("clockSkew", r#""0s""#),
    ("clockSkew", r#""60s""#),
    ("issuer", r#""https://gitlab.com""#),
    (
        "issuerAliases",
        r#"["https://alias.example.com", "https://okta.example.com"]"#,
    ),
    ("algorithms", r#"["none", "EdDSA"]"#),
    ("revocations", r#""own key""#),
    ("revocations", r#""own key for ever""#),
    (
        "revocations",
        r#"[{"sub": "bo"}, {"sid": "session-1", "issuedBefore": "soon"}, {"jti": "id-1", "until": null}]"#,
    ),
    ("audit", r#"{"claims": [{"name": "sub", "as": "plain"}]}"#),
    (
        "claims",
        r#"{"groups": {"path": ["realm_access", "roles"], "whenAbsent": "Empty"}}"#,
    ),
    (
        "claims",
        r#"{"groups": {"whenAbsent": "Empty"}, "client": {"path": ["client_id"]}}"#,
    ),
    (
        "claims",
        r#"{"email": {"path": ["mail"]}, "actor": {"path": ["agent"]}}"#,
    ),
    (
        "claims",
        r#"{"email": {"verifiedBy": {"path": ["trusted"]}}}"#,
    ),
    (
        "claims",
        r#"{"email": {"path": ["email"], "domain": {"path": ["hd"]}}}"#,
    ),
];

/// What cannot be read of a provider, or is not so.
fn wrong() -> Vec<Change> {
    let gone = ["algorithms", "issuer", "keys", "tenants", "type"];
    let gone = gone.into_iter().map(|name| (name, None));
    WRONG.iter().map(read).chain(gone).collect()
}

const WRONG: [(&str, &str); 52] = [
    ("type", r#""Oidc""#),
    ("type", "null"),
    ("issuer", r#""http://okta.example.com""#),
    ("issuer", r#""https://okta.example.com?a=b""#),
    ("issuer", r#""okta.example.com""#),
    ("issuer", "null"),
    (
        "issuer",
        r#""https://login.microsoftonline.com/common/v2.0""#,
    ),
    ("issuerAliases", "null"),
    ("issuerAliases", r#"["https://alias.example.com", 7]"#),
    ("tenants", "null"),
    ("tenants", "[]"),
    ("tenants", r#""example.com""#),
    ("tenants", "[7]"),
    ("tenants", r#"[""]"#),
    ("tenants", r#"["shop", "example.com"]"#),
    ("tenant", r#"["example.com"]"#),
    ("algorithms", "null"),
    ("algorithms", "[]"),
    ("algorithms", r#"["none", "HS256"]"#),
    ("algorithms", r#""EdDSA""#),
    ("algorithms", r#"["RS256"]"#),
    ("tokenTypes", "[]"),
    ("tokenTypes", r#"["WorkloadToken"]"#),
    ("tokenTypes", r#"["Refresh", "IDToken"]"#),
    ("maxLifetime", r#""0s""#),
    ("maxLifetime", "600"),
    ("clockSkew", r#""61s""#),
    ("clockSkew", "null"),
    ("claims", "null"),
    ("claims", r#"{"colour": {"path": ["a"]}}"#),
    ("claims", r#"{"actor": null}"#),
    ("claims", r#"{"actor": {"paht": ["act", "sub"]}}"#),
    ("claims", r#"{"groups": null, "client": {"path": []}}"#),
    (
        "claims",
        r#"{"groups": {"path": ["groups"], "colour": 1}, "email": null}"#,
    ),
    ("claims", r#"{"email": {"domain": {"path": null}}}"#),
    (
        "claims",
        r#"{"email": {"path": ["email"], "verifiedBy": {}}}"#,
    ),
    ("keys", "null"),
    ("keys", r#"{"inline": {"keys": []}}"#),
    ("keys", r#"{"inline": null}"#),
    (
        "keys",
        r#"{"inline": {"keys": []}, "jwksURL": "https://okta.example.com/keys"}"#,
    ),
    ("keys", r#"{"inlien": {"keys": []}}"#),
    ("keys", r#"{"jwksURL": "https://okta.example.com/keys"}"#),
    ("keys", r#"{"jwksURL": "http://okta.example.com/keys"}"#),
    (
        "keys",
        r#"{"jwksURL": "https://okta.example.com/keys", "proxyURL": "https://proxy.example.com"}"#,
    ),
    ("revocations", "null"),
    ("revocations", "[]"),
    ("revocations", r#"[{"sub": "bo", "sid": "session-1"}]"#),
    ("revocations", r#"[{"subject": "bo"}]"#),
    ("revocations", r#"[{"key": "sha256:iU8PifLltl"}]"#),
    ("audit", "null"),
    ("client", r#"{"id": ""}"#),
    ("colour", r#""blue""#),
];
