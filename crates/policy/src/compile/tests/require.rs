//! `require`: what a caller must have done beside, in three states.

use super::{compiled_yaml, found, resource, rule_of, rules, texts};
use countersign_ruleset::rules::Require;

/// What an Allow asks, and what was found at it.
fn read(require: &str) -> (Require, Vec<String>) {
    let (rule, found) = rule_of(&format!(
        "{{name: a, from: [{{providerRef: {{name: okta}}}}], require: {require}}}"
    ));
    let short = |text: &String| text.replace("spec.rules[0].require", "");
    (
        rule.require.expect("something is asked"),
        found.iter().map(short).collect(),
    )
}

#[test]
fn all_that_can_be_asked_is_lowered() {
    let (require, found) = read(
        "{scopes: [orders.write, orders.read], acrValues: ['urn:mfa', phr], amr: [otp, mfa], maxAuthAge: 15m}",
    );
    let expected = Require {
        scopes: texts(&["orders.read", "orders.write"]),
        acr_values: texts(&["phr", "urn:mfa"]),
        amr: texts(&["mfa", "otp"]),
        max_auth_age: Some(900),
        ..Require::default()
    };
    assert_eq!((require, found.len()), (expected, 0));
}

#[test]
fn what_cannot_be_read_is_never_met() {
    let unknown = Require {
        unknown: true,
        ..Require::default()
    };
    for (require, expected) in [
        ("null", "UnreadableValue "),
        ("{}", "UnreadableValue "),
        ("[mfa]", "UnreadableValue "),
        ("{scopes: null}", "UnreadableValue .scopes"),
        ("{scopes: []}", "UnreadableValue .scopes"),
        ("{scopes: read}", "UnreadableValue .scopes"),
        ("{scopes: ['a b']}", "InvalidValue .scopes[0]"),
        ("{scopes: ['a\"b']}", "InvalidValue .scopes[0]"),
        ("{acrValues: []}", "UnreadableValue .acrValues"),
        ("{acrValues: ['']}", "InvalidValue .acrValues[0]"),
        ("{acrValues: ['a b']}", "InvalidValue .acrValues[0]"),
        ("{acrValues: [ä]}", "InvalidValue .acrValues[0]"),
        ("{amr: null}", "UnreadableValue .amr"),
        ("{maxAuthAge: null}", "UnreadableValue .maxAuthAge"),
        ("{maxAuthAge: 900}", "UnreadableValue .maxAuthAge"),
        ("{maxAuthAge: 1d}", "InvalidValue .maxAuthAge"),
        ("{maxAuthAge: 0s}", "InvalidValue .maxAuthAge"),
        (
            "{proofOfPossession: null}",
            "UnreadableValue .proofOfPossession",
        ),
        (
            "{proofOfPossession: false}",
            "InvalidValue .proofOfPossession",
        ),
        ("{scope: [a]}", "UnknownField .scope"),
    ] {
        let (lowered, found) = read(require);
        assert_eq!(lowered, unknown, "{require}");
        assert_eq!(found, [expected], "{require}");
    }
}

#[test]
fn a_part_that_cannot_be_read_leaves_the_others() {
    for beside in [
        "amr: null",
        "maxAuthAge: soon",
        "amrs: [mfa]",
        "acrValues: []",
    ] {
        let (require, found) = read(&format!("{{scopes: [read, ''], {beside}}}"));
        let expected = Require {
            scopes: texts(&["read"]),
            unknown: true,
            ..Require::default()
        };
        assert_eq!(require, expected, "{beside}");
        assert_eq!(found.len(), 2, "{beside}: {found:?}");
    }
}

#[test]
fn a_bound_token_is_asked_for_and_never_shown() {
    let (require, found) = read("{proofOfPossession: true}");
    assert!(require.proof_of_possession && !require.unknown);
    assert_eq!(found, ["NotSupported .proofOfPossession"]);
}

#[test]
fn a_boundary_asks_and_a_deny_does_not() {
    let cluster = resource(
        "ClusterAccessPolicy",
        "c",
        "{namespaceSelector: {}, boundary: [{name: b, from: [{providerRef: {name: okta}}], require: {amr: [mfa]}}], deny: [{name: d, from: [{providerRef: {name: okta}}], require: {amr: [mfa]}}]}",
    );
    let own = super::policy("rules: [{name: a, from: [{providerRef: {name: okta}}]}]");
    let compilation = compiled_yaml(&format!("{cluster}{own}"));
    let guardrail = &rules(&compilation).guardrails[0];
    let boundary = guardrail.boundary.as_ref().unwrap();
    let amr = boundary[0].require.as_ref().map(|it| it.amr.clone());
    assert_eq!(amr, Some(texts(&["mfa"])));
    assert_eq!(guardrail.deny[0].require, None);
    assert!(!guardrail.deny[0].to[0].unknown, "it acts as it reads");
    assert_eq!(found(&compilation), ["Exclusive spec.deny[0].require"]);
}

/// Any provider that is admitted could say that its callers have what is asked.
#[test]
fn under_anyone_it_says_by_whose_word() {
    use countersign_ruleset::rules::Entry;
    let read = |from: &str, when: &str| {
        let (rule, found) = rule_of(&format!(
            "{{name: a, from: [{from}], to: [{{paths: [/**]}}], when: '{when}', require: {{scopes: [read]}}}}"
        ));
        (rule.from, found)
    };
    let okta = r#"caller.provider == "ClusterTrustProvider/okta""#;
    let both = "{anyone: true}, {providerRef: {name: okta}}";
    let refused = ["AnyonesWord spec.rules[0].require"];
    for when in [
        r#"request.method == "GET""#,
        r#"caller.provider != "ClusterTrustProvider/okta""#,
        &format!("{okta} || request.method == \"GET\""),
    ] {
        let (from, found) = read("{anyone: true}", when);
        assert_eq!(from, [Entry::Unknown], "{when}");
        assert_eq!(found, refused, "{when}");
    }
    let (from, found) = read(both, r#"request.method == "GET""#);
    assert!(
        !from.contains(&Entry::Anyone) && from.len() == 2,
        "the other entry stays"
    );
    assert_eq!(found, refused);
    for when in [okta, &format!("request.method == \"GET\" && {okta}")] {
        let (from, found) = read("{anyone: true}", when);
        assert_eq!((from, found), (vec![Entry::Anyone], vec![]), "{when}");
    }
}

/// What a token says lets in by it, and so it is asked for whom it was made out.
#[test]
fn under_anyone_a_token_is_for_an_audience() {
    let service =
        "\n---\n{apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: shop}}\n";
    let read = |more: &str| {
        let rule = format!("{{name: a, from: [{{anyone: true}}], to: [{{paths: [/**]}}]{more}}}");
        let spec = format!(
            "{{targetRefs: [{{group: \"\", kind: Service, name: ledger}}], rules: [{rule}]}}"
        );
        let policy = resource("AccessPolicy", "p", &spec);
        found(&compiled_yaml(&format!("{service}{policy}")))
    };
    let needed = ["AudienceRequired spec.audiences"];
    let okta = r#"when: 'caller.provider == "ClusterTrustProvider/okta"'"#;
    assert_eq!(read(""), Vec::<String>::new());
    assert_eq!(
        read(r#", when: 'request.method == "GET"'"#),
        Vec::<String>::new()
    );
    assert_eq!(read(&format!(", {okta}")), needed);
    assert_eq!(
        read(&format!(", {okta}, require: {{scopes: [read]}}")),
        needed
    );
}
