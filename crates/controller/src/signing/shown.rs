//! What a controller shows of its signing keys, to those who sign them in and ask for new ones.

use super::Keyring;
use super::secret::NAME;
use countersign_ruleset::key::PublicKey;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, ObjectMeta, Patch, PatchParams};
use serde_json::json;
use std::collections::BTreeMap;

/// On the Secret, and on the ConfigMap: which key is the newest. The Secret's word counts: to write a
/// ConfigMap there must not be enough to have a root key vouch for a key of one's own.
pub(super) const NEWEST: &str = "countersign.dev/newest";

/// On the ConfigMap: asks for a new key, by any word that was not used before.
const ROTATE: &str = "countersign.dev/rotate";

/// On the Secret, and on the ConfigMap: the last such word. The Secret may be lost, and with it what
/// was answered.
pub(super) const ROTATED: &str = "countersign.dev/rotated";

/// Whoever shows keys.
const MANAGER: &str = "countersign-controller";

/// Why no key is shown.
#[derive(Debug, thiserror::Error)]
pub enum NotShown {
    /// There is no controller here, or it has not led yet.
    #[error(
        "the ConfigMap {NAME}: expected the keys of a controller, got none: is it installed here?"
    )]
    Absent,
    /// There is a controller, and it has none.
    #[error(
        "the ConfigMap {NAME}: the controller has no signing key; its log says why, and `countersign \
         keys rotate` has one made"
    )]
    None,
    /// Another key is shown than the one that is meant.
    #[error(
        "expected the key {expected}, got {got} in the ConfigMap {NAME}: nothing was signed. Who else \
         writes there?"
    )]
    Other {
        /// As the Secret says, or whoever asks.
        expected: String,
        /// What is shown.
        got: String,
    },
    /// Nobody but the ConfigMap says that it is the controller's.
    #[error(
        "the key {0} is shown in the ConfigMap {NAME}, and no Secret {NAME} that can be looked at says \
         that it is the controller's: nothing was signed. Compare it with the controller's log, and name \
         it with --key-id"
    )]
    Unvouched(String),
    /// The API server did not answer, or refused.
    #[error("the ConfigMap {NAME}: {0}")]
    Kube(#[from] kube::Error),
    /// It is not what a controller writes.
    #[error("the ConfigMap {NAME}: expected a public key whose name is its id, got another")]
    Unfit,
}

/// The newest key: the one of that id, or the one that the Secret's annotations name. Of the Secret
/// nothing but its metadata is read.
///
/// # Errors
/// If none is shown, or one under another's name, or another.
pub async fn newest(
    client: &kube::Client,
    namespace: &str,
    key_id: Option<&str>,
) -> Result<PublicKey, NotShown> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let key = key_of(&maps.get_opt(NAME).await?.ok_or(NotShown::Absent)?)?;
    let expected = match key_id {
        Some(id) => Some(id.to_owned()),
        None => vouched(client, namespace).await?,
    };
    expect_key(key, expected)
}

/// The id that the Secret says; none if there is none, or it may not be looked at.
async fn vouched(client: &kube::Client, namespace: &str) -> Result<Option<String>, NotShown> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let held = match secrets.get_metadata_opt(NAME).await {
        Err(kube::Error::Api(status)) if status.code == 403 => None,
        held => held?,
    };
    let held = held.as_ref();
    let id = held.and_then(|it| annotation(&it.metadata, NEWEST));
    Ok(id.map(str::to_owned))
}

fn expect_key(key: PublicKey, expected: Option<String>) -> Result<PublicKey, NotShown> {
    let got = key.id().to_string();
    match expected {
        None => Err(NotShown::Unvouched(got)),
        Some(expected) if expected != got => Err(NotShown::Other { expected, got }),
        Some(_) => Ok(key),
    }
}

/// Asks for a new key; a word asks once.
///
/// # Errors
/// If it cannot be asked.
pub async fn ask(client: &kube::Client, namespace: &str, word: &str) -> Result<(), NotShown> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let asked = json!({"metadata": {"annotations": {ROTATE: word}}});
    match maps
        .patch(NAME, &PatchParams::default(), &Patch::Merge(&asked))
        .await
    {
        Err(kube::Error::Api(status)) if status.is_not_found() => Err(NotShown::Absent),
        patched => patched.map(drop).map_err(NotShown::from),
    }
}

