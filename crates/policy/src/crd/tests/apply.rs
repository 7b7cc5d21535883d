//! What an API server takes and what it refuses, by all of a schema but its rules in CEL.

use super::tree::{read, schema, written_at};
use serde_json::{Value, json};

const POLICIES: &str = include_str!("../../../golden/policies.yaml");

#[test]
fn policies_of_every_sort_are_taken_and_read_whole() {
    let policies: Vec<Value> = serde_saphyr::from_multiple(POLICIES).unwrap();
    assert_eq!(policies.len(), 15);
    for policy in policies {
        let kind = policy["kind"].as_str().unwrap();
        assert_eq!(refusals(kind, &policy), Vec::<String>::new(), "{policy}");
        // A part that cannot be read would be written as null.
        assert_eq!(read(kind, policy.clone()), Some(policy));
    }
}

/// Kind, place, value, and what is said of it.
const WRONG: &str = r#"
AccessPolicy | spec.rules | [] | at least 1
AccessPolicy | spec.rules[] | null | null
AccessPolicy | spec.rules[].from[].groups | [] | at least 1
AccessPolicy | spec.rules[].from[].groups[] | null | null
AccessPolicy | spec.rules[].from[] | null | null
AccessPolicy | spec.rules[].from[].groups | "staff" | array
AccessPolicy | spec.rules[].from[] | {} | at least 1
AccessPolicy | spec.rules[].to[] | {} | at least 1
AccessPolicy | spec.rules[].action | "deny" | one of
AccessPolicy | spec.rules[].from[].providerRef.kind | "Provider" | one of
AccessPolicy | spec.rules[].from[].roleRefs[].kind | "Role" | one of
AccessPolicy | spec.mode | "Enforced" | one of
AccessPolicy | spec.disclose | "All" | one of
AccessPolicy | spec.forward[] | "Cookie" | one of
AccessPolicy | spec.targetRefs[].kind | "Deployment" | one of
AccessRole | spec.members | [] | at least 1
ClusterAccessPolicy | spec.mode | "observe" | one of
TrustProvider | spec.type | "LDAP" | one of
TrustProvider | spec.algorithms[] | "HS256" | one of
TrustProvider | spec.algorithms[] | "none" | one of
TrustProvider | spec.tokenTypes[] | "RefreshToken" | one of
TrustProvider | spec.claims.groups.whenAbsent | "Ignore" | one of
TrustProvider | spec.keys.inline | "{}" | object
TrustProvider | spec.audit.claims[].as | "token" | one of
"#;

#[test]
fn what_is_wrong_is_refused_where_it_stands() {
    for case in WRONG.lines().filter(|line| !line.is_empty()) {
        let parts: Vec<_> = case.split(" | ").collect();
        let [kind, path, value, reason] = parts.as_slice() else {
            panic!("{case}");
        };
        refuses(kind, path, serde_json::from_str(value).unwrap(), reason);
    }
}

#[test]
fn what_is_too_long_is_refused() {
    let most = "at most";
    refuses(
        "AccessPolicy",
        "spec.rules[].when",
        json!("a".repeat(1025)),
        most,
    );
    refuses(
        "AccessPolicy",
        "spec.rules[].to[].paths[]",
        json!("/a".repeat(257)),
        most,
    );
    refuses(
        "AccessPolicy",
        "spec.rules[].name",
        json!("a".repeat(64)),
        most,
    );
    refuses("AccessPolicy", "spec.hosts", json!(vec!["a"; 17]), most);
    refuses(
        "AccessPolicy",
        "spec.rules[].from[].groups",
        json!(vec!["a"; 257]),
        most,
    );
}

fn refuses(kind: &str, path: &str, value: Value, reason: &str) {
    let refusals = refusals(kind, &written_at(path, value));
    let at = path.replace("[]", "[0]");
    let expected = |refusal: &String| refusal.starts_with(&at) && refusal.contains(reason);
    assert!(refusals.iter().any(expected), "{path}: {refusals:?}");
}

#[test]
fn what_must_be_written_is_missed() {
    let cases = [
        ("AccessPolicy", "spec", "spec.rules is missing"),
        (
            "AccessPolicy",
            "spec.rules[]",
            "spec.rules[0].name is missing",
        ),
        (
            "AccessPolicy",
            "spec.rules[]",
            "spec.rules[0].from is missing",
        ),
        (
            "AccessPolicy",
            "spec.targetRefs[]",
            "spec.targetRefs[0].group is missing",
        ),
        ("AccessRole", "spec", "spec.members is missing"),
        (
            "ClusterAccessPolicy",
            "spec",
            "spec.namespaceSelector is missing",
        ),
        ("TrustProvider", "spec", "spec.type is missing"),
    ];
    for (kind, path, expected) in cases {
        let refusals = refusals(kind, &written_at(path, json!({})));
        assert!(
            refusals.iter().any(|refusal| refusal == expected),
            "{path}: {refusals:?}"
        );
    }
}

/// What an API server would say of a resource.
fn refusals(kind: &str, resource: &Value) -> Vec<String> {
    let mut refusals = Vec::new();
    let schema = schema(kind);
    compare(
        &schema["properties"]["spec"],
        &resource["spec"],
        "spec",
        &mut refusals,
    );
    refusals
}

fn compare(schema: &Value, value: &Value, path: &str, refusals: &mut Vec<String>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    let mut refuse = |expected: String| refusals.push(format!("{path}: {expected}"));
    let expected = schema["type"].as_str().unwrap_or_default();
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if found != expected {
        return refuse(format!("expected {expected}, got {found}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        refuse(format!("expected one of {values:?}"));
    }
    let (size, least, most) = match value {
        Value::String(text) => (text.chars().count(), "minLength", "maxLength"),
        Value::Array(members) => (members.len(), "minItems", "maxItems"),
        Value::Object(members) => (members.len(), "minProperties", "maxProperties"),
        _ => return,
    };
    let limit = |keyword: &str| {
        schema[keyword]
            .as_u64()
            .map(|n| usize::try_from(n).unwrap())
    };
    if let Some(least) = limit(least).filter(|least| size < *least) {
        refuse(format!("expected at least {least}, got {size}"));
    }
    if let Some(most) = limit(most).filter(|most| size > *most) {
        refuse(format!("expected at most {most}, got {size}"));
    }
    compare_members(schema, value, path, refusals);
}

fn compare_members(schema: &Value, value: &Value, path: &str, refusals: &mut Vec<String>) {
    for (n, member) in value.as_array().into_iter().flatten().enumerate() {
        compare(&schema["items"], member, &format!("{path}[{n}]"), refusals);
    }
    let Some(members) = value.as_object() else {
        return;
    };
    for (name, member) in members {
        match (
            schema["properties"].get(name),
            schema.get("additionalProperties"),
        ) {
            (Some(field), _) | (None, Some(field)) => {
                compare(field, member, &format!("{path}.{name}"), refusals);
            }
            (None, None) if path.contains("keys.inline") => {}
            (None, None) => refusals.push(format!("{path}.{name}: no such field")),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        if !members.contains_key(name) {
            refusals.push(format!("{path}.{name} is missing"));
        }
    }
}
