//! Signing keys in a real cluster: adopted, rotated, withdrawn, lost, and found again; the root key stays outside.

use anyhow::{Context, Result, ensure};
use countersign_ruleset::key::PublicKey;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE, resource, until_said};
use tests::program::{self, Ran, within};

mod forged;
mod kms;
mod life;
mod lost;
mod secrecy;
mod unverified;

/// What the Secret is called, and the ConfigMap that shows the public halves.
const KEYS: &str = "countersign-signing-keys";

const READY: (&str, &str) = ("True", "Programmed");

/// A cluster of its own, a controller that makes its own key, and whoever holds the root key outside.
struct Installation {
    cluster: Cluster,
    outside: TempDir,
    shop: String,
}

impl Installation {
    /// With a policy that lets anyone GET `/open` of a service.
    async fn new() -> Result<Option<Self>> {
        let Some(cluster) = Cluster::alone() else {
            return Ok(None);
        };
        cluster.install()?;
        cluster.kubectl(&["create", "namespace", NAMESPACE], "")?;
        let shop = cluster.namespace("shop").await?;
        let installation = Self {
            cluster,
            outside: TempDir::with_prefix("countersign-root-")?,
            shop,
        };
        installation.apply(&json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": installation.shop, "name": "orders"},
            "spec": {"ports": [{"port": 80}]},
        }))?;
        installation.allow("/open")?;
        Ok(Some(installation))
    }

    fn apply(&self, manifest: &Value) -> Result<()> {
        let arguments = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--filename=-",
        ];
        self.cluster.kubectl(&arguments, &manifest.to_string())?;
        Ok(())
    }

    /// Lets anyone GET a path, and nothing else.
    fn allow(&self, path: &str) -> Result<()> {
        let rule = json!({"name": "open", "from": [{"anyone": true}],
            "to": [{"methods": ["GET"], "paths": [path]}]});
        self.apply(&json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"namespace": self.shop, "name": "orders"},
            "spec": {
                "targetRefs": [{"group": "", "kind": "Service", "name": "orders"}],
                "rules": [rule],
            },
        }))
    }

    /// A controller without any trust of its own; it copies into a folder too.
    async fn controller(&self, more: &[&str]) -> Result<Controller> {
        let kubeconfig = self.cluster.kubeconfig();
        let kubeconfig = kubeconfig.to_string_lossy();
        let mirror = format!("file://{}", self.published().display());
        let always = [
            "--kubeconfig",
            &kubeconfig,
            "--cluster",
            INSTALLATION,
            "--admin-listen",
            "127.0.0.1:0",
            "--mirror",
            &mirror,
        ];
        Controller::told(&[&always[..], more].concat()).await
    }

    fn published(&self) -> PathBuf {
        self.outside.path().join("published")
    }

    /// `countersign keys`, run where the root key is.
    async fn keys(&self, words: &[&str]) -> Result<Ran> {
        let kubeconfig = self.cluster.kubeconfig();
        let kubeconfig = kubeconfig.to_string_lossy();
        let before = [
            "keys",
            words[0],
            "--keys",
            "root",
            "--kubeconfig",
            &kubeconfig,
        ];
        let all = [&before[..], &words[1..]].concat();
        program::run("countersign", &all, self.outside.path()).await
    }

    async fn expect_keys(&self, words: &[&str]) -> Result<()> {
        let ran = self.keys(words).await?;
        ensure!(ran.code == Some(0), "{words:?}: {ran:?}");
        Ok(())
    }

    async fn until(&self, of: &str, kind: &str, expected: (&str, &str)) -> Result<Value> {
        until_said(&self.cluster, (&self.shop, of), kind, expected).await
    }

    /// The message with which the policy is not published.
    async fn unpublished(&self, reason: &str) -> Result<String> {
        let said = self
            .until("accesspolicy/orders", "Programmed", ("False", reason))
            .await?;
        let (_, _, whole) = tests::controller::condition(&said, "Programmed").context("it")?;
        Ok(whole["message"].as_str().unwrap_or_default().to_owned())
    }

    /// The newest key that the controller shows.
    async fn shown(&self) -> Result<PublicKey> {
        within(DEADLINE, "a key that is shown", async || {
            let map = resource(&self.cluster, NAMESPACE, &format!("configmap/{KEYS}")).ok()?;
            let id = map["metadata"]["annotations"]["countersign.dev/newest"].as_str()?;
            let pem = map["data"][format!("{id}.pem")].as_str()?;
            PublicKey::from_pem(pem).ok()
        })
        .await
    }

    /// What is published of the namespace; none if nothing is.
    fn manifest(&self) -> Option<Manifest> {
        let name = format!("configmap/ruleset-{}", self.shop);
        let map = resource(&self.cluster, NAMESPACE, &name).ok()?;
        Manifest::read(map["binaryData"]["manifest.json"].as_str()?)
    }

    /// Waits until what is published was signed under that trust document.
    async fn signed_under(&self, trust: u64) -> Result<Manifest> {
        within(DEADLINE, "it is signed anew", async || {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.manifest().filter(|it| it.trust == trust)
        })
        .await
    }

    fn secret(&self) -> Option<Value> {
        resource(&self.cluster, NAMESPACE, &format!("secret/{KEYS}")).ok()
    }

    fn remove_secret(&self) -> Result<()> {
        let arguments = ["delete", "--namespace", NAMESPACE, "secret", KEYS];
        self.cluster.kubectl(&arguments, "")?;
        Ok(())
    }

    fn trust(&self, version: u64) -> Result<Vec<u8>> {
        let path = format!("root/trust/{version}.json");
        Ok(fs::read(self.outside.path().join(path))?)
    }
}

/// What a manifest says of itself, and whose signatures it bears; not verified: that is for edges.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Manifest {
    trust: u64,
    serial: u64,
    signers: Vec<String>,
    envelope: Vec<u8>,
}

impl Manifest {
    /// From base64, as a ConfigMap holds it.
    fn read(text: &str) -> Option<Self> {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        let envelope = STANDARD.decode(text).ok()?;
        let said: Value = serde_json::from_slice(&envelope).ok()?;
        let payload = STANDARD.decode(said["payload"].as_str()?).ok()?;
        let payload: Value = serde_json::from_slice(&payload).ok()?;
        let signers = said["signatures"].as_array()?.iter();
        Some(Self {
            trust: payload["trust"].as_u64()?,
            serial: payload["serial"].as_u64()?,
            signers: signers
                .filter_map(|it| it["keyid"].as_str().map(str::to_owned))
                .collect(),
            envelope,
        })
    }
}
