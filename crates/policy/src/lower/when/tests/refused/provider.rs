//! `caller.provider` is compared with the names of providers that there are.

use super::{place, read, read_beside, to};
use crate::lower::when::Beside;
use countersign_ruleset::rules::Effect;
use serde_json::json;

#[test]
fn a_provider_that_there_is_not_is_unknown() {
    for (text, expected) in [
        (
            "caller.provider != 'ClusterTrustProvider/oktaa'",
            "ProviderNotFound <'ClusterTrustProvider/oktaa'> there is no usable ClusterTrustProvider/oktaa; did you mean `ClusterTrustProvider/okta`?",
        ),
        (
            "!(caller['provider'] in ['TrustProvider/okta', 'TrustProvider/own'])",
            "ProviderNotFound <'TrustProvider/okta'> there is no usable TrustProvider/okta in shop; did you mean `ClusterTrustProvider/okta`?",
        ),
        (
            "['TrustProvider/own'].exists(p, 'TrustProvider/vault' == caller.provider)",
            "ProviderNotFound <'TrustProvider/vault'> there is no usable TrustProvider/vault in shop",
        ),
    ] {
        let (condition, found) = read(text);
        assert_eq!(found, [expected]);
        assert!(condition.is_some(), "{text}");
    }
    let (condition, _) =
        read("caller.provider in ['TrustProvider/own', 'TrustProvider/gone'] || true");
    assert_eq!(
        serde_json::to_value(condition).unwrap(),
        json!([
            {"caller": "provider"},
            {"literal": {"text": "TrustProvider/own"}},
            {"literal": {"text": "TrustProvider/gone"}},
            {"select": {"of": 2, "member": "isMissing"}},
            {"list": [1, 3]},
            {"in": {"item": 0, "list": 4}},
            {"literal": {"bool": true}},
            {"any": [5, 6]},
        ])
    );
}

#[test]
fn a_clusters_rule_names_the_clusters_providers_only() {
    let to = to(&["/**"]);
    let beside = Beside {
        effect: Effect::Deny,
        anyone: false,
        to: &to,
        place: place(None),
    };
    let own = read_beside("caller.provider == 'TrustProvider/own'", beside);
    let expected = "NotFromCluster <'TrustProvider/own'> a resource of the cluster cannot refer to a TrustProvider; refer to a ClusterTrustProvider";
    assert_eq!(own.1, [expected]);
    let okta = read_beside("caller.provider == 'ClusterTrustProvider/okta'", beside);
    assert_eq!(okta.1, [""; 0]);
}

#[test]
fn nothing_but_names_is_asked_of_it() {
    let help = "`caller.provider` is compared with names of providers, and nothing else is asked of it; write `caller.provider == \"ClusterTrustProvider/NAME\"`, or `in [...]` of such names";
    for (text, stretch) in [
        ("['okta'].all(p, p != caller.provider)", "p"),
        ("caller.provider == caller.claims.by", "caller.claims.by"),
        ("caller.provider in caller.claims.by", "caller.provider"),
        ("'a' in caller.provider", "caller.provider"),
        ("caller.provider in [caller.subject]", "caller.subject"),
        ("caller.provider == caller.provider", "caller.provider"),
        ("caller.provider > 'TrustProvider/own'", "caller.provider"),
        ("!caller.provider.endsWith('/okta')", "caller.provider"),
        (
            "caller.claims.by.startsWith(caller['provider'])",
            "caller['provider']",
        ),
        ("size(caller.provider) == 3", "caller.provider"),
        ("[caller.provider] != ['okta']", "caller.provider"),
        (
            "[caller.provider].exists(p, p == 'okta')",
            "caller.provider",
        ),
        ("inCIDR(caller.provider, '10.0.0.0/8')", "caller.provider"),
        ("caller.provider", "caller.provider"),
    ] {
        let (condition, found) = read(text);
        assert_eq!(found, [format!("Condition <{stretch}> {help}")], "{text}");
        assert!(condition.is_none());
    }
    assert_eq!(read("has(caller.provider)").1, [""; 0]);
}
