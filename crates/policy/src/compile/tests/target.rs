//! Lines 20, 23 and 24: what a policy protects, and for whom a token must be.

use super::{Reason, applications, compiled_yaml, found, help, policy, reason, resource};
use crate::diagnostic::Code;
use countersign_ruleset::rules::Effect;

const RULES: &str = "rules: [{name: allow, from: [{providerRef: {name: okta}}]}, {name: deny, action: Deny, from: [{anyone: true}], to: [{paths: [/x]}]}]";
const SERVICE: &str =
    "\n---\n{apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: shop}}\n";

fn knative(url: &str) -> String {
    format!(
        "\n---\n{{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {{name: orders, namespace: shop}}, status: {{url: '{url}'}}}}\n"
    )
}

fn protects(target: &str) -> String {
    resource("AccessPolicy", "orders", &format!("{{{target}, {RULES}}}"))
}

const KNATIVE: &str = "targetRefs: [{group: serving.knative.dev, kind: Service, name: orders}]";

/// An application's name, hosts, audiences, and whether its Allow counts.
type Told = (String, Vec<String>, Vec<String>, bool);

/// Of each application: its name, its hosts, its audiences, and whether its Allow counts.
fn told(manifests: &str) -> (Vec<Told>, Vec<String>) {
    let compilation = compiled_yaml(manifests);
    let told = applications(&compilation).iter().map(|application| {
        let policy = &application.policies[0];
        let effects: Vec<_> = policy.rules.iter().map(|rule| rule.effect).collect();
        assert_eq!(
            effects,
            [Effect::Allow, Effect::Deny],
            "a Deny is never lost"
        );
        assert!(!policy.rules[1].to[0].unknown);
        let hosts = application.hosts.iter().map(ToString::to_string).collect();
        let counts = !policy.rules[0].to[0].unknown;
        (
            application.id.to_string(),
            hosts,
            policy.audiences.clone(),
            counts,
        )
    });
    (told.collect(), found(&compilation))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn each_host_is_an_application_with_its_own_audience() {
    let (told, found) = told(&protects(
        "hosts: [b.example.com, a.example.com, '*.c.example.com']",
    ));
    let host = |name: &str| {
        (
            format!("Host/{name}"),
            strings(&[name]),
            strings(&[&format!("https://{name}")]),
            true,
        )
    };
    let wild = (
        "Host/*.c.example.com".to_owned(),
        strings(&["*.c.example.com"]),
        vec![],
        true,
    );
    assert_eq!(told, [wild, host("a.example.com"), host("b.example.com")]);
    assert_eq!(found, ["AudienceRequired spec.audiences"]);
}

#[test]
fn a_host_in_another_spelling_denies_and_does_not_allow() {
    let (told, found) = told(&protects("hosts: [Orders.Example.com]"));
    assert_eq!(told[0].0, "Host/orders.example.com");
    assert!(!told[0].3);
    assert_eq!(found, ["InvalidValue spec.hosts[0]"]);
}

#[test]
fn a_knative_service_is_known_by_its_url() {
    let (told, found) = told(&format!(
        "{}{}",
        knative("https://orders.example.com"),
        protects(KNATIVE)
    ));
    let id = "Service.serving.knative.dev/orders".to_owned();
    let expected = (
        id,
        strings(&["orders.example.com"]),
        strings(&["https://orders.example.com"]),
        true,
    );
    assert_eq!(told, [expected]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_url_without_tls_is_no_audience() {
    let (told, found) = told(&format!(
        "{}{}",
        knative("http://orders.example.com"),
        protects(KNATIVE)
    ));
    assert_eq!(
        (told[0].1.clone(), told[0].2.clone()),
        (strings(&["orders.example.com"]), vec![])
    );
    assert_eq!(found, ["AudienceRequired spec.audiences"]);
}

#[test]
fn a_service_has_no_audience_of_its_own() {
    let target = "targetRefs: [{group: '', kind: Service, name: ledger}]";
    let (found_one, found) = told(&format!("{SERVICE}{}", protects(target)));
    assert_eq!(found_one[0].0, "Service/ledger");
    assert_eq!(
        found_one[0].1,
        [
            "ledger",
            "ledger.shop",
            "ledger.shop.svc",
            "ledger.shop.svc.cluster.local"
        ]
    );
    assert_eq!(found, ["AudienceRequired spec.audiences"]);
    let compilation = compiled_yaml(&format!("{SERVICE}{}", protects(target)));
    assert_eq!(
        reason(&compilation, "AccessPolicy", "orders"),
        (false, Reason::AudienceRequired)
    );
    let (said, found) = told(&format!(
        "{SERVICE}{}",
        protects(&format!("{target}, audiences: ['api://ledger']"))
    ));
    assert_eq!(
        (said[0].2.clone(), found),
        (strings(&["api://ledger"]), vec![])
    );
}

#[test]
fn what_is_open_to_anyone_asks_for_no_audience() {
    let spec = "{targetRefs: [{group: '', kind: Service, name: ledger}], rules: [{name: a, from: [{anyone: true}], to: [{paths: [/]}]}]}";
    let compilation = compiled_yaml(&format!(
        "{SERVICE}{}",
        resource("AccessPolicy", "open", spec)
    ));
    assert_eq!(found(&compilation), Vec::<String>::new());
}

#[test]
fn a_host_of_two_targets_is_no_audience() {
    let other = resource("AccessPolicy", "other", &format!("{{{KNATIVE}, {RULES}}}"));
    let url = knative("https://orders.example.com");
    let (told, found) = told(&format!("{url}{}{other}", policy(RULES)));
    assert!(
        told.iter().all(|application| application.2.is_empty()),
        "{told:?}"
    );
    assert_eq!(
        found,
        [
            "AudienceRequired spec.audiences",
            "AudienceRequired spec.audiences"
        ]
    );
}

#[test]
fn two_policies_of_one_host_share_no_host_with_another_target() {
    let other = policy(RULES).replace("name: orders", "name: other");
    let (_, found) = told(&format!("{}{other}", policy(RULES)));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn audiences_that_cannot_be_read_are_none() {
    for audiences in ["null", "[]", "7"] {
        let (told, found) = told(&policy(&format!("audiences: {audiences}, {RULES}")));
        assert_eq!((&told[0].2, told[0].3), (&vec![], true));
        assert_eq!(found, ["UnreadableValue spec.audiences"]);
    }
}

#[test]
fn a_target_that_is_not_there_denies_and_does_not_allow() {
    for (target, id) in [
        ("{group: '', kind: Service, name: ledgr}", "Service/ledgr"),
        (
            "{group: serving.knative.dev, kind: Service, name: ledger}",
            "Service.serving.knative.dev/ledger",
        ),
    ] {
        let manifests = format!("{SERVICE}{}", protects(&format!("targetRefs: [{target}]")));
        let (told, found) = told(&manifests);
        assert_eq!((told[0].0.as_str(), told[0].3), (id, false));
        assert_eq!(found, ["TargetNotFound spec.targetRefs[0]"]);
        let compilation = compiled_yaml(&manifests);
        assert_eq!(
            reason(&compilation, "AccessPolicy", "orders"),
            (false, Reason::TargetNotFound)
        );
    }
}

#[test]
fn both_or_neither_of_hosts_and_targets_allow_nothing() {
    let both = "hosts: [a.example.com], targetRefs: [{group: '', kind: Service, name: ledger}]";
    let (told, found) = told(&format!("{SERVICE}{}", protects(both)));
    assert_eq!(
        told.iter().map(|it| it.3).collect::<Vec<_>>(),
        [false, false]
    );
    assert_eq!(found, ["Exclusive spec.hosts"]);
    let compilation = compiled_yaml(&resource("AccessPolicy", "orders", &format!("{{{RULES}}}")));
    assert_eq!(applications(&compilation), []);
    assert_eq!(super::found(&compilation), ["Missing spec"]);
    assert_eq!(
        reason(&compilation, "AccessPolicy", "orders"),
        (false, Reason::Invalid)
    );
}

#[test]
fn what_may_be_any_target_denies_at_every_one() {
    for target in [
        "hosts: null",
        "hosts: ['a b']",
        "targetRefs: [null]",
        "targetRefs: [{group: '', kind: Service}]",
        "targetRefs: [{kind: Service, name: orders}]",
        "targetRefs: [{group: '', kind: Service, name: payroll.shop}]",
        "targetRefs: [{group: '', kind: Deployment, name: a}]",
        "targets: []",
    ] {
        let lost = resource("AccessPolicy", "lost", &format!("{{{target}, {RULES}}}"));
        let good = policy("rules: [{name: open, from: [{anyone: true}], to: [{paths: [/**]}]}]");
        let compilation = compiled_yaml(&format!("{lost}{good}"));
        let [application] = applications(&compilation) else {
            panic!("{target}")
        };
        let [lost, good] = application.policies.as_slice() else {
            panic!("{application:?}")
        };
        let name = |policy: &countersign_ruleset::rules::Policy| policy.id.to_string();
        assert_eq!(
            [name(lost), name(good)],
            ["AccessPolicy/lost", "AccessPolicy/orders"]
        );
        let rules: Vec<_> = lost
            .rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule.effect))
            .collect();
        assert_eq!(rules, [("deny", Effect::Deny)], "{target}");
    }
}

#[test]
fn a_kind_that_is_no_target_is_told_which_there_are() {
    let target = |reference: &str| compiled_yaml(&protects(&format!("targetRefs: [{reference}]")));
    let compilation = target("{group: '', kind: HTTPRoute, name: a}");
    assert_eq!(
        help(&compilation, Code::InvalidValue),
        Some("say `group: gateway.networking.k8s.io`")
    );
    let compilation = target("{group: '', kind: Servise, name: a}");
    assert_eq!(
        help(&compilation, Code::InvalidValue),
        Some("did you mean `Service`?")
    );
}

#[test]
fn a_status_says_what_is_covered() {
    let compilation = compiled_yaml(&protects("hosts: [b.example.com, a.example.com]"));
    let outcome = compilation
        .statuses
        .iter()
        .find(|(id, _)| id.kind == "AccessPolicy")
        .unwrap()
        .1;
    assert_eq!(outcome.hosts, ["a.example.com", "b.example.com"]);
    assert_eq!(
        outcome.audiences,
        ["https://a.example.com", "https://b.example.com"]
    );
}

#[test]
fn a_target_without_group_or_with_a_dotted_name_is_not_guessed() {
    for (target, expected) in [
        (
            "{kind: Service, name: ledger}",
            "Missing spec.targetRefs[0].group",
        ),
        (
            "{group: '', kind: Service, name: payroll.shop}",
            "InvalidValue spec.targetRefs[0].name",
        ),
        (
            "{group: serving.knative.dev, kind: Service, name: payroll.shop}",
            "InvalidValue spec.targetRefs[0].name",
        ),
    ] {
        let dotted = SERVICE.replace("ledger", "payroll.shop");
        let manifests = format!(
            "{SERVICE}{dotted}{}",
            protects(&format!("targetRefs: [{target}]"))
        );
        let compilation = compiled_yaml(&manifests);
        assert_eq!(found(&compilation), [expected]);
        assert_eq!(applications(&compilation), [], "it claims no host");
    }
}
