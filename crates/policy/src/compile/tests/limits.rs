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
