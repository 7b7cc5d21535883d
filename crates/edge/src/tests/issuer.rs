//! Who signs tokens in these tests, and the provider that a ruleset knows it by.

use super::rules::{AUDIENCE, NOW, PROVIDER};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::{Keys, Provider};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.com";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

/// What the keys blob holds.
pub(super) fn keys() -> Keys {
    let x = URL_SAFE_NO_PAD.encode(pair().public_key());
    let provider: Provider = serde_json::from_value(json!({
        "id": PROVIDER, "issuers": [ISSUER], "algorithms": ["EdDSA"],
        "tokenTypes": ["AccessToken"],
        "forms": [{"tokenType": "AccessToken", "typ": ["at+jwt"], "present": [], "absent": []}],
        "maxLifetime": 3_600, "clockSkew": 30,
        "claims": {
            "groups": {"path": ["groups"], "whenAbsent": "Unknown", "overage": []},
            "email": {"path": ["email"], "verifiedBy": ["email_verified"]},
            "client": [["azp"]], "actor": ["act", "sub"], "scopes": [["scope"]]
        },
        "client": {"id": "dashboards", "scopes": ["openid"]}, "refresh": "Never", "maxStale": 86_400,
        "keys": [{"kty": "OKP", "kid": "one", "crv": "Ed25519", "x": x}]
    }))
    .unwrap();
    let providers = vec![provider];
    Keys { providers }
}

/// A token of Ana's, with some claims set anew; `null` takes one away.
pub(super) fn token(changes: &Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "sub": "ana", "aud": AUDIENCE, "iat": NOW.0 - 60, "exp": NOW.0 + 3_000,
        "groups": ["staff", "order-support"], "email": "ana@example.com", "email_verified": true,
        "scope": "orders:read", "jti": "token-1"
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let header = json!({"alg": "EdDSA", "kid": "one", "typ": "at+jwt"});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The same as a field's value.
pub(super) fn bearer(changes: &Value) -> String {
    format!("Bearer {}", token(changes))
}
