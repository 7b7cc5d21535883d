//! How long it takes from an apply until an edge decides by it, and what the controller needs for that.
//!
//! ```text
//! cargo build --profile ci --workspace --bins
//! cargo run --profile ci -p tests --example apply_latency -- --policies 10,1000,10000 --changes 200
//! ```
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for the terminal, of the tests"
)]

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use http::Request;
use http_body_util::Full;
use kube::api::{Api, ApiResource, Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, INSTALLATION, NAMESPACE, condition, resource};
use tests::program::{Program, within};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

/// How many policies a namespace has: a change of one compiles them all.
const EACH: usize = 100;
/// How many are applied at once.
const AT_ONCE: usize = 16;
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// How many policies there are, and how often one is changed.
#[derive(Parser)]
struct Arguments {
    /// How many policies there are, one run for each.
    #[arg(long, value_delimiter = ',', default_value = "10,1000,10000")]
    policies: Vec<usize>,
    /// How often one of them is changed.
    #[arg(long, default_value_t = 200)]
    changes: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    for policies in arguments.policies {
        measure(policies, arguments.changes).await?;
    }
    Ok(())
}

async fn measure(policies: usize, changes: usize) -> Result<()> {
    let cluster = Cluster::alone().context("a cluster")?;
    cluster.install()?;
    let serving = ["--endpoint-listen", "127.0.0.1:0"];
    let controller = Controller::start(&cluster, &serving).await?;
    controller.readiness("ready\n").await?;
    let process = controller.program.id().context("it runs")?;
    let client = cluster.client().await?;
    let (begun, cpu) = (Instant::now(), cpu_seconds(process)?);
    load(&client, policies).await?;
    let applied = begun.elapsed();
    let ready = Instant::now();
    let last = format!("accesspolicy/{}", name((policies - 1) % EACH));
    let in_last = namespace((policies - 1) / EACH);
    within(PATIENCE, "the last is ready", async || {
        let it = resource(&cluster, &in_last, &last).ok()?;
        condition(&it, "Ready").filter(|it| it.0 == "True")
    })
    .await?;
    println!(
        "{policies} policies: applied in {:.1} s, the last ready {:.1} s later; CPU {:.1} s; RSS {} MB, at most {} MB",
        applied.as_secs_f64(),
        ready.elapsed().as_secs_f64(),
        cpu_seconds(process)? - cpu,
        memory(process, "VmRSS")?,
        memory(process, "VmHWM")?,
    );
    let idle = cpu_seconds(process)?;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let idle = (cpu_seconds(process)? - idle) / 30.0;
    let edge = Edge::start(&cluster, &controller).await?;
    let cpu = cpu_seconds(process)?;
    let mut took = Vec::new();
    for n in 0..changes {
        took.push(change(&client, &edge, n).await?);
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_millis();
    println!(
        "  idle CPU {:.2} %; apply to in force, {changes} changes: p50 {} ms, p99 {} ms, at most {} ms; \
         CPU {:.1} ms a change; RSS {} MB",
        idle * 100.0,
        at(50),
        at(99),
        at(100),
        (cpu_seconds(process)? - cpu) * 1000.0 / changes as f64,
        memory(process, "VmRSS")?,
    );
    Ok(())
}

fn namespace(n: usize) -> String {
    format!("team-{n}")
}

fn name(n: usize) -> String {
    format!("service-{n}")
}

fn policy(in_namespace: usize, n: usize, path: &str) -> Value {
    let own = json!([{"providerRef": {"name": "okta"}, "groups": [format!("team-{n}")]}]);
    let rules = json!([
        {"name": "open", "from": [{"anyone": true}], "to": [{"methods": ["GET"], "paths": [path]}]},
        {"name": "own", "from": own, "to": [{"methods": ["GET", "POST"], "paths": ["/v1/orders/**"]}]},
    ]);
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"namespace": namespace(in_namespace), "name": name(n)},
        "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": name(n)}],
            "audiences": ["https://services.example.com"], "rules": rules},
    })
}

async fn apply(client: &kube::Client, manifest: &Value) -> Result<()> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let api = text(&manifest["apiVersion"]);
    let (group, version) = api.split_once('/').unwrap_or(("", &api));
    let kind = GroupVersionKind::gvk(group, version, &text(&manifest["kind"]));
    let of = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = match manifest["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &of),
        None => Api::all_with(client.clone(), &of),
    };
    let how = PatchParams::apply("figures");
    let name = text(&manifest["metadata"]["name"]);
    api.patch(&name, &how, &Patch::Apply(manifest)).await?;
    Ok(())
}

