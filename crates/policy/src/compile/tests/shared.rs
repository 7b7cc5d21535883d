//! Line 12, where the issuer that serves everybody is not the one that is written.

use super::{compiled, found, identity, manifests, only, policy, resource};
use countersign_ruleset::rules::{Entry, Matcher};

const KEYS: &str = "keys: {inline: {keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}";
const OWN: &str = "0b5c3c1e-0000-4000-8000-000000000001";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// An entry with only a providerRef, for a provider of that spec.
fn open(spec: &str) -> (Vec<Entry>, Vec<String>) {
    let provider = resource("ClusterTrustProvider", "p", &format!("{{{spec}, {KEYS}}}"));
    let rules = "rules: [{name: a, from: [{providerRef: {name: p}}]}]";
    let compilation = compiled(&manifests(&format!("{provider}{}", policy(rules))));
    let from = only(&compilation).rules[0].from.clone();
    (from, found(&compilation))
}

fn expect_unknown(spec: &str) {
    let (from, found) = open(spec);
    let unknown = identity("ClusterTrustProvider/p", [Matcher::Unknown]);
    assert_eq!(from, [unknown], "{spec}");
    assert_eq!(found, ["SharedIssuer spec.rules[0].from[0]"], "{spec}");
}

fn expect_known(spec: &str) {
    let (from, found) = open(spec);
    assert_eq!(from, [identity("ClusterTrustProvider/p", [])], "{spec}");
    assert_eq!(found, Vec::<String>::new(), "{spec}");
}

fn common(tenants: &str) -> String {
    format!(
        "type: Entra, issuer: 'https://login.microsoftonline.com/common/v2.0', tenants: [{tenants}]"
    )
}

#[test]
fn microsofts_tenant_of_personal_accounts_restricts_nothing() {
    expect_unknown(&common(PERSONAL));
    expect_unknown(&common(&PERSONAL.to_uppercase()));
    expect_unknown(&common(&format!("{OWN}, {PERSONAL}")));
    expect_unknown(&format!(
        "type: Entra, issuer: 'https://login.microsoftonline.com/{PERSONAL}/v2.0'"
    ));
    expect_known(&common(OWN));
}

#[test]
fn an_alias_that_serves_everybody_opens_the_provider_to_everybody() {
    let aliased = |alias: &str| {
        format!("type: OIDC, issuer: 'https://id.example.com', issuerAliases: ['{alias}']")
    };
    expect_unknown(&aliased("https://accounts.google.com"));
    expect_unknown(&aliased("accounts.google.com"));
    expect_known(&aliased("https://other.example.com"));
}
