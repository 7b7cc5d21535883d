//! What goes on as it was, beside what the cluster says by now.

use super::{PROVIDERS, compiled, manifests, resource};
use crate::compile::{Compiled, carried};
use crate::resources::Resources;
use countersign_ruleset::rules::Entry;
use std::collections::BTreeMap;

const OWN: &str = "{hosts: [orders.example.com], rules: [
  {name: staff, from: [{providerRef: {name: okta}}, {providerRef: {kind: TrustProvider, name: own}},
    {roleRefs: [{kind: ClusterAccessRole, name: ops}, {kind: AccessRole, name: team}]}],
   to: [{paths: [/**]}]}]}";
const OPS: &str = "{members: [{providerRef: {name: okta}, groups: [ops]}]}";
const DENY: &str =
    "{namespaceSelector: {}, deny: [{name: all, from: [{providerRef: {name: google}}]}]}";

fn role(members: &str) -> String {
    resource("ClusterAccessRole", "ops", members)
}

/// What the namespace `shop` means beside what is the cluster's.
fn meant(cluster: &str) -> Compiled {
    let team = "{members: [{providerRef: {kind: TrustProvider, name: own}, groups: [team]}]}";
    let own = resource("AccessPolicy", "orders", OWN) + &resource("AccessRole", "team", team);
    let compilation = compiled(&manifests(&format!("{cluster}{own}")));
    compilation.rulesets[&"shop".parse().unwrap()].clone()
}

/// What was meant at first, with what is the cluster's by now.
fn carried_into(cluster: &str) -> Option<Compiled> {
    let before = meant(&format!("{PROVIDERS}{}", role(OPS)));
    let mut all = manifests(cluster);
    all.retain(|it| it.pointer("/metadata/namespace").is_none());
    carried(&before, &Resources::read(&all).unwrap(), &BTreeMap::new())
}

/// Else whoever can write one thing that cannot be read keeps every Deny of the cluster away.
#[test]
fn what_the_cluster_says_by_now_reaches_what_goes_on() {
    let revoked = PROVIDERS.replacen(
        "issuer: \"https://okta.example.com\"",
        "issuer: \"https://okta.example.com\", revocations: [{sub: mallory}]",
        1,
    );
    let other_key = PROVIDERS.replacen("kid: a", "kid: b", 1);
    let fewer = "{members: [{providerRef: {name: okta}, groups: [none]}]}";
    for (what, cluster) in [
        ("nothing new", format!("{PROVIDERS}{}", role(OPS))),
        (
            "a Deny",
            format!(
                "{PROVIDERS}{}{}",
                role(OPS),
                resource("ClusterAccessPolicy", "emergency", DENY)
            ),
        ),
        ("a revocation", format!("{revoked}{}", role(OPS))),
        ("a key", format!("{other_key}{}", role(OPS))),
        ("a role", format!("{PROVIDERS}{}", role(fewer))),
    ] {
        assert_eq!(carried_into(&cluster), Some(meant(&cluster)), "{what}");
    }
    let first = meant(&format!("{PROVIDERS}{}", role(OPS)));
    assert_ne!(first, meant(&format!("{revoked}{}", role(OPS))));
    assert_ne!(first, meant(&format!("{other_key}{}", role(OPS))));
}

/// A role without entries would be one that nobody holds, and a Deny of it would deny nobody.
#[test]
fn a_role_of_the_cluster_that_is_gone_is_missing() {
    let carried = carried_into(PROVIDERS).unwrap();
    let ops = "ClusterAccessRole/ops".parse().unwrap();
    let missing = Entry::Missing("ClusterAccessRole/ops".to_owned());
    assert_eq!(carried.rules.roles[&ops], [missing]);
}

#[test]
fn nothing_goes_on_with_a_provider_that_is_another_by_now() {
    let roles = role(OPS);
    let okta = "https://okta.example.com";
    for (what, providers) in [
        (
            "moved",
            PROVIDERS.replacen(okta, "https://other.example.com", 1),
        ),
        ("gone", PROVIDERS.replacen("name: okta", "name: other", 1)),
        (
            "the cluster's",
            PROVIDERS.replacen(
                "type: Google",
                "type: OIDC, issuer: \"https://own.example.com\"",
                1,
            ),
        ),
    ] {
        assert_eq!(carried_into(&format!("{providers}{roles}")), None, "{what}");
    }
}
