//! Issuers, their aliases and their tenants.

use super::{flawed, good, invalid, lowered, okta, spec, without};
use crate::diagnostic::{Code, Severity};
use crate::resources::Resources;
use countersign_ruleset::provider::Tenants;
use serde_json::{Value, json};

fn at(path: &str, code: Code) -> Vec<(String, Code)> {
    vec![(path.to_owned(), code)]
}

fn google(more: &Value) -> Value {
    without(spec("Google", more), "issuer")
}

fn tenants(provider: &Value) -> Tenants {
    good(provider).tenants.unwrap()
}

#[test]
fn an_issuer_is_written_or_the_types_own() {
    let issuers = good(&google(&json!({}))).issuers;
    assert_eq!(
        issuers,
        ["https://accounts.google.com", "accounts.google.com"]
    );
    let actions = good(&without(spec("GitHubActions", &json!({})), "issuer"));
    assert_eq!(
        actions.issuers,
        ["https://token.actions.githubusercontent.com"]
    );
    // Another issuer under the same type has none of its aliases.
    assert_eq!(
        good(&spec("Google", &json!({}))).issuers,
        ["https://id.example.com"]
    );
    for kind in ["Okta", "Entra", "Auth0", "Keycloak", "SPIFFE", "OIDC"] {
        let found = invalid(&without(spec(kind, &json!({})), "issuer"));
        assert_eq!(found, at("spec.issuer", Code::Missing), "{kind}");
    }
}

#[test]
fn an_issuer_is_reached_over_https() {
    for issuer in [
        "http://id.example.com",
        "id.example.com",
        "https://id.example.com?x=1",
        "ftp://a.example",
        "https://user@id.example.com",
        "https://id.example.com#a",
        "",
    ] {
        let found = invalid(&okta(&json!({ "issuer": issuer })));
        assert_eq!(found, at("spec.issuer", Code::InvalidValue), "{issuer}");
    }
    let exact = "https://ID.example.com/a/";
    assert_eq!(
        good(&okta(&json!({ "issuer": exact }))).issuers,
        [exact],
        "as it is written"
    );
}

#[test]
fn plain_http_on_this_machine_is_kept_and_reported() {
    let written = okta(&json!({"issuer": "http://127.0.0.1:9000"}));
    let (lowered, found) = lowered(&written);
    assert_eq!(lowered.provider.unwrap().issuers, ["http://127.0.0.1:9000"]);
    let reported: Vec<_> = found.iter().map(|one| (one.code, one.severity)).collect();
    assert_eq!(reported, [(Code::InsecureIssuer, Severity::Warning)]);
    let keys = json!({"keys": {"jwksURL": "http://localhost/keys"}});
    let names = |spec: &Value| {
        let manifest = json!({"apiVersion": "countersign.dev/v1alpha1",
            "kind": "ClusterTrustProvider", "metadata": {"name": "id"}, "spec": spec});
        let resources = Resources::read(&[manifest]).unwrap();
        let insecure = resources.insecure_providers();
        insecure
            .into_iter()
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&written), ["ClusterTrustProvider/id"]);
    assert_eq!(names(&okta(&keys)), ["ClusterTrustProvider/id"]);
    assert!(names(&okta(&json!({}))).is_empty());
}

/// Nothing is fetched from an alias, so Keycloak's inside name may be one.
#[test]
fn aliases_are_names_and_no_more() {
    let aliases = json!({"issuerAliases": [
        "http://keycloak.auth.svc:8080/realms/shop", "kubernetes/serviceaccount",
        "https://id.example.com",
    ]});
    let expected = [
        "https://id.example.com",
        "http://keycloak.auth.svc:8080/realms/shop",
        "kubernetes/serviceaccount",
    ];
    assert_eq!(good(&okta(&aliases)).issuers, expected);
    let (provider, found) = flawed(&okta(&json!({"issuerAliases": ["a b", "", "c"]})));
    assert_eq!(provider.issuers, ["https://id.example.com", "c"]);
    let paths: Vec<_> = found.into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["spec.issuerAliases[0]", "spec.issuerAliases[1]"]);
    let (provider, found) = flawed(&okta(&json!({"issuerAliases": null})));
    assert_eq!(provider.issuers, ["https://id.example.com"]);
    assert_eq!(found, at("spec.issuerAliases", Code::UnreadableValue));
}

