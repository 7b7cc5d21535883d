//! Edges of a cluster's namespace: pods by name alone, and real edges that speak for them.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE, resource};
use tests::program::{Program, within};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

/// A pod that stands behind a service, and runs nowhere.
pub(super) struct Pod {
    namespace: String,
    name: String,
    token: String,
}

impl Pod {
    /// Makes it, with an endpoint behind the service `orders` and a token of its own.
    pub(super) async fn make(cluster: &Cluster, namespace: &str, name: &str) -> Self {
        let container = json!({"name": "edge", "image": "localhost/edge:1"});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"containers": [container]},
        });
        let create = ["create", "--filename=-"];
        // its service account is made by another
        let made = within(DEADLINE, "a pod", async || {
            cluster.kubectl(&create, &pod.to_string()).ok()
        });
        made.await.expect("it is made");
        let there = resource(cluster, namespace, &format!("pod/{name}")).expect("a pod");
        let of = json!({"kind": "Pod", "namespace": namespace, "name": name,
            "uid": there["metadata"]["uid"]});
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"namespace": namespace, "name": format!("orders-{name}"),
                "labels": {"kubernetes.io/service-name": "orders"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true},
                "targetRef": of}],
        });
        cluster
            .kubectl(&create, &slice.to_string())
            .expect("an endpoint");
        let token = [
            "create",
            "token",
            "default",
            "--namespace",
            namespace,
            "--audience=countersign-controller",
            "--bound-object-kind=Pod",
            "--bound-object-name",
            name,
        ];
        let token = cluster.kubectl(&token, "").expect("a token");
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            token: token.trim().to_owned(),
        }
    }
}

/// An edge that runs, and asks one replica.
pub(super) struct Edge {
    _program: Program,
    _upstream: Upstream,
    _folder: TempDir,
}

impl Edge {
    pub(super) async fn start(cluster: &Cluster, from: &Controller, pod: &Pod) -> Result<Self> {
        let folder = TempDir::with_prefix("countersign-")?;
        let trust = resource(cluster, NAMESPACE, "configmap/countersign-trust")?;
        let trust = trust["binaryData"]["1.json"].as_str().context("trust")?;
        fs::write(folder.path().join("trust.json"), STANDARD.decode(trust)?)?;
        fs::write(folder.path().join("token"), &pod.token)?;
        let upstream = Upstream::start().await?;
        let (rulesets, behind) = (format!("http://{}/", endpoint(from).await?), upstream.url());
        let arguments = [
            "--rulesets",
            &rulesets,
            "--danger-allow-http-rulesets",
            "--rulesets-token",
            "token",
            "--scope",
            &pod.namespace,
            "--cluster",
            INSTALLATION,
            "--trust-root",
            "trust.json",
            "--target",
            "Service/orders",
            "--upstream",
            &behind,
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ];
        let program = Program::start("countersign-edge", &arguments, folder.path())?;
        let heard = |text: &str| text.contains("in force").then_some(());
        let heard = program.says("its ruleset is in force", heard).await;
        heard.with_context(|| format!("the edge {}", pod.name))?;
        Ok(Self {
            _program: program,
            _upstream: upstream,
            _folder: folder,
        })
    }
}

/// Where a replica serves edges.
async fn endpoint(controller: &Controller) -> Result<SocketAddr> {
    let said = |text: &str| {
        let (_, rest) = text.split_once("endpoint=")?;
        rest.split_whitespace().next()?.parse().ok()
    };
    controller.program.says("where it serves", said).await
}

/// Asks for the manifest as a pod that says what it has in force; the status.
pub(super) async fn ask(controller: &Controller, pod: &Pod, in_force: &str) -> Result<u16> {
    let address = endpoint(controller).await?;
    let url = format!("http://{address}/v1/{}/manifest.json", pod.namespace);
    let request = Request::get(url)
        .header("authorization", format!("Bearer {}", pod.token))
        .header("countersign-in-force", in_force)
        .body(Full::default())?;
    let answer = Caller::new(address, Version::H1).send(request).await?;
    Ok(answer.status.as_u16())
}

/// The digest of the rules that a fresh compilation gives.
pub(super) fn rules_of(resources: &[Value], scope: &str) -> Result<String> {
    let read = countersign_policy::Resources::read(resources);
    let read = read.ok().context("it can be read")?;
    let mut compiled = countersign_policy::compile(&read, &std::collections::BTreeMap::new());
    let ruleset = compiled.rulesets.remove(&scope.parse()?);
    let bytes = ruleset.context("a ruleset")?.rules.to_bytes()?;
    Ok(countersign_ruleset::digest::Digest::of(&bytes).to_string())
}
