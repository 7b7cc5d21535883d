//! A real Kubernetes for the tests: one for each test program, and one of its own for who breaks it.

use crate::files;
use crate::program;
use crate::skip::skip;
use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::{NamedTempFile, TempDir};
use xtask::cluster::tools::{Tool, Tools};
use xtask::cluster::{self, Part, node};

/// A cluster that runs until this is dropped, or the test program ends, however it does.
#[derive(Debug)]
pub struct Cluster {
    cluster: cluster::Cluster,
    /// Takes the cluster down, and its folder away, once its standard input ends.
    keeper: Child,
}

impl Cluster {
    /// The one that the tests of this program share, with our definitions and admission policies.
    /// A test makes a namespace of its own in it, and breaks nothing. None where there can be no
    /// cluster: the test is skipped, and counted.
    ///
    /// # Panics
    /// If it does not start, or it must not be skipped.
    pub fn start() -> Option<&'static Self> {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        is_possible().then(|| SHARED.get_or_init(|| Self::up(&[]).expect("a cluster starts")))
    }

    /// The one with a node, and nothing installed. There is one node on a machine, so the tests of this
    /// program that need it share it.
    ///
    /// # Panics
    /// If it does not start, or it must not be skipped.
    pub fn with_node() -> Option<&'static Self> {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        if let Some(why) = node::obstacle() {
            skip(&why);
            return None;
        }
        let up = || Self::up(&["--bare", "--node"]).expect("a cluster with a node starts");
        is_possible().then(|| SHARED.get_or_init(up))
    }

    /// One of its own, with nothing installed, for a test that breaks or changes all of it.
    ///
    /// # Panics
    /// If it does not start, or it must not be skipped.
    pub fn alone() -> Option<Self> {
        is_possible().then(|| Self::up(&["--bare"]).expect("a cluster starts"))
    }

    fn up(more: &[&str]) -> Result<Self> {
        // The keeper removes it, even if nobody is left to ask.
        let folder = TempDir::with_prefix("countersign-cluster-")?.keep();
        let mut keeper = Command::new(program::built("xtask")?);
        let keeper = keeper.args(["cluster", "--attached"]).args(more);
        // Whoever interrupts the tests does not interrupt what cleans up after them.
        let keeper = keeper.arg(&folder).process_group(0);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.stderr(Stdio::inherit()).spawn()?;
        let out = keeper.stdout.take().context("its standard output")?;
        let mut said = String::new();
        BufReader::new(out).read_line(&mut said)?;
        ensure!(!said.is_empty(), "the cluster did not start: see above");
        let cluster = cluster::Cluster::open(&folder)?;
        Ok(Self { cluster, keeper })
    }

    /// The file that says how it is called, as its administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.cluster.kubeconfig()
    }

    /// The API server's URL, which is its service accounts' issuer too.
    pub fn url(&self) -> String {
        self.cluster.url()
    }

    /// A client as its administrator. Each test has its own: a connection ends with its runtime.
    ///
    /// # Errors
    /// If there can be none.
    pub async fn client(&self) -> Result<kube::Client> {
        let file = Kubeconfig::read_from(self.kubeconfig())?;
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(file, &options).await?;
        Ok(kube::Client::try_from(config)?)
    }

    /// A new namespace, whose name begins so.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn namespace(&self, begins: &str) -> Result<String> {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{begins}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let all: Api<Namespace> = Api::all(self.client().await?);
        all.create(&PostParams::default(), &namespace).await?;
        Ok(name)
    }

    /// What kubectl says, as the administrator.
    ///
    /// # Errors
    /// With what it says, if it is refused.
    pub fn kubectl(&self, arguments: &[&str], stdin: &str) -> Result<String> {
        self.run(Tool::Kubectl, arguments, stdin)
    }

    /// What Helm says, as the administrator.
    ///
    /// # Errors
    /// With what it says, if it fails.
    pub fn helm(&self, arguments: &[&str]) -> Result<String> {
        self.run(Tool::Helm, arguments, "")
    }

    fn run(&self, tool: Tool, arguments: &[&str], stdin: &str) -> Result<String> {
        let mut command = self.cluster.tool(tool);
        let command = command.args(arguments).stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context(tool.name())?;
        let mut into = child.stdin.take().context("its standard input")?;
        let stdin = stdin.to_owned();
        // Beside the reading, or the two wait for each other.
        let written = std::thread::spawn(move || into.write_all(stdin.as_bytes()));
        let output = child.wait_with_output()?;
        let _ = written.join();
        let error = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("{} {}: {error}", tool.name(), arguments.join(" "));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Installs our definitions and our admission policies.
    ///
    /// # Errors
    /// If one is refused.
    pub fn install(&self) -> Result<()> {
        self.cluster.install()
    }

    /// Installs the kinds of others that policies are about: Knative's and the Gateway API's, by
    /// their names alone.
    ///
    /// # Errors
    /// If one is refused.
    pub fn install_foreign(&self) -> Result<()> {
        let file = files::root().join("tests/cluster/foreign.yaml");
        let file = file.to_string_lossy();
        self.kubectl(&["apply", "--server-side", "--filename", &file], "")?;
        let established = ["wait", "--for=condition=Established", "--timeout=60s"];
        self.kubectl(&[&established[..], &["crd", "--all"]].concat(), "")?;
        Ok(())
    }

    /// Joins a node, where [`Self::with_node`] will not do. There is one on a machine at a time.
    ///
    /// # Errors
    /// If it does not start.
    pub fn join(&self) -> Result<()> {
        self.cluster.join()
    }

    /// Gives the node an image, by its archive (`xtask::image`).
    ///
    /// # Errors
    /// If it is not taken.
    pub fn import(&self, archive: &[u8]) -> Result<()> {
        let mut file = NamedTempFile::new()?;
        file.write_all(archive)?;
        self.cluster.import(file.path())
    }

    /// Kills a part.
    ///
    /// # Errors
    /// If it does not end.
    pub fn stop(&self, part: Part) -> Result<()> {
        self.cluster.stop(part)
    }

    /// Starts a part again, and waits until the API server answers.
    ///
    /// # Errors
    /// If it runs, or does not start.
    pub fn restart(&self, part: Part) -> Result<()> {
        self.cluster.stop(part)?;
        self.cluster.start(part)?;
        self.cluster.ready()
    }

    /// Keeps a copy of all that the cluster knows.
    ///
    /// # Errors
    /// If it fails.
    pub fn snapshot(&self, name: &str) -> Result<()> {
        self.cluster.snapshot(name)
    }

    /// Puts the copy back: what was written since has never been.
    ///
    /// # Errors
    /// If it fails.
    pub fn restore(&self, name: &str) -> Result<()> {
        self.cluster.restore(name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Whether there can be a cluster here. Where not, the test that asks is counted as skipped.
fn is_possible() -> bool {
    let missing = match Tools::here() {
        Ok(tools) => tools.missing(&Tool::ALL),
        Err(error) => return skip(&format!("{error:#}")),
    };
    let missing: Vec<_> = missing.iter().map(|tool| tool.name()).collect();
    let missing = missing.join(", ");
    missing.is_empty()
        || skip(&format!(
            "not built: {missing}: `cargo xtask test` builds with Go"
        ))
}
