//! The programs of a cluster: where they are, and how they come there.

use crate::run::say;
use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Where the Go module is that pins what they are built from.
const MODULE: &str = "tests/cluster/tools";

/// And that of what judges health: it has another release of Kubernetes' libraries at heart.
const HEALTH: &str = "tests/cluster/health";

/// Kubernetes' own tags; the last lets the linker drop what nobody calls.
const TAGS: &str = "selinux,notest,grpcnotrace";

/// A program that a cluster is made of, or that is used with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Keeps what the API server stores.
    Etcd,
    /// The API server.
    Apiserver,
    /// Service accounts, garbage collection, the end of namespaces, deployments.
    ControllerManager,
    /// The command line of Kubernetes.
    Kubectl,
    /// Installs charts.
    Helm,
    /// Runs pods on a node.
    Kubelet,
    /// Puts pods on nodes.
    Scheduler,
    /// Holds a pod's namespaces open.
    Pause,
    /// Says what those who deploy from Git make of an object.
    Health,
}

impl Tool {
    /// What a cluster without a node needs.
    pub const CONTROL_PLANE: [Self; 4] = [
        Self::Etcd,
        Self::Apiserver,
        Self::ControllerManager,
        Self::Kubectl,
    ];

    /// What the tests need.
    pub const ALL: [Self; 9] = [
        Self::Etcd,
        Self::Apiserver,
        Self::ControllerManager,
        Self::Kubectl,
        Self::Helm,
        Self::Kubelet,
        Self::Scheduler,
        Self::Pause,
        Self::Health,
    ];

    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Apiserver => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::Kubelet => "kubelet",
            Self::Scheduler => "kube-scheduler",
            Self::Pause => "pause",
            Self::Health => "health",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::Apiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Helm => "helm.sh/helm/v4/cmd/helm",
            Self::Kubelet => "k8s.io/kubernetes/cmd/kubelet",
            Self::Scheduler => "k8s.io/kubernetes/cmd/kube-scheduler",
            Self::Pause => "./pause",
            Self::Health => ".",
        }
    }

    fn module(self) -> &'static str {
        match self {
            Self::Health => HEALTH,
            _ => MODULE,
        }
    }

    /// What `go build` calls it: the package's last part, but for a major version.
    fn built_as(self) -> &'static str {
        match self {
            Self::Etcd => "server",
            other => other.name(),
        }
    }
}

/// The folders that they are in.
#[derive(Debug, Clone)]
pub struct Tools {
    /// `KUBEBUILDER_ASSETS`: what somebody has already. What is there is taken from there.
    assets: Option<PathBuf>,
    /// What we build, by what it is built from.
    built: PathBuf,
    /// And what judges health.
    health: PathBuf,
}

impl Tools {
    /// Where they are for this process.
    ///
    /// # Errors
    /// If there is no place to keep them, or the Go module cannot be read.
    pub fn here() -> Result<Self> {
        let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty());
        Ok(Self {
            assets: assets.map(PathBuf::from),
            built: cache()?.join("kubernetes").join(key(MODULE)?),
            health: cache()?.join("health").join(key(HEALTH)?),
        })
    }

    /// The file of one.
    pub fn path(&self, tool: Tool) -> PathBuf {
        let given = self
            .assets
            .as_deref()
            .map(|folder| folder.join(tool.name()));
        given
            .filter(|file| file.is_file())
            .unwrap_or_else(|| self.folder(tool.module()).join(tool.name()))
    }

    fn folder(&self, module: &str) -> &Path {
        if module == HEALTH {
            &self.health
        } else {
            &self.built
        }
    }

    /// Those that are not there.
    pub fn missing(&self, wanted: &[Tool]) -> Vec<Tool> {
        let is_missing = |tool: &Tool| !self.path(*tool).is_file();
        wanted.iter().copied().filter(is_missing).collect()
    }

    /// Builds what is missing. One at a time does so; another waits, and finds it done.
    ///
    /// # Errors
    /// If there is no Go, or it cannot build them.
    pub fn build(&self, wanted: &[Tool]) -> Result<()> {
        if self.missing(wanted).is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.built)?;
        let lock = File::create(self.built.join(".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                say("waiting for another that builds the same programs");
                lock.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error).context("the lock"),
        }
        let missing = self.missing(wanted);
        for module in [MODULE, HEALTH] {
            let of_module = missing.iter().filter(|tool| tool.module() == module);
            let of_module: Vec<Tool> = of_module.copied().collect();
            if !of_module.is_empty() {
                self.build_now(module, &of_module)?;
            }
        }
        Ok(())
    }

    fn build_now(&self, module: &str, missing: &[Tool]) -> Result<()> {
        let built = self.folder(module);
        let names: Vec<_> = missing.iter().map(|tool| tool.name()).collect();
        let (names, place) = (names.join(", "), built.display());
        say(&format!(
            "building {names} into {place} (the first time: 900 MB of Go modules, ten minutes on two cores)"
        ));
        let began = Instant::now();
        let half = built.join("building");
        fs::create_dir_all(&half)?;
        let mut go = Command::new("go");
        go.current_dir(crate::root().join(module))
            // neither a workspace above nor flags of one's own change what is built
            .envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
            .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath"])
            .args(["-tags", TAGS, "-ldflags", &linker_flags()?, "-o"])
            .arg(half.join(""))
            .args(missing.iter().map(|tool| tool.package()));
        let status = go.status().context(
            "`go` cannot be started: the programs of a cluster are built with Go (https://go.dev/dl), \
             or taken from the folder that KUBEBUILDER_ASSETS names",
        )?;
        ensure!(status.success(), "`go build` of {names}: {status}");
        // Renamed only when whole: a file that is there is one that works.
        for tool in missing {
            let from = half.join(tool.built_as());
            fs::rename(&from, built.join(tool.name())).context(tool.name())?;
        }
        say(&format!("built in {} s", began.elapsed().as_secs()));
        Ok(())
    }
}

