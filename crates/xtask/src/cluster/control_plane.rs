//! What each program of the control plane is told.

use super::Cluster;
use super::node::NAME as NODE;
use super::tools::Tool;
use anyhow::{Context, Result};
use aws_lc_rs::rand;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

/// The first of the Services' addresses, which is the API server's own.
pub(super) const SERVICE_ADDRESS: &str = "127.96.0.1";

/// What each cluster writes once: who may call, and who is called.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn prepare(cluster: &Cluster) -> Result<()> {
    super::certificates::write(&cluster.folder)?;
    let (admin, node) = (random()?, random()?);
    let tokens = format!(
        "{admin},admin,admin,system:masters\n{node},system:node:{NODE},{NODE},system:nodes\n"
    );
    cluster.put("tokens.csv", &tokens)?;
    cluster.put("kubeconfig", &kubeconfig(cluster, &admin))?;
    cluster.put("node.kubeconfig", &kubeconfig(cluster, &node))
}

fn kubeconfig(cluster: &Cluster, token: &str) -> String {
    let (url, folder) = (cluster.url(), cluster.folder.display());
    format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: local, cluster: {{server: \"{url}\", certificate-authority: \"{folder}/ca.crt\"}}}}]
users: [{{name: local, user: {{token: {token}}}}}]
contexts: [{{name: local, context: {{cluster: local, user: local}}}}]
current-context: local
"
    )
}

/// etcd needs no port: it listens on unix sockets, named from its folder.
pub(super) fn etcd(cluster: &Cluster) -> Command {
    let mut command = Command::new(cluster.tools.path(Tool::Etcd));
    command.args(["--data-dir=etcd", "--log-level=warn", "--unsafe-no-fsync"]);
    command.args(["--listen-client-urls=unix://client.sock"]);
    command.args(["--advertise-client-urls=unix://client.sock"]);
    command.args(["--listen-peer-urls=unix://peer.sock"]);
    command.args(["--initial-advertise-peer-urls=unix://peer.sock"]);
    command.args(["--initial-cluster=default=unix://peer.sock"]);
    command
}

/// The API server, on loopback. It is the issuer of its service accounts' tokens, by its own URL.
pub(super) fn apiserver(cluster: &Cluster) -> Command {
    let url = cluster.url();
    let mut command = Command::new(cluster.tools.path(Tool::Apiserver));
    command.args(["--etcd-servers=unix://client.sock", "--allow-privileged"]);
    command.args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"]);
    command.arg(format!("--secure-port={}", cluster.port));
    command.args([
        "--tls-cert-file=apiserver.crt",
        "--tls-private-key-file=apiserver.key",
    ]);
    // its endpoints would be loopback, which no endpoint may be
    command.arg("--endpoint-reconciler-type=none");
    command.arg("--service-cluster-ip-range=127.96.0.0/16");
    command.args([
        "--authorization-mode=Node,RBAC",
        "--token-auth-file=tokens.csv",
    ]);
    command.arg("--enable-admission-plugins=NodeRestriction");
    command.arg(format!("--service-account-issuer={url}"));
    command.arg(format!("--api-audiences={url}"));
    command.arg("--service-account-signing-key-file=service-accounts.key");
    command.arg("--service-account-key-file=service-accounts.key");
    command.arg("--kubelet-client-certificate=kubelet-client.crt");
    command.arg("--kubelet-client-key=kubelet-client.key");
    command
}

/// The controllers of Kubernetes itself.
pub(super) fn controller_manager(cluster: &Cluster) -> Command {
    let mut command = Command::new(cluster.tools.path(Tool::ControllerManager));
    command.args([
        "--kubeconfig=kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
    ]);
    command.arg("--service-account-private-key-file=service-accounts.key");
    command.arg("--root-ca-file=ca.crt");
    command
}

/// A port that nobody has, below those that the kernel gives to whoever calls out: it is still
/// free when the API server has been away for a while.
///
/// # Errors
/// If there is none.
pub(super) fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let mut bytes = [0; 2];
        rand::fill(&mut bytes).ok().context("no random bytes")?;
        let port = u16::from_le_bytes(bytes) % 10_000;
        let port = port.saturating_add(20_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port is free on loopback")
}

fn random() -> Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok().context("no random bytes")?;
    Ok(crate::hex(&bytes))
}

impl Cluster {
    pub(super) fn put(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(name), text).with_context(|| name.to_owned())
    }
}
