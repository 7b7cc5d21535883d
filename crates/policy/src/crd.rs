//! The resource types as definitions for an API server.
//!
//! The types say what there is, and the attributes beside their fields what is asked of it. What
//! holds everywhere is done here, in one walk: a list is replaced as a whole, and a part that
//! restricts keeps what is null or misspelt, so that the compiler sees it. An API server drops what
//! it does not know, and null where null may not be: `emailDomian` beside `groups`, or a `groups`
//! that a template left unset, would widen a rule without a word.
//!
//! What is kept so is refused by the admission policies ([`crate::admission`]), not here: a rule in CEL
//! of a definition can count the fields that are written, and cannot read the name of one that there
//! is not. It would be asked first, and whoever wrote `emailDomian` would never be told.

use crate::v1alpha1::{
    AccessPolicy, AccessRole, ClusterAccessPolicy, ClusterAccessRole, ClusterTrustProvider,
    Ruleset, TrustProvider,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Every definition, by name.
pub fn all() -> Vec<CustomResourceDefinition> {
    let mut all = vec![
        direct(AccessPolicy::crd()),
        AccessRole::crd(),
        ClusterAccessPolicy::crd(),
        ClusterAccessRole::crd(),
        ClusterTrustProvider::crd(),
        Ruleset::crd(),
        TrustProvider::crd(),
    ];
    for definition in &mut all {
        for version in &mut definition.spec.versions {
            if let Some(root) = version
                .schema
                .as_mut()
                .and_then(|s| s.open_api_v3_schema.as_mut())
            {
                settle_root(root);
            }
        }
    }
    all.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    all
}

/// Marks a policy that holds for what it refers to and for nothing below (GEP-713).
fn direct(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    let label = (
        "gateway.networking.k8s.io/policy".to_owned(),
        "Direct".to_owned(),
    );
    definition.metadata.labels = Some(BTreeMap::from([label]));
    definition
}

/// `spec` is what people write, and restricts; `status` is ours.
fn settle_root(root: &mut JSONSchemaProps) {
    root.title = None;
    root.description = root.description.take().map(|text| unwrapped(&text));
    for (name, part) in root.properties.iter_mut().flatten() {
        settle(name, part, name == "spec");
        if name == "status" {
            unseen(part);
        }
    }
}

/// Until something is said of it, a resource is one that nobody has looked at: without that, whoever
/// judges health by what is observed (kstatus, and so Flux) takes silence for success.
fn unseen(status: &mut JSONSchemaProps) {
    let mut fields = status.properties.iter().flatten();
    if fields.any(|(name, _)| name == "observedGeneration") {
        status.default = Some(JSON(json!({"observedGeneration": -1})));
    }
}

fn settle(name: &str, schema: &mut JSONSchemaProps, restricts: bool) {
    schema.nullable = None;
    schema.description = schema.description.take().map(|text| unwrapped(&text));
    // what says by itself that it keeps other fields has a use for them
    let closed = restricts && schema.x_kubernetes_preserve_unknown_fields.is_none();
    if closed && schema.properties.is_some() {
        schema.x_kubernetes_preserve_unknown_fields = Some(true);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(member)) = schema.items.as_mut() {
        schema.x_kubernetes_list_type = Some("atomic".to_owned());
        settle("", member, restricts);
        if name == "conditions" {
            bound_condition(member);
            schema.x_kubernetes_list_type = Some("map".to_owned());
            schema.x_kubernetes_list_map_keys = Some(vec!["type".to_owned()]);
        }
    }
    for (name, field) in schema.properties.iter_mut().flatten() {
        settle(name, field, restricts);
        field.nullable = closed.then_some(true);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = schema.additional_properties.as_mut() {
        settle("", value, restricts);
        value.nullable = restricts.then_some(true);
    }
}

/// Whether an object of this schema restricts: whether it keeps what is null or misspelt. What keeps other
/// fields because it has a use for them says no null of its own.
pub(crate) fn restricts(schema: &JSONSchemaProps) -> bool {
    let keeps = schema.x_kubernetes_preserve_unknown_fields == Some(true);
    let fields = schema.properties.as_ref();
    keeps && fields.is_some_and(|all| all.values().all(|it| it.nullable == Some(true)))
}

/// The limits of a condition, which its type in Kubernetes has in comments only.
fn bound_condition(condition: &mut JSONSchemaProps) {
    for (name, field) in condition.properties.iter_mut().flatten() {
        match name.as_str() {
            "type" => field.max_length = Some(316),
            "reason" => (field.min_length, field.max_length) = (Some(1), Some(1024)),
            "message" => field.max_length = Some(32768),
            "status" => {
                let values = ["True", "False", "Unknown"];
                field.enum_ = Some(values.map(|value| json!(value)).map(JSON).into());
            }
            _ => {}
        }
    }
}

/// A doc comment as it is meant: its lines are broken for the source, its paragraphs for the reader.
fn unwrapped(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(|p| p.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
