//! Where browsers log in: a decision for them, and no access for anybody.

use super::{
    Compilation, Reason, applications, compiled, compiled_yaml, found, help, manifests, only,
    policy, reason, resource, rules,
};
use crate::diagnostic::Code;
use countersign_ruleset::names::ProviderId;
use serde_json::json;

const RULES: &str = "rules: [{name: a, from: [{providerRef: {name: sso}}, {providerRef: {kind: TrustProvider, name: mine}}, {providerRef: {name: okta}}]}]";

const SSO: &str = "login: {providerRef: {name: sso}}";
const MINE: &str = "login: {providerRef: {kind: TrustProvider, name: mine}}";

/// Providers at which one can log in: of the cluster, and of the namespace.
fn with_clients(manifests: &str) -> Compilation {
    compiled_yaml(&format!("{}{manifests}", clients("{id: dashboards}")))
}

fn clients(client: &str) -> String {
    let spec = |host: &str| {
        format!(
            "{{type: OIDC, issuer: 'https://{host}', client: {client}, keys: {{inline: {{keys: [{{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}}]}}}}}}"
        )
    };
    let sso = resource("ClusterTrustProvider", "sso", &spec("sso.example.com"));
    let mine = resource("TrustProvider", "mine", &spec("mine.example.com"));
    format!("{sso}{mine}")
}

fn one(spec: &str) -> Compilation {
    with_clients(&policy(spec))
}

fn two(first: &str, second: &str) -> Compilation {
    let second = policy(&format!("{second}, {RULES}")).replace("name: orders", "name: other");
    with_clients(&format!("{}{second}", policy(&format!("{first}, {RULES}"))))
}

fn login(compilation: &Compilation) -> Option<&str> {
    let [application] = applications(compilation) else {
        panic!("{:?}", applications(compilation))
    };
    application.login.as_ref().map(ProviderId::as_str)
}

const NONE: [&str; 0] = [];

#[test]
fn browsers_log_in_where_a_policy_says() {
    for (written, provider) in [
        (SSO, "ClusterTrustProvider/sso"),
        (MINE, "TrustProvider/mine"),
    ] {
        let compilation = one(&format!("{written}, {RULES}"));
        assert_eq!(found(&compilation), NONE);
        assert_eq!(login(&compilation), Some(provider));
    }
    let compilation = one(RULES);
    assert_eq!((login(&compilation), found(&compilation)), (None, vec![]));
}

#[test]
fn the_keys_of_where_one_logs_in_are_there_though_no_rule_names_it() {
    let compilation = one(&format!(
        "{SSO}, rules: [{{name: a, from: [{{anyone: true}}], to: [{{paths: [/]}}]}}]"
    ));
    let compiled = &compilation.rulesets[&"shop".parse().unwrap()];
    let [provider] = compiled.keys.providers.as_slice() else {
        panic!("{:?}", compiled.keys)
    };
    assert_eq!(provider.id.as_str(), "ClusterTrustProvider/sso");
    let client = provider.client.as_ref().unwrap();
    assert_eq!(
        (client.id.as_str(), client.scopes.as_slice()),
        ("dashboards", &["openid".to_owned()][..])
    );
    assert_eq!(found(&compilation), ["warning LoginInVain spec.login"]);
}

#[test]
fn what_cannot_be_read_sends_nobody() {
    for (written, expected) in [
        ("null", "UnreadableValue spec.login"),
        ("{}", "Missing spec.login.providerRef"),
        ("okta", "UnreadableValue spec.login"),
        (
            "{providerRef: null}",
            "UnreadableValue spec.login.providerRef",
        ),
        (
            "{providerRef: {name: sso, nome: x}}",
            "UnknownField spec.login.providerRef.nome",
        ),
        (
            "{providerRef: {name: sso, kind: Provider}}",
            "InvalidValue spec.login.providerRef.kind",
        ),
        (
            "{providerRef: {name: sso}, prompt: x}",
            "UnknownField spec.login.prompt",
        ),
        (
            "{providerRef: {name: ssso}}",
            "ProviderNotFound spec.login.providerRef",
        ),
        (
            "{providerRef: {kind: TrustProvider, name: sso}}",
            "ProviderNotFound spec.login.providerRef",
        ),
        (
            "{providerRef: {name: okta}}",
            "Missing spec.login.providerRef",
        ),
    ] {
        let compilation = one(&format!("login: {written}, {RULES}"));
        assert_eq!(login(&compilation), None, "{written}");
        assert_eq!(found(&compilation), [expected], "{written}");
        let given = &applications(&compilation)[0].policies;
        let without = one(RULES);
        assert_eq!(given, &applications(&without)[0].policies, "{written}");
        // it may have said otherwise
        let beside = two(SSO, &format!("login: {written}"));
        assert_eq!(login(&beside), None, "{written}");
    }
}

