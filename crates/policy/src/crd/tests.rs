//! What holds of every definition, looked for at each of its nodes.

mod apply;
mod rules;
mod tree;

use super::all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tree::{Node, nodes, read};

#[test]
fn there_are_seven_kinds_under_their_names() {
    let facts: Vec<_> = all()
        .iter()
        .map(|d| {
            let names = &d.spec.names;
            let word = |words: &Option<Vec<String>>| words.clone().unwrap_or_default().join(" ");
            assert_eq!(word(&names.categories), "countersign");
            assert_eq!(d.spec.group, crate::v1alpha1::GROUP);
            assert_eq!(
                d.metadata.name,
                Some(format!("{}.{}", names.plural, d.spec.group))
            );
            (
                names.kind.clone(),
                word(&names.short_names),
                d.spec.scope.clone(),
            )
        })
        .collect();
    let expected = [
        ("AccessPolicy", "acpol", "Namespaced"),
        ("AccessRole", "acrole", "Namespaced"),
        ("ClusterAccessPolicy", "cacpol", "Cluster"),
        ("ClusterAccessRole", "cacrole", "Cluster"),
        ("ClusterTrustProvider", "ctp", "Cluster"),
        ("Ruleset", "acrs", "Namespaced"),
        ("TrustProvider", "tp", "Namespaced"),
    ];
    let expected = expected.map(|(k, s, scope)| (k.to_owned(), s.to_owned(), scope.to_owned()));
    assert_eq!(facts, expected);
}

#[test]
fn status_is_a_resource_of_its_own_and_columns_say_what_became_of_it() {
    for definition in all() {
        let kind = &definition.spec.names.kind;
        let [version] = definition.spec.versions.as_slice() else {
            panic!("{kind} has one version");
        };
        assert!(
            version
                .subresources
                .as_ref()
                .is_some_and(|s| s.status.is_some()),
            "{kind}"
        );
        let columns = version.additional_printer_columns.iter().flatten();
        let columns: Vec<_> = columns.map(|c| c.name.as_str()).collect();
        let expected: &[&str] = match kind.as_str() {
            "Ruleset" => &["Serial", "Edges", "In-Force", "Expires", "Age"],
            "AccessPolicy" => &["Ready", "Reason", "Mode", "Hosts", "Age"],
            "ClusterAccessPolicy" => &["Ready", "Reason", "Mode", "Age"],
            "TrustProvider" | "ClusterTrustProvider" => {
                &["Type", "Issuer", "Ready", "Reason", "Age"]
            }
            _ => &["Ready", "Reason", "Age"],
        };
        assert_eq!(columns, expected, "{kind}");
    }
}

/// An unset value of a template must not turn "this group" into "anyone". An API server takes null
/// out of a field that may not be null, before anything looks; in a list it refuses it.
#[test]
fn what_is_null_is_kept_so_that_it_can_be_read_as_unknown() {
    assert!(nodes().len() > 300, "the walk is broken");
    let wrong = found(|node| {
        let named = node.path.starts_with("spec.") && !node.path.ends_with("[]");
        // of a key set nothing is left out: `keys` must be there
        let keeps = named && !node.path.ends_with("inline.keys");
        node.schema.get("nullable").is_some_and(|is| is == true) != keeps
    });
    assert_eq!(wrong, NONE);
    assert_eq!(
        found(|node| node.schema.get("nullable") == Some(&json!(false))),
        NONE
    );
    for node in nodes()
        .iter()
        .filter(|node| node.has("nullable") && !node.path.ends_with("{}"))
    {
        let written = tree::written_at(&node.path, Value::Null);
        let read = read(&node.kind, written.clone()).unwrap_or_default();
        assert_eq!(read["spec"], written["spec"], "{node:?}");
    }
}

/// The schema is structural, and the cost of its rules can be told: everything has an end.
#[test]
fn every_node_has_one_type_and_every_list_text_and_map_an_end() {
    assert_eq!(found(|node| !node.schema["type"].is_string()), NONE);
    for inner in ["allOf", "anyOf", "oneOf", "not", "$ref"] {
        assert_eq!(
            found(|node| node.schema.get(inner).is_some()),
            NONE,
            "{inner}"
        );
    }
    let unbounded = found(|node| match node.kind_of_value() {
        "array" => !node.has("maxItems"),
        "string" => !node.has("maxLength") && !node.has("enum") && !node.has("format"),
        "object" => node.has("additionalProperties") && !node.has("maxProperties"),
        _ => false,
    });
    assert_eq!(unbounded, NONE);
}

