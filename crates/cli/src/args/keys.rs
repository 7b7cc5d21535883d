//! Flags of `countersign keys`.

use clap::{Subcommand, ValueEnum};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::names::Cluster;
use std::path::PathBuf;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a root key, a signing key, and the trust document that binds them.
    Generate(Generate),
    /// Sign in the key of a controller, or one from a file: edges take from then on what it signs.
    Adopt(Adopt),
    /// Make a new signing key and sign it in beside the one before.
    Rotate(Rotate),
    /// Take a signing key out: edges refuse from then on what it signed.
    Withdraw(Withdraw),
}

/// Where a controller is.
#[derive(Debug, Clone, clap::Args)]
pub struct InCluster {
    /// The controller's namespace.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "countersign-system",
        env = "COUNTERSIGN_NAMESPACE",
        hide_env_values = true
    )]
    pub namespace: String,
    /// The kubeconfig; without it, as kubectl would.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_KUBECONFIG",
        hide_env_values = true
    )]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without it, the current one.
    #[arg(
        long,
        value_name = "NAME",
        env = "COUNTERSIGN_CONTEXT",
        hide_env_values = true
    )]
    pub context: Option<String>,
}

/// Flags of `keys adopt`.
#[derive(Debug, clap::Args)]
pub struct Adopt {
    /// The folder with root.pem and trust/; both are made where there is neither.
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERSIGN_KEYS",
        hide_env_values = true
    )]
    pub keys: PathBuf,
    /// The installation, for the first trust document.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", hide_env_values = true)]
    pub cluster: Option<Cluster>,
    /// Sign in this key, in PEM, and touch no cluster.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_PUBLIC_KEY",
        hide_env_values = true
    )]
    pub public_key: Option<PathBuf>,
    /// The id that the key must have, as its controller logs it; any other is refused.
    #[arg(
        long,
        value_name = "ID",
        env = "COUNTERSIGN_KEY_ID",
        hide_env_values = true
    )]
    pub key_id: Option<String>,
    /// Where the controller is.
    #[command(flatten)]
    pub place: InCluster,
}

/// Flags of `keys rotate`.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// The folder with root.pem and trust/.
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERSIGN_KEYS",
        hide_env_values = true
    )]
    pub keys: PathBuf,
    /// Write the new key here, and touch no cluster; without it, the controller makes one.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_NEW_KEY",
        hide_env_values = true
    )]
    pub new_key: Option<PathBuf>,
    /// How the key in that file signs.
    #[arg(long, value_enum, default_value_t = Algorithm::Ed25519, env = "COUNTERSIGN_ALGORITHM", hide_env_values = true)]
    pub algorithm: Algorithm,
    /// Where the controller is.
    #[command(flatten)]
    pub place: InCluster,
}

/// Flags of `keys withdraw`.
#[derive(Debug, clap::Args)]
pub struct Withdraw {
    /// The folder with root.pem and trust/.
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERSIGN_KEYS",
        hide_env_values = true
    )]
    pub keys: PathBuf,
    /// The key's id, or eight characters of its begin or more.
    #[arg(
        long,
        value_name = "ID",
        env = "COUNTERSIGN_KEY_ID",
        hide_env_values = true
    )]
    pub key_id: String,
    /// The key was stolen: wait for nothing that it signed to be signed anew.
    #[arg(long, env = "COUNTERSIGN_STOLEN", hide_env_values = true)]
    pub stolen: bool,
    /// Write the document into the folder, and touch no cluster.
    #[arg(long, env = "COUNTERSIGN_OFFLINE", hide_env_values = true)]
    pub offline: bool,
    /// Where the controller is.
    #[command(flatten)]
    pub place: InCluster,
}

/// Flags of `keys generate`.
#[derive(Debug, clap::Args)]
pub struct Generate {
    /// The installation: its name is bound into every document.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", hide_env_values = true)]
    pub cluster: Cluster,
    /// The folder for root.pem, signing.pem and trust/1.json. Nothing in it is overwritten.
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERSIGN_OUT",
        hide_env_values = true
    )]
    pub out: PathBuf,
    /// How the keys sign.
    #[arg(long, value_enum, default_value_t = Algorithm::Ed25519, env = "COUNTERSIGN_ALGORITHM", hide_env_values = true)]
    pub algorithm: Algorithm,
}

/// How keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA with P-256, for FIPS.
    P256,
}

impl From<Algorithm> for KeyAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519,
            Algorithm::P256 => Self::EcdsaP256,
        }
    }
}
