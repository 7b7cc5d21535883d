//! What a definition asks of a value beyond its type, in the words of an API server.
//!
//! Each of these makes an attribute `#[schemars(transform = …)]`, so that a demand stands beside
//! the field that it is made of. They refuse at apply what the compiler would report; the compiler
//! relies on none of them.

use schemars::transform::Transform;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A length of time, as in Gateway API (GEP-2257).
pub(super) const DURATION: &str = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

/// Demands that a rule in CEL holds; where it does not, `message` is what is read.
pub(super) const fn rule<'a>(rule: &'a str, message: &'a str) -> impl Transform + 'a {
    move |schema: &mut Schema| {
        let demand = json!({"rule": rule, "message": message});
        push(schema, "x-kubernetes-validations", demand);
    }
}

/// Demands that fields are written.
pub(super) const fn needs<'a>(fields: &'a [&'a str]) -> impl Transform + 'a {
    move |schema: &mut Schema| {
        for field in fields {
            push(schema, "required", json!(field));
        }
    }
}

/// Demands one of a closed list of values; of a list, that each member is one.
pub(super) const fn one_of<'a>(values: &'a [&'a str]) -> impl Transform + 'a {
    move |schema: &mut Schema| {
        let object = schema.ensure_object();
        let target = match object.get_mut("items") {
            Some(Value::Object(items)) => items,
            _ => object,
        };
        target.insert("enum".to_owned(), json!(values));
    }
}

/// Demands that something is written in an object: an empty one would restrict nothing.
pub(super) fn not_empty(schema: &mut Schema) {
    schema.insert("minProperties".to_owned(), json!(1));
}

/// Bounds the values of a map of labels as Kubernetes does.
pub(super) fn bounded_values(schema: &mut Schema) {
    schema.insert("maxProperties".to_owned(), json!(16));
    schema.insert(
        "additionalProperties".to_owned(),
        json!({"type": "string", "maxLength": 63}),
    );
    rule(
        "self.all(label, dyn(self[label]) != null)",
        "a label's value is null",
    )
    .transform(schema);
}

/// A point in time (RFC 3339).
pub(super) fn time(schema: &mut Schema) {
    schema.insert("format".to_owned(), json!("date-time"));
}

/// A JWKS (RFC 7517 §5). It and its keys keep every member: there are kinds of key that are not read
/// yet.
pub(super) fn key_set(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "required": ["keys"],
        "properties": {
            "keys": {
                "description": "The keys, each a JWK.",
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        },
    })
}

fn push(schema: &mut Schema, list: &str, value: Value) {
    let list = schema
        .ensure_object()
        .entry(list)
        .or_insert_with(|| json!([]));
    if let Value::Array(members) = list {
        members.push(value);
    }
}
