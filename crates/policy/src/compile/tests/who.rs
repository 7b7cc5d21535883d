//! Lines 7 to 14: who is meant.

use super::{compiled_yaml, found, from_of, identity, okta, only, policy, resource, rules, texts};
use countersign_ruleset::rules::{Entry, Matcher, ServiceAccount};

fn account(namespace: Option<&str>, name: Option<&str>) -> ServiceAccount {
    ServiceAccount {
        namespace: namespace.map(Into::into),
        name: name.map(Into::into),
    }
}

#[test]
fn actors_are_named_or_not() {
    let (from, _) = from_of("{providerRef: {name: okta}, actors: [bot]}");
    assert_eq!(from, [okta([Matcher::Actors(texts(&["bot"]))])]);
}

#[test]
fn a_missing_provider_is_missing_and_not_unread() {
    let (from, found) = from_of("{providerRef: {name: oktta}, groups: [a]}");
    assert_eq!(from, [Entry::Missing("ClusterTrustProvider/oktta".into())]);
    assert_eq!(
        found,
        ["ProviderNotFound spec.rules[0].from[0].providerRef"]
    );
}

#[test]
fn a_provider_that_cannot_be_used_is_missing() {
    let broken = resource("ClusterTrustProvider", "broken", "{type: OIDC, issuer: 7}");
    let rules = "rules: [{name: a, from: [{providerRef: {name: broken}}]}]";
    let compilation = compiled_yaml(&format!("{broken}{}", policy(rules)));
    let missing = Entry::Missing("ClusterTrustProvider/broken".into());
    assert_eq!(only(&compilation).rules[0].from, [missing]);
    assert!(
        compilation
            .rulesets
            .values()
            .all(|it| it.keys.providers.is_empty())
    );
}

#[test]
fn two_providers_with_one_issuer_are_both_missing() {
    let twin = resource(
        "ClusterTrustProvider",
        "twin",
        "{type: OIDC, issuer: 'https://okta.example.com'}",
    );
    let rules =
        "rules: [{name: a, from: [{providerRef: {name: okta}}, {providerRef: {name: twin}}]}]";
    let compilation = compiled_yaml(&format!("{twin}{}", policy(rules)));
    let missing =
        ["okta", "twin"].map(|name| Entry::Missing(format!("ClusterTrustProvider/{name}")));
    assert_eq!(only(&compilation).rules[0].from, missing);
    let reason = super::reason(&compilation, "ClusterTrustProvider", "okta");
    assert_eq!(reason, (false, super::Reason::Conflicted));
}

#[test]
fn a_provider_of_another_namespace_is_out_of_reach() {
    let own = "{providerRef: {kind: TrustProvider, name: own}}";
    assert_eq!(from_of(own).0, [identity("TrustProvider/own", [])]);
    let elsewhere = policy(&format!("rules: [{{name: a, from: [{own}]}}]")).replace("shop", "ops");
    let compilation = compiled_yaml(&elsewhere);
    let rules = &compilation.rulesets[&"ops".parse().unwrap()].rules;
    let missing = Entry::Missing("TrustProvider/own".into());
    assert_eq!(rules.applications[0].policies[0].rules[0].from, [missing]);
}

#[test]
fn a_reference_that_cannot_be_read_is_unknown() {
    for reference in [
        "null",
        "{}",
        "{name: null}",
        "{name: okta, kind: Provider}",
        "{name: okta, knd: x}",
    ] {
        let (from, found) = from_of(&format!("{{providerRef: {reference}}}"));
        assert_eq!(from, [Entry::Unknown], "{reference}");
        assert_eq!(found.len(), 1, "{reference}: {found:?}");
    }
    let (from, found) = from_of("{groups: [a]}");
    assert_eq!(from, [Entry::Unknown]);
    assert_eq!(found, ["Missing spec.rules[0].from[0].providerRef"]);
}

