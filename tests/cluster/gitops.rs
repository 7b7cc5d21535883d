//! Those who deploy from Git: what they make of a resource's health, and that a pipeline says what the
//! cluster will.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use tests::cluster::Cluster;
use tests::controller::{Controller, resource, until_said};
use tests::files;
use xtask::cluster::tools::{Tool, Tools};

mod checked;
mod fields;
mod many;
mod misspelt;
mod names;

/// Server-side apply, by a client that does not look for unknown fields: as Flux and Argo CD.
const APPLY: [&str; 4] = ["apply", "--server-side", "--validate=false", "--filename=-"];

fn apply(cluster: &Cluster, manifest: &Value) -> Result<String> {
    cluster.kubectl(&APPLY, &manifest.to_string())
}

/// A cluster of one's own in which nobody refuses what the definitions take.
fn without_admission() -> Option<Cluster> {
    let cluster = Cluster::alone()?;
    cluster.install().expect("our definitions");
    let policies = files::root().join("crds/admission.yaml");
    let policies = policies.to_string_lossy();
    cluster
        .kubectl(&["delete", "--filename", &policies], "")
        .expect("they are removed");
    Some(cluster)
}

/// What is made of an object: by kstatus, as in Flux, and by our health check in Argo CD.
fn health(object: &Value) -> Result<(String, String)> {
    let script = files::root().join("docs/argocd-health.lua");
    let script = script.to_string_lossy();
    let kstatus = judged(&["kstatus"], object)?;
    let argo = judged(&["lua", &script], object)?;
    Ok((kstatus, argo))
}

fn judged(arguments: &[&str], object: &Value) -> Result<String> {
    let program = Tools::here()?.path(Tool::Health);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut into = child.stdin.take().context("its standard input")?;
    into.write_all(object.to_string().as_bytes())?;
    drop(into);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Expects what both make of it: its health, and something of the reason.
fn is(object: &Value, kstatus: (&str, &str), argo: (&str, &str)) {
    let (flux, cd) = health(object).expect("they judge it");
    for (said, (verdict, why)) in [(flux, kstatus), (cd, argo)] {
        let begins = format!("{verdict}: ");
        assert!(
            said.starts_with(&begins) && said.contains(why),
            "expected `{begins}…{why}`, got `{said}` of {object:#}"
        );
    }
}

fn policy(namespace: &str, target: &str, when: &str) -> Value {
    let rule = json!({"name": "open", "from": [{"anyone": true}],
        "to": [{"methods": ["GET"], "paths": ["/open"]}], "when": when});
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"namespace": namespace, "name": "orders"},
        "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": target}], "rules": [rule]},
    })
}

const GOOD: &str = "request.method == \"GET\"";

/// Each state that a resource can be in, as the real ones read it.
#[tokio::test]
async fn health_is_read_rightly_in_every_state() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let shop = cluster.namespace("shop").await.expect("a namespace");
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": shop, "name": "orders"}, "spec": {"ports": [{"port": 80}]}});
    apply(&cluster, &service).expect("a target");
    let of = (shop.as_str(), "accesspolicy/orders");
    let put = |target: &str, when: &str| {
        apply(&cluster, &policy(&shop, target, when)).expect("it is taken");
        resource(&cluster, of.0, of.1).expect("it is there")
    };
    let unseen = ("Progressing", "has not looked at it yet");

    // Nobody has looked at it: no silence is taken for success.
    let object = put("orders", GOOD);
    is(&object, ("InProgress", "observed generation is -1"), unseen);

    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    let said = async |ready: (&str, &str)| {
        let said = until_said(&cluster, of, "Ready", ready).await;
        said.expect("it is said")
    };
    let healthy = || async {
        let object = said(("True", "Programmed")).await;
        is(
            &object,
            ("Current", "Resource is Ready"),
            ("Healthy", "Programmed"),
        );
    };
    healthy().await;

    // What another manifest may bring is waited for, by either.
    put("absent", GOOD);
    let object = said(("False", "TargetNotFound")).await;
    let missing = "there is no Service/absent";
    is(&object, ("InProgress", missing), ("Progressing", missing));

    // What only another text of it mends fails at once.
    put("orders", "request.path.startsWith(");
    let object = said(("False", "PartiallyInvalid")).await;
    let place = "spec.rules[0].when";
    is(&object, ("Failed", place), ("Degraded", place));
    put("orders", GOOD);
    healthy().await;

    every_kind_is_healthy(&cluster, &shop).await;
    what_is_kept_is_terminating(&cluster).await;

    // Said of an older text, it says nothing of this one.
    drop(controller);
    let object = put("absent", GOOD);
    is(
        &object,
        ("InProgress", "latest observed generation is"),
        unseen,
    );
}

/// The other kinds that people write.
async fn every_kind_is_healthy(cluster: &Cluster, shop: &str) {
    let member = json!([{"providerRef": {"name": "okta"}, "groups": ["a"]}]);
    let rule = json!([{"name": "staff", "from": member}]);
    let keys = json!({"inline": tests::issuer::Issuer::ed25519("okta").jwks()});
    let provider = |issuer: &str| json!({"type": "OIDC", "issuer": issuer, "keys": keys, "algorithms": ["EdDSA"]});
    let nowhere = json!({"matchLabels": {"env": "nowhere"}});
    let all = [
        (
            "ClusterTrustProvider",
            "okta",
            provider("https://okta.example.com"),
        ),
        ("TrustProvider", "own", provider("https://own.example.com")),
        ("AccessRole", "staff", json!({"members": member})),
        ("ClusterAccessRole", "staff", json!({"members": member})),
        (
            "ClusterAccessPolicy",
            "guard",
            json!({"namespaceSelector": nowhere, "boundary": rule}),
        ),
    ];
    for (kind, name, spec) in all {
        let namespace = if kind.starts_with("Cluster") {
            ""
        } else {
            shop
        };
        let mut metadata = json!({"name": name});
        if !namespace.is_empty() {
            metadata["namespace"] = json!(namespace);
        }
        let manifest = json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
            "metadata": metadata, "spec": spec});
        apply(cluster, &manifest).expect("it is taken");
        let place = format!("{}/{name}", kind.to_lowercase());
        let reason = if kind == "ClusterAccessPolicy" {
            "Programmed"
        } else {
            "Accepted"
        };
        let said = until_said(
            cluster,
            (namespace, place.as_str()),
            "Ready",
            ("True", reason),
        );
        let object = said.await.expect("it is ready");
        is(&object, ("Current", ""), ("Healthy", reason));
    }
}

/// The policy of the cluster needs the provider: it is marked as deleted, and there.
async fn what_is_kept_is_terminating(cluster: &Cluster) {
    let place = ("", "clustertrustprovider/okta");
    let held = tests::program::within(tests::controller::DEADLINE, "it is held", async || {
        let it = resource(cluster, place.0, place.1).ok()?;
        it["metadata"]["finalizers"].is_array().then_some(())
    });
    held.await.expect("a finalizer");
    let delete = ["delete", "--wait=false", place.1];
    cluster.kubectl(&delete, "").expect("it is marked");
    let object = resource(cluster, place.0, place.1).expect("it is there");
    is(
        &object,
        ("Terminating", "scheduled for deletion"),
        ("Progressing", "it is being deleted"),
    );
}
