//! Runs cargo, one step after another, and says what it runs.

use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::process::{Command, Stdio};

/// Builds the programs, then runs every test against them.
///
/// # Errors
/// If a step fails.
pub fn tests(args: &[String]) -> Result<()> {
    // First, and with the features of the whole workspace: the end-to-end tests start the programs,
    // and would otherwise build them while the other tests run.
    cargo(&["build", "--workspace", "--bins"])?;
    let mut test = vec!["test", "--workspace"];
    test.extend(args.iter().map(String::as_str));
    cargo(&test)
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
        &[("RUSTDOCFLAGS", "--deny warnings")],
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

fn cargo_with(args: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    say(&format!("cargo {}", args.join(" ")));
    let mut command = this_cargo();
    command.args(args).envs(variables.iter().copied());
    let status = command.status().context("cargo could not be started")?;
    if !status.success() {
        bail!("`cargo {}` failed: {status}", args.join(" "));
    }
    Ok(())
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
