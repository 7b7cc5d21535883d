//! Objects, as they are kept: what of them has a part in a policy, and nothing more.

use super::kind::Kind;
use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

/// One object of an API server.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for cluster kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: another one is another object.
    pub uid: String,
    /// The version of the whole, if it can be compared.
    pub version: Option<u64>,
    /// Which version of what was asked for it is.
    pub generation: i64,
    /// When it was made, in seconds, by the API server's clock.
    pub created: Option<i64>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// What must be gone before it is.
    pub finalizers: Vec<String>,
    /// What the compiler reads.
    pub manifest: Value,
    /// What its status says, if it is one of ours.
    pub status: Value,
    /// Whether Knative made it for a service of its own.
    pub of_knative: bool,
    /// The targets that the pods of an `EndpointSlice` are behind: a Service, and one of Knative.
    pub behind: Vec<String>,
}

impl Object {
    /// Keeps what matters; `None` for an object without a name.
    pub fn of(kind: Kind, object: DynamicObject) -> Option<Self> {
        let DynamicObject { metadata, data, .. } = object;
        let name = metadata.name?;
        let namespace = metadata.namespace.unwrap_or_default();
        let generation = metadata.generation.unwrap_or_default();
        let labels = metadata.labels.unwrap_or_default();
        let mut head = Map::new();
        head.insert("name".to_owned(), json!(name));
        if !namespace.is_empty() {
            head.insert("namespace".to_owned(), json!(namespace));
        }
        // a Gateway says of routes to which generation of them it speaks
        if generation != 0 {
            head.insert("generation".to_owned(), json!(generation));
        }
        let label = |name: &str| labels.get(name).cloned();
        let of_core = label("kubernetes.io/service-name").map(|it| format!("Service/{it}"));
        let of_its = label("serving.knative.dev/service");
        let of_its = of_its.map(|it| format!("Service.serving.knative.dev/{it}"));
        let behind = of_core.into_iter().chain(of_its);
        let behind = behind.filter(|_| kind == Kind::EndpointSlice).collect();
        let of_knative = labels.keys().any(|it| it.contains(".knative.dev/"));
        if kind == Kind::Namespace {
            head.insert("labels".to_owned(), json!(labels));
        }
        Some(Self {
            manifest: manifest(kind, head, &data),
            status: status(kind, data),
            uid: metadata.uid.unwrap_or_default(),
            version: metadata.resource_version.and_then(|it| it.parse().ok()),
            created: metadata.creation_timestamp.map(|it| it.0.as_second()),
            deleting: metadata.deletion_timestamp.is_some(),
            finalizers: metadata.finalizers.unwrap_or_default(),
            kind,
            namespace,
            name,
            generation,
            of_knative,
            behind,
        })
    }

    /// Whether it is an earlier state of the other: what was read as an answer to a write may be newer
    /// than what a watch tells next.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let versions = self.version.zip(other.version);
        self.uid == other.uid && versions.is_some_and(|(this, that)| this < that)
    }

    /// Whether the other means the same: only what nobody decides by is different.
    pub fn means(&self, other: &Self) -> bool {
        (&self.uid, self.deleting, &self.manifest) == (&other.uid, other.deleting, &other.manifest)
    }
}

/// The manifest that is compiled. Of our kinds it holds every member but the status: what stands
/// beside `spec` is for the compiler to complain of.
fn manifest(kind: Kind, head: Map<String, Value>, data: &Value) -> Value {
    let mut manifest = Map::new();
    if kind.is_ours() && kind != Kind::Ruleset {
        let members = data.as_object().into_iter().flatten();
        let members = members.filter(|(name, _)| *name != "status");
        manifest.extend(members.map(|(name, value)| (name.clone(), value.clone())));
    } else {
        for way in kind.members() {
            keep(&mut manifest, way, data);
        }
    }
    if kind == Kind::EndpointSlice {
        // their addresses, which are most of it, have no part in anything
        let pods = pods(manifest.get("endpoints"));
        manifest.insert("endpoints".to_owned(), pods);
    }
    manifest.insert("apiVersion".to_owned(), json!(kind.api_version()));
    manifest.insert("kind".to_owned(), json!(kind.as_str()));
    manifest.insert("metadata".to_owned(), Value::Object(head));
    Value::Object(manifest)
}

