//! What is said beside the rules: modes, what is forwarded and disclosed, revocations, warnings.

use super::{Reason, applications, compiled_yaml, found, only, policy, reason, resource, rules};
use countersign_ruleset::rules::{Audited, Disclose, Forward, Mode, Revoked};

const RULES: &str = "rules: [{name: a, from: [{providerRef: {name: okta}}]}]";

fn two(first: &str, second: &str) -> super::Compilation {
    let second = policy(&format!("{second}, {RULES}")).replace("name: orders", "name: other");
    compiled_yaml(&format!("{}{second}", policy(&format!("{first}, {RULES}"))))
}

#[test]
fn a_policy_that_observes_is_marked() {
    let compilation = compiled_yaml(&policy(&format!("mode: Observe, {RULES}")));
    assert_eq!(only(&compilation).mode, Mode::Observe);
}

#[test]
fn what_is_forwarded_is_said() {
    let compilation = compiled_yaml(&policy(&format!(
        "forward: [User, Email, Groups, Token], {RULES}"
    )));
    let all = [
        Forward::Email,
        Forward::Groups,
        Forward::Token,
        Forward::User,
    ];
    assert_eq!(applications(&compilation)[0].forward, all);
    let compilation = compiled_yaml(&policy(&format!(
        "forward: [Assertion, Mail, User], {RULES}"
    )));
    assert_eq!(
        applications(&compilation)[0].forward,
        [Forward::Assertion, Forward::User]
    );
    assert_eq!(
        found(&compilation),
        [
            "warning NotSupported spec.forward[0]",
            "InvalidValue spec.forward[1]"
        ]
    );
    for unread in ["null", "[]"] {
        let compilation = compiled_yaml(&policy(&format!("forward: {unread}, {RULES}")));
        assert_eq!(applications(&compilation)[0].forward, []);
    }
}

#[test]
fn what_is_disclosed_is_said() {
    for (written, disclose) in [
        ("Reason", Disclose::Reason),
        ("Code", Disclose::Code),
        ("reason", Disclose::Code),
        ("null", Disclose::Code),
    ] {
        let compilation = compiled_yaml(&policy(&format!("disclose: {written}, {RULES}")));
        assert_eq!(
            applications(&compilation)[0].disclose,
            disclose,
            "{written}"
        );
    }
}

#[test]
fn what_two_policies_say_differently_neither_says() {
    let compilation = two("forward: [User]", "forward: [Email]");
    assert_eq!(applications(&compilation)[0].forward, []);
    assert_eq!(
        found(&compilation),
        ["Conflicted spec.forward", "Conflicted spec.forward"]
    );
    for name in ["orders", "other"] {
        assert_eq!(
            reason(&compilation, "AccessPolicy", name),
            (false, Reason::Conflicted)
        );
    }
    let compilation = two("disclose: Reason", "disclose: Code");
    assert_eq!(applications(&compilation)[0].disclose, Disclose::Code);
    assert_eq!(found(&compilation).len(), 2);
}

#[test]
fn what_two_policies_say_alike_holds() {
    let compilation = two("forward: [User, Email]", "forward: [Email, User]");
    assert_eq!(
        applications(&compilation)[0].forward,
        [Forward::Email, Forward::User]
    );
    assert_eq!(found(&compilation), Vec::<String>::new());
    let compilation = two("disclose: Reason", "mode: Enforce");
    assert_eq!(applications(&compilation)[0].disclose, Disclose::Reason);
}

#[test]
fn what_cannot_be_read_may_have_been_otherwise() {
    let compilation = two("forward: [User]", "forward: null");
    assert_eq!(applications(&compilation)[0].forward, []);
}

#[test]
fn who_only_observes_has_no_say() {
    let compilation = two("forward: [User]", "mode: Observe, forward: [Token]");
    assert_eq!(applications(&compilation)[0].forward, [Forward::User]);
    let compilation = two("mode: Enforce", "mode: Observe, forward: [Token]");
    assert_eq!(applications(&compilation)[0].forward, []);
}