#[test]
fn a_role_is_expanded_by_reference_and_a_missing_one_is_missing() {
    let role = resource(
        "AccessRole",
        "admin",
        "{members: [{providerRef: {name: okta}, groups: [a]}, {providerRef: {kind: TrustProvider, name: own}}]}",
    );
    let unused = resource(
        "AccessRole",
        "unused",
        "{members: [{providerRef: {name: google}, subjects: [a]}]}",
    );
    let spec = "rules: [{name: a, from: [{roleRefs: [{name: admin}, {kind: ClusterAccessRole, name: admin}]}]}]";
    let compilation = compiled_yaml(&format!("{role}{unused}{}", policy(spec)));
    let missing = Entry::Missing("ClusterAccessRole/admin".into());
    let id = "AccessRole/admin".parse().unwrap();
    assert_eq!(only(&compilation).rules[0].from, [missing, Entry::Role(id)]);
    let roles: Vec<_> = rules(&compilation).roles.iter().collect();
    let [(id, members)] = roles.as_slice() else {
        panic!("{roles:?}")
    };
    assert_eq!(id.as_str(), "AccessRole/admin");
    let groups = Matcher::Groups(texts(&["a"]));
    assert_eq!(
        **members,
        [okta([groups]), identity("TrustProvider/own", [])]
    );
    assert_eq!(
        found(&compilation),
        ["RoleNotFound spec.rules[0].from[0].roleRefs[1]"]
    );
    let keys = &compilation.rulesets[&"shop".parse().unwrap()].keys;
    assert_eq!(
        keys.providers.len(),
        2,
        "the unused role's provider is not named"
    );
}

#[test]
fn a_role_names_no_role_and_not_anyone() {
    for member in ["anyone: true", "roleRefs: [{name: admin}]"] {
        let role = resource(
            "AccessRole",
            "admin",
            &format!("{{members: [{{{member}}}]}}"),
        );
        let spec = "rules: [{name: a, from: [{roleRefs: [{name: admin}]}]}]";
        let compilation = compiled_yaml(&format!("{role}{}", policy(spec)));
        assert_eq!(
            rules(&compilation).roles.values().next().unwrap(),
            &[Entry::Unknown]
        );
        assert_eq!(found(&compilation).len(), 1, "{member}");
    }
}

#[test]
fn a_role_with_a_misspelt_field_is_unknown() {
    let role = resource(
        "AccessRole",
        "admin",
        "{member: [], members: [{providerRef: {name: okta}}]}",
    );
    let spec = "rules: [{name: a, from: [{roleRefs: [{name: admin}]}]}]";
    let compilation = compiled_yaml(&format!("{role}{}", policy(spec)));
    let members = rules(&compilation).roles.values().next().unwrap();
    assert_eq!(members, &[okta([Matcher::Unknown]), Entry::Unknown]);
}

#[test]
fn anyone_stands_alone_and_says_for_what() {
    assert_eq!(from_of("{anyone: true}"), (vec![Entry::Anyone], vec![]));
    for (entry, code) in [
        (
            "{anyone: false}",
            "InvalidValue spec.rules[0].from[0].anyone",
        ),
        (
            "{anyone: null}",
            "UnreadableValue spec.rules[0].from[0].anyone",
        ),
        (
            "{anyone: true, goups: [a]}",
            "UnknownField spec.rules[0].from[0].goups",
        ),
    ] {
        let (from, found) = from_of(entry);
        assert_eq!(
            (from, found),
            (vec![Entry::Unknown], vec![code.to_owned()]),
            "{entry}"
        );
    }
    let (rule, found) = super::rule_of("{name: a, from: [{anyone: true}]}");
    assert_eq!(rule.from, [Entry::Unknown]);
    assert_eq!(found, ["Missing spec.rules[0].to"]);
}

#[test]
fn an_issuer_that_serves_everybody_must_be_told_whose_callers() {
    let google = |all: &[Matcher]| identity("ClusterTrustProvider/google", all);
    for open in [
        "",
        "groups: [a]",
        "clients: [a]",
        "claims: [{path: [a], anyOf: [b]}]",
    ] {
        let (from, found) = from_of(&format!("{{providerRef: {{name: google}}, {open}}}"));
        let [Entry::Identity { all, .. }] = from.as_slice() else {
            panic!("{from:?}")
        };
        assert!(all.contains(&Matcher::Unknown), "{open}: {all:?}");
        assert!(
            found.contains(&"SharedIssuer spec.rules[0].from[0]".to_owned()),
            "{found:?}"
        );
    }
    let subjects = Matcher::Subjects(texts(&["1084"]));
    let (from, found) = from_of("{providerRef: {name: google}, subjects: ['1084']}");
    assert_eq!((from, found), (vec![google(&[subjects])], vec![]));
    let emails = Matcher::Emails(texts(&["ana@example.com"]));
    let (from, found) = from_of("{providerRef: {name: google}, emails: [Ana@Example.com]}");
    assert_eq!((from, found), (vec![google(&[emails])], vec![]));
}

