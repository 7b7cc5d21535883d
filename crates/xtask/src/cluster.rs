//! A real Kubernetes on this machine's loopback, in a folder of its own.
//!
//! ```text
//! DIR/ kubeconfig  ca.crt  port        how it is called, and by whom
//!      NAME.pid  NAME.log              each of its processes
//!      etcd/                           all that it knows
//! ```
//!
//! Everything that there is to know of a cluster stands in its folder, so that any process can stop
//! or restart a part of it, and take it down.

use anyhow::{Context, Result, bail, ensure};
use daemon::Daemon;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tools::{Tool, Tools};

mod certificates;
mod cgroup;
pub mod command;
mod control_plane;
mod daemon;
pub mod node;
pub mod tools;

/// A part of a cluster that can be stopped and started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the API server stores is away.
    Etcd,
    /// Nobody can ask anything.
    Apiserver,
    /// Nothing is collected, and no namespace ends.
    ControllerManager,
    /// No pod is put on a node.
    Scheduler,
    /// The only node: the kubelet, and containerd with its pods under it.
    Node,
}

impl Part {
    /// In the order in which they are stopped.
    const ALL: [Self; 5] = [
        Self::Node,
        Self::Scheduler,
        Self::ControllerManager,
        Self::Apiserver,
        Self::Etcd,
    ];
}

/// A cluster in its folder.
#[derive(Debug, Clone)]
pub struct Cluster {
    folder: PathBuf,
    tools: Tools,
    port: u16,
}

