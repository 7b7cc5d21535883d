//! Callers of the service: tokens of the cluster's own accounts, single requests, and an even stream.

use super::installation::SAMPLE;
use super::sidecar::SHOP;
use anyhow::{Context, Result};
use http::Request;
use http_body_util::Full;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::cluster::Cluster;
use tests::program::within;
use tests::wire::{Answer, Caller, Version};
use tokio::task::JoinHandle;

/// The audience of the service's policy.
const AUDIENCE: &str = "https://orders.shop.example.com";

/// How far apart the requests of a stream are.
const PACE: Duration = Duration::from_millis(20);

/// How long a pod may take that calls once.
const POD: Duration = Duration::from_mins(1);

/// A token of an account of the namespace, as `kubectl create token` gives it.
pub(super) fn token(cluster: &Cluster, account: &str, audience: Option<&str>) -> Result<String> {
    let audience = format!("--audience={}", audience.unwrap_or(AUDIENCE));
    let asked = ["create", "token", account, "--namespace", SHOP, &audience];
    Ok(cluster.kubectl(&asked, "")?.trim().to_owned())
}

/// Sends one request.
pub(super) async fn call(caller: &mut Caller, token: Option<&str>) -> Result<Answer> {
    let mut request = Request::get(format!("{AUDIENCE}/v1/orders"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    caller.send(request.body(Full::default())?).await
}

/// Runs a pod of an account, which calls with the token that it has in a file of its own. Gives the first
/// line of the answer.
pub(super) async fn call_from_a_pod(cluster: &Cluster, account: &str, port: u16) -> Result<String> {
    let token = json!({"serviceAccountToken": {"audience": AUDIENCE, "path": "token"}});
    let call = format!("--call=127.0.0.1:{port}");
    let container = json!({
        "name": "call", "image": SAMPLE, "imagePullPolicy": "Never",
        "args": [call, "--token=/token/token"],
        "volumeMounts": [{"name": "token", "mountPath": "/token"}],
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": account, "namespace": SHOP},
        "spec": {
            "hostNetwork": true, "restartPolicy": "Never", "serviceAccountName": account,
            "automountServiceAccountToken": false, "containers": [container],
            "volumes": [{"name": "token", "projected": {"sources": [token]}}],
        },
    });
    cluster.kubectl(&["create", "--filename=-"], &pod.to_string())?;
    let path = "--output=jsonpath={.status.phase}";
    let phase = ["get", "pod", account, "--namespace", SHOP, path];
    let ended = within(POD, "the pod ends", async || {
        let phase = cluster.kubectl(&phase, "").ok()?;
        ["Succeeded", "Failed"]
            .contains(&phase.as_str())
            .then_some(())
    });
    ended.await?;
    cluster.kubectl(&["logs", account, "--namespace", SHOP], "")
}

/// A caller of the edge.
pub(super) fn caller(port: u16) -> Caller {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Caller::new(address, Version::H1)
}

/// Requests that go on until they are told to stop.
#[derive(Debug)]
pub(super) struct Stream {
    stop: Arc<AtomicBool>,
    sending: JoinHandle<(usize, Vec<String>)>,
}

impl Stream {
    /// Starts them, with one token.
    pub(super) fn start(port: u16, token: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sending = tokio::spawn(async move {
            let (mut caller, mut sent, mut failed) = (caller(port), 0, Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                sent += 1;
                match call(&mut caller, Some(&token)).await {
                    Ok(answer) if answer.status == 200 => {}
                    Ok(answer) => failed.push(answer.status.to_string()),
                    Err(error) => failed.push(format!("{error:#}")),
                }
                tokio::time::sleep(PACE).await;
            }
            (sent, failed)
        });
        Self { stop, sending }
    }

    /// How many were sent, and what became of those that were not let in.
    pub(super) async fn end(self) -> Result<(usize, Vec<String>)> {
        self.stop.store(true, Ordering::Relaxed);
        self.sending.await.context("the stream")
    }
}
