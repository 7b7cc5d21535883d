//! `countersign keys adopt`, `rotate`, `withdraw`: the next trust document, signed by the root key.

use super::trusted::{Folder, Trusted};
use super::{create, signed};
use crate::args::{Adopt, InCluster, Rotate, Withdraw};
use crate::report::Answer;
use crate::{Clock, Exit, Misused, signing};
use anyhow::{Context, Result};
use countersign_controller::Client;
use countersign_controller::publication::{ConfigMaps, Store};
use countersign_controller::signing::shown::{self, NotShown};
use countersign_controller::signing::succession;
use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use countersign_ruleset::names::Cluster;
use countersign_ruleset::sign::{Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{MAX_VALIDITY, Trust};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often a controller is looked at that was asked for a key, and for how long.
const PATIENCE: (u32, Duration) = (120, Duration::from_millis(500));

/// Signs in a controller's key, or one from a file.
pub(crate) fn adopt(args: &Adopt, clock: Clock) -> Result<Answer> {
    let folder = Folder(args.keys.clone());
    let wanted = Wanted {
        folder: &folder,
        cluster: args.cluster.as_ref(),
        key_id: args.key_id.as_deref(),
        now: (clock.seconds)(),
    };
    if let Some(path) = &args.public_key {
        let key = public_key(path)?;
        return block_on(wanted.sign_in(&key, None));
    }
    block_on(async {
        let client = connect(&args.place).await?;
        let (namespace, id) = (&args.place.namespace, args.key_id.as_deref());
        let key = shown::newest(&client, namespace, id).await?;
        let store = ConfigMaps::new(client, &args.place.namespace);
        wanted.sign_in(&key, Some(&store)).await
    })
}

/// Has a new key made, and signs it in beside the one before.
pub(crate) fn rotate(args: &Rotate, clock: Clock) -> Result<Answer> {
    let folder = Folder(args.keys.clone());
    let wanted = Wanted {
        folder: &folder,
        cluster: None,
        key_id: None,
        now: (clock.seconds)(),
    };
    if let Some(path) = &args.new_key {
        let key = SigningKey::generate(KeyAlgorithm::from(args.algorithm))?;
        create(path, key.to_pem()?.as_bytes(), 0o600)?;
        return block_on(wanted.sign_in(key.public_key(), None));
    }
    let word = (clock.milliseconds)().to_string();
    block_on(async {
        let (client, namespace) = (connect(&args.place).await?, &args.place.namespace);
        let store = ConfigMaps::new(client.clone(), namespace);
        let trusted = Trusted::read(&folder, Some(&store)).await?;
        let latest = trusted.expect_latest()?;
        let is_signed_in = |key: &PublicKey| latest.key_ids().any(|id| id == key.id());
        let key = match newest(&client, namespace).await? {
            // it was asked for before, and nobody came to sign it in
            Some(key) if !is_signed_in(&key) => key,
            before => {
                shown::ask(&client, namespace, &word).await?;
                other(&client, namespace, before.as_ref()).await?
            }
        };
        wanted.sign_in(&key, Some(&store)).await
    })
}

/// Takes a key out.
pub(crate) fn withdraw(args: &Withdraw, clock: Clock) -> Result<Answer> {
    let folder = Folder(args.keys.clone());
    let now = (clock.seconds)();
    block_on(async {
        let namespace = &args.place.namespace;
        let store = if args.offline {
            None
        } else {
            Some(ConfigMaps::new(connect(&args.place).await?, namespace))
        };
        let store = dynamic(store.as_ref());
        let mut trusted = Trusted::read(&folder, store).await?;
        let latest = trusted.expect_latest()?;
        let next = succession::without(latest, &args.key_id, now)?;
        if let Some(store) = store.filter(|_| !args.stolen) {
            signed::by_others_than(store, &args.key_id).await?;
        }
        let said = format!("without the key {}", args.key_id);
        trusted.issue(&next, &folder.root()?)?;
        trusted.write(&folder, store).await?;
        Ok(answer(&folder, &next, &said, store.is_some()))
    })
}

/// What a key is signed in with.
struct Wanted<'w> {
    folder: &'w Folder,
    cluster: Option<&'w Cluster>,
    key_id: Option<&'w str>,
    now: UnixTime,
}