#[test]
fn a_provider_without_a_client_says_what_to_write() {
    let compilation = one(&format!("login: {{providerRef: {{name: okta}}}}, {RULES}"));
    let help = help(&compilation, Code::Missing);
    assert!(help.unwrap().contains("client: {id: …}"), "{help:?}");
    assert_eq!(
        reason(&compilation, "AccessPolicy", "orders"),
        (true, Reason::PartiallyInvalid)
    );
}

#[test]
fn what_two_policies_say_differently_neither_says() {
    let compilation = two(SSO, MINE);
    assert_eq!(login(&compilation), None);
    assert_eq!(
        found(&compilation),
        ["Conflicted spec.login", "Conflicted spec.login"]
    );
    for name in ["orders", "other"] {
        assert_eq!(
            reason(&compilation, "AccessPolicy", name),
            (false, Reason::Conflicted)
        );
    }
}

#[test]
fn what_two_say_alike_or_one_says_holds() {
    for second in [SSO, "mode: Enforce"] {
        let compilation = two(SSO, second);
        assert_eq!(login(&compilation), Some("ClusterTrustProvider/sso"));
        assert_eq!(found(&compilation), NONE);
    }
}

#[test]
fn who_only_observes_has_no_say() {
    let compilation = two(SSO, &format!("mode: Observe, {MINE}"));
    assert_eq!(login(&compilation), Some("ClusterTrustProvider/sso"));
    assert_eq!(found(&compilation), NONE);
    let compilation = two("mode: Enforce", &format!("mode: Observe, {MINE}"));
    assert_eq!(login(&compilation), None);
}

#[test]
fn of_one_section_it_is_not_said() {
    let route = "
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec: {hostnames: [shop.example.com], rules: [{name: api, matches: [{path: {value: /v1}}]}]}
";
    let of = |section: &str| {
        let target = format!(
            "{{targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop{section}}}], {SSO}, {RULES}}}"
        );
        with_clients(&format!(
            "{route}{}",
            resource("AccessPolicy", "orders", &target)
        ))
    };
    assert_eq!(login(&of("")), Some("ClusterTrustProvider/sso"));
    let compilation = of(", sectionName: api");
    assert_eq!(login(&compilation), None);
    assert_eq!(found(&compilation), ["Exclusive spec.login"]);
}

#[test]
fn a_policy_of_the_cluster_has_none() {
    let guard = resource(
        "ClusterAccessPolicy",
        "guard",
        &format!(
            "{{namespaceSelector: {{}}, {SSO}, boundary: [{{name: a, from: [{{providerRef: {{name: sso}}}}]}}]}}"
        ),
    );
    let compilation = with_clients(&format!("{guard}{}", policy(RULES)));
    assert_eq!(login(&compilation), None);
    assert_eq!(found(&compilation), ["UnknownField spec.login"]);
}