/// Semantics 12: by the issuer, whatever the type.
#[test]
fn knows_who_serves_everybody() {
    let is_shared = |spec: &Value| lowered(spec).0.shared;
    assert!(is_shared(&google(&json!({}))));
    assert!(is_shared(&spec(
        "OIDC",
        &json!({"issuer": "https://accounts.google.com"})
    )));
    assert!(is_shared(&without(
        spec("GitHubActions", &json!({})),
        "issuer"
    )));
    assert!(is_shared(&spec(
        "OIDC",
        &json!({"issuer": "https://gitlab.com"})
    )));
    assert!(!is_shared(&google(&json!({"tenants": ["example.com"]}))));
    assert!(
        !is_shared(&spec("GitHubActions", &json!({}))),
        "an issuer of one's own"
    );
    assert!(!is_shared(&okta(&json!({}))));
    // No claim tells Microsoft's personal accounts apart: none of them is a tenant.
    let personal = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    assert!(is_shared(&spec("Entra", &json!({ "issuer": personal }))));
    let found = invalid(&spec(
        "Entra",
        &json!({"issuer": personal, "tenants": ["x"]}),
    ));
    assert_eq!(found, at("spec.tenants", Code::InvalidValue));
}

#[test]
fn tenants_are_read_from_the_claim_that_names_them() {
    let numbers = json!({"tenants": ["44036562", "9919"]});
    let actions = tenants(&without(spec("GitHubActions", &numbers), "issuer"));
    assert_eq!(actions.paths, [["repository_owner_id"]]);
    assert_eq!((actions.any_of.len(), actions.domain_of_email), (2, false));
    let oidc = json!({"issuer": "https://gitlab.com", "tenants": ["72"]});
    assert_eq!(tenants(&spec("OIDC", &oidc)).paths, [["namespace_id"]]);
    let one = json!({"tenants": ["0b5c3c1e-0000-4000-8000-000000000001"]});
    assert_eq!(tenants(&spec("Entra", &one)).paths, [["tid"]]);
    let nowhere = invalid(&okta(&json!({"tenants": ["x"]})));
    assert_eq!(nowhere, at("spec.tenants", Code::InvalidValue));
    let empty = invalid(&google(&json!({"tenants": ["example.com", ""]})));
    assert_eq!(empty, at("spec.tenants[1]", Code::InvalidValue));
    let numbers = invalid(&google(&json!({"tenants": [9919]})));
    assert_eq!(numbers, at("spec.tenants", Code::UnreadableValue));
}

#[test]
fn googles_tenants_are_domains_or_projects() {
    let domains = tenants(&google(&json!({"tenants": ["example.com", "example.org"]})));
    assert_eq!(domains.paths, [["hd"]]);
    assert!(!domains.domain_of_email);
    let projects = tenants(&google(&json!({
        "tenants": ["shop-prod", "shop-test.iam.gserviceaccount.com"]
    })));
    assert_eq!(projects.paths, [["email"]]);
    assert!(projects.domain_of_email);
    let expected = [
        "shop-prod.iam.gserviceaccount.com",
        "shop-test.iam.gserviceaccount.com",
    ];
    assert_eq!(projects.any_of, expected);
    let both = invalid(&google(&json!({"tenants": ["example.com", "shop-prod"]})));
    assert_eq!(both, at("spec.tenants", Code::NotSupported));
    for everybodys in [
        "gmail.com",
        "developer.gserviceaccount.com",
        "appspot.gserviceaccount.com",
        "Example.com",
        ".iam.gserviceaccount.com",
        "a b",
    ] {
        let found = invalid(&google(&json!({ "tenants": [everybodys] })));
        assert_eq!(
            found,
            at("spec.tenants[0]", Code::InvalidValue),
            "{everybodys}"
        );
    }
}

/// `iss` is the tenant's own, and so each is an issuer by itself.
#[test]
fn entras_common_issuer_stands_for_those_of_its_tenants() {
    let tenant = "0b5c3c1e-0000-4000-8000-000000000001";
    let common = |more: &Value| {
        let mut spec = spec("Entra", more);
        spec["issuer"] = json!("https://login.microsoftonline.com/common/v2.0");
        spec
    };
    let provider = good(&common(&json!({ "tenants": [tenant] })));
    assert_eq!(
        provider.issuers,
        [format!("https://login.microsoftonline.com/{tenant}/v2.0")]
    );
    assert_eq!(provider.tenants.unwrap().any_of, [tenant]);
    assert_eq!(
        invalid(&common(&json!({}))),
        at("spec.tenants", Code::SharedIssuer)
    );
    for other in ["example.com", "../common", "0b5c3c1e"] {
        let found = invalid(&common(&json!({ "tenants": [other] })));
        assert_eq!(found, at("spec.tenants", Code::InvalidValue), "{other}");
    }
}
