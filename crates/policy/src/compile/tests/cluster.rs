//! What the cluster demands: lines 1, 2, 5, and who may be referred to.

use super::{Compilation, Reason, compiled_yaml, found, okta, policy, reason, resource, rules};
use countersign_ruleset::rules::{Effect, Entry, Guardrail, Mode, To};

const OPEN: &str = "rules: [{name: open, from: [{anyone: true}], to: [{paths: [/**]}]}]";
const STAFF: &str = "[{name: staff, from: [{providerRef: {name: okta}}]}]";

fn guarded(spec: &str) -> Compilation {
    compiled_yaml(&format!(
        "{}{}",
        resource("ClusterAccessPolicy", "guard", &format!("{{{spec}}}")),
        policy(OPEN)
    ))
}

fn guardrail(compilation: &Compilation) -> &Guardrail {
    let [guardrail] = rules(compilation).guardrails.as_slice() else {
        panic!("{:?}", rules(compilation))
    };
    guardrail
}

#[test]
fn a_boundary_and_denies_are_lowered_into_each_namespace() {
    let compilation = guarded(&format!(
        "namespaceSelector: {{}}, boundary: {STAFF}, deny: {STAFF}"
    ));
    let guardrail = guardrail(&compilation);
    assert_eq!(
        (guardrail.policy.as_str(), guardrail.mode),
        ("ClusterAccessPolicy/guard", Mode::Enforce)
    );
    let boundary = &guardrail.boundary.as_ref().unwrap()[0];
    assert_eq!(
        (boundary.effect, &boundary.from[..]),
        (Effect::Allow, &[okta([])][..])
    );
    assert_eq!(guardrail.deny[0].effect, Effect::Deny);
    assert_eq!(found(&compilation), Vec::<String>::new());
    let providers = &compilation.rulesets[&"shop".parse().unwrap()]
        .keys
        .providers;
    assert_eq!(providers.len(), 1, "the guardrail's provider is named too");
}

#[test]
fn a_boundary_that_cannot_be_read_lets_nothing_in() {
    for spec in [
        "boundary: []",
        "boundary: null",
        "boundary: 7",
        "deny: []",
        "deny: null",
        &format!("boundry: {STAFF}"),
        &format!("boundary: {STAFF}, colour: blue"),
    ] {
        let compilation = guarded(&format!("namespaceSelector: {{}}, {spec}"));
        assert_eq!(
            guardrail(&compilation).boundary.as_deref(),
            Some(&[][..]),
            "{spec}"
        );
    }
}

#[test]
fn an_unknown_field_leaves_the_denies() {
    let compilation = guarded(&format!(
        "namespaceSelector: {{}}, deny: {STAFF}, colour: blue"
    ));
    assert_eq!(guardrail(&compilation).deny.len(), 1);
    assert_eq!(found(&compilation), ["UnknownField spec.colour"]);
}

#[test]
fn an_unreadable_rule_denies_everything_or_lets_nothing_in() {
    let compilation = guarded("namespaceSelector: {}, boundary: [null], deny: [null]");
    let guardrail = guardrail(&compilation);
    let boundary = &guardrail.boundary.as_ref().unwrap()[0];
    for (rule, effect) in [
        (boundary, Effect::Allow),
        (&guardrail.deny[0], Effect::Deny),
    ] {
        assert_eq!(
            (rule.effect, &rule.from[..]),
            (effect, &[Entry::Unknown][..])
        );
        assert_eq!(rule.to, [super::unknown()]);
    }
}

#[test]
fn fields_of_an_access_policys_rules_are_unknown_here() {
    for field in ["action: Deny", "expiresAt: '2026-11-24T02:00:00Z'"] {
        let rule = format!("[{{name: a, {field}, from: [{{providerRef: {{name: okta}}}}]}}]");
        let compilation = guarded(&format!(
            "namespaceSelector: {{}}, boundary: {rule}, deny: {rule}"
        ));
        let guardrail = guardrail(&compilation);
        let boundary = &guardrail.boundary.as_ref().unwrap()[0];
        assert_eq!(
            (boundary.effect, &boundary.to[..]),
            (Effect::Allow, &[super::unknown()][..])
        );
        assert_eq!(guardrail.deny[0].to, [super::unknown()]);
        assert!(
            found(&compilation)
                .iter()
                .all(|it| it.starts_with("UnknownField"))
        );
    }
}

#[test]
fn only_cluster_kinds_may_be_referred_to() {
    let boundary = "[{name: a, from: [{providerRef: {kind: TrustProvider, name: own}}, {roleRefs: [{name: admin}]}]}]";
    let compilation = guarded(&format!("namespaceSelector: {{}}, boundary: {boundary}"));
    let missing = ["AccessRole/admin", "TrustProvider/own"].map(|id| Entry::Missing(id.into()));
    assert_eq!(
        guardrail(&compilation).boundary.as_ref().unwrap()[0].from,
        missing
    );
    assert_eq!(
        found(&compilation),
        [
            "NotFromCluster spec.boundary[0].from[0].providerRef.kind",
            "NotFromCluster spec.boundary[0].from[1].roleRefs[0].kind",
        ]
    );
    assert_eq!(
        reason(&compilation, "ClusterAccessPolicy", "guard"),
        (true, Reason::PartiallyInvalid)
    );
}

