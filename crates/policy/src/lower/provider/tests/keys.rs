//! Keys: inline, fetched, or not to be had.

use super::{flawed, good, invalid, jwk, lowered_as, okta, spec, without};
use crate::diagnostic::{Code, Severity};
use crate::jwks::{FetchedKeys, Jwks};
use crate::resources::{KeySource, Resources};
use countersign_ruleset::provider::Refresh;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

const URL: &str = "https://id.example.com/keys";

fn fetched(url: &str) -> FetchedKeys {
    let keys = Jwks::read(&json!({"keys": [jwk()]})).unwrap().keys;
    FetchedKeys {
        keys,
        jwks_url: url.into(),
        fetched_at: UnixTime(1_795_485_600),
    }
}

fn keyed(keys: &Value) -> Value {
    okta(&json!({ "keys": keys }))
}

fn sources(kind: &str, spec: &Value) -> Vec<KeySource> {
    let manifest = json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
        "metadata": {"name": "id"}, "spec": spec});
    Resources::read(&[manifest]).unwrap().key_sources()
}

fn at(path: &str, code: Code) -> (String, Code) {
    (path.to_owned(), code)
}

/// Semantics 34: they have no `fetchedAt` and do not go stale.
#[test]
fn inline_keys_are_all_there_is() {
    let provider = good(&okta(&json!({})));
    assert_eq!(provider.keys.len(), 1);
    assert_eq!(
        (provider.refresh, provider.jwks_url, provider.fetched_at),
        (Refresh::Never, None, None)
    );
    assert_eq!(sources("ClusterTrustProvider", &okta(&json!({}))), []);
    let (lowered, _) = lowered_as(
        "ClusterTrustProvider",
        &okta(&json!({})),
        Some(&fetched(URL)),
    );
    assert_eq!(
        lowered.provider.unwrap().fetched_at,
        None,
        "what was fetched does not count"
    );
}

#[test]
fn a_secret_among_inline_keys_is_never_printed() {
    let secret = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "PRIVATE-D"});
    let spec = keyed(&json!({"inline": {"keys": [secret]}}));
    let read: crate::v1alpha1::ProviderSpec = serde_json::from_value(spec.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), spec, "it is kept");
    let manifest = json!({"apiVersion": "countersign.dev/v1alpha1",
        "kind": "ClusterTrustProvider", "metadata": {"name": "id"}, "spec": spec});
    let resources = Resources::read(&[manifest]).unwrap();
    for printed in [format!("{read:?}"), format!("{resources:#?}")] {
        assert!(printed.contains("InlineKeys(…)"), "{printed}");
        assert!(!printed.contains("PRIVATE-D"), "{printed}");
    }
}

