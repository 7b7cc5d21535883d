//! What is refused by name, and that the largest that can be stored is still looked at.

#[expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers of our own; a test ends where one overflows"
)]
mod cost;

mod compiler;

use super::{Level, all, levels};
use crate::crd;
use cel::{Context, Program, Value as Cel};
use serde_json::{Value, json};

const POLICIES: &str = include_str!("../../golden/policies.yaml");

#[test]
fn whatever_restricts_is_looked_at() {
    let mut looked_at = 0;
    for definition in crd::all() {
        let kind = definition.spec.names.kind.as_str();
        let written = serde_json::to_value(&definition).unwrap();
        let schema = &written["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let mut expected = Vec::new();
        closed("spec", &schema["properties"]["spec"], &mut expected);
        let mut found: Vec<_> = levels(&definition)
            .iter()
            .map(|level| (level.path(), level.known.clone()))
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{kind}");
        looked_at += found.len();
    }
    assert!(looked_at > 90, "the walk is broken: {looked_at}");
}

/// Every object that keeps what it does not know, but for a key set, which has a use for it.
fn closed(path: &str, schema: &Value, found: &mut Vec<(String, Vec<String>)>) {
    let fields = schema["properties"].as_object();
    if let Some(fields) = fields
        && schema["x-kubernetes-preserve-unknown-fields"] == true
        && !path.ends_with("keys.inline")
    {
        found.push((path.to_owned(), fields.keys().cloned().collect()));
    }
    for (name, field) in fields.into_iter().flatten() {
        closed(&format!("{path}.{name}"), field, found);
    }
    if let Some(member) = schema.get("items") {
        closed(&format!("{path}[]"), member, found);
    }
    if let Some(value) = schema.get("additionalProperties") {
        closed(&format!("{path}{{}}"), value, found);
    }
}

#[test]
fn each_kind_that_people_write_has_a_policy_that_is_bound() {
    let names: Vec<_> = all()
        .iter()
        .map(|(policy, binding)| {
            let name = policy.metadata.name.clone().unwrap();
            let spec = policy.spec.as_ref().unwrap();
            assert_eq!(spec.failure_policy.as_deref(), Some("Fail"));
            let bound = binding.spec.as_ref().unwrap();
            assert_eq!(bound.policy_name.as_ref(), Some(&name));
            assert_eq!(bound.validation_actions, Some(vec!["Deny".to_owned()]));
            name
        })
        .collect();
    let expected = [
        "accesspolicies",
        "accessroles",
        "clusteraccesspolicies",
        "clusteraccessroles",
        "clustertrustproviders",
        "trustproviders",
    ];
    assert_eq!(
        names,
        expected.map(|name| format!("{name}.countersign.dev"))
    );
}

/// A server takes 5 KiB of message, on one line; and nothing here needs a name to be escaped.
#[test]
fn expressions_and_messages_are_short_and_name_plain_fields() {
    for (policy, _) in all() {
        for validation in policy.spec.unwrap().validations.unwrap() {
            let message = validation.message.unwrap();
            assert!(message.len() < 512 && !message.contains('\n'), "{message}");
            assert!(!message.contains(['\'', '\\']), "{message}");
            assert!(validation.expression.len() < 1024);
            assert!(validation.message_expression.unwrap().len() < 2048);
            for word in [".as", ".namespace.", ".in", ".null"] {
                let parts = validation
                    .expression
                    .split(|c: char| !(c == '.' || c.is_alphanumeric()));
                assert!(
                    parts.into_iter().all(|part| !part.ends_with(word)),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn policies_of_every_sort_are_let_in() {
    let policies: Vec<Value> = serde_saphyr::from_multiple(POLICIES).unwrap();
    for policy in policies {
        assert_eq!(refusals(&policy), Vec::<String>::new(), "{policy}");
    }
}

#[test]
fn what_is_misspelt_or_null_is_refused_where_it_stands() {
    let mut tried = 0;
    for definition in crd::all() {
        for level in levels(&definition) {
            let misspelt = json!({"emailDomian": ["example.com"]});
            let null = level.known.iter().map(|name| json!({ name: null }));
            let null = null.filter(|_| level.looks_at_values());
            for wrong in null.chain([misspelt]) {
                is_refused(&definition.spec.names.kind, &level, &wrong);
                tried += 1;
            }
        }
    }
    assert!(tried > 250, "the walk is broken: {tried}");
}

fn is_refused(kind: &str, level: &Level, wrong: &Value) {
    let path = level.path();
    let mut resource = written_at(&path, wrong);
    resource["kind"] = json!(kind);
    // the first is the one that is read; what is looked for below null cannot be evaluated
    let refusals = refusals(&resource);
    let refusal = refusals.first().expect("it is refused");
    let start = if level.looks_at_values() {
        format!("{path}: a field is null or misspelt: there are ")
    } else {
        format!("{path}: a field is misspelt: there are ")
    };
    assert!(refusal.starts_with(&start), "{path}: {wrong}: {refusals:?}");
    for known in &level.known {
        assert!(refusal.contains(known.as_str()), "{refusal}");
    }
}

fn written_at(path: &str, value: &Value) -> Value {
    let mut written = value.clone();
    for step in path.rsplit('.') {
        for _ in 0..step.matches("[]").count() {
            written = json!([written]);
        }
        let name = step.trim_end_matches("[]");
        written = json!({ name: written });
    }
    written
}

/// What a server would say of a resource, each in its short form.
fn refusals(resource: &Value) -> Vec<String> {
    let kind = resource["kind"].as_str().unwrap();
    let definitions = crd::all();
    let definition = definitions
        .iter()
        .find(|d| d.spec.names.kind == kind)
        .unwrap();
    let mut context = Context::default();
    context.add_variable("object", resource).unwrap();
    let mut refusals = Vec::new();
    for level in levels(definition) {
        let validation = level.validation();
        let program = Program::compile(&validation.expression).unwrap();
        match program.execute(&context) {
            Ok(Cel::Bool(true)) => {}
            Ok(Cel::Bool(false)) => refusals.push(validation.message.unwrap()),
            Err(error) => refusals.push(error.to_string()),
            Ok(other) => panic!("{}: {other:?}", validation.expression),
        }
    }
    refusals
}
