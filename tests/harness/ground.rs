//! A folder with manifests, keys and what is published, and the programs that work on it.

use crate::cast::Cast;
use crate::program::{self, Program, Ran};
use crate::upstream::Upstream;
use anyhow::{Context, Result, ensure};
use countersign_ruleset::time::UnixTime;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The installation.
pub const CLUSTER: &str = "tests";

/// The folder of one installation: `manifests/`, `keys/`, `published/`, `state/`.
#[derive(Debug)]
pub struct Ground {
    folder: TempDir,
}

/// An edge that runs.
#[derive(Debug)]
pub struct Edge {
    /// The program.
    pub program: Program,
    /// Where it serves callers.
    pub address: SocketAddr,
    /// Where it tells of itself.
    pub admin: SocketAddr,
}

impl Ground {
    /// Makes the folder and, with `countersign keys generate`, the keys.
    ///
    /// # Errors
    /// If a file cannot be written, or the program fails.
    pub async fn new() -> Result<Self> {
        let ground = Self {
            folder: TempDir::new()?,
        };
        fs::create_dir(ground.path("manifests"))?;
        fs::create_dir(ground.path("published"))?;
        let made = ground
            .run("keys generate --cluster tests --out keys")
            .await?;
        ensure!(made.code == Some(0), "{made:?}");
        Ok(ground)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the manifests, in place of those that were there. Providers without keys get some.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, resources: &[Value]) -> Result<Cast> {
        let mut resources = resources.to_vec();
        let cast = Cast::of(&mut resources);
        let mut text = String::new();
        for resource in &resources {
            text.push_str("---\n");
            text.push_str(&serde_saphyr::to_string(resource)?);
        }
        fs::write(self.path("manifests/all.yaml"), text)?;
        Ok(cast)
    }

    /// Runs `countersign` with these words.
    ///
    /// # Errors
    /// If it is not built, or does not end.
    pub async fn run(&self, words: &str) -> Result<Ran> {
        let words: Vec<&str> = words.split(' ').collect();
        program::run("countersign", &words, self.root()).await
    }

    /// `countersign compile` of the manifests, to what is published.
    ///
    /// # Errors
    /// If it is not built, or does not end.
    pub async fn compile(&self) -> Result<Ran> {
        let flags = "--sign-with keys/signing.pem --trust keys/trust/1.json --out published";
        self.run(&format!("compile manifests --cluster {CLUSTER} {flags}"))
            .await
    }

    /// Writes, compiles, and expects that it is published.
    ///
    /// # Errors
    /// If it is not.
    pub async fn publish(&self, resources: &[Value]) -> Result<Cast> {
        let cast = self.write(resources)?;
        let compiled = self.compile().await?;
        ensure!(compiled.code == Some(0), "{compiled:?}");
        Ok(cast)
    }

    /// Starts an edge in front of a service, pinned to an application of the namespace `shop`.
    ///
    /// # Errors
    /// If it does not start, or does not say where it listens.
    pub async fn edge(&self, target: &str, upstream: &Upstream) -> Result<Edge> {
        let from = ["--rulesets", "published", "--state-dir", "state"];
        self.edge_from(&from, target, upstream).await
    }

    /// The same, with rulesets from elsewhere.
    ///
    /// # Errors
    /// If it does not start, or does not say where it listens.
    pub async fn edge_from(
        &self,
        from: &[&str],
        target: &str,
        upstream: &Upstream,
    ) -> Result<Edge> {
        self.edge_with(&[], from, target, upstream).await
    }

    /// The same, with variables of its own.
    ///
    /// # Errors
    /// If it does not start, or does not say where it listens.
    pub async fn edge_with(
        &self,
        variables: &[(&str, &str)],
        from: &[&str],
        target: &str,
        upstream: &Upstream,
    ) -> Result<Edge> {
        let url = upstream.url();
        let always = [
            "--scope",
            "shop",
            "--cluster",
            CLUSTER,
            "--trust-root",
            "keys/trust/1.json",
            "--target",
            target,
            "--upstream",
            &url,
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ];
        let arguments = [from, &always].concat();
        let program = Program::start_with("countersign-edge", &arguments, self.root(), variables)?;
        let address = program
            .says("where it listens", |text| bound(text, "listen"))
            .await?;
        let admin = program
            .says("where it tells", |text| bound(text, "admin"))
            .await?;
        Ok(Edge {
            program,
            address,
            admin,
        })
    }
}

/// Now, for the tokens that real programs look at.
///
/// # Errors
/// If it is before 1970.
pub fn now() -> Result<UnixTime> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("a clock before 1970")?;
    Ok(UnixTime(since.as_secs()))
}

/// The address that follows a word in what an edge says of itself.
pub fn bound(text: &str, word: &str) -> Option<SocketAddr> {
    let line = text.lines().find(|line| line.contains("listening"))?;
    let (_, rest) = line.split_once(word)?;
    let mut addresses = rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
    addresses.find_map(|text| text.parse().ok())
}
