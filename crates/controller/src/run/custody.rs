//! Cares for the signing keys: made once, shown for adoption, added to when asked for, and said when lost.

use crate::Clock;
use crate::args::Args;
use crate::lease::Leading;
use crate::publication::{Expected, Key, Moment, Publisher, Store, WriteError};
use crate::signing::Keyring;
use crate::signing::evaluation_trust;
use crate::signing::secret::KeySecret;
use countersign_ruleset::key::PublicKey;
use countersign_ruleset::names::Cluster;
use source::{Keyless, Source};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

mod source;

/// How often the keys, and what is asked, are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// Whose keys are published with.
pub(super) struct Custody {
    source: Source,
    cluster: Cluster,
    clock: Clock,
    publisher: Arc<Publisher>,
    store: Arc<dyn Store>,
    leading: watch::Receiver<Leading>,
    /// Whether trust is made inside the cluster.
    evaluation: bool,
    /// The keys that are published with.
    keys: Option<Vec<PublicKey>>,
    /// The trust document that was seen last.
    trust: Option<u64>,
    /// Whether there are other keys, or other trust, than when it was said last.
    news: bool,
}

impl Custody {
    pub(super) fn new(
        client: &kube::Client,
        args: &Args,
        clock: Clock,
        publisher: Arc<Publisher>,
        store: Arc<dyn Store>,
        leading: watch::Receiver<Leading>,
    ) -> Result<Self, Keyless> {
        Ok(Self {
            source: Source::new(client, args, clock)?,
            cluster: args.cluster.clone(),
            clock,
            publisher,
            store,
            leading,
            evaluation: args.danger_evaluation_trust,
            keys: None,
            trust: None,
            news: false,
        })
    }

    /// Cares for them as long as it is driven; `changed` is called when there are other keys, or other
    /// trust.
    pub(super) async fn run(mut self, changed: impl Fn()) {
        loop {
            let was = self.leads();
            let looked = if was {
                self.turn().await
            } else {
                self.peek().await
            };
            if let Err(error) = looked {
                tell_lack(&error);
            }
            if std::mem::take(&mut self.news) && was {
                changed();
            }
            let other = async {
                // who leads is news only if it changes: the lease is renewed every other second
                while self.leading.changed().await.is_ok() {
                    if self.leading.borrow().is_some() != was {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = other => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    fn leads(&self) -> bool {
        let now = (self.clock.monotonic)();
        self.leading.borrow().is_some_and(|until| until > now)
    }

    /// Looks without a hand on anything, so that whoever leads next has the keys from its first moment.
    async fn peek(&mut self) -> Result<(), Keyless> {
        if let Some(keyring) = self.source.read().await? {
            self.take_up(&keyring);
        }
        Ok(())
    }

    /// Looks once, and sees to what is to be done.
    async fn turn(&mut self) -> Result<(), Keyless> {
        let (keyring, lack) = match self.keyring().await {
            Ok(keyring) => (keyring, None),
            Err(error) if error.is_passing() => return Err(error),
            // a key that one replica alone remembers would sign until that one ends, and nobody would
            // have looked for it before
            Err(error) => (Keyring::none(&error.to_string()), Some(error)),
        };
        self.take_up(&keyring);
        self.source.show(&keyring).await?;
        if let Some(error) = lack {
            return Err(error);
        }
        if self.evaluation {
            self.evaluate(&keyring).await?;
        }
        let trust = self.publisher.trust(self.moment()).await.ok();
        let version = trust.map(|it| it.version);
        self.news |= version != self.trust;
        self.trust = version;
        Ok(())
    }

    fn take_up(&mut self, keyring: &Keyring) {
        let keys: Vec<PublicKey> = keyring.public_keys().cloned().collect();
        if self.keys.as_ref() != Some(&keys) {
            self.publisher.take_up(keyring.clone());
            tell_newest(keys.first());
            self.keys = Some(keys);
            self.news = true;
        }
    }

    /// The keys that there are: with one more, if somebody asked for it; the first, if there is none.
    async fn keyring(&mut self) -> Result<Keyring, Keyless> {
        let milliseconds = (self.clock.milliseconds)();
        match (self.source.read().await?, &self.source) {
            (Some(keyring), source) => {
                let trust = self.publisher.trust(self.moment()).await.ok();
                // one that no root has signed in yet is new enough for whoever asks
                if keyring.awaiting(trust.as_ref()).is_some() {
                    return Ok(keyring);
                }
                // whatever comes of it, those that there are go on
                match source.rotate_if_asked(milliseconds).await {
                    Ok(rotated) => Ok(rotated.unwrap_or(keyring)),
                    Err(error) => {
                        tell_unmade(&error);
                        Ok(keyring)
                    }
                }
            }
            (None, Source::Secret(secret)) => self.first(secret, milliseconds).await,
            #[cfg(feature = "gcp-kms")]
            (None, Source::Kms { .. }) => Ok(Keyring::default()),
        }
    }

    /// Makes the first key. Where something is published, a key was lost, or this is another's cluster:
    /// the one is made good only if somebody asks for it, and the other is never covered up.
    async fn first(&self, secret: &KeySecret, milliseconds: u64) -> Result<Keyring, Keyless> {
        let scopes = self.publisher.scopes().await.map_err(Keyless::Unverified)?;
        for scope in &scopes {
            let last = self.publisher.last(scope, self.moment()).await;
            last.map_err(Keyless::Unverified)?;
        }
        let word = secret.asked().await?;
        if !scopes.is_empty() && word.is_none() {
            return Err(Keyless::Lost);
        }
        tracing::warn!("there is no signing key: one is made, and a root key has to vouch for it");
        Ok(secret.first(milliseconds, word.as_deref()).await?)
    }

    /// Makes trust inside the cluster, if there is none.
    async fn evaluate(&self, keyring: &Keyring) -> Result<(), Keyless> {
        let key = Key::Trust(1);
        let failed = |error: &dyn std::fmt::Display| Keyless::NoTrust(error.to_string());
        let there = self
            .store
            .read(&key)
            .await
            .map_err(|error| failed(&error))?;
        let (None, Some(signing)) = (there, keyring.public_keys().next()) else {
            return Ok(());
        };
        let now = (self.clock.now)();
        let trust = evaluation_trust(self.cluster.clone(), signing.clone(), now);
        let trust = trust.map_err(|error| failed(&error))?;
        match self.store.write(&key, &trust, Expected::Absent).await {
            Ok(_) | Err(WriteError::Conflict) => {
                tracing::warn!(
                    "TRUST WAS MADE INSIDE THE CLUSTER, for evaluation: it guards nothing that matters, and its keys cannot be rotated"
                );
                Ok(())
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            now: (self.clock.now)(),
            milliseconds: (self.clock.milliseconds)(),
        }
    }
}

fn tell_lack(error: &Keyless) {
    tracing::error!(%error, "the signing keys are not at hand");
}

fn tell_unmade(error: &Keyless) {
    tracing::error!(%error, "a key was asked for, and not made");
}

/// By this id a key that is shown can be told from one that somebody else shows.
fn tell_newest(key: Option<&PublicKey>) {
    if let Some(key) = key {
        tracing::info!(key_id = %key.id(), "the newest signing key");
    }
}
