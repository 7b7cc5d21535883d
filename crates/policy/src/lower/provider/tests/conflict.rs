//! One issuer, one provider.

use super::{okta, spec, without};
use crate::lower::provider::conflicts;
use crate::resources::Resources;
use serde_json::{Value, json};

const URL: &str = "https://id.example.com";

fn provider(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

fn found(manifests: &[Value]) -> Vec<(String, String)> {
    let conflicts = conflicts(&Resources::read(manifests).unwrap());
    conflicts
        .into_iter()
        .map(|(id, reason)| (id.to_string(), reason))
        .collect()
}

#[test]
fn two_of_one_level_conflict_both() {
    let two = [
        provider("ClusterTrustProvider", "a", "one", &okta(&json!({}))),
        provider("ClusterTrustProvider", "a", "two", &okta(&json!({}))),
    ];
    let expected = [
        (
            "ClusterTrustProvider/one".to_owned(),
            format!("ClusterTrustProvider/two has the issuer `{URL}` too"),
        ),
        (
            "ClusterTrustProvider/two".to_owned(),
            format!("ClusterTrustProvider/one has the issuer `{URL}` too"),
        ),
    ];
    assert_eq!(found(&two), expected);
    let own = ["one", "two"].map(|name| provider("TrustProvider", "a", name, &okta(&json!({}))));
    assert_eq!(found(&own).len(), 2);
    let apart = ["a", "b"].map(|of| provider("TrustProvider", of, "one", &okta(&json!({}))));
    assert_eq!(found(&apart), [], "namespaces do not see each other");
}

/// Else whoever may write in one namespace could take an issuer from all.
#[test]
fn a_clusters_provider_beats_a_namespaces() {
    let both = [
        provider("TrustProvider", "a", "own", &okta(&json!({}))),
        provider("ClusterTrustProvider", "", "okta", &okta(&json!({}))),
    ];
    let expected = format!("ClusterTrustProvider/okta has the issuer `{URL}` too");
    assert_eq!(
        found(&both),
        [("TrustProvider/own in a".to_owned(), expected)]
    );
}

#[test]
fn aliases_are_issuers_too() {
    let google = without(spec("Google", &json!({})), "issuer");
    let alias = okta(&json!({"issuerAliases": ["accounts.google.com"]}));
    let two = [
        provider("ClusterTrustProvider", "", "google", &google),
        provider("TrustProvider", "a", "own", &alias),
    ];
    let reason = "ClusterTrustProvider/google has the issuer `accounts.google.com` too";
    assert_eq!(
        found(&two),
        [("TrustProvider/own in a".to_owned(), reason.to_owned())]
    );
    let one = okta(&json!({"issuerAliases": [URL, "b"]}));
    assert_eq!(
        found(&[provider("TrustProvider", "a", "own", &one)]),
        [],
        "none with itself"
    );
}

#[test]
fn tenants_of_entra_are_issuers_by_themselves() {
    let common = |tenant: &str| {
        spec(
            "Entra",
            &json!({"issuer": "https://login.microsoftonline.com/common/v2.0",
            "tenants": [format!("0b5c3c1e-0000-4000-8000-00000000000{tenant}")]}),
        )
    };
    let named = |name, tenant| provider("ClusterTrustProvider", "", name, &common(tenant));
    assert_eq!(found(&[named("one", "1"), named("two", "2")]), []);
    assert_eq!(found(&[named("one", "1"), named("two", "1")]).len(), 2);
}

/// A mistake in the cluster's must not make room for a namespace's.
#[test]
fn one_that_is_invalid_keeps_its_issuer() {
    for more in [
        json!({"tenant": ["x"]}),
        json!({"type": "okta"}),
        json!({"tenants": null}),
    ] {
        let both = [
            provider("ClusterTrustProvider", "", "okta", &okta(&more)),
            provider("TrustProvider", "a", "own", &okta(&json!({}))),
        ];
        assert_eq!(found(&both).len(), 1, "{more}");
    }
}
