//! What a controller is started with: its client, its name, its keys, as the flags and the machine say.

use crate::args::Args;
use crate::provider_keys::{Asked, NoIssuer, OwnIssuer, Rules};
use crate::publication::{
    Authority, Document, Mirror, Mirrors, Mounted, Store, StoreMirror, mirror_at,
};
use crate::signing::{Keyring, SigningService};
use anyhow::{Context, Result};
use countersign_ruleset::sign::SigningKey;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// How soon the API server is asked again which issuer it is.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon it is asked again once it said that it has none: what it is started with may be changed.
const LATER: Duration = Duration::from_mins(1);

/// Refuses what this build cannot do, before anything is done.
pub(super) fn expect_built(args: &Args) -> Result<()> {
    anyhow::ensure!(
        args.sign_with_kms.is_empty() || cfg!(feature = "gcp-kms"),
        "--sign-with-kms: this build asks no KMS; it is the feature `gcp-kms`"
    );
    Ok(())
}

/// How long an API server may be silent in the middle of an answer. One that never answers would
/// otherwise hold up whoever asked, while the lease goes on.
const SILENT: Duration = Duration::from_secs(30);

/// The same in a watch, which the API server ends by itself after 290 s.
const SILENT_WATCH: Duration = Duration::from_secs(330);

/// Two connections to one API server.
pub(super) struct Clients {
    /// For what is answered at once.
    pub(super) asking: Client,
    /// For watches.
    pub(super) watching: Client,
}

pub(super) async fn clients(args: &Args) -> Result<Clients> {
    let config = config(args).await?;
    let client = |silent| {
        let mut config = config.clone();
        config.read_timeout = Some(silent);
        Client::try_from(config)
    };
    Ok(Clients {
        asking: client(SILENT)?,
        watching: client(SILENT_WATCH)?,
    })
}

async fn config(args: &Args) -> Result<kube::Config> {
    let config = match &args.kubeconfig {
        None => kube::Config::infer().await.context("no cluster is named")?,
        Some(file) => {
            let of = || format!("--kubeconfig {}", file.display());
            let file = Kubeconfig::read_from(file).with_context(of)?;
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(file, &options).await;
            config.with_context(of)?
        }
    };
    Ok(config)
}

/// Asks the API server which issuer it is, as long as it is driven.
pub(super) fn own_issuer(
    client: Client,
) -> (watch::Receiver<Asked>, impl Future<Output = ()> + Send) {
    let (tell, told) = watch::channel(Asked::default());
    (told, ask(client, tell))
}

async fn ask(client: Client, tell: watch::Sender<Asked>) {
    loop {
        let error = match OwnIssuer::discover(&client).await {
            Ok(issuer) => {
                tell.send_replace(Asked::Is(issuer));
                return std::future::pending().await;
            }
            Err(error) => error,
        };
        let is_final = is_final(&error);
        tracing::warn!(%error, is_final, "the cluster's own issuer is not known");
        if is_final {
            tell.send_if_modified(|asked| {
                let is_news = asked.is_open();
                *asked = Asked::NotSaid;
                is_news
            });
        }
        tokio::time::sleep(if is_final { LATER } else { AGAIN }).await;
    }
}

/// Whether it was an answer: that there is no issuer, or none of which tokens could be told. An API
/// server that has too much to do, or does not know this controller yet, has said nothing of it.
fn is_final(error: &NoIssuer) -> bool {
    match error {
        NoIssuer::Refused { because, .. } => {
            matches!(because, kube::Error::Api(status) if status.code == 404)
        }
        NoIssuer::Unfit { .. } => true,
    }
}

/// Where providers' keys may be fetched from. Whoever may write a namespace's resources reads its
/// statuses, and must not learn from them what is in the cluster's network.
pub(super) fn rules(args: &Args) -> Rules {
    Rules {
        http_on_loopback: args.danger_allow_http_issuers,
        allowed: args.provider_cidrs.clone(),
        discreet: true,
    }
}

/// Who publishes: what the flags name, or nobody yet.
pub(super) fn authority(args: &Args) -> Result<Authority> {
    let key = args.sign_with.as_deref().map(signing_key).transpose()?;
    Ok(Authority {
        cluster: args.cluster.clone(),
        trust: pinned(args)?.into_iter().collect(),
        keyring: Keyring::new(key.into_iter().collect()),
    })
}

/// The other places that the flags name.
pub(super) fn mirrors(args: &Args, client: &Client, primary: &Arc<dyn Store>) -> Result<Mirrors> {
    let mut mirrors: Vec<Box<dyn Mirror>> = Vec::new();
    if args.mount_configmaps {
        mirrors.push(Box::new(Mounted::new(client.clone())));
    }
    // whatever an edge may hold names blobs that must still be there
    let grace = args.valid_for.0.saturating_add(args.stale_for.0);
    for place in &args.mirror {
        let store = mirror_at(place).with_context(|| format!("--mirror {place}"))?;
        mirrors.push(Box::new(StoreMirror::new(place.clone(), store, grace)));
    }
    Ok(Mirrors::new(Arc::clone(primary), mirrors))
}

/// The pinned trust document, if the flags name one.
pub(super) fn pinned(args: &Args) -> Result<Option<Document>> {
    args.trust_root.as_deref().map(document).transpose()
}

fn document(path: &Path) -> Result<Document> {
    let place = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("--trust-root {place}"))?;
    Ok(Document { place, bytes })
}

fn signing_key(path: &Path) -> Result<Arc<dyn SigningService>> {
    let of = || format!("--sign-with {}", path.display());
    let pem = Zeroizing::new(std::fs::read_to_string(path).with_context(of)?);
    Ok(Arc::new(SigningKey::from_pem(&pem).with_context(of)?))
}

/// A name that no other replica has: a host's may be another's later, while the first still runs.
pub(super) fn identity() -> Result<String> {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "controller".to_owned());
    let mut chance = [0; 8];
    aws_lc_rs::rand::fill(&mut chance)
        .ok()
        .context("no chance")?;
    Ok(format!("{host}_{:016x}", u64::from_be_bytes(chance)))
}

/// A number from 0 to 1,000, by chance; the middle, if there is none.
pub(super) fn spread() -> u64 {
    let mut chance = [0; 2];
    match aws_lc_rs::rand::fill(&mut chance) {
        Ok(()) => u64::from(u16::from_be_bytes(chance)).wrapping_rem(1_001),
        Err(_) => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::is_final;
    use crate::provider_keys::NoIssuer;
    use kube::core::Status;

    /// Too many requests, or a role that is bound a moment later, must not take every service account's
    /// access away for as long as this runs.
    #[test]
    fn that_an_api_server_will_not_answer_now_is_no_answer() {
        let refused = |code: u16| {
            let status = Status::failure("no", "No").with_code(code);
            is_final(&NoIssuer::Refused {
                path: "/.well-known/openid-configuration",
                because: kube::Error::Api(Box::new(status)),
            })
        };
        for code in [401, 403, 408, 429, 500, 503] {
            assert!(!refused(code), "{code}");
        }
        assert!(refused(404));
        let unfit = NoIssuer::Unfit {
            path: "/.well-known/openid-configuration",
            because: "expected the member `issuer`, got none".to_owned(),
        };
        assert!(is_final(&unfit));
    }
}
