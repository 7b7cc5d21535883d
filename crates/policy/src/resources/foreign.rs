//! Kinds of others that policies speak of: Namespaces, Services and routes.

use super::gateway;
use super::head::Group;
use super::route::Route;
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
            (Group::Gateway, "Gateway") => {
                let listeners = gateway::listeners(manifest);
                self.gateways.insert((namespace, name), listeners);
            }
            (Group::Gateway, _) => {
                let route = Route::read(&kind, &namespace, manifest);
                self.routes.insert((kind, namespace, name), route);
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
