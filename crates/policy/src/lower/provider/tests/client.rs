//! What browsers log in as: read whole or not at all, and nobody's tokens depend on it.

use super::{flawed, good, okta};
use crate::diagnostic::{Code, Diagnostic};
use countersign_ruleset::provider::Client;
use serde_json::{Value, json};

fn client(written: &Value) -> Client {
    good(&okta(&json!({"client": written}))).client.unwrap()
}

/// What is said of a client that there is not, of a provider that is usable all the same.
fn none(written: &Value) -> Vec<(String, Code)> {
    let (provider, found) = flawed(&okta(&json!({"client": written})));
    assert_eq!(provider.client, None, "{written}");
    assert_eq!(provider.keys, good(&okta(&json!({}))).keys, "{written}");
    found
}

#[test]
fn a_client_has_an_id_and_asks_for_scopes() {
    assert_eq!(good(&okta(&json!({}))).client, None);
    let scopes = |scopes: &[&str]| scopes.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    for (written, asked) in [
        (json!({"id": "dashboards"}), scopes(&["openid"])),
        (
            json!({"id": "dashboards", "scopes": ["openid", "email", "openid"]}),
            scopes(&["email", "openid"]),
        ),
    ] {
        let (id, scopes) = ("dashboards".to_owned(), asked);
        assert_eq!(client(&written), Client { id, scopes });
    }
}

#[test]
fn what_cannot_be_read_is_no_client() {
    for (written, field, code) in [
        (json!(null), "", Code::UnreadableValue),
        (json!({}), ".id", Code::Missing),
        (json!({"scopes": ["openid"]}), ".id", Code::Missing),
        (json!({"id": null}), ".id", Code::UnreadableValue),
        (json!({"id": "é"}), ".id", Code::InvalidValue),
        (json!({"id": "a\nb"}), ".id", Code::InvalidValue),
        (json!({"id": "a".repeat(257)}), ".id", Code::InvalidValue),
        (
            json!({"id": "a", "secret": "b"}),
            ".secret",
            Code::UnknownField,
        ),
        (
            json!({"id": "a", "scopes": null}),
            ".scopes",
            Code::UnreadableValue,
        ),
        (
            json!({"id": "a", "scopes": []}),
            ".scopes",
            Code::UnreadableValue,
        ),
        (
            json!({"id": "a", "scopes": ["openid email"]}),
            ".scopes[0]",
            Code::InvalidValue,
        ),
        (
            json!({"id": "a", "scopes": ["openid", "a\"b"]}),
            ".scopes[1]",
            Code::InvalidValue,
        ),
        (
            json!({"id": "a", "scopes": vec!["openid"; 17]}),
            ".scopes",
            Code::TooMany,
        ),
    ] {
        let expected = (format!("spec.client{field}"), code);
        assert_eq!(none(&written), [expected], "{written}");
    }
    assert_eq!(client(&json!({"id": "a".repeat(256)})).id.len(), 256);
}

#[test]
fn nobody_logs_in_where_workloads_and_proxies_get_tokens() {
    let with = |kind: &str| {
        let more = json!({"client": {"id": "a"}, "tenants": ["4711"]});
        let written = super::spec(kind, &more);
        let (_, found) = super::lowered(&written);
        found
            .into_iter()
            .any(|it| it.path.to_string() == "spec.client")
    };
    for kind in ["GitHubActions", "GoogleIAP", "Kubernetes", "SPIFFE"] {
        assert!(with(kind), "{kind}");
    }
    for kind in ["Auth0", "Entra", "Google", "Keycloak", "OIDC", "Okta"] {
        assert!(!with(kind), "{kind}");
    }
    // of a service account nobody is sent to log in, and it counts as before
    let written = super::spec("Kubernetes", &json!({"client": {"id": "a"}}));
    let (provider, found) = flawed(&written);
    assert_eq!(provider.client, None);
    assert_eq!(found, [("spec.client".to_owned(), Code::InvalidValue)]);
}

#[test]
fn without_openid_it_says_what_to_write() {
    let written = okta(&json!({"client": {"id": "a", "scopes": ["profile", "email"]}}));
    let (lowered, found) = super::lowered(&written);
    assert_eq!(lowered.provider.unwrap().client, None);
    let [
        Diagnostic {
            path, code, help, ..
        },
    ] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(
        (path.to_string().as_str(), *code, help.as_deref()),
        (
            "spec.client.scopes",
            Code::InvalidValue,
            Some("write `scopes: [openid, email, profile]`")
        )
    );
}
