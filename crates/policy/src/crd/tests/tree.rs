//! A definition's schema as a list of its nodes, each with the way to it.

use crate::crd::all;
use crate::v1alpha1::{
    AccessPolicy, AccessRole, ClusterAccessPolicy, ClusterAccessRole, ClusterTrustProvider,
    Ruleset, TrustProvider,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// One node of a schema.
pub(super) struct Node {
    pub(super) kind: String,
    /// As in `spec.rules[].from[].groups`; a member of a map is `{}`.
    pub(super) path: String,
    pub(super) schema: Value,
}

impl Node {
    pub(super) fn kind_of_value(&self) -> &str {
        self.schema["type"].as_str().unwrap_or_default()
    }

    pub(super) fn has(&self, keyword: &str) -> bool {
        self.schema.get(keyword).is_some()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.path)
    }
}

/// Every node of every definition below its root.
pub(super) fn nodes() -> &'static [Node] {
    static NODES: LazyLock<Vec<Node>> = LazyLock::new(|| {
        let mut nodes = Vec::new();
        for (kind, schema) in &*SCHEMAS {
            for (name, part) in schema["properties"].as_object().unwrap() {
                descend(kind, name.clone(), part, &mut nodes);
            }
        }
        nodes
    });
    &NODES
}

/// A definition's schema.
pub(super) fn schema(kind: &str) -> &'static Value {
    &SCHEMAS[kind]
}

static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let schemas = all().into_iter().map(|definition| {
        let version = definition.spec.versions.into_iter().next().unwrap();
        let schema = version.schema.unwrap().open_api_v3_schema;
        (
            definition.spec.names.kind,
            serde_json::to_value(schema).unwrap(),
        )
    });
    schemas.collect()
});

fn descend(kind: &str, path: String, schema: &Value, nodes: &mut Vec<Node>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        descend(kind, format!("{path}.{name}"), field, nodes);
    }
    for (keyword, step) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(member) = schema.get(keyword) {
            descend(kind, format!("{path}{step}"), member, nodes);
        }
    }
    nodes.push(Node {
        kind: kind.to_owned(),
        path,
        schema: schema.clone(),
    });
}

/// A resource in which nothing is written but `value`, at `path`.
pub(super) fn written_at(path: &str, value: Value) -> Value {
    let mut written = value;
    for step in path.rsplit('.') {
        let lists = step.matches("[]").count();
        for _ in 0..lists {
            written = json!([written]);
        }
        let name = step.trim_end_matches("[]");
        written = Value::Object(Map::from_iter([(name.to_owned(), written)]));
    }
    written
}

/// A resource as its type reads it, written again; `None` if it is none of that kind.
pub(super) fn read(kind: &str, mut resource: Value) -> Option<Value> {
    let members = resource.as_object_mut()?;
    members
        .entry("apiVersion")
        .or_insert_with(|| json!(crate::v1alpha1::API_VERSION));
    members.entry("kind").or_insert_with(|| json!(kind));
    members
        .entry("metadata")
        .or_insert_with(|| json!({"name": "one"}));
    members.entry("spec").or_insert_with(|| json!({}));
    match kind {
        "AccessPolicy" => again::<AccessPolicy>(resource),
        "AccessRole" => again::<AccessRole>(resource),
        "ClusterAccessPolicy" => again::<ClusterAccessPolicy>(resource),
        "ClusterAccessRole" => again::<ClusterAccessRole>(resource),
        "ClusterTrustProvider" => again::<ClusterTrustProvider>(resource),
        "Ruleset" => again::<Ruleset>(resource),
        "TrustProvider" => again::<TrustProvider>(resource),
        other => panic!("no kind `{other}`"),
    }
}

fn again<T: DeserializeOwned + Serialize>(resource: Value) -> Option<Value> {
    let typed: T = serde_json::from_value(resource).ok()?;
    serde_json::to_value(typed).ok()
}
