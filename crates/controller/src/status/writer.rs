//! Writes what is said into the cluster: by server-side apply, and only what has changed.

use super::in_use::{self, Change};
use super::ruleset;
use crate::publication::said;
use crate::watch::{Kind, Object};
use countersign_policy::v1alpha1::{RulesetStatus, Status};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Api, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Error};
use serde::Serialize;
use serde_json::{Value, json};

/// Whose fields they are.
pub(crate) const FIELD_MANAGER: &str = "countersign-controller";

/// The most bytes of an Event's note.
const NOTE: usize = 1000;

/// What an API server answered to a write; nothing, if there was nothing to write to.
pub(crate) type Written = Result<Option<Object>, Error>;

/// Writes statuses, Events and finalizers.
#[derive(Clone)]
pub(crate) struct Writer {
    client: Client,
    recorder: Recorder,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer that signs its Events with the name of this replica.
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let reporter = Reporter {
            controller: super::object::CONTROLLER.to_owned(),
            instance: Some(identity.to_owned()),
        };
        let recorder = Recorder::new(client.clone(), reporter);
        Self { client, recorder }
    }

    /// Writes the status of one of our resources. One that is gone, or another of its name, needs none.
    pub(crate) async fn status(&self, object: &Object, status: &Status) -> Written {
        self.apply_status(object.kind, head(object), status).await
    }

    /// Writes the Ruleset of a namespace, and makes it first if there is none.
    pub(crate) async fn ruleset(
        &self,
        namespace: &str,
        is_there: bool,
        status: &RulesetStatus,
    ) -> Written {
        let head = json!({"namespace": namespace, "name": ruleset::NAME});
        if !is_there {
            let body = body(Kind::Ruleset, &head, "spec", &json!({}));
            let api = self.api(Kind::Ruleset, namespace);
            let applied = api
                .patch(ruleset::NAME, &params(), &Patch::Apply(&body))
                .await;
            if landed(Kind::Ruleset, applied)?.is_none() {
                return Ok(None);
            }
        }
        self.apply_status(Kind::Ruleset, head, status).await
    }

    /// Takes hold of an object that is in use, or lets it go.
    pub(crate) async fn in_use(&self, change: &Change) -> Written {
        let object = &change.object;
        let mut head = head(object);
        if change.in_use
            && let Some(members) = head.as_object_mut()
        {
            members.insert("finalizers".to_owned(), json!([in_use::FINALIZER]));
        }
        let body = json!({
            "apiVersion": object.kind.api_version(),
            "kind": object.kind.as_str(),
            "metadata": head,
        });
        let api = self.api(object.kind, &object.namespace);
        let applied = api
            .patch(&object.name, &params(), &Patch::Apply(&body))
            .await;
        landed(object.kind, applied)
    }

    /// Tells a person who looks at an object that its state has changed. One that cannot be told is
    /// lost: the state itself is in the status.
    pub(crate) async fn event(&self, object: &Object, good: bool, reason: &str, note: &str) {
        let event = Event {
            type_: if good {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: reason.to_owned(),
            note: Some(shortened(note)).filter(|it| !it.is_empty()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let regarding = ObjectReference {
            api_version: Some(object.kind.api_version()),
            kind: Some(object.kind.as_str().to_owned()),
            name: Some(object.name.clone()),
            namespace: Some(object.namespace.clone()).filter(|it| !it.is_empty()),
            uid: Some(object.uid.clone()),
            ..ObjectReference::default()
        };
        if let Err(error) = self.recorder.publish(&event, &regarding).await {
            let why = said(&error);
            tracing::debug!(why, name = object.name, "an Event was not written");
        }
    }

    async fn apply_status<S: Serialize + Sync>(
        &self,
        kind: Kind,
        head: Value,
        status: &S,
    ) -> Written {
        let text = |name: &str| head.get(name).and_then(Value::as_str).unwrap_or_default();
        let api = self.api(kind, text("namespace"));
        let body = body(kind, &head, "status", status);
        let applied = api
            .patch_status(text("name"), &params(), &Patch::Apply(&body))
            .await;
        landed(kind, applied)
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        let client = self.client.clone();
        if namespace.is_empty() {
            Api::all_with(client, &kind.resource())
        } else {
            Api::namespaced_with(client, namespace, &kind.resource())
        }
    }
}

/// Names this object, and no other that has its name later.
fn head(object: &Object) -> Value {
    let mut head = json!({"name": object.name, "uid": object.uid});
    if !object.namespace.is_empty()
        && let Some(members) = head.as_object_mut()
    {
        members.insert("namespace".to_owned(), json!(object.namespace));
    }
    head
}

fn body<S: Serialize>(kind: Kind, head: &Value, part: &str, value: &S) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "metadata": head,
        part: value,
    })
}

/// What others wrote into our fields is overruled: a status says what is, not what was agreed.
fn params() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}

/// What is gone by now, or is another of that name, wants nothing; nor does anything in a namespace
/// that is being deleted.
fn landed(kind: Kind, applied: Result<DynamicObject, Error>) -> Written {
    match applied {
        Ok(object) => Ok(Object::of(kind, object)),
        Err(Error::Api(status)) if status.code == 404 || is_another(&status) => Ok(None),
        Err(Error::Api(status))
            if status.code == 403 && status.message.contains("is being terminated") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the object is another one of that name: any other conflict is one to be tried again.
fn is_another(status: &kube::core::Status) -> bool {
    status.code == 409 && status.message.contains("UID")
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(NOTE);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{NOTE, is_another, shortened};
    use kube::core::Status;

    #[test]
    fn only_another_object_of_that_name_needs_nothing() {
        let conflict = |message: &str| Status::failure(message, "Conflict").with_code(409);
        let other = "Precondition failed: UID in precondition: a, UID in object meta: b";
        assert!(is_another(&conflict(other)));
        let changed =
            "the object has been modified; please apply your changes to the latest version";
        assert!(!is_another(&conflict(changed)));
    }

    #[test]
    fn a_note_is_cut_between_characters() {
        let long = "ä".repeat(NOTE);
        assert_eq!(shortened(&long).len(), NOTE);
        assert_eq!(shortened(&format!("a{long}")).len(), NOTE - 1);
        assert_eq!(shortened("short"), "short");
    }
}
