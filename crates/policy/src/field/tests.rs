//! Three states, in every field of every resource.

use super::{Field, List, nearest};
use crate::v1alpha1;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    groups: Field<List<String>>,
}

fn read(value: Value) -> Field<List<String>> {
    serde_json::from_value::<Probe>(value).unwrap().groups
}

#[test]
fn null_empty_and_wrong_are_unknown_and_never_absent() {
    assert_eq!(read(json!({})), Field::Absent);
    assert!(matches!(read(json!({"groups": ["a"]})), Field::Known(_)));
    for unknown in [
        json!(null),
        json!([]),
        json!("a"),
        json!([1]),
        json!([null]),
        json!({}),
    ] {
        let field = read(json!({ "groups": unknown }));
        assert!(matches!(field, Field::Unknown(_)), "{unknown}: {field:?}");
    }
}

#[test]
fn says_what_was_expected_and_never_what_was_written() {
    for (written, expected) in [
        (json!(null), "expected a value, got null"),
        (json!([]), "expected at least one member, got an empty list"),
        (
            json!("s3cret, expected a string"),
            "expected a list, got a text",
        ),
        (json!(true), "expected a list, got true or false"),
        (json!({"s3cret": 1}), "expected a list, got an object"),
        (json!(["a", 1, "s3cret"]), "expected a text in each place"),
        (json!(["a", ["s3cret"]]), "expected a text, got a list"),
    ] {
        assert_eq!(
            read(json!({ "groups": written })),
            Field::Unknown(expected.into()),
            "{written}"
        );
    }
    let keys: v1alpha1::ProviderSpec =
        serde_json::from_value(json!({"keys": "{\"d\": \"s3cret\"}", "type": {"d": "s3cret"}}))
            .unwrap();
    assert_eq!(
        keys.keys,
        Field::Unknown("expected an object, got a text".into())
    );
    assert_eq!(
        keys.type_,
        Field::Unknown("expected a text, got an object".into())
    );
}

/// What a type writes again of what it read: an unknown field as null, what it has no field for as
/// it was.
fn again<T: DeserializeOwned + Serialize>(written: &Value) -> Value {
    let read: T = serde_json::from_value(written.clone()).unwrap();
    serde_json::to_value(read).unwrap()
}

/// No field can be `1.5`, so one that takes it for its own makes it unknown, and one that is only
/// kept beside the fields stays `1.5`.
fn every_field_has_three_states<T: DeserializeOwned + Serialize + JsonSchema>() -> usize {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let name = schema.get("title").cloned().unwrap_or_default();
    let fields = schema
        .get("properties")
        .and_then(Value::as_object)
        .expect("an object");
    for field in fields.keys() {
        assert_eq!(
            again::<T>(&json!({})),
            json!({}),
            "{name}: absent is not written"
        );
        let null = json!({ field: null });
        assert_eq!(
            again::<T>(&null),
            null,
            "{name}.{field}: null is not absent"
        );
        let beside = json!({ field: null, "zebra": 1.5 });
        assert_eq!(
            again::<T>(&beside),
            beside,
            "{name}.{field}: an unknown field is kept"
        );
        if field != "inline" {
            assert_eq!(
                again::<T>(&json!({ field: 1.5 })),
                null,
                "{name}.{field}: is no field"
            );
        }
        let misspelt = json!({ field.to_uppercase(): 1.5 });
        assert_eq!(
            again::<T>(&misspelt),
            misspelt,
            "{name}.{field}: names are exact"
        );
    }
    fields.len()
}

#[test]
fn every_field_of_every_type_has_three_states() {
    use v1alpha1::*;
    let counts = [
        every_field_has_three_states::<AccessPolicySpec>(),
        every_field_has_three_states::<AccessRoleSpec>(),
        every_field_has_three_states::<ActorMapping>(),
        every_field_has_three_states::<AuditSpec>(),
        every_field_has_three_states::<AuditedClaim>(),
        every_field_has_three_states::<AwsWorkload>(),
        every_field_has_three_states::<ClaimMapping>(),
        every_field_has_three_states::<ClaimMatch>(),
        every_field_has_three_states::<ClientSpec>(),
        every_field_has_three_states::<ClusterAccessPolicySpec>(),
        every_field_has_three_states::<ClusterAccessRoleSpec>(),
        every_field_has_three_states::<ClusterRule>(),
        every_field_has_three_states::<ClusterTrustProviderSpec>(),
        every_field_has_three_states::<DomainOrPath>(),
        every_field_has_three_states::<EmailMapping>(),
        every_field_has_three_states::<From>(),
        every_field_has_three_states::<GithubWorkload>(),
        every_field_has_three_states::<GoogleWorkload>(),
        every_field_has_three_states::<GroupsMapping>(),
        every_field_has_three_states::<KeysSpec>(),
        every_field_has_three_states::<LabelExpression>(),
        every_field_has_three_states::<Login>(),
        every_field_has_three_states::<McpTo>(),
        every_field_has_three_states::<NamespaceSelector>(),
        every_field_has_three_states::<ProviderRef>(),
        every_field_has_three_states::<ProviderSpec>(),
        every_field_has_three_states::<RequireSpec>(),
        every_field_has_three_states::<RevocationSpec>(),
        every_field_has_three_states::<RoleRef>(),
        every_field_has_three_states::<Rule>(),
        every_field_has_three_states::<ServiceAccountRef>(),
        every_field_has_three_states::<SpiffeWorkload>(),
        every_field_has_three_states::<TargetRef>(),
        every_field_has_three_states::<To>(),
        every_field_has_three_states::<TrustProviderSpec>(),
        every_field_has_three_states::<Workload>(),
    ];
    assert!(counts.iter().sum::<usize>() > 100, "{counts:?}");
}

/// The states are those of each part by itself, however deep it stands.
#[test]
fn what_is_unknown_inside_leaves_what_is_around_it_known() {
    let written = json!({"rules": [
        {"name": "a", "from": [null, {"groups": [], "emails": ["a@example.com"]}, {}, 7]},
        null,
        {"name": "b", "to": [{"paths": null, "mcp": {"tools": null, "tolls": []}}], "form": []},
    ], "x": null});
    let expected = json!({"rules": [
        {"name": "a", "from": [null, {"groups": null, "emails": ["a@example.com"]}, {}, null]},
        null,
        {"name": "b", "to": [{"paths": null, "mcp": {"tools": null, "tolls": []}}], "form": []},
    ], "x": null});
    assert_eq!(again::<v1alpha1::AccessPolicySpec>(&written), expected);
    let provider = json!({"issuer": null, "keys": {"inline": null, "inlin": 1}, "tenant": ["a"]});
    assert_eq!(
        again::<v1alpha1::TrustProviderSpec>(&provider),
        provider,
        "flattened twice"
    );
}

#[test]
fn finds_the_nearest_name() {
    let known = ["groups", "emails", "emailDomains"];
    assert_eq!(nearest("emailDomian", known), Some("emailDomains"));
    assert_eq!(nearest("Groups", known), Some("groups"));
    assert_eq!(nearest("zebra", known), None);
    assert_eq!(nearest("", known), None);
    assert_eq!(
        nearest("grüße", known),
        None,
        "letters of more than one byte"
    );
    assert_eq!(
        nearest("ab", ["ac", "ad"]),
        Some("ac"),
        "of two that are as near, the first by name"
    );
}
