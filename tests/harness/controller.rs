//! A controller that works in a cluster of the tests, and what it says of the resources there.

use crate::cluster::Cluster;
use crate::program::{Program, within};
use crate::wire::{Caller, Version};
use anyhow::{Context, Result};
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

/// How long anything may take that is waited for: a machine of the tests is a busy one.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// The namespace of the controllers.
pub const NAMESPACE: &str = "countersign-system";
/// The installation's name.
pub const INSTALLATION: &str = "test";

/// A controller that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Controller {
    /// The program.
    pub program: Program,
    admin: SocketAddr,
    _folder: TempDir,
}

impl Controller {
    /// Starts one, with trust of its own making.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(cluster: &Cluster, more: &[&str]) -> Result<Self> {
        // another test may have made it
        let _ = cluster.kubectl(&["create", "namespace", NAMESPACE], "");
        let kubeconfig = cluster.kubeconfig();
        let kubeconfig = kubeconfig.to_string_lossy();
        let arguments = [
            &[
                "--kubeconfig",
                &kubeconfig,
                "--cluster",
                INSTALLATION,
                "--danger-evaluation-trust",
                "--admin-listen",
                "127.0.0.1:0",
            ],
            more,
        ];
        Self::told(&arguments.concat()).await
    }

    /// Starts one with these arguments and no others.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn told(arguments: &[&str]) -> Result<Self> {
        let folder = TempDir::with_prefix("countersign-")?;
        let program = Program::start("countersign-controller", arguments, folder.path())?;
        let admin = program.says("where it listens", address).await?;
        Ok(Self {
            program,
            admin,
            _folder: folder,
        })
    }

    /// What it answers on its port: the status and the text.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ask(&self, path: &str) -> Result<(u16, String)> {
        let mut caller = Caller::new(self.admin, Version::H1);
        let url = format!("http://{}{path}", self.admin);
        let request = Request::get(url).body(Full::default())?;
        let answer = caller.send(request).await?;
        let text = String::from_utf8(answer.body.to_vec())?;
        Ok((answer.status.as_u16(), text))
    }

    /// Waits until it is ready, or until what it lacks has something.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn readiness(&self, expected: &str) -> Result<()> {
        let mut last = String::new();
        let ready = within(DEADLINE, expected, async || {
            last = self.ask("/readyz").await.ok()?.1;
            last.contains(expected).then_some(())
        });
        let ready = ready.await;
        ready.with_context(|| format!("{last}\n{}", self.program.text()))
    }

    /// One of its numbers.
    ///
    /// # Errors
    /// If it does not tell it.
    pub async fn number(&self, name: &str) -> Result<f64> {
        let text = self.ask("/metrics").await?.1;
        let name = format!("countersign_controller_{name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        Ok(line.context(text.clone())?.parse()?)
    }
}

/// The address that a line of its log names.
fn address(said: &str) -> Option<SocketAddr> {
    let said = said.split_once("admin=")?.1;
    said.split_whitespace().next()?.parse().ok()
}

/// A resource, as `kubectl get` has it.
///
/// # Errors
/// If it is not there.
pub fn resource(cluster: &Cluster, namespace: &str, resource: &str) -> Result<Value> {
    let arguments = ["get", "--namespace", namespace, resource, "--output=json"];
    Ok(serde_json::from_str(&cluster.kubectl(&arguments, "")?)?)
}

/// A condition: its status, its reason, and the whole.
pub fn condition(resource: &Value, kind: &str) -> Option<(String, String, Value)> {
    let all = resource.pointer("/status/conditions")?.as_array()?;
    let it = all.iter().find(|it| it["type"] == kind)?;
    let text = |name: &str| it[name].as_str().map(str::to_owned);
    Some((text("status")?, text("reason")?, it.clone()))
}

/// Waits until a condition has that status and reason, said of what is asked now; and gives the
/// resource.
///
/// # Errors
/// If it does not come to that.
pub async fn until_said(
    cluster: &Cluster,
    (namespace, name): (&str, &str),
    kind: &str,
    (status, reason): (&str, &str),
) -> Result<Value> {
    let what = format!("{name}: {kind} {status} {reason}");
    let mut last = Value::Null;
    let said = within(DEADLINE, &what, async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = resource(cluster, namespace, name).ok()?;
        let (is, why, whole) = condition(&last, kind)?;
        let of_now = whole["observedGeneration"] == last["metadata"]["generation"];
        (of_now && is == status && why == reason).then(|| last.clone())
    });
    let said = said.await;
    said.with_context(|| format!("{last:#}"))
}
