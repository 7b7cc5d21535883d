//! The flags of `countersign-controller`, each with a twin in the environment.

use crate::endpoint::args::EndpointArgs;
use crate::publication::{ClockRule, Terms};
use crate::signing::kms::{KmsEndpoint, KmsKeyName};
use clap::{CommandFactory, Parser, ValueEnum};
use countersign_ruleset::names::Cluster;
use countersign_ruleset::time::Seconds;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Keeps the signed rulesets of a cluster equal to what its resources mean.
///
/// It watches policies and what they name, compiles and signs the ruleset of each namespace, publishes
/// it, and says on every resource what became of it. Of several replicas one leads. Logs go to
/// standard error (`RUST_LOG` sets what is logged).
#[derive(Debug, Clone, Parser)]
#[command(name = "countersign-controller", version)]
pub struct Args {
    /// The namespace of the controller: its keys, its Lease and what it publishes are there.
    #[arg(
        long,
        env = "COUNTERSIGN_NAMESPACE",
        value_name = "NAME",
        default_value = "countersign-system"
    )]
    pub namespace: String,
    /// How the cluster is reached. Without it, as kubectl would: KUBECONFIG, or the pod's own account.
    #[arg(long, env = "COUNTERSIGN_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The installation, by the name that its trust documents have.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", value_name = "NAME")]
    pub cluster: Cluster,
    /// The name of this replica; no other may have it. Without it, the host's and a number by chance.
    #[arg(long, env = "COUNTERSIGN_IDENTITY", value_name = "NAME")]
    pub identity: Option<String>,
    /// The pinned trust document. Without it, the first that is published.
    #[arg(long, env = "COUNTERSIGN_TRUST_ROOT", value_name = "FILE")]
    pub trust_root: Option<PathBuf>,
    /// The signing key, in PEM. Without it, the Secret countersign-signing-keys, which is made if there
    /// is none.
    #[arg(long, env = "COUNTERSIGN_SIGN_WITH", value_name = "FILE")]
    pub sign_with: Option<PathBuf>,
    /// A version of a key of Google Cloud KMS that signs, in place of the Secret; where it was built with
    /// that. Several, the newest first: each signs as far as trust lets it.
    #[arg(
        long,
        env = "COUNTERSIGN_SIGN_WITH_KMS",
        value_name = "NAME",
        value_delimiter = ',',
        conflicts_with = "sign_with"
    )]
    pub sign_with_kms: Vec<KmsKeyName>,
    /// Ask this address of this machine, over plain http, in place of Google's KMS and of the metadata
    /// server.
    #[arg(long, env = "COUNTERSIGN_DANGER_KMS_ENDPOINT", value_name = "URL")]
    pub danger_kms_endpoint: Option<KmsEndpoint>,
    /// For how long a ruleset holds.
    #[arg(
        long,
        env = "COUNTERSIGN_VALID_FOR",
        value_name = "DURATION",
        default_value = "24h"
    )]
    pub valid_for: Seconds,
    /// For how long edges may serve it on after its end.
    #[arg(
        long,
        env = "COUNTERSIGN_STALE_FOR",
        value_name = "DURATION",
        default_value = "0s"
    )]
    pub stale_for: Seconds,
    /// The smallest `--max-age` of any edge: at a quarter of it rulesets are signed anew.
    #[arg(
        long,
        env = "COUNTERSIGN_SMALLEST_AGE",
        value_name = "DURATION",
        default_value = "1h"
    )]
    pub smallest_age: Seconds,
    /// Other places to publish to, after the cluster's own ConfigMaps: a directory, or gs://, s3://,
    /// az:// where it was built with them.
    #[arg(
        long,
        env = "COUNTERSIGN_MIRROR",
        value_name = "PLACE",
        value_delimiter = ','
    )]
    pub mirror: Vec<String>,
    /// Publish into each namespace too, as a ConfigMap that its pods can mount.
    #[arg(long, env = "COUNTERSIGN_MOUNT_CONFIGMAPS")]
    pub mount_configmaps: bool,
    /// Networks in which the providers of namespaces may be, beside the public ones.
    #[arg(
        long,
        env = "COUNTERSIGN_PROVIDER_CIDRS",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub provider_cidrs: Vec<IpNet>,
    /// Accept issuers over plain http on loopback.
    #[arg(long, env = "COUNTERSIGN_DANGER_ALLOW_HTTP_ISSUERS")]
    pub danger_allow_http_issuers: bool,
    /// Make a root key inside the cluster, sign with it once, and forget it: for trying things out. Keys
    /// can then never be rotated, and whoever rules the cluster ruled the root.
    #[arg(
        long,
        env = "COUNTERSIGN_DANGER_EVALUATION_TRUST",
        conflicts_with_all = ["trust_root", "sign_with", "sign_with_kms"]
    )]
    pub danger_evaluation_trust: bool,
    /// Where /healthz, /readyz and /metrics are told.
    #[arg(
        long,
        env = "COUNTERSIGN_ADMIN_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:9902"
    )]
    pub admin_listen: SocketAddr,
    /// The endpoint.
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// How logs are written.
    #[arg(long, env = "COUNTERSIGN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The command, for completions and pages.
pub fn command() -> clap::Command {
    Args::command()
}

impl Args {
    /// How publications hold.
    pub(crate) const fn terms(&self) -> Terms {
        Terms {
            valid_for: self.valid_for.0,
            stale_for: self.stale_for.0,
            smallest_age: self.smallest_age.0,
            clock: ClockRule::Strict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, command};
    use clap::Parser;

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_twin_in_the_environment() {
        for argument in command().get_arguments() {
            let Some(long) = argument
                .get_long()
                .filter(|it| !["help", "version"].contains(it))
            else {
                continue;
            };
            let twin = format!("COUNTERSIGN_{}", long.to_uppercase().replace('-', "_"));
            let env = argument.get_env().and_then(|it| it.to_str());
            assert_eq!(env, Some(twin.as_str()), "{long}");
        }
    }

    #[test]
    fn an_evaluation_takes_no_keys_of_others() {
        let of = |more: &[&str]| {
            let all = [&["countersign-controller", "--cluster", "prod"], more].concat();
            Args::try_parse_from(all)
        };
        assert!(of(&["--danger-evaluation-trust"]).is_ok());
        assert!(of(&["--danger-evaluation-trust", "--sign-with", "a.pem"]).is_err());
    }
}
