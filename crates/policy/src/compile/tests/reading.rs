//! Lines 1 to 5: what cannot be read, and never widens.

use super::{
    Reason, compiled_yaml, found, from_of, help, identity, okta, only, policy, reason, rule_of,
    to_of, unknown,
};
use crate::diagnostic::Code;
use countersign_ruleset::rules::{Effect, Entry, Matcher, Mode};

#[test]
fn null_and_empty_are_unknown_and_never_absent() {
    for groups in ["null", "[]", "staff", "[7]"] {
        let (from, found) = from_of(&format!(
            "{{providerRef: {{name: okta}}, groups: {groups}}}"
        ));
        assert_eq!(from, [okta([Matcher::Unknown])], "{groups}");
        assert_eq!(found, ["UnreadableValue spec.rules[0].from[0].groups"]);
    }
    for from in ["null", "[]", "7"] {
        let (rule, _) = rule_of(&format!("{{name: a, from: {from}, to: [{{paths: [/]}}]}}"));
        assert_eq!(rule.from, [Entry::Unknown], "{from}");
    }
    for to in ["null", "[]", "7"] {
        let (rule, _) = rule_of(&format!(
            "{{name: a, from: [{{providerRef: {{name: okta}}}}], to: {to}}}"
        ));
        assert_eq!(rule.to, [unknown()], "{to}");
    }
}

#[test]
fn an_empty_entry_is_unknown() {
    let (from, found) = from_of("{}");
    assert_eq!(from, [Entry::Unknown]);
    assert_eq!(found, ["UnreadableValue spec.rules[0].from[0]"]);
    let (to, found) = to_of("{}");
    assert_eq!(to, [unknown()]);
    assert_eq!(found, ["UnreadableValue spec.rules[0].to[0]"]);
}

#[test]
fn a_misspelt_deny_stays_a_deny() {
    for action in [
        "action: deny",
        "action: null",
        "action: Refuse",
        "acton: Allow",
        "effect: DENY",
    ] {
        let (rule, _) = rule_of(&format!("{{name: a, {action}, from: [{{anyone: true}}]}}"));
        assert_eq!(rule.effect, Effect::Deny, "{action}");
    }
    let (rule, _) = rule_of("{name: a, action: Allow, from: [{anyone: true}], to: [{paths: [/]}]}");
    assert_eq!(rule.effect, Effect::Allow);
}

#[test]
fn a_misspelt_field_makes_a_rule_unknown() {
    let spec = "rules: [{name: a, form: [], from: [{providerRef: {name: okta}}]}]";
    let compilation = compiled_yaml(&policy(spec));
    let rule = &only(&compilation).rules[0];
    assert_eq!(
        (rule.effect, &rule.to[..]),
        (Effect::Allow, &[unknown()][..])
    );
    assert_eq!(found(&compilation), ["UnknownField spec.rules[0].form"]);
    assert_eq!(
        help(&compilation, Code::UnknownField),
        Some("did you mean `from`?")
    );
}

#[test]
fn a_misspelt_matcher_is_unknown_for_everyone_and_its_provider_is_named() {
    let entry = "{providerRef: {name: okta}, gruops: [staff]}";
    let (from, found) = from_of(entry);
    assert_eq!(from, [okta([Matcher::Unknown]), Entry::Unknown]);
    assert_eq!(found, ["UnknownField spec.rules[0].from[0].gruops"]);
    let compilation = compiled_yaml(&policy(&format!("rules: [{{name: a, from: [{entry}]}}]")));
    assert_eq!(
        help(&compilation, Code::UnknownField),
        Some("did you mean `groups`?")
    );
}

#[test]
fn lists_are_or_and_matchers_are_and() {
    let (from, found) = from_of("{providerRef: {name: okta}, groups: [b, a, b], clients: [web]}");
    let groups = Matcher::Groups(vec!["a".into(), "b".into()]);
    assert_eq!(from, [okta([Matcher::Clients(vec!["web".into()]), groups])]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn role_references_and_service_accounts_stand_alone() {
    let account = "serviceAccounts: [{namespace: shop, name: a}]";
    for beside in ["providerRef: {name: okta}", "anyone: true"] {
        let (from, found) = from_of(&format!("{{{account}, {beside}}}"));
        assert!(from.contains(&Entry::Unknown), "{beside}: {from:?}");
        assert!(!from.contains(&Entry::Anyone), "{beside}: {from:?}");
        let kubernetes = identity("ClusterTrustProvider/kubernetes", [Matcher::Unknown]);
        assert!(from.contains(&kubernetes), "{beside}: {from:?}");
        assert_eq!(found, ["Exclusive spec.rules[0].from[0]"]);
    }
}

#[test]
fn rules_that_cannot_be_read_may_have_been_a_deny() {
    for rules in [
        "rules: null",
        "rules: [null]",
        "rulez: [{name: a}]",
        "rules: {name: a}",
    ] {
        let compilation = compiled_yaml(&policy(rules));
        let rules = &only(&compilation).rules;
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert_eq!(rules[0].effect, Effect::Deny);
        assert_eq!(
            (&rules[0].from[..], &rules[0].to[..]),
            (&[Entry::Unknown][..], &[unknown()][..])
        );
    }
}

#[test]
fn a_misspelt_field_of_a_policy_makes_its_allows_unknown() {
    for field in ["audience: [x]", "mode: Obsrve", "mode: null"] {
        let rules = "rules: [{name: a, from: [{anyone: true}], to: [{paths: [/]}]}, {name: b, action: Deny, from: [{anyone: true}]}]";
        let compilation = compiled_yaml(&policy(&format!("{field}, {rules}")));
        let policy = only(&compilation);
        assert_eq!(policy.mode, Mode::Enforce, "{field}");
        assert!(
            policy.rules[0].to[0].unknown,
            "{field}: the Allow gives nothing"
        );
        assert!(
            !policy.rules[1].to[0].unknown,
            "{field}: the Deny stands as it reads"
        );
        assert_eq!(
            reason(&compilation, "AccessPolicy", "orders"),
            (false, Reason::Invalid)
        );
    }
}

#[test]
fn a_deny_has_neither_an_end_nor_a_demand_and_stays() {
    let (rule, found) = rule_of(
        "{name: a, action: Deny, from: [{anyone: true}], expiresAt: '2026-11-24T02:00:00Z', require: {amr: [mfa]}}",
    );
    assert_eq!((rule.expires_at, rule.require), (None, None));
    assert_eq!(rule.to, [countersign_ruleset::rules::To::default()]);
    assert_eq!(
        found,
        [
            "Exclusive spec.rules[0].require",
            "Exclusive spec.rules[0].expiresAt"
        ]
        .map(String::from)
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
}

#[test]
fn an_allow_ends_when_it_says_and_gives_nothing_if_that_cannot_be_read() {
    let rule = |expires| {
        rule_of(&format!(
            "{{name: a, from: [{{providerRef: {{name: okta}}}}], expiresAt: {expires}}}"
        ))
    };
    let (good, _) = rule("'2026-11-24T02:00:00Z'");
    assert_eq!(
        good.expires_at.map(|at| at.to_string()).as_deref(),
        Some("2026-11-24T02:00:00Z")
    );
    assert!(!good.to[0].unknown);
    for bad in ["null", "tomorrow", "7"] {
        let (rule, found) = rule(bad);
        assert!(
            rule.expires_at.is_none() && rule.to[0].unknown,
            "{bad}: {rule:?}"
        );
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
}