#[test]
fn a_domain_says_whose_callers_only_where_the_provider_maps_one() {
    let unmapped = "claims: {email: {path: [email], verifiedBy: {path: [email_verified]}}}";
    let (from, _) = from_of("{providerRef: {name: google}, emailDomains: [example.com]}");
    assert_eq!(
        from,
        [identity(
            "ClusterTrustProvider/google",
            [Matcher::EmailDomains(texts(&["example.com"]))]
        )]
    );
    let plain = resource(
        "ClusterTrustProvider",
        "actions",
        &format!("{{type: GitHubActions, {unmapped}}}"),
    );
    let spec =
        "rules: [{name: a, from: [{providerRef: {name: actions}, emailDomains: [example.com]}]}]";
    let compilation = compiled_yaml(&format!("{plain}{}", policy(spec)));
    assert!(found(&compilation).contains(&"SharedIssuer spec.rules[0].from[0]".to_owned()));
}

#[test]
fn a_deny_of_a_shared_issuer_means_what_it_says() {
    let (_, found) = super::rule_of(
        "{name: a, action: Deny, from: [{providerRef: {name: google}, groups: [a]}]}",
    );
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn addresses_are_ascii_with_one_at_and_in_lower_case() {
    for bad in [
        "ana@exämple.com",
        "a@b@example.com",
        "example.com",
        "@example.com",
        "ana@",
        "",
    ] {
        let (from, found) = from_of(&format!(
            "{{providerRef: {{name: okta}}, emails: ['{bad}']}}"
        ));
        assert_eq!(from, [okta([Matcher::Unknown])], "{bad}");
        assert_eq!(
            found,
            ["InvalidValue spec.rules[0].from[0].emails[0]"],
            "{bad}"
        );
    }
    for bad in ["'@example.com'", "'*.example.com'", "exämple.com"] {
        let (from, _) = from_of(&format!(
            "{{providerRef: {{name: okta}}, emailDomains: [{bad}]}}"
        ));
        assert_eq!(from, [okta([Matcher::Unknown])], "{bad}");
    }
    let (from, _) = from_of("{providerRef: {name: okta}, emailDomains: [Example.COM]}");
    assert_eq!(
        from,
        [okta([Matcher::EmailDomains(texts(&["example.com"]))])]
    );
}

#[test]
fn a_bad_member_of_a_list_leaves_the_good_ones_and_an_unknown_beside() {
    let (from, _) = from_of("{providerRef: {name: okta}, emails: [a@example.com, b]}");
    let good = Matcher::Emails(texts(&["a@example.com"]));
    assert_eq!(
        from,
        [okta([Matcher::AnyOf(vec![
            vec![good],
            vec![Matcher::Unknown]
        ])])]
    );
}

#[test]
fn service_accounts_are_the_word_of_the_provider_kubernetes() {
    let (from, found) = from_of(
        "{serviceAccounts: [{namespace: shop, name: checkout}, {namespace: '*', name: '*'}]}",
    );
    let accounts = vec![account(None, None), account(Some("shop"), Some("checkout"))];
    let kubernetes = "ClusterTrustProvider/kubernetes";
    assert_eq!(
        from,
        [identity(kubernetes, [Matcher::ServiceAccounts(accounts)])]
    );
    assert_eq!(found, Vec::<String>::new());
    for bad in [
        "{namespace: shop, name: 'check*'}",
        "{namespace: shop}",
        "{name: a, namespace: ''}",
        "{namespace: a, name: b, kind: c}",
        "null",
    ] {
        let (from, found) = from_of(&format!("{{serviceAccounts: [{bad}]}}"));
        assert_eq!(from, [identity(kubernetes, [Matcher::Unknown])], "{bad}");
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
}

#[test]
fn service_accounts_without_that_provider_are_missing() {
    let spec =
        policy("rules: [{name: a, from: [{serviceAccounts: [{namespace: shop, name: a}]}]}]");
    let compilation = super::compiled(&super::manifests(&spec));
    let missing = Entry::Missing("ClusterTrustProvider/kubernetes".into());
    assert_eq!(only(&compilation).rules[0].from, [missing]);
    assert_eq!(
        found(&compilation),
        ["ProviderNotFound spec.rules[0].from[0].serviceAccounts"]
    );
}

#[test]
fn a_claim_has_a_path_of_keys_and_values() {
    let (from, _) = from_of(
        "{providerRef: {name: okta}, claims: [{path: [realm_access, roles], anyOf: [b, a]}]}",
    );
    let claim = Matcher::Claim {
        path: texts(&["realm_access", "roles"]),
        any_of: texts(&["a", "b"]),
    };
    assert_eq!(from, [okta([claim])]);
    for bad in [
        "{path: [a]}",
        "{path: a, anyOf: [b]}",
        "{path: [a], anyOf: []}",
        "{path: [a], anyOf: [b], any: 1}",
    ] {
        let (from, found) = from_of(&format!("{{providerRef: {{name: okta}}, claims: [{bad}]}}"));
        assert_eq!(from, [okta([Matcher::Unknown])], "{bad}");
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
}
