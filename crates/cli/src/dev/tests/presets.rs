//! Tokens of every type of provider, made here and verified as an edge verifies them.

use super::{World, manifests};

/// Each type of provider: how it is declared, and an entry that takes its word.
const PRESETS: [(&str, &str); 11] = [
    (
        "{type: Okta, issuer: 'https://example.okta.com/oauth2/default'}",
        "{providerRef: {name: idp}, groups: [staff]}",
    ),
    (
        "{type: Entra, issuer: 'https://login.microsoftonline.com/0b5c3c1e-0000-4000-8000-000000000001/v2.0'}",
        "{providerRef: {name: idp}, groups: [staff]}",
    ),
    (
        "{type: Google, tenants: [example.com]}",
        "{providerRef: {name: idp}, emailDomains: [example.com]}",
    ),
    (
        "{type: GoogleIAP}",
        "{providerRef: {name: idp}, subjects: ['accounts.google.com:1']}",
    ),
    (
        "{type: Kubernetes}",
        "{serviceAccounts: [{namespace: shop, name: checkout}]}",
    ),
    (
        "{type: GitHubActions, tenants: ['4711']}",
        "{providerRef: {name: idp}, subjects: ['repo:example/platform:ref:refs/heads/main']}",
    ),
    (
        "{type: Auth0, issuer: 'https://example.auth0.com/'}",
        "{providerRef: {name: idp}, claims: [{path: ['https://example.com/roles'], anyOf: [admin]}]}",
    ),
    (
        "{type: Keycloak, issuer: 'https://id.example.com/realms/shop'}",
        "{providerRef: {name: idp}, claims: [{path: [realm_access, roles], anyOf: [admin]}]}",
    ),
    (
        "{type: SPIFFE, issuer: 'https://spire.example.com'}",
        "{providerRef: {name: idp}, subjects: ['spiffe://example.com/checkout']}",
    ),
    (
        "{type: OIDC, issuer: 'https://id.example.com', algorithms: [EdDSA], claims: {groups: {path: [groups]}}}",
        "{providerRef: {name: idp}, groups: [staff], actors: [agent]}",
    ),
    (
        "{type: Okta, issuer: 'https://example.okta.com', algorithms: [PS512], tokenTypes: [IDToken]}",
        "{providerRef: {name: idp}, emails: [ana@example.com]}",
    ),
];

#[test]
fn the_tokens_of_every_type_of_provider_count_and_let_in_whom_the_rule_names() {
    for (provider, entry) in PRESETS {
        let world = World::new(&manifests(provider, entry));
        let (_, wrong) = world.take();
        assert_eq!(wrong, Vec::<String>::new(), "{provider}");
        let tries = world.tries();
        let by = |reason: &str| tries.iter().find(|one| one.reason == reason);
        let allowed = by("Allowed").unwrap_or_else(|| panic!("{provider}: {tries:#?}"));
        assert_eq!(allowed.rules, ["AccessPolicy/orders/rule"], "{provider}");
        assert!(
            allowed.who.as_ref().is_some_and(|who| who.name != "zoe"),
            "{provider}"
        );
        assert_eq!(by("NoToken").map(|one| one.status), Some(401), "{provider}");
        assert_eq!(
            by("NoRuleMatched").map(|one| one.status),
            Some(403),
            "{provider}"
        );
        let tokens = [
            "WrongTokenType",
            "BadSignature",
            "UnknownKey",
            "TenantMismatch",
        ];
        assert!(
            !tries
                .iter()
                .any(|one| tokens.contains(&one.reason.as_str())),
            "{tries:#?}"
        );
    }
}

/// Nobody logs in here: people have tokens, and what browsers log in as changes none of them.
#[test]
fn a_login_changes_nobodys_token() {
    let (provider, entry) = PRESETS[9];
    let without = manifests(provider, entry);
    let client = provider.replace("{type", "{client: {id: dashboards}, type");
    let with = manifests(&client, entry).replace(
        "  rules:\n",
        "  login: {providerRef: {name: idp}}\n  rules:\n",
    );
    let (without, with) = (World::new(&without), World::new(&with));
    let (rulesets, wrong) = with.take();
    assert_eq!(wrong, Vec::<String>::new());
    let application = &rulesets[&"shop".parse().unwrap()].applications[0];
    assert!(application.login.is_some());
    let seen = |world: &World| {
        let tries = world.tries().into_iter();
        let seen = tries.map(|one| (one.method, one.path, one.who, one.status, one.reason));
        seen.map(|one| format!("{one:?}")).collect::<Vec<_>>()
    };
    assert_eq!(seen(&with), seen(&without));
}
