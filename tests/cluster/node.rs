//! Pods on a real node: images made here, a token that is for its own audience, and all of it installed.

use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use tests::cluster::Cluster;
use tests::program::within;
use xtask::cluster::tools::{Tool, Tools};
use xtask::image::{self, Entry};

mod calls;
mod installation;
mod names;
mod services;
mod sidecar;
mod whole;

/// How long a pod may take to run.
const RUNS: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_pod_runs_from_an_image_of_ours() {
    let Some(cluster) = Cluster::with_node() else {
        return;
    };
    let namespace = cluster.namespace("node").await.expect("a namespace");
    let tools = Tools::here().expect("the programs' folder");
    let program = fs::read(tools.path(Tool::Pause)).expect("a program");
    let entry = Entry {
        path: "hold",
        mode: 0o755,
        bytes: &program,
    };
    let image = image::archive("localhost/hold:1", "/hold", &[entry]);
    cluster.import(&image).expect("the node takes it");
    let container = json!({
        "name": "hold", "image": "localhost/hold:1", "imagePullPolicy": "Never",
        "volumeMounts": [{"name": "token", "mountPath": "/token"}],
    });
    let token =
        json!({"serviceAccountToken": {"path": "token", "audience": "https://a.example.com"}});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hold", "namespace": namespace},
        "spec": {
            "hostNetwork": true, "containers": [container],
            "volumes": [{"name": "token", "projected": {"sources": [token]}}],
        },
    });
    cluster
        .kubectl(&["create", "--filename=-"], &pod.to_string())
        .expect("the pod is taken");
    let state = [
        "get",
        "pod",
        "hold",
        "-o",
        "json",
        "--namespace",
        &namespace,
    ];
    let runs = within(RUNS, "the pod runs", async || {
        let pod: Value = serde_json::from_str(&cluster.kubectl(&state, "").ok()?).ok()?;
        (pod["status"]["phase"] == "Running").then_some(())
    });
    let runs = runs.await;
    assert!(
        runs.is_ok(),
        "{}",
        cluster.kubectl(&state, "").expect("the pod")
    );
}
