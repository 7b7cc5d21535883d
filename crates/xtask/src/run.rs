//! Runs cargo, one step after another, and says what it runs.

use crate::cluster::node;
use crate::cluster::tools::{Tool, Tools};
use crate::image::link;
use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names the file that a test that cannot run writes a line to.
pub const SKIPS: &str = "COUNTERSIGN_SKIPS";

/// What selects targets of `cargo test`. Unless the cluster's is among them, no cluster is needed.
const SELECTS: [&str; 8] = [
    "--test",
    "--lib",
    "--bin",
    "--bins",
    "--doc",
    "--example",
    "--package",
    "-p",
];

/// Builds the programs, ours and those of a cluster, then runs every test against them.
///
/// # Errors
/// If a step fails.
pub fn tests(args: &[String]) -> Result<()> {
    // First, and with the features of the whole workspace: the end-to-end tests start the programs,
    // and would otherwise build them while the other tests run. Linked as they are shipped.
    let linked = link::variables()?;
    cargo_with(&["build", "--workspace", "--bins"], &linked)?;
    if needs_a_cluster(args) {
        build_cluster()?;
    }
    let mut test = vec!["test", "--workspace"];
    test.extend(args.iter().map(String::as_str));
    let skips = env::temp_dir().join(format!("countersign-skips-{}", std::process::id()));
    // What the programs are made of was compiled so, and is not compiled again.
    let list = skips.to_string_lossy().into_owned();
    let ran = cargo_with(&test, &[&linked[..], &[(SKIPS, list)]].concat());
    let skipped = fs::read_to_string(&skips).unwrap_or_default();
    let _ = fs::remove_file(&skips);
    if !skipped.is_empty() {
        say(&format!(
            "{} tests skipped:\n{skipped}",
            skipped.lines().count()
        ));
    }
    ran
}

fn needs_a_cluster(args: &[String]) -> bool {
    let args = args
        .iter()
        .map(String::as_str)
        .take_while(|arg| *arg != "--");
    let args: Vec<&str> = args.flat_map(|arg| arg.splitn(2, '=')).collect();
    let named = args.contains(&"cluster") || args.contains(&"tests");
    named || !args.iter().any(|arg| SELECTS.contains(arg))
}

fn build_cluster() -> Result<()> {
    let looked_at = env::var_os("CI").is_none();
    match Tools::here().and_then(|tools| tools.build(&Tool::ALL)) {
        // Beside a developer who has no Go the tests are only missed; where nobody looks they must not be.
        Err(error) if looked_at => say(&format!("{error:#}")),
        other => other?,
    }
    // A machine of somebody's is not ours to change.
    if let (Some(why), false) = (node::obstacle(), looked_at) {
        say(&why);
        node::install()?;
    }
    Ok(())
}

/// Looks at everything that is neither a test nor generated.
///
/// # Errors
/// If a step fails.
pub fn checks() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    let deny = ["deny", "check", "bans", "licenses", "sources"];
    if installed("deny") {
        cargo(&deny)?;
    } else {
        // Beside a developer who lacks it the check is only missed; where nobody looks it must not be.
        ensure!(env::var_os("CI").is_none(), "cargo-deny is not installed");
        say("skipped: cargo-deny is not installed (`cargo install --locked cargo-deny`)");
    }
    let clippy = ["clippy", "--workspace", "--all-targets"];
    cargo(&[&clippy[..], &["--", "--deny", "warnings"]].concat())?;
    let doc = ["doc", "--workspace", "--no-deps"];
    cargo_with(
        &[&doc[..], &["--document-private-items"]].concat(),
        &[("RUSTDOCFLAGS", "--deny warnings".to_owned())],
    )
}

/// Says on standard error what is done.
#[expect(
    clippy::print_stderr,
    reason = "a developer's command talks to a terminal"
)]
pub fn say(text: &str) {
    eprintln!("xtask: {text}");
}

fn cargo(args: &[&str]) -> Result<()> {
    cargo_with(args, &[])
}

pub(crate) fn cargo_with(args: &[&str], variables: &[(&str, String)]) -> Result<()> {
    say(&format!("cargo {}", args.join(" ")));
    let mut command = this_cargo();
    let variables = variables.iter().map(|(name, value)| (name, value));
    command.args(args).envs(variables);
    let status = command.status().context("cargo could not be started")?;
    if !status.success() {
        bail!("`cargo {}` failed: {status}", args.join(" "));
    }
    Ok(())
}

/// The folder that cargo builds into, where it built this program.
///
/// # Errors
/// If this program is nowhere.
pub(crate) fn target() -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(2).context("the target folder")?;
    Ok(target.to_path_buf())
}

fn installed(subcommand: &str) -> bool {
    let mut command = this_cargo();
    command.args([subcommand, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The cargo that runs this program, in the workspace's root.
fn this_cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::root());
    command
}

#[cfg(test)]
mod tests {
    use super::needs_a_cluster;

    #[test]
    fn a_cluster_is_built_for_whoever_may_use_it() {
        for (args, needs) in [
            ("", true),
            ("oracle", true),
            ("--test cluster admission", true),
            ("--test=cluster", true),
            ("--test hermetic oracle", false),
            ("--test=hermetic", false),
            ("-p countersign-policy", false),
            ("-p tests", true),
            ("--lib -- cluster", false),
            ("faults -- --test-threads 1", true),
        ] {
            let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
            assert_eq!(needs_a_cluster(&args), needs, "{args:?}");
        }
    }
}