/// Where what is fetched and built is kept between runs: the one of `.ci/run`.
fn cache() -> Result<PathBuf> {
    let folder = |name| {
        env::var_os(name)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
    };
    if let Some(ours) = folder("COUNTERSIGN_CACHE") {
        return Ok(ours);
    }
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let caches =
        caches.context("neither COUNTERSIGN_CACHE nor HOME says where to keep programs")?;
    Ok(caches.join("countersign"))
}

/// Names what those of a module are built from.
fn key(module: &str) -> Result<String> {
    let ours = if module == HEALTH {
        "main.go"
    } else {
        "pause/main.go"
    };
    let module = crate::root().join(module);
    let mut from = format!("{TAGS} {} {}", env::consts::OS, env::consts::ARCH).into_bytes();
    for file in ["go.mod", "go.sum", ours] {
        from.extend(fs::read(module.join(file)).context(file)?);
    }
    let mut key = crate::hex(digest(&SHA256, &from).as_ref());
    key.truncate(12);
    Ok(key)
}

/// The versions that the programs say they have, as their own makefiles set them.
fn linker_flags() -> Result<String> {
    let module = fs::read_to_string(crate::root().join(MODULE).join("go.mod")).context(MODULE)?;
    let kubernetes = version(&module, "k8s.io/kubernetes")?;
    let helm = version(&module, "helm.sh/helm/v4")?;
    let mut numbers = kubernetes.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or(""), numbers.next().unwrap_or(""));
    let at = "k8s.io/component-base/version";
    Ok(format!(
        "-s -w -X {at}.gitVersion={kubernetes} -X {at}.gitMajor={major} -X {at}.gitMinor={minor} \
         -X {at}.gitTreeState=clean -X helm.sh/helm/v4/internal/version.version={helm}"
    ))
}

fn version(module: &str, of: &str) -> Result<String> {
    let mut lines = module.lines().map(str::split_whitespace);
    let found = lines.find_map(|mut words| {
        let is_it = words.next() == Some(of);
        words.next().filter(|_| is_it).map(str::to_owned)
    });
    found.with_context(|| format!("go.mod does not name {of}"))
}

/// Whether a program of the machine's own is on the path.
pub fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder: PathBuf| Path::new(&folder).join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_the_versions_that_are_pinned() {
        let flags = linker_flags().unwrap();
        assert!(flags.contains("version.gitVersion=v1."), "{flags}");
        assert!(flags.contains("version.gitMajor=1 "), "{flags}");
        assert!(
            flags.contains("helm/v4/internal/version.version=v4."),
            "{flags}"
        );
        assert!(version("require a/b v1\n", "a").is_err());
    }

    #[test]
    fn what_somebody_has_is_taken_from_there_and_the_rest_is_built() {
        let folder = tempfile::TempDir::new().unwrap();
        let (given, built) = (folder.path().join("given"), folder.path().join("built"));
        fs::create_dir_all(&given).unwrap();
        fs::write(given.join("etcd"), "").unwrap();
        let tools = Tools {
            assets: Some(given.clone()),
            built: built.clone(),
            health: folder.path().join("health"),
        };
        assert_eq!(tools.path(Tool::Etcd), given.join("etcd"));
        assert_eq!(tools.path(Tool::Helm), built.join("helm"));
        assert_eq!(tools.missing(&[Tool::Etcd, Tool::Helm]), [Tool::Helm]);
        let health = folder.path().join("health/health");
        assert_eq!(tools.path(Tool::Health), health);
    }
}
