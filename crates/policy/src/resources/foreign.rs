//! Kinds of others that policies speak of: Namespaces, Services and routes.

use super::head::Group;
use super::{Fault, KnativeService, Resources};
use crate::diagnostic::{FieldPath, ResourceId};
use crate::field::described;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

impl Resources {
    pub(super) fn foreign(
        &mut self,
        group: Group,
        id: ResourceId,
        manifest: &Value,
    ) -> Result<(), Fault> {
        let ResourceId {
            kind,
            namespace,
            name,
        } = id;
        match (group, kind.as_str()) {
            (Group::Core, "Namespace") => {
                self.namespaces.insert(name, labels(manifest)?);
            }
            (Group::Core, _) => {
                self.services.insert((namespace, name));
            }
            (Group::Knative, _) => {
                let url = manifest.pointer("/status/url").and_then(Value::as_str);
                let service = KnativeService {
                    url: url.map(Into::into),
                };
                self.knative_services.insert((namespace, name), service);
            }
            (Group::Gateway, _) => {
                self.routes
                    .insert((kind, namespace, name), hostnames(manifest)?);
            }
            (Group::Countersign, _) => {}
        }
        Ok(())
    }
}

/// Labels decide which cluster policies select a namespace. Those that cannot be read must not
/// become none.
fn labels(manifest: &Value) -> Result<BTreeMap<String, String>, Fault> {
    let Some(written) = manifest.pointer("/metadata/labels") else {
        return Ok(BTreeMap::new());
    };
    let path = FieldPath::default().name("metadata").name("labels");
    let got = described(written);
    BTreeMap::deserialize(written).map_err(|_| (path, format!("expected texts by name, got {got}")))
}

/// The hostnames of a route: none, if no Gateway has accepted it.
fn hostnames(manifest: &Value) -> Result<Vec<String>, Fault> {
    let Some(written) = manifest.pointer("/spec/hostnames") else {
        return Ok(Vec::new());
    };
    let path = FieldPath::spec().name("hostnames");
    let expected = || {
        (
            path,
            format!("expected a list of texts, got {}", described(written)),
        )
    };
    let hostnames = Vec::deserialize(written).map_err(|_| expected())?;
    let parents = manifest
        .pointer("/status/parents")
        .and_then(Value::as_array);
    let is_accepted = parents.is_none_or(|parents| parents.iter().any(accepts));
    Ok(if is_accepted { hostnames } else { Vec::new() })
}

fn accepts(parent: &Value) -> bool {
    let conditions = parent.get("conditions").and_then(Value::as_array);
    let is = |condition: &Value, name: &str, value: &str| {
        condition.get(name).and_then(Value::as_str) == Some(value)
    };
    conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|it| is(it, "type", "Accepted") && is(it, "status", "True"))
    })
}
