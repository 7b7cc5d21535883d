//! Lines 4 and 12 of workloads: by whose word, and of whom among an issuer's customers.

use super::{
    Compilation, compiled, found, help, identity, manifests, only, policy, resource, rule_of, texts,
};
use crate::diagnostic::Code;
use countersign_ruleset::rules::{Entry, Matcher, Rule};

const KEYS: &str = "keys: {inline: {keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}";

/// Only with the providers that are written: two of one issuer would be none.
fn compile(yaml: &str) -> Compilation {
    compiled(&manifests(yaml))
}

/// Compiles an Allow and a Deny whose only entry of `from` has these workloads, by a provider of
/// that spec.
fn both(spec: &str, workloads: &str) -> (Vec<Rule>, Vec<String>) {
    let provider = resource("ClusterTrustProvider", "p", &format!("{{{spec}, {KEYS}}}"));
    let entry = format!("{{providerRef: {{name: p}}, workloads: {workloads}}}");
    let rules = format!(
        "rules: [{{name: a, from: [{entry}]}}, {{name: d, action: Deny, from: [{entry}]}}]"
    );
    let compilation = compile(&format!("{provider}{}", policy(&rules)));
    (only(&compilation).rules.clone(), found(&compilation))
}

/// The matchers of the Allow's entry, and what was found at it, without the path up to `workloads`.
fn read(spec: &str, workloads: &str) -> (Vec<Matcher>, Vec<String>) {
    let (rules, found) = both(spec, workloads);
    let [Entry::Identity { provider, all }] = rules[0].from.as_slice() else {
        panic!("{rules:?}")
    };
    assert_eq!(provider.as_str(), "ClusterTrustProvider/p");
    let of_allow = |text: &String| text.contains("spec.rules[0].from[0].workloads");
    let found = found.iter().filter(|text| of_allow(text));
    let short = |text: &String| text.replace("spec.rules[0].from[0].workloads", "");
    (all.clone(), found.map(short).collect())
}

const GOOGLE: &str = "type: Google, tenants: [shop]";
const GITHUB: &str = "type: GitHubActions, tenants: ['9919']";
const OPEN: &str = "type: GitHubActions";
const SPIFFE: &str = "type: SPIFFE, issuer: 'https://spire.example.com'";
const AWS: &str = "type: OIDC, issuer: 'https://a1b2.tokens.sts.global.api.aws'";

fn claim(name: &str, value: &str) -> Matcher {
    Matcher::Claim {
        path: texts(&[name]),
        any_of: texts(&[value]),
    }
}

fn subject(text: &str) -> Matcher {
    Matcher::Subjects(texts(&[text]))
}

#[test]
fn each_platform_says_it_in_its_own_claims() {
    let (all, found) = read(
        GOOGLE,
        "[{google: {serviceAccount: Checkout@shop.iam.gserviceaccount.com, uniqueID: '1084'}}]",
    );
    let email = Matcher::Emails(texts(&["checkout@shop.iam.gserviceaccount.com"]));
    assert_eq!((all, found.len()), (vec![email, subject("1084")], 0));
    let (all, found) = read(
        GITHUB,
        "[{github: {repository: acme/shop, repositoryID: '7', ref: refs/heads/main, environment: production, workflow: 'acme/shop/.github/workflows/a.yaml@refs/heads/main', events: [push, release]}}]",
    );
    let events = Matcher::Claim {
        path: texts(&["event_name"]),
        any_of: texts(&["push", "release"]),
    };
    let expected = vec![
        claim("environment", "production"),
        events,
        claim(
            "job_workflow_ref",
            "acme/shop/.github/workflows/a.yaml@refs/heads/main",
        ),
        claim("ref", "refs/heads/main"),
        claim("repository", "acme/shop"),
        claim("repository_id", "7"),
    ];
    assert_eq!((all, found.len()), (expected, 0));
    let (all, found) = read(SPIFFE, "[{spiffe: {id: 'spiffe://example.com/web'}}]");
    assert_eq!(
        (all, found.len()),
        (vec![subject("spiffe://example.com/web")], 0)
    );
    let role = "arn:aws:iam::123456789012:role/checkout";
    let (all, found) = read(AWS, &format!("[{{aws: {{roleARN: '{role}'}}}}]"));
    assert_eq!((all, found.len()), (vec![subject(role)], 0));
}

