//! Two thousand policies applied at once, and a namespace with half of them that goes.

use crate::controller::Published;
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{Api, ApiResource, ListParams, Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use std::time::Duration;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, condition};
use tests::program::within;

/// How many there are in each of two namespaces.
const EACH: usize = 1000;

/// How long it may take until all of them are ready.
const ALL_READY: Duration = Duration::from_mins(4);

fn policy(namespace: &str, n: usize) -> Value {
    let rule = json!({"name": "open", "from": [{"anyone": true}],
        "to": [{"methods": ["GET"], "paths": [format!("/open/{n}")]}]});
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"namespace": namespace, "name": format!("policy-{n}")},
        "spec": {"hosts": [format!("h{n}.example.com")], "rules": [rule]},
    })
}

fn policies(client: &kube::Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("countersign.dev", "v1alpha1", "AccessPolicy");
    Api::namespaced_with(client.clone(), namespace, &ApiResource::from_gvk(&kind))
}

/// How many of a namespace's are ready as they are now.
async fn ready(client: &kube::Client, namespace: &str) -> Option<usize> {
    let api = policies(client, namespace);
    let all = api.list(&ListParams::default()).await.ok()?;
    let all = all.items.into_iter();
    let is_ready = |it: &DynamicObject| {
        let it = serde_json::to_value(it).unwrap_or_default();
        let of_now = it["status"]["observedGeneration"] == it["metadata"]["generation"];
        of_now && condition(&it, "Ready").is_some_and(|it| it.0 == "True")
    };
    Some(all.filter(is_ready).count())
}

#[tokio::test]
async fn two_thousand_at_once_are_ready_soon_and_half_of_them_go_with_their_namespace() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let client = cluster.client().await.expect("a client");
    let stays = cluster.namespace("stays").await.expect("a namespace");
    let goes = cluster.namespace("goes").await.expect("a namespace");
    let before = controller.number("compiled_total").await.unwrap_or(0.0);
    let all = (0..EACH).flat_map(|n| [policy(&stays, n), policy(&goes, n)]);
    let applied = stream::iter(all).map(|it| {
        let namespace = it["metadata"]["namespace"].as_str().unwrap_or_default();
        let api = policies(&client, namespace);
        async move {
            let name = it["metadata"]["name"].as_str().unwrap_or_default();
            let how = PatchParams::apply("gitops");
            api.patch(name, &how, &Patch::Apply(&it)).await.map(drop)
        }
    });
    let applied = applied.buffer_unordered(32).try_collect::<Vec<()>>();
    applied.await.expect("they are taken");
    for namespace in [&stays, &goes] {
        let all = within(ALL_READY, "all are ready", async || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            ready(&client, namespace).await.filter(|it| *it == EACH)
        });
        all.await.expect("all are ready");
    }
    // what comes at once is compiled together
    let compiled = controller.number("compiled_total").await.expect("a number") - before;
    assert!(compiled < 400.0, "compiled {compiled} times");

    let (kept, lost) = (
        Published::read(&cluster, &stays).expect("it is published"),
        Published::read(&cluster, &goes).expect("it is published"),
    );
    assert!(!kept.is_empty() && !lost.is_empty());
    let delete = ["delete", "--wait=false", "namespace", &goes];
    cluster.kubectl(&delete, "").expect("it is deleted");
    let after = within(DEADLINE, "the empty set", async || {
        let now = Published::read(&cluster, &goes).ok()?;
        now.is_empty().then_some(now)
    });
    assert!(after.await.expect("nobody is let in there").serial > lost.serial);
    let other = Published::read(&cluster, &stays).expect("it is published");
    assert_eq!((other.serial, other.rules), (kept.serial, kept.rules));
    assert_eq!(ready(&client, &stays).await, Some(EACH));
}