impl Wanted<'_> {
    async fn sign_in(&self, key: &PublicKey, store: Option<&dyn Store>) -> Result<Answer> {
        let id = key.id();
        if let Some(expected) = self.key_id
            && expected != id.as_str()
        {
            anyhow::bail!("expected the key {expected}, got {id}: nothing was signed");
        }
        let mut trusted = Trusted::read(self.folder, store).await?;
        let (next, root) = if let Some(latest) = trusted.latest() {
            self.expect_cluster(&latest.cluster)?;
            match succession::with(latest, key, self.now) {
                Err(succession::NoSuccessor::Held { .. }) => {
                    let held = latest.clone();
                    trusted.write(self.folder, store).await?;
                    let said = format!("holds the key {id} already");
                    return Ok(answer(self.folder, &held, &said, store.is_some()));
                }
                next => (next?, self.folder.root()?),
            }
        } else {
            self.first(key)?
        };
        trusted.issue(&next, &root)?;
        trusted.write(self.folder, store).await?;
        let said = format!("with the key {id}");
        Ok(answer(self.folder, &next, &said, store.is_some()))
    }

    /// The document that begins a chain, and the root key that may sign what follows.
    fn first(&self, key: &PublicKey) -> Result<(Trust, SigningKey)> {
        let cluster = self.cluster.ok_or_else(|| {
            Misused("expected --cluster, for there is no trust document yet".to_owned())
        })?;
        super::expect_own_name(cluster)?;
        let root = self.folder.root_or_new()?;
        let end = self.now.plus(MAX_VALIDITY);
        let public = root.public_key().clone();
        Ok((
            Trust::first(cluster.clone(), public, key.clone(), end),
            root,
        ))
    }

    fn expect_cluster(&self, cluster: &Cluster) -> Result<()> {
        match self.cluster {
            Some(wanted) if wanted != cluster => Err(Misused(format!(
                "expected --cluster {cluster}, as in {}, got {wanted}",
                self.folder.0.display()
            ))
            .into()),
            _ => Ok(()),
        }
    }
}

fn dynamic(store: Option<&ConfigMaps>) -> Option<&dyn Store> {
    let store: &ConfigMaps = store?;
    Some(store)
}

fn answer(folder: &Folder, trust: &Trust, said: &str, in_cluster: bool) -> Answer {
    let path = folder.document(trust.version);
    let place = if in_cluster {
        "and in the cluster, where the controller and its edges find it"
    } else {
        "publish it beside the others"
    };
    Answer {
        findings: Vec::new(),
        lines: vec![
            format!(
                "trust document {}: {said}; until {}",
                trust.version, trust.expires_at
            ),
            format!("{}: {place}", path.display()),
        ],
        json: json!({
            "cluster": trust.cluster,
            "version": trust.version,
            "trust": path,
            "expiresAt": trust.expires_at.to_string(),
        }),
        exit: Exit::Fine,
    }
}

/// The newest key; none if the one that was is lost.
async fn newest(client: &Client, namespace: &str) -> Result<Option<PublicKey>> {
    match shown::newest(client, namespace, None).await {
        Err(NotShown::None) => Ok(None),
        newest => Ok(Some(newest?)),
    }
}

/// Waits for another key than the one before.
async fn other(client: &Client, namespace: &str, before: Option<&PublicKey>) -> Result<PublicKey> {
    let (times, pause) = PATIENCE;
    let mut differ = None;
    for _ in 0..times {
        match shown::newest(client, namespace, None).await {
            Ok(key) if Some(&key) != before => return Ok(key),
            Ok(_) | Err(NotShown::None | NotShown::Unvouched(_)) => differ = None,
            // the Secret is written first
            Err(error @ NotShown::Other { .. }) => differ = Some(error),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
    }
    if let Some(error) = differ {
        return Err(error.into());
    }
    anyhow::bail!(
        "expected the controller to show a new key within a minute, got none: does one of its replicas \
         lead, and are its keys in the Secret?"
    )
}

fn public_key(path: &Path) -> Result<PublicKey> {
    let pem = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    PublicKey::from_pem(&pem).with_context(|| path.display().to_string())
}

async fn connect(place: &InCluster) -> Result<Client> {
    let (file, context) = (place.kubeconfig.as_deref(), place.context.as_deref());
    let client = countersign_controller::connect(file, context).await;
    client.context("no connection to the cluster: --public-key FILE needs none")
}

fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    signing::runtime()?.block_on(future)
}