/// Keeps one member, named as `spec` or as `status.url`.
fn keep(manifest: &mut Map<String, Value>, way: &str, data: &Value) {
    let (outer, inner) = way.split_once('.').unwrap_or((way, ""));
    let Some(part) = data.get(outer) else { return };
    if inner.is_empty() {
        manifest.insert(outer.to_owned(), part.clone());
    } else if let Some(value) = part.get(inner) {
        let part = manifest.entry(outer).or_insert_with(|| json!({}));
        if let Some(members) = part.as_object_mut() {
            members.insert(inner.to_owned(), value.clone());
        }
    }
}

/// The pods among endpoints that are ready, by UID and name.
fn pods(endpoints: Option<&Value>) -> Value {
    let endpoints = endpoints.and_then(Value::as_array).into_iter().flatten();
    // one that does not say is ready (EndpointConditions)
    let ready = endpoints.filter(|it| it.pointer("/conditions/ready") != Some(&Value::Bool(false)));
    let pods = ready.filter_map(|it| it.get("targetRef"));
    let pods = pods.filter(|it| it.get("kind").and_then(Value::as_str) == Some("Pod"));
    pods.map(|it| json!({"uid": it.get("uid"), "name": it.get("name")}))
        .collect()
}

fn status(kind: Kind, mut data: Value) -> Value {
    if !kind.is_ours() {
        return Value::Null;
    }
    data.get_mut("status").map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Object};
    use serde_json::{Value, json};

    fn object(kind: Kind, written: Value) -> Object {
        Object::of(kind, serde_json::from_value(written).unwrap()).unwrap()
    }

    #[test]
    fn of_ours_all_is_kept_but_the_status_which_means_nothing() {
        let written = |status: &str| {
            json!({
                "apiVersion": "countersign.dev/v1alpha1",
                "kind": "AccessPolicy",
                "metadata": {"namespace": "shop", "name": "orders", "uid": "u", "generation": 2,
                    "managedFields": [{"manager": "kubectl"}], "annotations": {"a": "b"}},
                "spec": {"rules": []},
                "rules": [],
                "status": {"observedGeneration": status.len()},
            })
        };
        let (one, other) = ("a", "bb");
        let one = object(Kind::AccessPolicy, written(one));
        assert_eq!(
            one.manifest,
            json!({
                "apiVersion": "countersign.dev/v1alpha1",
                "kind": "AccessPolicy",
                "metadata": {"namespace": "shop", "name": "orders", "generation": 2},
                "spec": {"rules": []},
                "rules": [],
            })
        );
        assert_eq!(one.status, json!({"observedGeneration": 1}));
        let other = object(Kind::AccessPolicy, written(other));
        assert!(one.means(&other) && one != other);
    }

    #[test]
    fn a_list_of_services_has_no_kind_in_its_items_and_is_read() {
        let service = object(
            Kind::Service,
            json!({"metadata": {"namespace": "shop", "name": "a"}, "spec": {"ports": []}}),
        );
        assert_eq!(
            service.manifest,
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"namespace": "shop", "name": "a"},
            })
        );
    }

    #[test]
    fn of_others_what_decides_is_kept() {
        let namespace = object(
            Kind::Namespace,
            json!({"metadata": {"name": "shop", "labels": {"env": "x"},
                "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Terminating"}}),
        );
        assert!(namespace.deleting);
        assert_eq!(
            namespace.manifest.pointer("/metadata/labels"),
            Some(&json!({"env": "x"}))
        );
        let knative = object(
            Kind::KnativeService,
            json!({"metadata": {"namespace": "shop", "name": "a"}, "spec": {"template": {}},
                "status": {"url": "https://a", "traffic": []}}),
        );
        assert_eq!(
            knative.manifest.get("status"),
            Some(&json!({"url": "https://a"}))
        );
        assert_eq!(knative.manifest.get("spec"), None);
        let made = object(
            Kind::Service,
            json!({"metadata": {"namespace": "shop", "name": "a-00001-private",
                "labels": {"networking.internal.knative.dev/serviceType": "Private"}}}),
        );
        assert!(made.of_knative);
    }
}
