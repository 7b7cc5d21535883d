//! A real node: kubelet, containerd and runc, in namespaces that end with it, and a scheduler.
//!
//! It runs pods that use the machine's own network. All that it makes is below the cluster's folder
//! and below one cgroup of its own; a kubelet that the machine may have besides is not touched.

use super::tools::{Tool, is_installed};
use super::{Cluster, cgroup};
use crate::image::{self, Entry};
use anyhow::{Context, Result, bail, ensure};
use rustix::process::geteuid;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The name of the node: also the address at which the API server finds its kubelet.
pub(super) const NAME: &str = "127.0.0.1";

/// Where distributions put the plugins for the network of pods.
const PLUGINS: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/// How long to wait for another cluster's node to end.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the node consists of that no Go module of ours builds, as Debian calls it.
const PACKAGES: [&str; 3] = ["containerd", "runc", "containernetworking-plugins"];

const INSTALL: [&str; 3] = ["install", "--yes", "--no-install-recommends"];

/// In process and mount namespaces of their own, so that no container or mount outlives them. `$1`
/// is the folder, `$2` the kubelet, `$3` its node's name.
const SCRIPT: &str = r#"
containerd --config "$1/containerd.toml" >"$1/containerd.log" 2>&1 &
until ctr --address "$1/containerd.sock" --namespace k8s.io images import "$1/pause.tar"; do
  sleep 0.1
done
exec "$2" --config "$1/kubelet.yaml" --kubeconfig "$1/../node.kubeconfig" \
  --root-dir "$1/kubelet" --cert-dir "$1/pki" --hostname-override "$3"
"#;

/// Why this machine can have no node; nothing, if it can.
pub fn obstacle() -> Option<String> {
    if !cfg!(target_os = "linux") || !geteuid().is_root() {
        return Some("a node needs Linux, and root".to_owned());
    }
    if let Some(why) = cgroup::obstacle() {
        return Some(why);
    }
    let missing = !["containerd", "ctr", "runc", "unshare"]
        .iter()
        .all(|name| is_installed(name));
    let packages = PACKAGES.join(" ");
    (missing || plugins().is_none()).then(|| format!("a node needs: apt-get install {packages}"))
}

/// Installs what Debian has of it.
///
/// # Errors
/// If it cannot be installed.
pub fn install() -> Result<()> {
    for arguments in [&["update"][..], &[&INSTALL[..], &PACKAGES[..]].concat()] {
        crate::run::say(&format!("apt-get {}", arguments.join(" ")));
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        let status = apt.stdout(Stdio::null()).status().context("apt-get")?;
        ensure!(
            status.success(),
            "apt-get {}: {status}",
            arguments.join(" ")
        );
    }
    Ok(())
}

fn plugins() -> Option<&'static str> {
    let has_loopback = |folder: &&&str| Path::new(folder).join("loopback").is_file();
    PLUGINS.iter().find(has_loopback).copied()
}

/// Writes what its programs are told. There is one node at a time: whoever holds the file that
/// this gives has it.
///
/// # Errors
/// If there can be no node here, or another does not end.
pub(super) fn prepare(cluster: &Cluster) -> Result<File> {
    if let Some(why) = obstacle() {
        bail!(why);
    }
    let turn = turn()?;
    let folder = folder(cluster);
    fs::create_dir_all(folder.join("cni"))?;
    let pause = fs::read(cluster.tools.path(Tool::Pause)).context("pause")?;
    let pause = Entry {
        path: "pause",
        mode: 0o755,
        bytes: &pause,
    };
    let pause = image::archive("localhost/pause:1", "/pause", &[pause]);
    fs::write(folder.join("pause.tar"), pause)?;
    // The kubelet calls the node ready only once there is some network for pods.
    let network = r#"{"cniVersion": "0.4.0", "name": "lo", "type": "loopback"}"#;
    fs::write(folder.join("cni/lo.conf"), network)?;
    fs::write(folder.join("containerd.toml"), containerd(&folder))?;
    let port = super::control_plane::free_port()?;
    let kubelet = kubelet(&cluster.folder, &folder, port);
    fs::write(folder.join("kubelet.yaml"), kubelet)?;
    cgroup::make()?;
    Ok(turn)
}

/// Waits until no other cluster of this machine has a node: they would share the cgroup.
fn turn() -> Result<File> {
    let place = std::env::temp_dir().join("countersign-node.lock");
    let lock = File::create(&place).with_context(|| place.display().to_string())?;
    let began = Instant::now();
    let mut said = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(error).context("the lock"),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {}
            Err(TryLockError::WouldBlock) => bail!("another cluster on this machine has a node"),
        }
        if !said {
            crate::run::say("waiting for the node of another cluster to end");
            said = true;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// The kubelet and containerd under it.
pub(super) fn command(cluster: &Cluster) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]);
    command
        .args(["sh", "-c", SCRIPT, "node"])
        .arg(folder(cluster));
    command.arg(cluster.tools.path(Tool::Kubelet)).arg(NAME);
    command
}

/// Puts pods on the node.
pub(super) fn scheduler(cluster: &Cluster) -> Command {
    let mut command = Command::new(cluster.tools.path(Tool::Scheduler));
    command.args([
        "--kubeconfig=kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
    ]);
    command
}

/// Gives the node an image, from its archive.
///
/// # Errors
/// If containerd does not take it.
pub(super) fn import(cluster: &Cluster, archive: &Path) -> Result<()> {
    let socket = folder(cluster).join("containerd.sock");
    let mut ctr = Command::new("ctr");
    ctr.arg("--address").arg(socket);
    ctr.args(["--namespace", "k8s.io", "images", "import"])
        .arg(archive);
    let output = ctr.output().context("ctr")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ctr images import: {error}");
    Ok(())
}

fn folder(cluster: &Cluster) -> PathBuf {
    cluster.folder.join("node")
}

fn containerd(folder: &Path) -> String {
    let (folder, plugins) = (folder.display(), plugins().unwrap_or_default());
    format!(
        r#"version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-run"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true # to lower it needs CAP_SYS_RESOURCE, which a container has not
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"
"#
    )
}

fn kubelet(cluster: &Path, folder: &Path, port: u16) -> String {
    let (cluster, folder) = (cluster.display(), folder.display());
    let group = cgroup::NAME;
    format!(
        r"apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /{group}
containerRuntimeEndpoint: unix://{folder}/containerd.sock
address: 127.0.0.1
port: {port}
healthzPort: 0
oomScoreAdj: 0
authentication: {{anonymous: {{enabled: false}}, x509: {{clientCAFile: {cluster}/ca.crt}}}}
makeIPTablesUtilChains: false
failSwapOn: false
evictionHard: {{nodefs.available: 0%, imagefs.available: 0%}} # how full the disk is, is the machine's affair
imageGCHighThresholdPercent: 100
podLogsDir: {folder}/logs
volumePluginDir: {folder}/plugins
nodeStatusUpdateFrequency: 1s
"
    )
}
