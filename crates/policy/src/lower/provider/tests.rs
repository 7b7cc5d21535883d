//! Providers, as they are lowered.

use super::{FIELDS, Lowered, lower};
use crate::diagnostic::{Code, Diagnostic, ResourceId, Severity};
use crate::jwks::FetchedKeys;
use crate::lower::Sink;
use crate::v1alpha1::ProviderSpec;
use countersign_ruleset::provider::Provider;
use serde_json::{Value, json};

mod claims;
mod client;
mod conflict;
mod keys;
mod origin;
mod revocation;

/// A key, as a provider publishes it.
pub(super) fn jwk() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

/// A provider with inline keys, and what is written beside or instead.
pub(super) fn spec(kind: &str, more: &Value) -> Value {
    let mut spec = json!({
        "type": kind, "issuer": "https://id.example.com", "keys": {"inline": {"keys": [jwk()]}},
    });
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    spec
}

pub(super) fn okta(more: &Value) -> Value {
    spec("Okta", more)
}

/// The spec without one of its fields.
pub(super) fn without(mut spec: Value, name: &str) -> Value {
    spec.as_object_mut().unwrap().remove(name);
    spec
}

pub(super) fn lowered_as(
    kind: &str,
    written: &Value,
    fetched: Option<&FetchedKeys>,
) -> (Lowered, Vec<Diagnostic>) {
    let spec: ProviderSpec = serde_json::from_value(written.clone()).unwrap();
    let id = format!("{kind}/id").parse().unwrap();
    let resource = ResourceId {
        kind: kind.into(),
        namespace: String::new(),
        name: "id".into(),
    };
    let mut sink = Sink::new(resource);
    let lowered = lower(
        &id,
        &spec,
        kind == "ClusterTrustProvider",
        fetched,
        &mut sink,
    );
    (lowered, sink.into_diagnostics())
}

pub(super) fn lowered(written: &Value) -> (Lowered, Vec<Diagnostic>) {
    lowered_as("ClusterTrustProvider", written, None)
}

/// A provider of which nothing is wrong.
pub(super) fn good(written: &Value) -> Provider {
    let (lowered, found) = lowered(written);
    assert_eq!(found, [], "{written}");
    lowered.provider.unwrap()
}

/// What is said of a provider that does not count.
pub(super) fn invalid(written: &Value) -> Vec<(String, Code)> {
    let (lowered, found) = lowered(written);
    assert!(lowered.provider.is_none(), "{written}");
    assert!(lowered.revocations.is_empty(), "{written}");
    errors(&found)
}

/// What is said of a provider that counts all the same.
pub(super) fn flawed(written: &Value) -> (Provider, Vec<(String, Code)>) {
    let (lowered, found) = lowered(written);
    (
        lowered
            .provider
            .unwrap_or_else(|| panic!("{written}: {found:?}")),
        errors(&found),
    )
}

fn errors(found: &[Diagnostic]) -> Vec<(String, Code)> {
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    errors.map(|one| (one.path.to_string(), one.code)).collect()
}

#[test]
fn what_is_not_said_the_type_says() {
    let provider = good(&okta(&json!({})));
    let written = serde_json::to_value(&provider).unwrap();
    let expected = json!({
        "id": "ClusterTrustProvider/id",
        "issuers": ["https://id.example.com"],
        "algorithms": ["RS256"],
        "tokenTypes": ["AccessToken"],
        "forms": [
            {"tokenType": "AccessToken", "typ": ["", "at+jwt", "jwt"], "present": [[["cid"]]],
                "absent": [["nonce"], ["at_hash"], ["c_hash"]]},
            {"tokenType": "IDToken", "typ": ["", "jwt"], "present": [], "absent": [["cid"], ["scp"]]},
        ],
        "maxLifetime": 86_400,
        "clockSkew": 30,
        "claims": {
            "groups": {"path": ["groups"], "whenAbsent": "Unknown",
                "overage": [["_claim_names", "groups"]]},
            "email": {"path": ["email"], "verifiedBy": ["email_verified"]},
            "client": [["cid"]],
            "actor": ["act", "sub"],
            "scopes": [["scp"]],
        },
        "refresh": "Never",
        "maxStale": 86_400,
        "keys": [jwk()],
    });
    assert_eq!(written, expected);
}

#[test]
fn what_is_said_stands_in_place_of_it() {
    let provider = good(&okta(&json!({
        "algorithms": ["EdDSA", "ES256", "EdDSA"], "tokenTypes": ["IDToken", "AccessToken"],
        "maxLifetime": "1h", "clockSkew": "0s",
    })));
    let written = serde_json::to_value(&provider).unwrap();
    assert_eq!(written["algorithms"], json!(["ES256", "EdDSA"]));
    assert_eq!(written["tokenTypes"], json!(["AccessToken", "IDToken"]));
    assert_eq!((provider.max_lifetime, provider.clock_skew), (3_600, 0));
}

