//! The definitions that the API server has of our kinds, held against those of this program.
//!
//! An API server drops what its definition does not name. Under one that is older than the program, a
//! restriction that the program reads would be gone before it could be read: `groups` beside an
//! `emailDomains` that is not known there would be let in by `groups` alone. So nothing is done until
//! the definitions are at least as new.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
    JSONSchemaPropsOrArray,
};
use std::fmt;

/// How many of the fields that a definition lacks are named.
const NAMED: usize = 3;

/// What is wrong with the definition of one of our kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// There is none.
    Absent,
    /// It is being deleted, and all objects of the kind with it: that is not what their owners said.
    Deleting,
    /// It is not served yet.
    NotEstablished,
    /// It does not have our version.
    NoVersion,
    /// It lacks these fields, or would drop what is misspelt in them.
    Older(Vec<String>),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("is not installed"),
            Self::Deleting => f.write_str("is being deleted"),
            Self::NotEstablished => f.write_str("is not served yet"),
            Self::NoVersion => f.write_str("has no version v1alpha1 that is served"),
            Self::Older(fields) => {
                let named: Vec<&str> = fields.iter().take(NAMED).map(String::as_str).collect();
                write!(
                    f,
                    "is older than this controller: it lacks {}",
                    named.join(", ")
                )?;
                match fields.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}

/// The names of the definitions of our kinds.
pub(crate) fn names() -> Vec<String> {
    let all = countersign_policy::crd::all();
    all.into_iter().filter_map(|it| it.metadata.name).collect()
}

/// What is wrong with a definition of that name; nothing, if it fits or is none of ours.
pub(crate) fn misfit(name: &str, installed: Option<&CustomResourceDefinition>) -> Option<Misfit> {
    let all = countersign_policy::crd::all();
    let ours = all
        .iter()
        .find(|it| it.metadata.name.as_deref() == Some(name))?;
    match installed {
        None => Some(Misfit::Absent),
        Some(installed) => held_against(installed, ours),
    }
}

/// What is wrong with one definition.
fn held_against(
    installed: &CustomResourceDefinition,
    ours: &CustomResourceDefinition,
) -> Option<Misfit> {
    if installed.metadata.deletion_timestamp.is_some() {
        return Some(Misfit::Deleting);
    }
    let conditions = installed
        .status
        .iter()
        .flat_map(|it| it.conditions.iter().flatten());
    let mut established = conditions.filter(|it| it.type_ == "Established");
    if !established.any(|it| it.status == "True") {
        return Some(Misfit::NotEstablished);
    }
    let mut lacking = Vec::new();
    for version in &ours.spec.versions {
        let mut served = installed.spec.versions.iter();
        let Some(served) = served.find(|it| it.name == version.name && it.served) else {
            return Some(Misfit::NoVersion);
        };
        lacks("", schema(served), schema(version), &mut lacking);
    }
    (!lacking.is_empty()).then_some(Misfit::Older(lacking))
}

fn schema(version: &CustomResourceDefinitionVersion) -> Option<&JSONSchemaProps> {
    version.schema.as_ref()?.open_api_v3_schema.as_ref()
}

/// Collects the fields of ours that theirs lacks. What ours keeps though it does not name it, theirs
/// must keep as well.
fn lacks(
    way: &str,
    theirs: Option<&JSONSchemaProps>,
    ours: Option<&JSONSchemaProps>,
    lacking: &mut Vec<String>,
) {
    let Some(ours) = ours else { return };
    let Some(theirs) = theirs else {
        lacking.push(way.trim_start_matches('.').to_owned());
        return;
    };
    let keeps = |it: &JSONSchemaProps| it.x_kubernetes_preserve_unknown_fields == Some(true);
    if keeps(ours) && !keeps(theirs) {
        lacking.push(format!("{}.*", way.trim_start_matches('.')));
    }
    for (name, field) in ours.properties.iter().flatten() {
        let there = theirs.properties.as_ref().and_then(|it| it.get(name));
        lacks(&format!("{way}.{name}"), there, Some(field), lacking);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(member)) = &ours.items {
        let there = match &theirs.items {
            Some(JSONSchemaPropsOrArray::Schema(there)) => Some(there.as_ref()),
            Some(JSONSchemaPropsOrArray::Schemas(_)) | None => None,
        };
        lacks(&format!("{way}[]"), there, Some(member), lacking);
    }
}

#[cfg(test)]
mod tests {
    use super::{Misfit, misfit, names};
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    use serde_json::{Value, json};

    const POLICIES: &str = "accesspolicies.countersign.dev";

    const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

    /// A definition of this program, as a cluster has it.
    fn installed(name: &str) -> Value {
        let mut all = countersign_policy::crd::all().into_iter();
        let ours = all.find(|it| it.metadata.name.as_deref() == Some(name));
        let mut written = serde_json::to_value(ours.unwrap()).unwrap();
        let status = json!({"conditions": [{"type": "Established", "status": "True"}]});
        written["status"] = status;
        written
    }

    fn found(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut written = installed(POLICIES);
        change(&mut written);
        let changed: CustomResourceDefinition = serde_json::from_value(written).unwrap();
        misfit(POLICIES, Some(&changed)).map(|it| it.to_string())
    }

    #[test]
    fn our_own_fit_and_so_do_newer_ones() {
        for name in names() {
            let ours = serde_json::from_value(installed(&name)).unwrap();
            assert_eq!(misfit(&name, Some(&ours)), None, "{name}");
        }
        let newer = |it: &mut Value| {
            let spec = it.pointer_mut(SPEC).unwrap();
            spec["properties"]["newer"] = json!({"type": "string"});
        };
        assert_eq!(found(newer), None);
    }

    #[test]
    fn an_older_one_is_refused_by_the_field_that_it_lacks() {
        let older = |it: &mut Value| {
            let spec = it.pointer_mut(SPEC).unwrap();
            let rule = spec.pointer_mut("/properties/rules/items/properties");
            rule.unwrap().as_object_mut().unwrap().remove("when");
        };
        assert_eq!(
            found(older).unwrap(),
            "is older than this controller: it lacks spec.rules[].when"
        );
    }

    #[test]
    fn one_that_drops_what_is_misspelt_is_refused() {
        let pruning = |it: &mut Value| {
            let spec = it.pointer_mut(SPEC).unwrap().as_object_mut().unwrap();
            spec.remove("x-kubernetes-preserve-unknown-fields");
        };
        assert_eq!(
            found(pruning).unwrap(),
            "is older than this controller: it lacks spec.*"
        );
    }

    #[test]
    fn one_that_is_not_there_or_not_served_is_refused() {
        assert_eq!(misfit(POLICIES, None), Some(Misfit::Absent));
        assert_eq!(misfit("others.example.com", None), None);
        let unserved = |it: &mut Value| it["spec"]["versions"][0]["served"] = json!(false);
        assert_eq!(
            found(unserved).unwrap(),
            "has no version v1alpha1 that is served"
        );
        let young = |it: &mut Value| it["status"] = json!({});
        assert_eq!(found(young).unwrap(), "is not served yet");
        let going =
            |it: &mut Value| it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(found(going).unwrap(), "is being deleted");
    }
}