/// Nobody takes it for healthy before anybody has looked at it; and nothing is written into `spec`.
#[test]
fn what_nobody_has_looked_at_says_so_and_nothing_else_has_a_default() {
    let with_status = found(|node| node.has("default"));
    let expected = [
        "AccessPolicy status",
        "AccessRole status",
        "ClusterAccessPolicy status",
        "ClusterAccessRole status",
        "ClusterTrustProvider status",
        "TrustProvider status",
    ];
    assert_eq!(with_status, expected);
    for node in nodes().iter().filter(|node| node.has("default")) {
        assert_eq!(node.schema["default"], json!({"observedGeneration": -1}));
    }
}

/// What is applied is what holds: no member of a list outlives the manifest that named it.
#[test]
fn lists_are_atomic_and_conditions_a_map() {
    for node in nodes()
        .iter()
        .filter(|node| node.kind_of_value() == "array")
    {
        let by_type = node.path.ends_with("conditions");
        let expected = if by_type { "map" } else { "atomic" };
        assert_eq!(node.schema["x-kubernetes-list-type"], expected, "{node:?}");
        let keys = node.schema.get("x-kubernetes-list-map-keys");
        assert_eq!(keys.cloned(), by_type.then(|| json!(["type"])), "{node:?}");
    }
}

#[test]
fn an_empty_list_is_refused_but_where_it_says_something() {
    let may_be_empty = found(|node| {
        node.path.starts_with("spec") && node.kind_of_value() == "array" && !node.has("minItems")
    });
    let expected = [
        "ClusterAccessPolicy spec.boundary",
        "ClusterAccessPolicy spec.deny",
        "ClusterAccessPolicy spec.namespaceSelector.matchExpressions[].values",
    ];
    assert_eq!(may_be_empty, expected);
}

/// What is misspelt reaches the compiler, by way of an API server too: where the type keeps a field
/// that there is not, the definition does, and nowhere else.
#[test]
fn what_the_types_keep_the_definitions_keep() {
    let mut kept = BTreeSet::new();
    for node in nodes()
        .iter()
        .filter(|node| node.kind_of_value() == "object")
    {
        let misspelt = tree::written_at(&node.path, json!({"emailDomian": ["example.com"]}));
        let read = read(&node.kind, misspelt).unwrap_or_default();
        let keeps = read.to_string().contains("emailDomian");
        let defined = node.schema.get("x-kubernetes-preserve-unknown-fields");
        assert_eq!(defined == Some(&Value::Bool(true)), keeps, "{node:?}");
        kept.extend(keeps.then(|| format!("{} {}", node.kind, node.path)));
    }
    for restricts in [
        "AccessPolicy spec",
        "AccessPolicy spec.rules[]",
        "AccessPolicy spec.rules[].from[]",
        "AccessPolicy spec.rules[].from[].workloads[].github",
        "AccessPolicy spec.rules[].to[].mcp",
        "ClusterAccessPolicy spec.namespaceSelector",
        "TrustProvider spec",
        "TrustProvider spec.claims.email.verifiedBy",
    ] {
        assert!(kept.contains(restricts), "{restricts}");
    }
    assert!(kept.iter().all(|place| place.contains(" spec")), "{kept:?}");
}

/// `kubectl explain` has a text for everything, and one that is not broken in the middle of a line.
#[test]
fn everything_is_explained() {
    let unexplained = found(|node| {
        let says = node.schema["description"].as_str().unwrap_or_default();
        let member = node.path.ends_with("[]") && node.kind_of_value() != "object";
        let jwk = node.path.ends_with("inline.keys[]");
        let value = node.path.ends_with("{}");
        !member && !jwk && !value && (says.is_empty() || says.contains('\n'))
    });
    assert_eq!(unexplained, NONE);
}

const NONE: &[&str] = &[];

fn found(is: impl Fn(&Node) -> bool) -> Vec<String> {
    let found = nodes().iter().filter(|node| is(node));
    found
        .map(|node| format!("{} {}", node.kind, node.path))
        .collect()
}