#[test]
fn a_secret_among_inline_keys_is_named_and_left_out() {
    let mut secret = jwk();
    secret["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let written = keyed(&json!({"inline": {"keys": [secret, jwk()]}}));
    let (provider, found) = flawed(&written);
    assert_eq!(provider.keys.len(), 1);
    assert_eq!(found, [at("spec.keys.inline.keys[0]", Code::Keys)]);
    let (lowered, found) = lowered_as("ClusterTrustProvider", &written, None);
    assert!(!format!("{lowered:?}{found:?}").contains("nWGxne"));
}

/// Semantics 34: a provider with no usable key is valid, and its tokens alone are answered 503.
#[test]
fn keys_that_cannot_be_had_leave_the_provider_valid() {
    for inline in [
        json!({}),
        json!([]),
        json!("{\"keys\": []}"),
        json!({"keys": []}),
    ] {
        let (provider, found) = flawed(&keyed(&json!({ "inline": inline })));
        assert!(provider.keys.is_empty(), "{inline}");
        assert_eq!(provider.refresh, Refresh::Never);
        assert!(
            found
                .iter()
                .all(|one| *one == at("spec.keys.inline", Code::Keys)),
            "{inline}"
        );
        assert!(!found.is_empty());
    }
    let (lowered, found) = lowered_as("ClusterTrustProvider", &keyed(&json!({})), None);
    assert!(lowered.provider.unwrap().keys.is_empty());
    assert_eq!(
        (found[0].code, found[0].severity),
        (Code::Keys, Severity::Warning)
    );
}

#[test]
fn fetched_keys_are_for_an_edge_to_fetch_again() {
    let keys = fetched(URL);
    for written in [
        keyed(&json!({})),
        without(okta(&json!({})), "keys"),
        keyed(&json!({"jwksURL": URL})),
    ] {
        let (lowered, found) = lowered_as("ClusterTrustProvider", &written, Some(&keys));
        assert_eq!(found, []);
        let provider = lowered.provider.unwrap();
        assert_eq!(provider.keys, keys.keys);
        assert_eq!(
            (provider.refresh, provider.max_stale),
            (Refresh::Edge, 86_400)
        );
        assert_eq!(provider.jwks_url.as_deref(), Some(URL));
        assert_eq!(provider.fetched_at, Some(keys.fetched_at));
    }
}

#[test]
fn an_edge_never_fetches_over_plain_http() {
    let url = "http://127.0.0.1:9000/keys";
    let written = okta(&json!({"issuer": "http://127.0.0.1:9000", "keys": {}}));
    for (written, fetched) in [
        (written, Some(fetched(url))),
        (keyed(&json!({ "jwksURL": url })), Some(fetched(url))),
        (keyed(&json!({ "jwksURL": url })), None),
    ] {
        let (lowered, _) = lowered_as("ClusterTrustProvider", &written, fetched.as_ref());
        let provider = lowered.provider.unwrap();
        assert_eq!(
            (provider.refresh, provider.jwks_url.as_deref()),
            (Refresh::Never, Some(url))
        );
        assert_eq!(provider.keys.len(), usize::from(fetched.is_some()));
    }
}

#[test]
fn keys_from_elsewhere_than_is_written_do_not_count() {
    let written = keyed(&json!({"jwksURL": "https://id.example.com/others"}));
    let (lowered, _) = lowered_as("ClusterTrustProvider", &written, Some(&fetched(URL)));
    let provider = lowered.provider.unwrap();
    assert!(provider.keys.is_empty());
    assert_eq!(
        (provider.jwks_url.as_deref(), provider.fetched_at),
        (Some("https://id.example.com/others"), None)
    );
}

#[test]
fn where_to_fetch_from_is_said_for_each() {
    let source = |spec: &Value| sources("ClusterTrustProvider", spec).remove(0);
    let plain = source(&keyed(&json!({})));
    assert_eq!(
        (plain.issuer.as_str(), plain.jwks_url),
        ("https://id.example.com", None)
    );
    assert_eq!(
        source(&keyed(&json!({"jwksURL": URL}))).jwks_url.as_deref(),
        Some(URL)
    );
    let iap = without(without(spec("GoogleIAP", &json!({})), "issuer"), "keys");
    let expected = "https://www.gstatic.com/iap/verify/public_key-jwk";
    assert_eq!(source(&iap).jwks_url.as_deref(), Some(expected));
    let entra = without(
        spec(
            "Entra",
            &json!({
                "issuer": "https://login.microsoftonline.com/common/v2.0",
                "tenants": ["0b5c3c1e-0000-4000-8000-000000000001"],
            }),
        ),
        "keys",
    );
    let expected = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
    assert_eq!(source(&entra).jwks_url.as_deref(), Some(expected));
    let invalid = keyed(&json!({"jwksURL": "http://id.example.com/keys"}));
    assert_eq!(
        sources("ClusterTrustProvider", &invalid),
        [],
        "an invalid one is not fetched"
    );
}

#[test]
fn a_ca_and_a_proxy_are_the_clusters_alone() {
    for (name, value) in [("caBundle", "PEM"), ("proxyURL", "http://proxy:3128")] {
        let written = keyed(&json!({ name: value }));
        let (lowered, _) = lowered_as("ClusterTrustProvider", &written, Some(&fetched(URL)));
        let refresh = lowered.provider.unwrap().refresh;
        assert_eq!(refresh, Refresh::Never, "an edge has neither");
        let source = sources("ClusterTrustProvider", &written).remove(0);
        assert_eq!(
            source.ca_bundle.or(source.proxy_url).as_deref(),
            Some(value)
        );
        let (lowered, found) = lowered_as("TrustProvider", &written, Some(&fetched(URL)));
        assert!(lowered.provider.is_none());
        assert_eq!(
            (found[0].path.to_string(), found[0].code),
            at(&format!("spec.keys.{name}"), Code::InvalidValue)
        );
        assert_eq!(sources("TrustProvider", &written), []);
        let unreadable = invalid(&keyed(&json!({ name: null })));
        assert_eq!(
            unreadable,
            [at(&format!("spec.keys.{name}"), Code::UnreadableValue)]
        );
    }
    assert_eq!(sources("TrustProvider", &keyed(&json!({}))).len(), 1);
}

#[test]
fn where_the_keys_are_is_said_once_and_readably() {
    let both = keyed(&json!({"inline": {"keys": [jwk()]}, "jwksURL": URL}));
    assert_eq!(invalid(&both), [at("spec.keys", Code::Exclusive)]);
    for (keys, path, code) in [
        (
            json!({"inline": null}),
            "spec.keys.inline",
            Code::UnreadableValue,
        ),
        (
            json!({"jwksURL": null}),
            "spec.keys.jwksURL",
            Code::UnreadableValue,
        ),
        (
            json!({"jwksURL": ""}),
            "spec.keys.jwksURL",
            Code::InvalidValue,
        ),
        (
            json!({"jwksURL": "http://id.example.com"}),
            "spec.keys.jwksURL",
            Code::InvalidValue,
        ),
        (
            json!({"jwksUrl": URL}),
            "spec.keys.jwksUrl",
            Code::UnknownField,
        ),
        (
            json!({"inlin": {"keys": []}}),
            "spec.keys.inlin",
            Code::UnknownField,
        ),
    ] {
        assert_eq!(invalid(&keyed(&keys)), [at(path, code)], "{keys}");
    }
}