#[test]
fn a_named_provider_brings_its_revocations_and_audited_claims() {
    let spec = |issuer| {
        format!(
            "{{type: OIDC, issuer: '{issuer}', keys: {{inline: {{keys: [{{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}}]}}}}, revocations: [{{sub: ana}}], audit: {{claims: [{{name: email, as: hash}}]}}}}"
        )
    };
    let used = resource(
        "ClusterTrustProvider",
        "used",
        &spec("https://a.example.com"),
    );
    let idle = resource(
        "ClusterTrustProvider",
        "idle",
        &spec("https://b.example.com"),
    );
    let compilation = compiled_yaml(&format!(
        "{used}{idle}{}",
        policy("rules: [{name: a, from: [{providerRef: {name: used}}]}]")
    ));
    let rules = rules(&compilation);
    let [revocation] = rules.revocations.as_slice() else {
        panic!("{rules:?}")
    };
    assert_eq!(revocation.provider.as_str(), "ClusterTrustProvider/used");
    assert_eq!(revocation.revoked, Revoked::Subject("ana".into()));
    let [(provider, audited)] = Vec::from_iter(&rules.audit)[..] else {
        panic!("{rules:?}")
    };
    assert_eq!(provider.as_str(), "ClusterTrustProvider/used");
    assert_eq!(audited.get("email"), Some(&Audited::Hash));
}

#[test]
fn a_deny_by_identity_is_told_whom_it_lets_by() {
    let deny =
        "{name: deny, action: Deny, from: [{providerRef: {name: okta}, groups: [contractors]}]}";
    let with = |allow: &str| {
        let spec =
            format!("rules: [{deny}, {{name: allow, from: [{allow}], to: [{{paths: [/**]}}]}}]");
        found(&compiled_yaml(&policy(&spec)))
    };
    let warning = ["warning DenyByIdentity spec.rules[0].from"];
    assert_eq!(with("{anyone: true}"), warning);
    assert_eq!(
        with("{providerRef: {kind: TrustProvider, name: own}}"),
        warning
    );
    assert_eq!(with("{providerRef: {name: okta}}"), Vec::<String>::new());
}

#[test]
fn so_is_a_deny_of_a_role_and_an_allow_of_one_admits_whom_it_means() {
    let role = |name: &str, members: &str| {
        resource("AccessRole", name, &format!("{{members: [{members}]}}"))
    };
    let contractors = role(
        "contractors",
        "{providerRef: {name: okta}, groups: [contractors]}",
    );
    let partners = role(
        "partners",
        "{providerRef: {kind: TrustProvider, name: own}}",
    );
    let with = |denied: &str, allowed: &str| {
        let spec = format!(
            "rules: [{{name: deny, action: Deny, from: [{denied}]}}, {{name: allow, from: [{allowed}]}}]"
        );
        found(&compiled_yaml(&format!(
            "{contractors}{partners}{}",
            policy(&spec)
        )))
    };
    let warning = ["warning DenyByIdentity spec.rules[0].from"];
    let [contractors, partners] =
        ["contractors", "partners"].map(|name| format!("{{roleRefs: [{{name: {name}}}]}}"));
    assert_eq!(with(&contractors, &partners), warning);
    assert_eq!(
        with(
            &contractors,
            "{providerRef: {kind: TrustProvider, name: own}}"
        ),
        warning
    );
    let both = format!("{contractors}, {partners}");
    assert_eq!(with(&both, &both), Vec::<String>::new());
    let okta = "{providerRef: {name: okta}}";
    assert_eq!(with(&contractors, okta), Vec::<String>::new());
}

#[test]
fn a_namespace_without_a_policy_has_no_ruleset() {
    let compilation = compiled_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: ops}}");
    assert!(compilation.rulesets.is_empty());
    assert_eq!(found(&compilation), Vec::<String>::new());
}