async fn load(client: &kube::Client, policies: usize) -> Result<()> {
    let keys = tests::issuer::Issuer::ed25519("okta").jwks();
    let provider = json!({"apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
        "metadata": {"name": "okta"}, "spec": {"type": "OIDC", "issuer": "https://okta.example.com",
            "algorithms": ["EdDSA"], "keys": {"inline": keys}}});
    apply(client, &provider).await?;
    let namespaces = (0..policies.div_ceil(EACH)).map(
        |n| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(n)}}),
    );
    let each = (0..policies).map(|n| (n / EACH, n % EACH));
    let services = each.clone().map(|(namespace_of, n)| {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": namespace(namespace_of), "name": name(n)},
            "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
    });
    let all = each.map(|(namespace_of, n)| policy(namespace_of, n, "/open"));
    for manifests in [
        namespaces.collect::<Vec<_>>(),
        services.collect(),
        all.collect(),
    ] {
        let applied = stream::iter(&manifests).map(|it| apply(client, it));
        let applied = applied.buffer_unordered(AT_ONCE);
        applied.try_collect::<Vec<()>>().await?;
    }
    Ok(())
}

/// From the API server's answer until the edge lets through what only the new text does.
async fn change(client: &kube::Client, edge: &Edge, n: usize) -> Result<Duration> {
    let path = format!("/changed/{n}");
    apply(client, &policy(0, 0, &path)).await?;
    let begun = Instant::now();
    let mut caller = Caller::new(edge.address, Version::H1);
    within(PATIENCE, "it is in force", async || {
        let url = format!("http://service-0.example.com{path}");
        let request = Request::get(url).body(Full::default()).ok()?;
        let answer = caller.send(request).await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await?;
    Ok(begun.elapsed())
}

/// An edge that follows the endpoint, as a pod of the first namespace.
struct Edge {
    address: SocketAddr,
    _program: Program,
    _upstream: Upstream,
    _folder: TempDir,
}

impl Edge {
    async fn start(cluster: &Cluster, controller: &Controller) -> Result<Self> {
        let folder = TempDir::with_prefix("countersign-")?;
        let trust = resource(cluster, NAMESPACE, "configmap/countersign-trust")?;
        let trust = trust["binaryData"]["1.json"].as_str().context("trust")?;
        fs::write(folder.path().join("trust.json"), STANDARD.decode(trust)?)?;
        fs::write(folder.path().join("token"), token(cluster)?)?;
        let upstream = Upstream::start().await?;
        let endpoint = controller.program.says("where it serves", |text| {
            let (_, rest) = text.split_once("endpoint=")?;
            rest.split_whitespace().next()?.parse::<SocketAddr>().ok()
        });
        let rulesets = format!("http://{}/", endpoint.await?);
        let scope = namespace(0);
        let behind = upstream.url();
        let flags = format!(
            "--rulesets {rulesets} --danger-allow-http-rulesets --rulesets-token token --scope {scope} \
             --cluster {INSTALLATION} --trust-root trust.json --target Service/service-0 \
             --upstream {behind} --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0"
        );
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let program = Program::start("countersign-edge", &flags, folder.path())?;
        let in_force = |text: &str| text.contains("in force").then_some(());
        program.says("its ruleset is in force", in_force).await?;
        let listens = |text: &str| tests::ground::bound(text, "listen");
        let address = program.says("where it listens", listens).await?;
        Ok(Self {
            address,
            _program: program,
            _upstream: upstream,
            _folder: folder,
        })
    }
}

/// A token of a pod that runs nowhere.
fn token(cluster: &Cluster) -> Result<String> {
    let namespace = namespace(0);
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": "edge"},
        "spec": {"containers": [{"name": "edge", "image": "localhost/edge:1"}]}});
    cluster.kubectl(&["create", "--filename=-"], &pod.to_string())?;
    let words = format!(
        "create token default --namespace {namespace} --audience=countersign-controller \
         --bound-object-kind=Pod --bound-object-name edge"
    );
    let words: Vec<&str> = words.split_whitespace().collect();
    Ok(cluster.kubectl(&words, "")?.trim().to_owned())
}

/// The processor time that a process has had, in user and system mode (proc(5)); 100 ticks a second.
fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after) = stat.rsplit_once(')').context("a name")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

/// A line of what is known of its memory, in MB.
fn memory(process: u32, line: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let found = status.lines().find(|it| it.starts_with(line));
    let kilobytes = found.and_then(|it| it.split_whitespace().nth(1));
    Ok(kilobytes.context("its memory")?.parse::<u64>()? / 1024)
}