impl Cluster {
    /// Starts one in a folder that is new or empty.
    ///
    /// # Errors
    /// If a part does not start; what was started is taken down again.
    pub fn up(folder: &Path, tools: Tools) -> Result<Self> {
        let empty = fs::read_dir(folder).map_or(Ok(true), |mut all| match all.next() {
            None => Ok(true),
            Some(entry) => entry.map(|_| false),
        });
        ensure!(empty?, "{} is not empty", folder.display());
        // Only we may read the keys in it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let cluster = Self {
            folder: folder.canonicalize()?,
            tools,
            port: control_plane::free_port()?,
        };
        cluster.put("port", &cluster.port.to_string())?;
        if let Err(error) = cluster.start_all() {
            cluster.down()?;
            return Err(error);
        }
        Ok(cluster)
    }

    /// The one that somebody has started in a folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(folder: &Path) -> Result<Self> {
        let port = fs::read_to_string(folder.join("port"));
        let port = port.with_context(|| format!("there is no cluster in {}", folder.display()))?;
        Ok(Self {
            folder: folder.canonicalize()?,
            tools: Tools::here()?,
            port: port.trim().parse().context("its port")?,
        })
    }

    fn start_all(&self) -> Result<()> {
        control_plane::prepare(self)?;
        for part in [Part::Etcd, Part::Apiserver] {
            self.start(part)?;
        }
        self.ready()?;
        // Anyone may read the discovery document and the keys, as an OIDC provider must let them.
        self.kubectl(&[
            "create",
            "clusterrolebinding",
            "service-account-issuer-discovery",
            "--group=system:unauthenticated",
            "--clusterrole=system:service-account-issuer-discovery",
        ])?;
        self.start(Part::ControllerManager)?;
        self.daemon(Part::ControllerManager)
            .ready(|| self.asks(&["get", "serviceaccount", "default", "--namespace=default"]))
    }

    /// Joins a node to it, and waits until it is ready.
    ///
    /// # Errors
    /// If there can be no node here, or it does not start.
    pub fn join(&self) -> Result<()> {
        self.start(Part::Scheduler)?;
        self.start(Part::Node)?;
        let node = format!("node/{}", node::NAME);
        let wait = ["wait", "--for=condition=Ready", "--timeout=10s", &node];
        self.daemon(Part::Node).ready(|| self.asks(&wait))
    }

    /// Gives the node an image, from its archive (see [`crate::image`]).
    ///
    /// # Errors
    /// If there is no node, or it does not take the image.
    pub fn import(&self, archive: &Path) -> Result<()> {
        node::import(self, archive)
    }

    /// Starts a part that does not run.
    ///
    /// # Errors
    /// If it runs, or cannot be started.
    pub fn start(&self, part: Part) -> Result<()> {
        let mut command = match part {
            Part::Etcd => control_plane::etcd(self),
            Part::Apiserver => control_plane::apiserver(self),
            Part::ControllerManager => control_plane::controller_manager(self),
            Part::Scheduler => node::scheduler(self),
            Part::Node => node::command(self),
        };
        // The node's own process holds the lock, as its input: it is given up when that ends.
        let stdin = match part {
            Part::Node => Stdio::from(node::prepare(self)?),
            _ => Stdio::null(),
        };
        self.daemon(part).start(&mut command, stdin)
    }

    /// Kills a part, if it runs.
    ///
    /// # Errors
    /// If it does not end.
    pub fn stop(&self, part: Part) -> Result<()> {
        self.daemon(part).stop()?;
        if part == Part::Node && self.folder.join("node").exists() {
            cgroup::remove();
        }
        Ok(())
    }

    /// Waits until the API server answers, and etcd behind it.
    ///
    /// # Errors
    /// If it does not.
    pub fn ready(&self) -> Result<()> {
        let asked = ["get", "--raw=/readyz", "--request-timeout=5s"];
        self.daemon(Part::Apiserver).ready(|| self.asks(&asked))
    }

    /// Installs our definitions and our admission policies, as the chart does; whatever somebody has
    /// made of them is undone.
    ///
    /// # Errors
    /// If one is refused.
    pub fn install(&self) -> Result<()> {
        let crds = crate::root().join("crds");
        let crds = crds.to_string_lossy();
        self.kubectl(&[
            "apply",
            "--server-side",
            "--force-conflicts",
            "--filename",
            &crds,
        ])?;
        self.kubectl(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            "--all",
        ])
    }

    /// Keeps a copy of all that the cluster knows.
    ///
    /// # Errors
    /// If etcd does not stop or start, or the copy fails.
    pub fn snapshot(&self, name: &str) -> Result<()> {
        self.stop(Part::Etcd)?;
        self.copy("etcd", &format!("snapshot-{name}"))?;
        self.start(Part::Etcd)?;
        self.ready()
    }

    /// Puts the copy back, with its revision: what was written since has never been.
    ///
    /// # Errors
    /// If a part does not stop or start, or there is no such copy.
    pub fn restore(&self, name: &str) -> Result<()> {
        self.stop(Part::Apiserver)?;
        self.stop(Part::Etcd)?;
        fs::remove_dir_all(self.folder.join("etcd"))?;
        self.copy(&format!("snapshot-{name}"), "etcd")?;
        self.start(Part::Etcd)?;
        self.start(Part::Apiserver)?;
        self.ready()
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        let mut copy = Command::new("cp");
        let status = copy
            .current_dir(&self.folder)
            .args(["-R", from, to])
            .status();
        ensure!(status.context("cp")?.success(), "{from} cannot be copied");
        Ok(())
    }

    /// Stops all of it, and removes its folder.
    ///
    /// # Errors
    /// If a part does not end, or the folder cannot be removed.
    pub fn down(&self) -> Result<()> {
        for part in Part::ALL {
            self.stop(part)?;
        }
        fs::remove_dir_all(&self.folder).context("the cluster's folder")
    }

    /// The file that says how it is called, as its administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The API server's URL, which is its service accounts' issuer too.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// A program, such as kubectl, that is told of this cluster.
    pub fn tool(&self, tool: Tool) -> Command {
        let mut command = Command::new(self.tools.path(tool));
        command.env("KUBECONFIG", self.kubeconfig());
        // What was learnt of another cluster on the same port is not true of this one.
        command.env("KUBECACHEDIR", self.folder.join("kubectl"));
        for part in ["CACHE", "CONFIG", "DATA"] {
            command.env(format!("HELM_{part}_HOME"), self.folder.join("helm"));
        }
        command.stdin(Stdio::null());
        command
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<()> {
        let output = self.tool(Tool::Kubectl).args(arguments).output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("kubectl {}: {error}", arguments.join(" "));
        }
        Ok(())
    }

    fn asks(&self, arguments: &[&str]) -> bool {
        let output = self.tool(Tool::Kubectl).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn daemon(&self, part: Part) -> Daemon<'_> {
        let (tool, process) = match part {
            Part::Etcd => (Tool::Etcd, None),
            Part::Apiserver => (Tool::Apiserver, None),
            Part::ControllerManager => (Tool::ControllerManager, None),
            Part::Scheduler => (Tool::Scheduler, None),
            Part::Node => (Tool::Kubelet, Some("unshare")),
        };
        Daemon {
            folder: &self.folder,
            name: tool.name(),
            process: process.unwrap_or(tool.name()),
        }
    }
}
