//! Where the keys are that a controller signs with: a Secret of its own, or a KMS.

use crate::Clock;
use crate::args::Args;
use crate::publication::NotPublished;
use crate::signing::Keyring;
#[cfg(feature = "gcp-kms")]
use crate::signing::kms::{Google, KmsKeys, NotByKms, Patience};
use crate::signing::secret::{KeySecret, NoKeys};
#[cfg(feature = "gcp-kms")]
use crate::signing::shown::Showcase;
use countersign_ruleset::key::KeyAlgorithm;
#[cfg(feature = "gcp-kms")]
use std::sync::Arc;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Keyless {
    #[error(transparent)]
    NoKeys(#[from] NoKeys),
    #[error("the keys cannot be shown: {0}")]
    NotShown(#[from] kube::Error),
    #[cfg(feature = "gcp-kms")]
    #[error("the KMS: {0}")]
    NotByKms(#[from] NotByKms),
    #[error("no key is made while something is published that cannot be verified: {0}")]
    Unverified(NotPublished),
    #[error(
        "the Secret countersign-signing-keys is gone, and what is published was signed by a key of it, \
         and holds until it expires. Put the Secret back; or `countersign keys rotate` has a new key \
         made, and lets a root key vouch for it"
    )]
    Lost,
    #[error("no trust could be made: {0}")]
    NoTrust(String),
}

impl Keyless {
    /// Whether it is not known what keys there are: then those that there were go on.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self, Self::NoKeys(NoKeys::Kube(_)) | Self::NotShown(_))
    }
}

/// Where they are.
#[derive(Debug)]
pub(super) enum Source {
    Secret(Box<KeySecret>),
    #[cfg(feature = "gcp-kms")]
    Kms {
        keys: KmsKeys,
        showcase: Box<Showcase>,
    },
}

impl Source {
    /// As the flags say.
    #[cfg(feature = "gcp-kms")]
    pub(super) fn new(client: &kube::Client, args: &Args, clock: Clock) -> Result<Self, Keyless> {
        if args.sign_with_kms.is_empty() {
            return Ok(Self::secret(client, args));
        }
        let google = Google::new(
            args.danger_kms_endpoint,
            Patience::default(),
            clock.monotonic,
        )?;
        Ok(Self::Kms {
            keys: KmsKeys::new(Arc::new(google), &args.sign_with_kms),
            showcase: Box::new(Showcase::new(client, &args.namespace)),
        })
    }

    /// As the flags say; run.rs refuses those that this build has no use for.
    #[cfg(not(feature = "gcp-kms"))]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "with a KMS there may be no connection"
    )]
    pub(super) fn new(client: &kube::Client, args: &Args, _: Clock) -> Result<Self, Keyless> {
        Ok(Self::secret(client, args))
    }

    fn secret(client: &kube::Client, args: &Args) -> Self {
        let algorithm = KeyAlgorithm::Ed25519;
        let secret = KeySecret::new(client, &args.namespace, algorithm);
        Self::Secret(Box::new(secret))
    }

    /// The keys; none where no Secret is.
    pub(super) async fn read(&mut self) -> Result<Option<Keyring>, Keyless> {
        match self {
            Self::Secret(secret) => Ok(secret.read().await?),
            #[cfg(feature = "gcp-kms")]
            Self::Kms { keys, .. } => Ok(Some(keys.keyring().await?)),
        }
    }

    /// A key more, if somebody asked for one. A KMS has its own ways to make one.
    pub(super) async fn rotate_if_asked(
        &self,
        milliseconds: u64,
    ) -> Result<Option<Keyring>, Keyless> {
        match self {
            Self::Secret(secret) => Ok(secret.rotate_if_asked(milliseconds).await?),
            #[cfg(feature = "gcp-kms")]
            Self::Kms { .. } => Ok(None),
        }
    }

    /// Shows the public halves.
    pub(super) async fn show(&self, keyring: &Keyring) -> Result<(), Keyless> {
        match self {
            Self::Secret(secret) => Ok(secret.show(keyring).await?),
            #[cfg(feature = "gcp-kms")]
            Self::Kms { showcase, .. } => Ok(showcase.show(keyring, None).await?),
        }
    }
}
