//! What an edge would refuse to read.

use super::{Reason, compiled, found, policy, reason};
use countersign_ruleset::rules::Rules;
use serde_json::{Value, json};

fn provider(number: usize) -> Value {
    json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "ClusterTrustProvider",
        "metadata": {"name": format!("p{number}")},
        "spec": {
            "type": "OIDC",
            "issuer": format!("https://p{number}.example.com"),
            "keys": {"inline": {"keys": [{
                "kty": "OKP", "crv": "Ed25519", "kid": "a",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }]}},
        },
    })
}

/// One policy whose rules name so many providers, 32 a rule.
fn named(count: usize) -> Vec<Value> {
    let entries: Vec<Value> = (0..count)
        .map(|n| json!({"providerRef": {"name": format!("p{n}")}}))
        .collect();
    let rules = entries.chunks(32).enumerate();
    let rules: Vec<Value> = rules
        .map(|(n, from)| json!({"name": format!("r{n}"), "from": from}))
        .collect();
    let mut manifests = super::manifests(&policy("rules: []"));
    manifests[0]["spec"]["rules"] = Value::Array(rules);
    manifests.extend((0..count).map(provider));
    manifests
}

#[test]
fn more_providers_than_an_edge_reads_allow_nothing() {
    let most = countersign_ruleset::provider::MAX_PROVIDERS;
    let fits = compiled(&named(most));
    assert_eq!(found(&fits), Vec::<String>::new());
    let compilation = compiled(&named(most + 1));
    let scope: countersign_ruleset::names::Scope = "shop".parse().unwrap();
    let refused = &compilation.rulesets[&scope];
    assert_eq!(refused.rules, Rules::empty(scope.clone()));
    assert!(refused.keys.providers.is_empty());
    assert_eq!(found(&compilation), ["TooMany spec.rules"]);
    assert_eq!(
        reason(&compilation, "AccessPolicy", "orders"),
        (false, Reason::Invalid)
    );
}

/// A policy without targets that can be read, with so many Denies.
fn lost(number: usize, denies: usize) -> Value {
    let deny = |n| json!({"name": format!("d{n}"), "action": "Deny", "from": [{"anyone": true}]});
    json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "AccessPolicy",
        "metadata": {"name": format!("lost{number}"), "namespace": "shop"},
        "spec": {"hosts": null, "rules": (0..denies).map(deny).collect::<Vec<_>>()},
    })
}

fn of_host(number: usize) -> Value {
    json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "AccessPolicy",
        "metadata": {"name": format!("host{number}"), "namespace": "shop"},
        "spec": {"hosts": [format!("h{number}.example.com")], "rules": [{"name": "d", "action": "Deny", "from": [{"anyone": true}]}]},
    })
}

/// The bounds of lists are the reader's: what it would refuse is neither signed nor published.
#[test]
fn more_policies_of_one_host_than_an_edge_reads_allow_nothing() {
    let most = countersign_ruleset::rules::MAX_LIST;
    let with = |count: usize| {
        let mut manifests: Vec<Value> = (0..count).map(of_host).collect();
        for one in &mut manifests {
            one["spec"]["hosts"] = json!(["shop.example.com"]);
        }
        compiled(&manifests)
    };
    let scope: countersign_ruleset::names::Scope = "shop".parse().unwrap();
    let fits = with(most);
    assert_eq!(fits.rulesets[&scope].rules.rules().count(), most);
    let refused = with(most + 1);
    assert_eq!(refused.rulesets[&scope].rules, Rules::empty(scope.clone()));
    let said =
        "expected in the namespace shop at most 10000 policies, got 10001: it allows nothing";
    assert_eq!(refused.diagnostics[0].message, said);
    assert_eq!(
        reason(&refused, "AccessPolicy", "host0"),
        (false, Reason::Invalid)
    );
}

/// What stands in every application is counted before it is written out.
#[test]
fn what_may_be_of_any_target_is_weighed() {
    let with = |hosts: usize| {
        let mut manifests: Vec<Value> = (0..64).map(|n| lost(n, 64)).collect();
        manifests.extend((0..hosts).map(of_host));
        compiled(&manifests)
    };
    let scope: countersign_ruleset::names::Scope = "shop".parse().unwrap();
    let most = countersign_ruleset::rules::MAX_RULES / (64 * 64);
    let refused = with(most + 1);
    assert_eq!(refused.rulesets[&scope].rules, Rules::empty(scope.clone()));
    let mut messages = refused.diagnostics.iter().map(|it| &it.message);
    let said = "at most 250000 rules, got 254014";
    assert!(
        messages.any(|it| it.contains(said)),
        "{:?}",
        found(&refused)
    );
    let fits = with(2);
    assert_eq!(
        fits.rulesets[&scope].rules.rules().count(),
        2 * (64 * 64 + 1)
    );
}

/// One with so many matches, and a policy that names a section of it.
fn route(number: usize, matches: usize) -> [Value; 2] {
    let one = |n| json!({"path": {"type": "Exact", "value": format!("/r{number}/m{n}")}});
    let name = format!("r{number}");
    let spec = json!({"hostnames": ["shop.example.com"],
        "rules": [{"name": "all", "matches": (0..matches).map(one).collect::<Vec<_>>()}]});
    let target = json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name, "sectionName": "all"});
    let open = json!([{"name": "a", "from": [{"anyone": true}], "to": [{"paths": ["/**"]}]}]);
    [
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
        json!({"apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {"targetRefs": [target], "rules": open}}),
    ]
}

/// The edge goes through no more for one request, and it is said where it does not.
#[test]
fn of_more_matches_than_an_edge_goes_through_nothing_is_known() {
    let most = countersign_ruleset::rules::MAX_MATCHES;
    let with = |last: usize| {
        let routes = [1_024, 1_024, 1_024, last];
        let routes = routes.iter().enumerate();
        let manifests: Vec<Value> = routes.flat_map(|(n, size)| route(n, *size)).collect();
        compiled(&manifests)
    };
    assert_eq!(found(&with(most - 3 * 1_024)), Vec::<String>::new());
    let mut manifests: Vec<Value> = (0..5).flat_map(|n| route(n, 1_024)).collect();
    let unclear = ["warning SectionUnclear spec.targetRefs"; 5];
    let crowded = compiled(&manifests);
    assert_eq!(found(&crowded), unclear);
    assert!(
        crowded.diagnostics[0]
            .message
            .contains("more than 4096 matches")
    );
    // of another host, it counts for nothing
    manifests[8]["spec"]["hostnames"] = json!(["other.example.com"]);
    assert_eq!(found(&compiled(&manifests)), Vec::<String>::new());
}
