//! An installation by the chart: the controller's image on the node, a certificate, a key signed in.

use super::services::{Led, free_ports};
use anyhow::{Context, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::{files, program};
use xtask::image::ours::Image;
use xtask::image::{self, Entry, link};

/// The namespace of the controller, and the chart's release.
pub(super) const SYSTEM: &str = "countersign-system";
const RELEASE: &str = "countersign";

/// The controller's Secret with the endpoint's certificate.
const CERTIFICATE: &str = "countersign-endpoint";

/// By what edges call the endpoint.
pub(super) const ENDPOINT: &str = "countersign.countersign-system.svc";

/// The service that edges stand in front of.
pub(super) const SAMPLE: &str = "localhost/sample:1";
/// The edge's image.
pub(super) const EDGE: &str = "countersign/edge:test";

/// What is installed.
#[derive(Debug)]
pub(super) struct Installation<'c> {
    cluster: &'c Cluster,
    folder: TempDir,
    /// Who vouches for the endpoint, in PEM.
    pub(super) authority: String,
    ports: [u16; 2],
    /// The API server, as pods call it.
    _apiserver: Led,
}

impl<'c> Installation<'c> {
    /// Gives the node the images, and the controller's namespace what the chart does not make.
    pub(super) async fn prepare(cluster: &'c Cluster) -> Result<Self> {
        import(cluster)?;
        let folder = TempDir::with_prefix("countersign-")?;
        cluster.kubectl(&["create", "namespace", SYSTEM], "")?;
        let (authority, certificate, key) = certificate()?;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": CERTIFICATE, "namespace": SYSTEM},
            "stringData": {"tls.crt": certificate, "tls.key": key},
        });
        cluster.kubectl(&["create", "--filename=-"], &secret.to_string())?;
        let port = cluster
            .url()
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        let port = port.context("the API server's port")?;
        let apiserver = Led::start(cluster, ("default", "kubernetes"), 443, port).await?;
        Ok(Self {
            cluster,
            folder,
            authority,
            ports: free_ports(),
            _apiserver: apiserver,
        })
    }

    /// `helm install` or `helm upgrade`, until the controller is available.
    pub(super) fn helm(&self, verb: &str, valid_for: &str) -> Result<String> {
        let [endpoint, admin] = self.ports;
        // The node's own network, which is what this node has; and so one replica.
        let values = json!({
            "cluster": "test", "replicas": 1, "hostNetwork": true,
            "image": {"repository": "countersign/controller", "tag": "test", "pullPolicy": "Never"},
            "endpoint": {"port": endpoint, "tlsSecretName": CERTIFICATE},
            "admin": {"port": admin},
            "ruleset": {"validFor": valid_for},
        });
        let file = self.folder.path().join("values.json");
        fs::write(&file, values.to_string())?;
        let (file, chart) = (
            file.to_string_lossy(),
            files::root().join("charts/countersign"),
        );
        let said = self.cluster.helm(&[
            verb,
            RELEASE,
            &chart.to_string_lossy(),
            "--namespace",
            SYSTEM,
            "--values",
            &file,
        ])?;
        self.available()?;
        Ok(said)
    }

    /// Another verb of Helm.
    pub(super) fn release(&self, verb: &str, more: &[&str]) -> Result<String> {
        let first = [verb, RELEASE, "--namespace", SYSTEM];
        self.cluster.helm(&[&first[..], more].concat())
    }

    /// Waits until what the Deployment asks for now is available.
    pub(super) fn available(&self) -> Result<()> {
        let rollout = [
            "rollout",
            "status",
            "deployment/countersign",
            "--timeout=120s",
        ];
        let rolled = self
            .cluster
            .kubectl(&[&rollout[..], &["--namespace", SYSTEM]].concat(), "");
        rolled
            .map(drop)
            .with_context(|| state(self.cluster, SYSTEM))
    }

    /// What the controller is told now.
    pub(super) fn arguments(&self) -> Result<String> {
        let path = "--output=jsonpath={.spec.template.spec.containers[0].args}";
        let asked = [
            "get",
            "deployment",
            "countersign",
            path,
            "--namespace",
            SYSTEM,
        ];
        self.cluster.kubectl(&asked, "")
    }

    /// Leads the endpoint's Service to the controller.
    pub(super) async fn lead(&self) -> Result<Led> {
        let [endpoint, _] = self.ports;
        Led::start(self.cluster, (SYSTEM, "countersign"), 443, endpoint).await
    }

    /// `countersign keys adopt`, as an administrator runs it. Gives the trust document.
    pub(super) fn adopt(&self) -> Result<String> {
        let keys = self.folder.path().join("keys");
        let mut adopt = Command::new(program::built("countersign")?);
        adopt.args(["keys", "adopt", "--cluster", "test", "--namespace", SYSTEM]);
        adopt
            .arg("--keys")
            .arg(&keys)
            .env("KUBECONFIG", self.cluster.kubeconfig());
        let output = adopt.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "keys adopt: {said}");
        Ok(fs::read_to_string(keys.join("trust/1.json"))?)
    }
}

/// All that is known of the pods of a namespace, for whoever reads why a test failed.
pub(super) fn state(cluster: &Cluster, namespace: &str) -> String {
    let of = |arguments: &[&str]| {
        let said = cluster.kubectl(&[arguments, &["--namespace", namespace]].concat(), "");
        said.unwrap_or_else(|error| format!("{error:#}"))
    };
    let logs = of(&["get", "pods", "--output=jsonpath={.items[*].metadata.name}"]);
    let logs: Vec<String> = logs
        .split_whitespace()
        .map(|pod| of(&["logs", pod, "--all-containers", "--tail=40"]))
        .collect();
    format!("{}\n{}", of(&["describe", "pods"]), logs.join("\n"))
}

/// Gives the node the controller's image, the edge's, and the sample's.
fn import(cluster: &Cluster) -> Result<()> {
    let sample = program::built("countersign-sample")?;
    let programs = sample.parent().map(PathBuf::from).context("a folder")?;
    let controller = Image::Controller.archive("countersign/controller:test", &programs)?;
    let edge = Image::Edge.archive(EDGE, &programs)?;
    let bytes = fs::read(&sample)?;
    let how = "is not linked statically, as `cargo xtask` has it linked";
    ensure!(link::is_static(&bytes), "{} {how}", sample.display());
    let entry = Entry {
        path: "sample",
        mode: 0o755,
        bytes: &bytes,
    };
    for archive in [
        controller,
        edge,
        image::archive(SAMPLE, "/sample", &[entry]),
    ] {
        cluster.import(&archive)?;
    }
    Ok(())
}

/// Who vouches for the endpoint, the endpoint's certificate, and its key.
fn certificate() -> Result<(String, String, String)> {
    let key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec![ENDPOINT.to_owned()])?;
    let leaf = leaf.signed_by(&key, &issuer)?.pem();
    Ok((root, leaf, key.serialize_pem()))
}
