//! `cargo xtask cluster`: a cluster for a developer to play with, and for the tests to hold on to.

use super::Cluster;
use super::tools::{Tool, Tools};
use crate::run::say;
use anyhow::Result;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Instant;

/// What `cargo xtask cluster` is told.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Arguments {
    /// The cluster's folder. A new one, if none is said.
    folder: Option<PathBuf>,
    /// Stop what runs in the folder, and remove it.
    #[arg(long, requires = "folder")]
    down: bool,
    /// Take it down when standard input ends, as the tests do.
    #[arg(long, conflicts_with = "down")]
    attached: bool,
    /// With a real node, for pods: kubelet, containerd, runc. Needs root.
    #[arg(long, conflicts_with = "down")]
    node: bool,
    /// Install nothing: neither our definitions nor our admission policies.
    #[arg(long, conflicts_with = "down")]
    bare: bool,
}

/// Brings a cluster up, or takes it down.
///
/// # Errors
/// If a program cannot be built or does not start.
pub fn run(arguments: &Arguments) -> Result<()> {
    if let (true, Some(folder)) = (arguments.down, &arguments.folder) {
        return Cluster::open(folder)?.down();
    }
    let tools = Tools::here()?;
    let needed = if arguments.node {
        &Tool::ALL[..]
    } else {
        &Tool::CONTROL_PLANE[..]
    };
    tools.build(needed)?;
    let folder = match &arguments.folder {
        Some(folder) => std::path::absolute(folder)?,
        None => std::env::temp_dir().join(format!("countersign-{}", std::process::id())),
    };
    let began = Instant::now();
    let cluster = Cluster::up(&folder, tools)?;
    if let Err(error) = furnish(&cluster, arguments) {
        cluster.down()?;
        return Err(error);
    }
    say(&format!("up in {:.1} s", began.elapsed().as_secs_f32()));
    let mut out = io::stdout();
    writeln!(out, "{}", cluster.kubeconfig().display())?;
    out.flush()?;
    if arguments.attached {
        io::stdin().read_to_end(&mut Vec::new())?;
        return cluster.down();
    }
    let folder = folder.display();
    say(&format!(
        "export KUBECONFIG={}",
        cluster.kubeconfig().display()
    ));
    say(&format!(
        "stop it with: cargo xtask cluster --down {folder}"
    ));
    Ok(())
}

fn furnish(cluster: &Cluster, arguments: &Arguments) -> Result<()> {
    if !arguments.bare {
        cluster.install()?;
    }
    if arguments.node {
        cluster.join()?;
    }
    Ok(())
}
