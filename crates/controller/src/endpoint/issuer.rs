//! Whose tokens count at the endpoint: the cluster's own issuer, asked of the API server now and then.

use crate::provider_keys::OwnIssuer;
use countersign_policy::jwks::FetchedKeys;
use countersign_ruleset::time::UnixTime;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often its keys are asked for: a key that is withdrawn counts no longer than that.
const EVERY: Duration = Duration::from_mins(5);

/// How soon again after it could not be asked.
const SOON: Duration = Duration::from_secs(10);

/// An issuer, and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// What it is called in a token.
    pub name: String,
    /// Its keys, whole.
    pub keys: FetchedKeys,
}

/// Asks as long as the future is driven; what was known is kept while there is no answer.
pub fn follow(
    client: kube::Client,
    clock: fn() -> UnixTime,
) -> (
    watch::Receiver<Option<Arc<Issuer>>>,
    impl Future<Output = ()>,
) {
    let (tell, told) = watch::channel(None);
    let asking = async move {
        loop {
            let wait = match ask(&client, clock()).await {
                Ok(issuer) => {
                    tell.send_replace(Some(Arc::new(issuer)));
                    EVERY
                }
                Err(error) => {
                    tracing::warn!(%error, "the cluster's own issuer could not be asked for its keys");
                    SOON
                }
            };
            tokio::time::sleep(wait).await;
        }
    };
    (told, asking)
}

async fn ask(
    client: &kube::Client,
    now: UnixTime,
) -> Result<Issuer, crate::provider_keys::NoIssuer> {
    let own = OwnIssuer::discover(client).await?;
    let answer = own.keys(now).await?;
    Ok(Issuer {
        name: own.issuer().to_owned(),
        keys: answer.keys,
    })
}