#[test]
fn only_googles_proxy_is_read_from_another_header() {
    let iap = good(&without(spec("GoogleIAP", &json!({})), "issuer"));
    assert_eq!(iap.header.as_deref(), Some("x-goog-iap-jwt-assertion"));
    assert_eq!(good(&okta(&json!({}))).header, None);
}

#[test]
fn the_type_is_named_exactly() {
    let expected = |code| vec![("spec.type".to_owned(), code)];
    assert_eq!(
        invalid(&without(okta(&json!({})), "type")),
        expected(Code::Missing)
    );
    for (written, code) in [
        (json!("okta"), Code::InvalidValue),
        (json!("GitLab"), Code::InvalidValue),
        (json!(null), Code::UnreadableValue),
        (json!(["Okta"]), Code::UnreadableValue),
    ] {
        assert_eq!(
            invalid(&okta(&json!({ "type": written }))),
            expected(code),
            "{written}"
        );
    }
    let (_, found) = lowered(&okta(&json!({"type": "GoogleIap"})));
    assert_eq!(found[0].help.as_deref(), Some("did you mean `GoogleIAP`?"));
}

/// Each of these says whose tokens count. If it cannot be read, none do.
#[test]
fn what_restricts_and_cannot_be_read_makes_the_provider_invalid() {
    for name in [
        "issuer",
        "tenants",
        "keys",
        "algorithms",
        "tokenTypes",
        "maxLifetime",
        "clockSkew",
        "claims",
        "revocations",
    ] {
        for value in [json!(null), json!(7), json!([7])] {
            let expected = vec![(format!("spec.{name}"), Code::UnreadableValue)];
            let written = okta(&json!({ name: value }));
            if name == "revocations" && value == json!([7]) {
                assert_eq!(invalid(&written)[0].0, "spec.revocations[0]");
            } else {
                assert_eq!(invalid(&written), expected, "{name}: {value}");
            }
        }
        if name != "keys" && name != "claims" {
            assert_eq!(
                invalid(&okta(&json!({ name: [] })))[0].0,
                format!("spec.{name}")
            );
        }
    }
}

#[test]
fn a_field_that_there_is_not_may_have_restricted_it() {
    for name in ["tenant", "algorithm", "maxLifeTime", "zebra"] {
        let (lowered, found) = lowered(&okta(&json!({ name: ["x"] })));
        assert!(lowered.provider.is_none(), "{name}");
        assert_eq!(
            errors(&found),
            [(format!("spec.{name}"), Code::UnknownField)]
        );
    }
    let (_, found) = lowered(&okta(&json!({"tenant": "x"})));
    assert_eq!(found[0].help.as_deref(), Some("did you mean `tenants`?"));
}

#[test]
fn the_fields_that_are_named_are_those_that_there_are() {
    for name in FIELDS {
        let spec: ProviderSpec = serde_json::from_value(json!({ name: null })).unwrap();
        assert!(spec.unread.is_empty(), "{name}");
    }
}

#[test]
fn what_is_no_algorithm_or_type_of_token_gives_nothing_and_the_others_stay() {
    let (provider, found) = flawed(&okta(&json!({"algorithms": ["HS256", "RS256", "none"]})));
    assert_eq!(
        serde_json::to_value(provider.algorithms).unwrap(),
        json!(["RS256"])
    );
    let at = |n: usize, name: &str| (format!("spec.{name}[{n}]"), Code::InvalidValue);
    assert_eq!(found, [at(0, "algorithms"), at(2, "algorithms")]);
    let none = invalid(&okta(&json!({"algorithms": ["HS256", "rs256"]})));
    assert_eq!(none, [at(0, "algorithms"), at(1, "algorithms")]);
    let (provider, found) = flawed(&okta(&json!({"tokenTypes": ["idToken", "AccessToken"]})));
    assert_eq!(
        serde_json::to_value(provider.token_types).unwrap(),
        json!(["AccessToken"])
    );
    assert_eq!(found, [at(0, "tokenTypes")]);
    // Kubernetes has tokens of a kind of their own, and no others.
    for written in ["AccessToken", "IDToken", "WorkloadToken"] {
        let found = invalid(&spec("Kubernetes", &json!({"tokenTypes": [written]})));
        assert_eq!(found, [at(0, "tokenTypes")]);
    }
}

#[test]
fn times_have_bounds() {
    for (name, good_values, bad_values) in [
        ("maxLifetime", ["1s", "720h"], ["0s", "720h1s"]),
        ("clockSkew", ["0s", "60s"], ["61s", "1"]),
    ] {
        for value in good_values {
            good(&okta(&json!({ name: value })));
        }
        for value in bad_values {
            let expected = vec![(format!("spec.{name}"), Code::InvalidValue)];
            assert_eq!(invalid(&okta(&json!({ name: value }))), expected, "{value}");
        }
    }
}