#[test]
fn who_logs_in_where_no_allow_looks_gets_in_nowhere() {
    let with = |rule: &str| {
        let role = resource(
            "AccessRole",
            "staff",
            "{members: [{providerRef: {name: sso}, groups: [staff]}]}",
        );
        let watching =
            policy(&format!("mode: Observe, {RULES}")).replace("name: orders", "name: w");
        found(&with_clients(&format!(
            "{role}{watching}{}",
            policy(&format!("{SSO}, rules: [{rule}]"))
        )))
    };
    let warning = ["warning LoginInVain spec.login"];
    assert_eq!(
        with("{name: a, from: [{providerRef: {name: okta}}]}"),
        warning
    );
    assert_eq!(
        with("{name: a, from: [{anyone: true}], to: [{paths: [/]}]}"),
        warning
    );
    assert_eq!(
        with("{name: a, action: Deny, from: [{providerRef: {name: sso}}]}"),
        warning
    );
    assert_eq!(with("{name: a, from: [{providerRef: {name: sso}}]}"), NONE);
    assert_eq!(with("{name: a, from: [{roleRefs: [{name: staff}]}]}"), NONE);
}

/// The ID token that a login got is for the edge. Neither without a login there, nor by a mistake in
/// the rest of the client, may it become one that a request bears.
#[test]
fn what_browsers_log_in_as_is_the_audience_of_no_token_that_is_borne() {
    let of = |client: &str, spec: &str| {
        compiled_yaml(&format!(
            "{}{}",
            clients(client),
            policy(&format!("{spec}, {RULES}"))
        ))
    };
    let spec = "audiences: [dashboards, 'api://orders']";
    for client in [
        "{id: dashboards}",
        "{id: dashboards, scopes: [openid]}",
        "{id: dashboards, scopes: null}",
        "{id: dashboards, secret: x}",
    ] {
        for spec in [spec, &format!("{spec}, {SSO}")] {
            let compilation = of(client, spec);
            assert_eq!(only(&compilation).audiences, ["api://orders"], "{client}");
            let found = found(&compilation);
            let said = "InvalidValue spec.audiences".to_owned();
            assert!(found.contains(&said), "{client}: {found:?}");
        }
    }
    let compilation = of("{id: other}", spec);
    assert_eq!(only(&compilation).audiences, ["api://orders", "dashboards"]);
    assert_eq!(found(&compilation), NONE);
    let compilation = of("{id: 'https://orders.example.com'}", "mode: Enforce");
    assert_eq!(only(&compilation).audiences, Vec::<String>::new());
    assert_eq!(found(&compilation), ["InvalidValue spec.audiences"]);
}

/// A client restricts nobody, so a mistake in one must not take the provider's tokens away either;
/// and nobody is sent to log in as somebody else.
#[test]
fn a_mistake_in_a_client_changes_nothing_but_the_login() {
    let compile_with = |client: &serde_json::Value| {
        let yaml = format!(
            "{}{}",
            clients("{id: x}"),
            policy(&format!("{SSO}, {RULES}"))
        );
        let mut all = manifests(&format!("{}\n---\n{yaml}", super::PROVIDERS));
        let sso = all.iter_mut().find(|it| it["metadata"]["name"] == "sso");
        sso.unwrap()["spec"]["client"] = client.clone();
        compiled(&all)
    };
    let good = compile_with(&json!({"id": "x", "scopes": ["openid", "email"]}));
    assert_eq!(login(&good), Some("ClusterTrustProvider/sso"));
    for client in [
        json!(null),
        json!({}),
        json!("x"),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"idd": "x"}),
        json!({"id": "x", "secret": "y"}),
        json!({"id": "x", "scopes": null}),
        json!({"id": "x", "scopes": []}),
        json!({"id": "x", "scopes": ["email"]}),
        json!({"id": "x", "scopes": ["openid", 7]}),
    ] {
        let spoilt = compile_with(&client);
        assert_eq!(login(&spoilt), None, "{client}");
        assert_eq!(
            applications(&spoilt)[0].policies,
            applications(&good)[0].policies,
            "{client}"
        );
        assert_eq!(rules(&spoilt).roles, rules(&good).roles);
        let keys = &spoilt.rulesets[&"shop".parse().unwrap()].keys;
        let sso = "ClusterTrustProvider/sso".parse().unwrap();
        let provider = keys.provider(&sso).unwrap();
        assert_eq!(provider.client, None, "{client}");
        assert!(!provider.keys.is_empty(), "{client}");
        let said = found(&spoilt);
        assert!(
            said.iter().any(|it| it.contains("spec.client")),
            "{client}: {said:?}"
        );
    }
}
