//! The rules in CEL: that each is there, and names only what there is.

use super::tree::{Node, nodes};
use serde_json::Value;
use std::collections::BTreeSet;

const ONE_OF_FOUR: &str =
    "an entry has exactly one of providerRef, anyone, roleRefs and serviceAccounts";
const ALONE: &str = "anyone, roleRefs and serviceAccounts stand alone in their entry; \
    whatever else is asked of a caller needs a providerRef";
const TRUE: &str = "anyone is true, or not written";
const WORKLOAD: &str = "a workload is exactly one of google, github, aws and spiffe";
const UNIQUE: &str = "each rule has a name of its own";
const ISSUER: &str = "this type of provider has no issuer of its own: write issuer";
const HTTPS: &str = "an issuer is an https URL";
const KEYS: &str = "keys are at most one of jwksURL and inline";
const KEYS_HTTPS: &str = "keys are fetched over https only";
const REVOKED: &str = "a revocation is by exactly one of sub, sid, jti and key";
const MEMBERS: &str = "a role's members have no roleRefs and no anyone";
const CLUSTER_PROVIDERS: &str =
    "a cluster's rule refers to cluster kinds only: ClusterTrustProvider";
const CLUSTER_ROLES: &str = "a cluster's rule refers to cluster kinds only: ClusterAccessRole";
const LABELS: &str = "In and NotIn have values; Exists and DoesNotExist have none";

#[test]
fn an_access_policy_has_these_rules() {
    let expected = [
        ("spec", "a policy has exactly one of targetRefs and hosts"),
        ("spec.rules", UNIQUE),
        (
            "spec.rules[]",
            "require and expiresAt stand on an Allow only",
        ),
        (
            "spec.rules[]",
            "an Allow with anyone needs to: a public path is said, never implied",
        ),
        ("spec.rules[].from[]", ONE_OF_FOUR),
        ("spec.rules[].from[]", ALONE),
        ("spec.rules[].from[].anyone", TRUE),
        ("spec.rules[].from[].workloads[]", WORKLOAD),
        (
            "spec.targetRefs[]",
            "a target is a Service of the core group, written as group: '', or of \
             serving.knative.dev, or an HTTPRoute or GRPCRoute of gateway.networking.k8s.io",
        ),
        ("spec.targetRefs[]", "only a route has sections"),
    ];
    assert_eq!(messages("AccessPolicy"), sorted(&expected));
}

#[test]
fn a_cluster_access_policy_has_these_rules() {
    let mut expected = vec![
        ("spec.deny", "require stands in a boundary only"),
        ("spec.namespaceSelector.matchExpressions[]", LABELS),
        (
            "spec.namespaceSelector.matchLabels",
            "a label's value is null",
        ),
    ];
    expected.extend([("spec.boundary", UNIQUE), ("spec.deny", UNIQUE)]);
    for message in [CLUSTER_PROVIDERS, CLUSTER_ROLES] {
        expected.extend([("spec.boundary[]", message), ("spec.deny[]", message)]);
    }
    for message in [ONE_OF_FOUR, ALONE] {
        expected.extend([
            ("spec.boundary[].from[]", message),
            ("spec.deny[].from[]", message),
        ]);
    }
    expected.extend([
        ("spec.boundary[].from[].anyone", TRUE),
        ("spec.boundary[].from[].workloads[]", WORKLOAD),
        ("spec.deny[].from[].anyone", TRUE),
        ("spec.deny[].from[].workloads[]", WORKLOAD),
    ]);
    assert_eq!(messages("ClusterAccessPolicy"), sorted(&expected));
}

#[test]
fn roles_have_these_rules() {
    let mut expected = vec![
        ("spec.members", MEMBERS),
        ("spec.members[]", ONE_OF_FOUR),
        ("spec.members[]", ALONE),
        ("spec.members[].anyone", TRUE),
        ("spec.members[].workloads[]", WORKLOAD),
    ];
    assert_eq!(messages("AccessRole"), sorted(&expected));
    let cluster = "a cluster's role refers to cluster kinds only: ClusterTrustProvider";
    expected.push(("spec", cluster));
    assert_eq!(messages("ClusterAccessRole"), sorted(&expected));
}

#[test]
fn providers_have_these_rules() {
    let mut expected = vec![
        ("spec", ISSUER),
        ("spec.issuer", HTTPS),
        ("spec.keys", KEYS),
        ("spec.keys.jwksURL", KEYS_HTTPS),
        ("spec.revocations[]", REVOKED),
    ];
    assert_eq!(messages("ClusterTrustProvider"), sorted(&expected));
    expected.push((
        "spec",
        "caBundle and proxyURL are for a ClusterTrustProvider only",
    ));
    assert_eq!(messages("TrustProvider"), sorted(&expected));
}

/// A rule that counts the fields refuses a misspelt one before the admission policy can name it.
#[test]
fn no_rule_counts_what_is_misspelt() {
    for node in nodes() {
        let counts = rules(node).into_iter();
        let mut counts = counts.filter(|(rule, _)| rule.contains("size(dyn(self))"));
        assert_eq!(counts.next(), None, "{node:?}");
    }
}

/// A rule that names a field that there is not is refused by an API server, and the kind with it.
#[test]
fn rules_name_only_fields_that_there_are() {
    let words = ["all", "exists", "exists_one", "size", "startsWith"];
    for node in nodes() {
        let mut known = BTreeSet::from(words.map(str::to_owned));
        names(&node.schema, &mut known);
        for (rule, _) in rules(node) {
            let code: String = rule.split('\'').step_by(2).collect();
            for after in code.split('.').skip(1) {
                let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                let name = after.split(end).next().unwrap_or_default();
                let name = name.trim_matches('_');
                assert!(known.contains(name), "{node:?}: `{name}` in {rule}");
            }
        }
    }
}

fn names(schema: &Value, known: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        known.insert(name.clone());
        names(field, known);
    }
    if let Some(member) = schema.get("items") {
        names(member, known);
    }
}

fn messages(kind: &str) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for node in nodes().iter().filter(|node| node.kind == kind) {
        let rules = rules(node).into_iter();
        messages.extend(rules.map(|(_, message)| (node.path.clone(), message)));
    }
    messages.sort();
    messages
}

fn rules(node: &Node) -> Vec<(String, String)> {
    let rules = node.schema["x-kubernetes-validations"].as_array();
    let text = |rule: &Value, member: &str| rule[member].as_str().unwrap().to_owned();
    let rules = rules.into_iter().flatten();
    rules
        .map(|rule| (text(rule, "rule"), text(rule, "message")))
        .collect()
}

fn sorted(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = expected
        .iter()
        .map(|(path, message)| ((*path).into(), (*message).into()));
    let mut owned: Vec<_> = owned.collect();
    owned.sort();
    owned
}