#[test]
fn a_clusters_role_takes_the_word_of_the_clusters_providers_only() {
    let role = resource(
        "ClusterAccessRole",
        "admin",
        "{members: [{providerRef: {kind: TrustProvider, name: own}}, {providerRef: {name: okta}}]}",
    );
    let spec = "rules: [{name: a, from: [{roleRefs: [{kind: ClusterAccessRole, name: admin}]}]}]";
    let compilation = compiled_yaml(&format!("{role}{}", policy(spec)));
    let members = rules(&compilation).roles.values().next().unwrap();
    assert_eq!(
        members,
        &[okta([]), Entry::Missing("TrustProvider/own".into())]
    );
}

#[test]
fn a_boundary_for_anyone_says_for_what() {
    let compilation =
        guarded("namespaceSelector: {}, boundary: [{name: a, from: [{anyone: true}]}]");
    assert_eq!(
        guardrail(&compilation).boundary.as_ref().unwrap()[0].from,
        [Entry::Unknown]
    );
    let compilation = guarded("namespaceSelector: {}, deny: [{name: a, from: [{anyone: true}]}]");
    assert_eq!(guardrail(&compilation).deny[0].to, [To::default()]);
}

#[test]
fn a_mode_that_is_not_known_is_enforced() {
    for (mode, expected) in [
        ("Observe", Mode::Observe),
        ("Enforce", Mode::Enforce),
        ("observe", Mode::Enforce),
        ("null", Mode::Enforce),
    ] {
        let compilation = guarded(&format!(
            "namespaceSelector: {{}}, mode: {mode}, deny: {STAFF}"
        ));
        assert_eq!(guardrail(&compilation).mode, expected, "{mode}");
    }
}

fn selects(namespace: Option<&str>, selector: &str) -> bool {
    let labels = namespace.map(|labels| {
        format!("\n---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {labels}}}}}\n")
    });
    let guard = resource(
        "ClusterAccessPolicy",
        "guard",
        &format!("{{namespaceSelector: {selector}, deny: {STAFF}}}"),
    );
    let compilation = compiled_yaml(&format!(
        "{guard}{}{}",
        labels.unwrap_or_default(),
        policy(OPEN)
    ));
    !rules(&compilation).guardrails.is_empty()
}

#[test]
fn a_selector_is_held_against_the_labels_that_are_known() {
    let production = Some("{env: production}");
    for (selector, selected) in [
        ("{}", true),
        ("{matchLabels: {env: production}}", true),
        ("{matchLabels: {env: test}}", false),
        ("{matchLabels: {team: a}}", false),
        (
            "{matchLabels: {env: production, kubernetes.io/metadata.name: ops}}",
            false,
        ),
        (
            "{matchExpressions: [{key: env, operator: In, values: [test, production]}]}",
            true,
        ),
        (
            "{matchExpressions: [{key: env, operator: NotIn, values: [production]}]}",
            false,
        ),
        (
            "{matchExpressions: [{key: team, operator: NotIn, values: [a]}]}",
            true,
        ),
        ("{matchExpressions: [{key: env, operator: Exists}]}", true),
        (
            "{matchExpressions: [{key: env, operator: DoesNotExist}]}",
            false,
        ),
        (
            "{matchExpressions: [{key: team, operator: DoesNotExist}]}",
            true,
        ),
    ] {
        assert_eq!(selects(production, selector), selected, "{selector}");
    }
}

#[test]
fn labels_that_are_not_known_select() {
    for (selector, selected) in [
        ("{matchLabels: {env: production}}", true),
        (
            "{matchExpressions: [{key: env, operator: DoesNotExist}]}",
            true,
        ),
        ("{matchLabels: {kubernetes.io/metadata.name: shop}}", true),
        ("{matchLabels: {kubernetes.io/metadata.name: ops}}", false),
        (
            "{matchLabels: {env: production, kubernetes.io/metadata.name: ops}}",
            false,
        ),
    ] {
        assert_eq!(selects(None, selector), selected, "{selector}");
    }
}

#[test]
fn a_selector_that_cannot_be_read_selects() {
    for selector in [
        "null",
        "7",
        "{matchLabels: null}",
        "{matchLabels: {env: 7}}",
        "{matchLables: {env: test}}",
        "{matchExpressions: []}",
        "{matchExpressions: [null]}",
        "{matchExpressions: [{key: env, operator: is, values: [test]}]}",
        "{matchExpressions: [{key: env, operator: In}]}",
        "{matchExpressions: [{key: env, operator: DoesNotExist, values: [a]}]}",
    ] {
        assert!(selects(Some("{env: production}"), selector), "{selector}");
    }
    let guard = resource(
        "ClusterAccessPolicy",
        "guard",
        &format!("{{deny: {STAFF}}}"),
    );
    let compilation = compiled_yaml(&format!("{guard}{}", policy(OPEN)));
    assert_eq!(rules(&compilation).guardrails.len(), 1);
    assert_eq!(found(&compilation), ["Missing spec.namespaceSelector"]);
}

#[test]
fn a_policy_that_demands_nothing_is_told_so() {
    let compilation = guarded("namespaceSelector: {}");
    assert_eq!(found(&compilation), ["Missing spec"]);
    assert_eq!(
        (
            guardrail(&compilation).boundary.as_ref(),
            guardrail(&compilation).deny.len()
        ),
        (None, 0)
    );
}
