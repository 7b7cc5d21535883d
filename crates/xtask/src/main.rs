//! `cargo xtask`: the commands that a developer and the continuous integration run.

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use xtask::cluster::command;
use xtask::image::ours;
use xtask::{generated, run};

/// What a developer runs: `cargo xtask test` before a commit, `cargo xtask check` before a push.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Looks at everything that is no test: format, lints, dependencies, documentation, generated files.
    Check,
    /// Brings up a real Kubernetes on loopback, and prints the path of its kubeconfig.
    Cluster(command::Arguments),
    /// Writes the files that are made from the code: crds/ and pages of docs/.
    Generate {
        /// Change nothing; fail if a file differs.
        #[arg(long)]
        check: bool,
    },
    /// Builds the programs as they are shipped, and writes their images' archives. Needs no Docker.
    Image(ours::Arguments),
    /// Builds the programs and runs every test against them.
    Test {
        /// What `cargo test` gets beside, as in `cargo xtask test oracle -- --nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Xtask::parse().task {
        Task::Check => {
            run::checks()?;
            generate(true)
        }
        Task::Cluster(arguments) => command::run(&arguments),
        Task::Generate { check } => generate(check),
        Task::Image(arguments) => ours::write(&arguments),
        Task::Test { args } => run::tests(&args),
    }
}

fn generate(check: bool) -> Result<()> {
    let files = generated::all()?;
    let differing = generated::differing(&files)?;
    if check {
        run::say(&format!("{} generated files", files.len()));
        ensure!(differing.is_empty(), generated::outdated(&differing));
    } else {
        generated::write(&files)?;
        for path in &differing {
            run::say(&format!("wrote {path}"));
        }
    }
    Ok(())
}