/// Where a controller shows its keys. Only who leads writes there.
#[derive(Clone)]
pub struct Showcase(Api<ConfigMap>);

impl std::fmt::Debug for Showcase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Showcase").finish_non_exhaustive()
    }
}

impl Showcase {
    /// In the controller's namespace.
    pub fn new(client: &kube::Client, namespace: &str) -> Self {
        Self(Api::namespaced(client.clone(), namespace))
    }

    /// Shows the public halves, unless they are shown already: what somebody else has put there is not
    /// left for a root key to vouch for. With the word that was answered last, as the Secret has it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn show(&self, keyring: &Keyring, answered: Option<&str>) -> Result<(), kube::Error> {
        let there = self.0.get_opt(NAME).await?;
        let wanted = wanted(keyring, there.as_ref(), answered);
        if let Some(there) = &there {
            if is_shown(there, &wanted) {
                return Ok(());
            }
            warn_of_others(there, keyring);
        }
        let shown = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": NAME, "annotations": wanted.annotations},
            "data": wanted.data,
        });
        let params = PatchParams::apply(MANAGER).force();
        self.0.patch(NAME, &params, &Patch::Apply(&shown)).await?;
        Ok(())
    }

    /// The word by which somebody asks for a key and was not given one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn asked(&self) -> Result<Option<String>, kube::Error> {
        let there = self.0.get_opt(NAME).await?;
        Ok(there.as_ref().and_then(asked).map(str::to_owned))
    }
}

/// Says that somebody else has put a key there, before it is overwritten.
fn warn_of_others(there: &ConfigMap, keyring: &Keyring) {
    let ours: Vec<String> = keyring.public_keys().map(file).collect();
    let names = there.data.iter().flatten().map(|(name, _)| name);
    let others: Vec<&String> = names.filter(|name| !ours.contains(name)).collect();
    if !others.is_empty() && !ours.is_empty() {
        tracing::error!(
            ?others,
            "keys were shown that are not ours: who else writes there?"
        );
    }
}

/// What is to be shown.
struct Wanted {
    annotations: BTreeMap<&'static str, String>,
    data: BTreeMap<String, String>,
}

fn wanted(keyring: &Keyring, there: Option<&ConfigMap>, answered: Option<&str>) -> Wanted {
    let noted = |name| there.and_then(|there| annotation(&there.metadata, name));
    // a Secret that was put back from a copy may hold an older word
    let is_last = answered.is_some() && answered == noted(ROTATE);
    let answered = if is_last { answered } else { noted(ROTATED) };
    let newest = keyring.public_keys().next().map(|key| key.id().as_str());
    let annotations = [(NEWEST, newest), (ROTATED, answered)].into_iter();
    let annotations = annotations.filter_map(|(name, text)| Some((name, text?.to_owned())));
    let keys = keyring.public_keys();
    Wanted {
        annotations: annotations.collect(),
        data: keys.map(|key| (file(key), key.to_pem())).collect(),
    }
}

fn is_shown(there: &ConfigMap, wanted: &Wanted) -> bool {
    let noted = |name| annotation(&there.metadata, name);
    let told = |name| noted(name) == wanted.annotations.get(name).map(String::as_str);
    there.data.clone().unwrap_or_default() == wanted.data && told(NEWEST) && told(ROTATED)
}

fn asked(map: &ConfigMap) -> Option<&str> {
    let word = annotation(&map.metadata, ROTATE)?;
    (annotation(&map.metadata, ROTATED) != Some(word)).then_some(word)
}

pub(super) fn annotation<'m>(metadata: &'m ObjectMeta, name: &str) -> Option<&'m str> {
    let annotations = metadata.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

pub(super) fn file(key: &PublicKey) -> String {
    format!("{}.pem", key.id())
}

fn key_of(map: &ConfigMap) -> Result<PublicKey, NotShown> {
    let id = annotation(&map.metadata, NEWEST).ok_or(NotShown::None)?;
    let pem = map
        .data
        .as_ref()
        .and_then(|data| data.get(&format!("{id}.pem")));
    let key = pem.and_then(|pem| PublicKey::from_pem(pem).ok());
    key.filter(|key| key.id().as_str() == id)
        .ok_or(NotShown::Unfit)
}

#[cfg(test)]
mod tests;
