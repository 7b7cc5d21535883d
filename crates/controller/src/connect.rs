//! The connection to an API server: from inside a pod, or by a kubeconfig.

use kube::config::{KubeConfigOptions, Kubeconfig};
use std::path::Path;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// There is no kubeconfig, or it cannot be used.
    #[error("the kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// There is neither a kubeconfig nor a pod's service account.
    #[error("expected a kubeconfig, or to be run in a pod: {0}")]
    Nowhere(#[from] kube::config::InferConfigError),
    /// What it says cannot be followed.
    #[error(transparent)]
    Client(#[from] kube::Error),
}

/// Connects as the kubeconfig says, the one that is named or the usual one (`KUBECONFIG`,
/// `~/.kube/config`), to its current context or the one that is named; where nothing is named and there
/// is none, as the pod that this runs in.
///
/// # Errors
/// If there is neither, or what is written there cannot be followed.
pub async fn connect(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<kube::Client, NotConnected> {
    let config = if kubeconfig.is_none() && context.is_none() {
        kube::Config::infer().await?
    } else {
        let file = kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from)?;
        let options = KubeConfigOptions {
            context: context.map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        kube::Config::from_custom_kubeconfig(file, &options).await?
    };
    Ok(kube::Client::try_from(config)?)
}