#[test]
fn one_of_several_suffices_and_one_that_cannot_be_read_leaves_the_others() {
    let (all, found) = read(
        SPIFFE,
        "[{spiffe: {id: 'spiffe://example.com/b'}}, {spiffe: {id: 'spiffe://example.com/a'}}, {spiffe: {id: b}}]",
    );
    let either = Matcher::AnyOf(vec![
        vec![subject("spiffe://example.com/a")],
        vec![subject("spiffe://example.com/b")],
        vec![Matcher::Unknown],
    ]);
    assert_eq!(all, [either]);
    assert_eq!(found, ["InvalidValue [2].spiffe.id"]);
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_absent() {
    for (workloads, expected) in [
        ("null", "UnreadableValue "),
        ("[]", "UnreadableValue "),
        ("[null]", "UnreadableValue [0]"),
        ("[{}]", "Exclusive [0]"),
        ("[{spiffe: null}]", "UnreadableValue [0].spiffe"),
        ("[{spiffe: {}}]", "UnreadableValue [0].spiffe"),
        ("[{spiffe: {id: null}}]", "UnreadableValue [0].spiffe.id"),
        ("[{spiffe: {id: 7}}]", "UnreadableValue [0].spiffe.id"),
        ("[{spiffe: {ids: a}}]", "UnknownField [0].spiffe.ids"),
        ("[{spifee: {id: a}}]", "UnknownField [0].spifee"),
        (
            "[{spiffe: {id: 'spiffe://example.com/a'}, spifee: {}}]",
            "UnknownField [0].spifee",
        ),
        (
            "[{spiffe: {id: 'spiffe://example.com/a', td: a}}]",
            "UnknownField [0].spiffe.td",
        ),
        (
            "[{spiffe: {id: 'spiffe://example.com/a'}, github: {repositoryID: '7'}}]",
            "Exclusive [0]",
        ),
        (
            "[{spiffe: {id: 'spiffe://example.com/a'}, google: null}]",
            "UnreadableValue [0].google",
        ),
    ] {
        let (all, found) = read(SPIFFE, workloads);
        assert_eq!(all, [Matcher::Unknown], "{workloads}");
        assert!(
            found.iter().any(|it| it == expected),
            "{workloads}: {found:?}"
        );
    }
}

#[test]
fn a_field_that_cannot_be_read_leaves_the_others_of_its_workload() {
    for (field, path) in [
        ("ref: null", "ref"),
        ("ref: main", "ref"),
        ("events: []", "events"),
        ("events: [Push]", "events[0]"),
        ("environment: ''", "environment"),
        ("workflow: deploy.yaml", "workflow"),
        ("repository: '*'", "repository"),
    ] {
        let (all, found) = read(
            GITHUB,
            &format!("[{{github: {{repositoryID: '7', {field}}}}}]"),
        );
        assert_eq!(
            all,
            [claim("repository_id", "7"), Matcher::Unknown],
            "{field}"
        );
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert!(
            found[0].ends_with(&format!("[0].github.{path}")),
            "{found:?}"
        );
    }
    let (all, _) = read(
        GITHUB,
        "[{github: {repositoryID: '7', events: [push, Push]}}]",
    );
    let events = Matcher::AnyOf(vec![
        vec![claim("event_name", "push")],
        vec![Matcher::Unknown],
    ]);
    assert_eq!(all, [events, claim("repository_id", "7")]);
}

#[test]
fn only_a_provider_of_the_platform_vouches_for_it() {
    let workloads = [
        (
            "aws",
            "[{aws: {roleARN: 'arn:aws:iam::123456789012:role/a'}}]",
        ),
        ("github", "[{github: {repositoryID: '7'}}]"),
        ("google", "[{google: {uniqueID: '7'}}]"),
        ("spiffe", "[{spiffe: {id: 'spiffe://example.com/a'}}]"),
    ];
    let others = [
        "type: OIDC, issuer: 'https://id.example.com'",
        "type: Okta, issuer: 'https://id.example.com'",
        "type: Kubernetes",
        "type: GoogleIAP",
    ];
    let own = [AWS, GITHUB, GOOGLE, SPIFFE];
    for (n, (field, workload)) in workloads.into_iter().enumerate() {
        for spec in others.into_iter().chain(own) {
            let (all, found) = read(spec, workload);
            if own[n] == spec {
                assert!(!all.contains(&Matcher::Unknown), "{field} {spec}");
            } else {
                assert_eq!(all, [Matcher::Unknown], "{field} {spec}");
                assert_eq!(found, [format!("InvalidValue [0].{field}")], "{spec}");
            }
        }
    }
}

/// Whoever has a repository has a `main`, a `push` and an environment of any name, and may call
/// another's public workflow.
#[test]
fn a_workload_that_anybody_can_have_says_not_whose() {
    for field in [
        "ref: refs/heads/main",
        "events: [push]",
        "environment: production",
        "workflow: 'acme/shop/.github/workflows/a.yaml@refs/heads/main'",
    ] {
        let workloads = format!("[{{github: {{{field}}}}}]");
        let (all, found) = read(OPEN, &workloads);
        assert_eq!(
            (all.len(), all.last()),
            (2, Some(&Matcher::Unknown)),
            "{field}"
        );
        assert_eq!(found, ["SharedIssuer [0].github"], "{field}");
        let (all, found) = read(GITHUB, &workloads);
        assert_eq!((all.len(), found.len()), (1, 0), "{field}: of the tenants");
        let (rules, _) = both(OPEN, &workloads);
        let [Entry::Identity { all, .. }] = rules[1].from.as_slice() else {
            panic!("{rules:?}")
        };
        assert!(!all.contains(&Matcher::Unknown), "{field}: a Deny of it");
    }
    for field in [
        "repositoryID: '7'",
        "repository: acme/shop, ref: refs/heads/main",
    ] {
        let (all, found) = read(OPEN, &format!("[{{github: {{{field}}}}}]"));
        assert!(!all.contains(&Matcher::Unknown), "{field}: {found:?}");
    }
}

#[test]
fn each_workload_says_whose_for_itself() {
    let (all, found) = read(
        OPEN,
        "[{github: {repositoryID: '7'}}, {github: {ref: refs/heads/main}}]",
    );
    let either = Matcher::AnyOf(vec![
        vec![claim("ref", "refs/heads/main"), Matcher::Unknown],
        vec![claim("repository_id", "7")],
    ]);
    assert_eq!(all, [either]);
    assert_eq!(found, ["SharedIssuer [1].github"]);
}

#[test]
fn a_role_of_workloads_says_whose_too() {
    let provider = resource("ClusterTrustProvider", "p", &format!("{{{OPEN}, {KEYS}}}"));
    let role = resource(
        "AccessRole",
        "jobs",
        "{members: [{providerRef: {name: p}, workloads: [{github: {events: [push]}}]}]}",
    );
    let rules = policy("rules: [{name: a, from: [{roleRefs: [{name: jobs}]}]}]");
    let compilation = compile(&format!("{provider}{role}{rules}"));
    let (_, members) = super::rules(&compilation).roles.iter().next().unwrap();
    let all = [claim("event_name", "push"), Matcher::Unknown];
    assert_eq!(**members, [identity("ClusterTrustProvider/p", all)]);
    assert_eq!(
        found(&compilation),
        ["SharedIssuer spec.members[0].workloads[0].github"]
    );
}

#[test]
fn of_a_provider_that_is_not_there_workloads_are_nobody() {
    let entry =
        "{providerRef: {name: gone}, workloads: [{spiffe: {id: 'spiffe://example.com/a'}}]}";
    let (rule, found) = rule_of(&format!("{{name: a, from: [{entry}]}}"));
    let missing = Entry::Missing("ClusterTrustProvider/gone".into());
    assert_eq!(rule.from, [missing]);
    assert_eq!(
        found,
        ["ProviderNotFound spec.rules[0].from[0].providerRef"]
    );
}

#[test]
fn names_that_are_given_anew_are_warned_of() {
    let (_, found) = read(GITHUB, "[{github: {repository: acme/shop}}]");
    assert_eq!(found, ["warning Reassignable [0].github.repository"]);
    let account = "serviceAccount: a@shop.iam.gserviceaccount.com";
    let (_, found) = read(GOOGLE, &format!("[{{google: {{{account}}}}}]"));
    assert_eq!(found, ["warning Reassignable [0].google.serviceAccount"]);
    let provider = resource(
        "ClusterTrustProvider",
        "p",
        &format!("{{{GITHUB}, {KEYS}}}"),
    );
    let entry = "{providerRef: {name: p}, workloads: [{github: {repository: acme/shop}}]}";
    let rules = policy(&format!("rules: [{{name: a, from: [{entry}]}}]"));
    let compilation = compile(&format!("{provider}{rules}"));
    assert_eq!(
        help(&compilation, Code::Reassignable),
        Some("say `repositoryID` beside it")
    );
}
