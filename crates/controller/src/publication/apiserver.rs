//! ConfigMaps as an API server keeps them, in memory: names, labels, resourceVersions, pages.

use countersign_ruleset::time::UnixTime;
use futures::FutureExt;
use futures::future::{Ready, ready};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tower_service::Service;

/// What is kept, by namespace and name.
type Kept = BTreeMap<(String, String), ConfigMap>;

/// A server that knows some namespaces, and ConfigMaps alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Apiserver {
    kept: Arc<Mutex<Kept>>,
    revision: Arc<Mutex<u64>>,
    /// What time it is there.
    clock: Arc<Mutex<UnixTime>>,
    /// It answers 404 to what is written elsewhere.
    pub(super) namespaces: Vec<&'static str>,
}

impl Apiserver {
    pub(super) fn new(namespaces: &[&'static str]) -> Self {
        Self {
            namespaces: namespaces.to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn set_clock(&self, now: UnixTime) {
        *self.clock.lock().unwrap() = now;
    }

    pub(super) fn client(&self) -> Client {
        Client::new(self.clone(), "default")
    }

    /// All of a namespace, as they are.
    pub(super) fn maps(&self, namespace: &str) -> Vec<ConfigMap> {
        let kept = self.kept.lock().unwrap();
        let all = kept.iter().filter(|((there, _), _)| there == namespace);
        all.map(|(_, map)| map.clone()).collect()
    }

    pub(super) fn map(&self, namespace: &str, name: &str) -> Option<ConfigMap> {
        let key = (namespace.to_owned(), name.to_owned());
        self.kept.lock().unwrap().get(&key).cloned()
    }

    /// Puts something there, whoever made it; or takes it away.
    pub(super) fn put(&self, namespace: &str, name: &str, map: Option<ConfigMap>) {
        let key = (namespace.to_owned(), name.to_owned());
        let mut kept = self.kept.lock().unwrap();
        match map {
            Some(mut map) => {
                map.metadata.name = Some(name.to_owned());
                map.metadata.resource_version = Some(self.next());
                kept.insert(key, map);
            }
            None => drop(kept.remove(&key)),
        }
    }

    fn next(&self) -> String {
        let mut revision = self.revision.lock().unwrap();
        *revision = revision.saturating_add(1);
        revision.to_string()
    }

    fn answer(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> (StatusCode, Value) {
        let mut parts = path.trim_start_matches("/api/v1/namespaces/").split('/');
        let namespace = parts.next().unwrap().to_owned();
        assert_eq!(parts.next(), Some("configmaps"), "{path}");
        let name = parts.next().map(str::to_owned);
        let sent: Option<ConfigMap> = serde_json::from_slice(body).ok();
        match (method.as_str(), name, sent) {
            ("GET", None, _) => self.list(&namespace, query),
            ("GET", Some(name), _) => found(self.map(&namespace, &name)),
            ("DELETE", Some(name), _) => {
                let there = self.map(&namespace, &name);
                self.put(&namespace, &name, None);
                found(there)
            }
            ("POST", None, Some(map)) => {
                let name = map.metadata.name.clone().unwrap();
                if !self.namespaces.iter().any(|known| *known == namespace) {
                    return refused(StatusCode::NOT_FOUND, "NotFound");
                }
                if self.map(&namespace, &name).is_some() {
                    return refused(StatusCode::CONFLICT, "AlreadyExists");
                }
                self.keep(&namespace, &name, map)
            }
            ("PUT", Some(name), Some(map)) => {
                let Some(there) = self.map(&namespace, &name) else {
                    return refused(StatusCode::NOT_FOUND, "NotFound");
                };
                let (asked, held) = (&map.metadata.resource_version, &there.metadata);
                if asked.is_some() && *asked != held.resource_version {
                    return refused(StatusCode::CONFLICT, "Conflict");
                }
                self.keep(&namespace, &name, map)
            }
            other => panic!("{other:?}"),
        }
    }

    fn keep(&self, namespace: &str, name: &str, mut map: ConfigMap) -> (StatusCode, Value) {
        let now = self.clock.lock().unwrap().0;
        map.metadata.managed_fields = Some(vec![ManagedFieldsEntry {
            time: Some(Time(
                Timestamp::from_second(now.try_into().unwrap()).unwrap(),
            )),
            ..ManagedFieldsEntry::default()
        }]);
        let binary = map.binary_data.iter().flatten().map(|(_, it)| it.0.len());
        let text = map.data.iter().flatten().map(|(_, it)| it.len());
        if binary.chain(text).sum::<usize>() > 1 << 20 {
            return refused(StatusCode::UNPROCESSABLE_ENTITY, "Invalid");
        }
        self.put(namespace, name, Some(map));
        found(self.map(namespace, name))
    }

    /// Two at a time, so that whoever lists must turn the pages.
    fn list(&self, namespace: &str, query: &str) -> (StatusCode, Value) {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let asked: BTreeMap<&str, String> =
            pairs.map(|(name, value)| (name, decoded(value))).collect();
        let labels = asked.get("labelSelector").cloned().unwrap_or_default();
        let from: usize = asked
            .get("continue")
            .map_or(0, |from| from.parse().unwrap());
        let mut maps = self.maps(namespace);
        maps.retain(|map| {
            let own = map.metadata.labels.clone().unwrap_or_default();
            let mut wanted = labels.split(',').filter_map(|it| it.split_once('='));
            wanted.all(|(name, value)| own.get(name).is_some_and(|own| own == value))
        });
        let next = from.saturating_add(2);
        let more = (maps.len() > next).then(|| next.to_string());
        let page = maps.iter().skip(from).take(2);
        let items: Vec<Value> = page
            .map(|map| {
                json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                    "metadata": map.metadata})
            })
            .collect();
        let list = json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
            "metadata": {"resourceVersion": "1", "continue": more.unwrap_or_default()},
            "items": items,
        });
        (StatusCode::OK, list)
    }
}

fn decoded(value: &str) -> String {
    let marks = [("%2F", "/"), ("%3D", "="), ("%2C", ",")];
    let decode = |text: String, (code, mark): (&str, &str)| text.replace(code, mark);
    marks.into_iter().fold(value.to_owned(), decode)
}

fn found(map: Option<ConfigMap>) -> (StatusCode, Value) {
    match map {
        Some(map) => (StatusCode::OK, serde_json::to_value(map).unwrap()),
        None => refused(StatusCode::NOT_FOUND, "NotFound"),
    }
}

fn refused(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let value = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": reason, "reason": reason, "code": status.as_u16()});
    (status, value)
}

impl Service<Request<Body>> for Apiserver {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (head, body) = request.into_parts();
        // a body that is sent is at hand
        let body = body.collect().now_or_never().unwrap().unwrap();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let (status, value) = self.answer(&head.method, path, query, &body.to_bytes());
        let bytes = serde_json::to_vec(&value).unwrap();
        let response = Response::builder().status(status).body(Body::from(bytes));
        ready(Ok(response.unwrap()))
    }
}
