//! The commands and their flags. Each flag can be set by its `COUNTERSIGN_` variable too.

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::time::Seconds;
use std::net::SocketAddr;
use std::path::PathBuf;

mod explain;
mod keys;

pub use explain::Explain;
pub use keys::{Adopt, Algorithm, Generate, InCluster, KeysCommand, Rotate, Withdraw};

/// Access policies for services: write them, check them, try them out, publish them.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Args {
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, env = "COUNTERSIGN_OUTPUT", hide_env_values = true)]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: one JSON document, and of `dev` one a line.
    Json,
    /// `check` only: SARIF 2.1.0, for code scanning.
    Sarif,
    /// `check` only: `JUnit` XML, for test reports.
    Junit,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: compile, sign, and enforce before a sample service.
    ///
    /// Watches the folder, puts each change in force within a second, and plays every identity
    /// provider of the manifests, so that production's own manifests can be tried as they are.
    Dev(Dev),
    /// Say what is wrong with manifests, with file and line.
    ///
    /// Ends with 1 if anything gives no access that was meant to, or cannot be read at all.
    Check(Check),
    /// Compile manifests to signed rulesets.
    ///
    /// What cannot be read publishes nothing. What can be read but is wrong gives no access: it is
    /// said, and the rest is published.
    Compile(Compile),
    /// Say why a request would be allowed or denied: rule by rule, the nearest first.
    ///
    /// Compiles the manifests, and asks the edge's own engine. Each part of a rule is shown with what
    /// it expects and what it got. Ends with 0 if the request is allowed, with 1 if it is denied. The
    /// token is not shown; claims are, as far as the rules ask for them.
    Explain(Explain),
    /// Say what an edge would put in force, or why it would not.
    Verify(Verify),
    /// Make the keys that rulesets are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
}

/// Flags of `dev`.
#[derive(Debug, clap::Args)]
pub struct Dev {
    /// The folder with the manifests.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The service to stand before, such as `http://127.0.0.1:9000`; if none is given, a sample that
    /// answers with what reached it.
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_UPSTREAM",
        hide_env_values = true
    )]
    pub upstream: Option<String>,
    /// Where the edge listens.
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "COUNTERSIGN_LISTEN",
        hide_env_values = true
    )]
    pub listen: SocketAddr,
}

/// Flags of `check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The folders, or files, with the manifests.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
}

/// Flags of `compile`.
#[derive(Debug, clap::Args)]
pub struct Compile {
    /// The folders, or files, with the manifests.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The installation, as its trust document names it.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", hide_env_values = true)]
    pub cluster: Cluster,
    /// The signing key.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_SIGN_WITH",
        hide_env_values = true
    )]
    pub sign_with: PathBuf,
    /// The trust document that edges are pinned to; later versions beside it are followed.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_TRUST",
        hide_env_values = true
    )]
    pub trust: PathBuf,
    /// The folder to publish to.
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERSIGN_OUT",
        hide_env_values = true
    )]
    pub out: PathBuf,
    /// A namespace's UID, so that a namespace made anew by someone else is another. Repeatable.
    #[arg(
        long = "scope-uid",
        value_name = "SCOPE=UID",
        value_delimiter = ',',
        env = "COUNTERSIGN_SCOPE_UID",
        hide_env_values = true
    )]
    pub scope_uids: Vec<ScopeUid>,
    /// For how long the rulesets hold.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        env = "COUNTERSIGN_VALID_FOR",
        hide_env_values = true
    )]
    pub valid_for: Seconds,
    /// For how long edges may serve them on after that, if they get no newer ones.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0s",
        env = "COUNTERSIGN_STALE_FOR",
        hide_env_values = true
    )]
    pub stale_for: Seconds,
    /// Fetch providers' keys over plain http, too, from this machine only.
    #[arg(
        long,
        env = "COUNTERSIGN_DANGER_ALLOW_HTTP_ISSUERS",
        hide_env_values = true
    )]
    pub danger_allow_http_issuers: bool,
}

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The folder that was published to.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The trust document that edges are pinned to.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_TRUST_ROOT",
        hide_env_values = true
    )]
    pub trust_root: PathBuf,
    /// The installation.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", hide_env_values = true)]
    pub cluster: Cluster,
    /// One namespace, repeatable; if none is given, every one that is there.
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        value_delimiter = ',',
        env = "COUNTERSIGN_SCOPE",
        hide_env_values = true
    )]
    pub scopes: Vec<Scope>,
}

/// A namespace and its UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeUid {
    /// The namespace.
    pub scope: Scope,
    /// Its UID.
    pub uid: String,
}

impl std::str::FromStr for ScopeUid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').filter(|(_, uid)| {
            let known = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
            (1..=64).contains(&uid.len()) && uid.bytes().all(known)
        });
        let (scope, uid) = parts.ok_or_else(|| format!("expected SCOPE=UID, got `{text}`"))?;
        let scope = scope.parse().map_err(|error| format!("{error}"))?;
        Ok(Self {
            scope,
            uid: uid.to_owned(),
        })
    }
}

/// The command line, for the pages that are made from it.
pub fn command() -> clap::Command {
    Args::command()
}

#[cfg(test)]
mod tests {
    use super::{Args, ScopeUid, command};
    use clap::Parser;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_variable() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                let Some(long) = argument.get_long() else {
                    continue;
                };
                if ["help", "version"].contains(&long) {
                    continue;
                }
                let variable = format!("COUNTERSIGN_{}", long.replace('-', "_").to_uppercase());
                let got = argument.get_env().and_then(|name| name.to_str());
                assert_eq!(got, Some(variable.as_str()), "{}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&command());
    }

    #[test]
    fn pipelines_may_rely_on_these_flags() {
        let lines = [
            "keys generate --cluster prod --out keys/",
            "keys generate --cluster prod --out keys/ --algorithm p256",
            "compile a b --cluster prod --sign-with keys/signing.pem --trust keys/trust/1.json --out published/",
            "compile a --cluster prod --sign-with k --trust t --out o --scope-uid shop=1-2 --valid-for 24h --stale-for 0s --danger-allow-http-issuers",
            "verify published/ --trust-root keys/trust/1.json --cluster prod --scope shop",
            "check a b --output json",
            "explain a --target Host/orders.example.com --scope shop --request GET+https://a -H a:b -H c:d --token-file t --body b --at 2026-11-24T12:00:00Z --source 10.0.0.1",
            "dev a --upstream http://127.0.0.1:9000 --listen 127.0.0.1:0",
        ];
        for line in lines {
            let words = std::iter::once("countersign").chain(line.split(' '));
            let parsed = Args::try_parse_from(words);
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
    }

    #[test]
    fn a_scope_s_uid_is_a_pair() {
        let pair: ScopeUid = "shop=0b5c-1".parse().unwrap();
        assert_eq!((pair.scope.as_str(), pair.uid.as_str()), ("shop", "0b5c-1"));
        for bad in ["shop", "shop=", "Shop=1", "=1", "shop=a b"] {
            assert!(bad.parse::<ScopeUid>().is_err(), "{bad}");
        }
    }
}
