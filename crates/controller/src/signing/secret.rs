//! The Secret with a controller's signing keys.

use super::shown::{self, Showcase};
use super::{Keyring, SigningService};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::sign::{Signer, SigningKey};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The name of the Secret, and of the ConfigMap that shows the public halves.
pub const NAME: &str = "countersign-signing-keys";

/// The type of the Secret, so that none of another purpose is taken for it.
const TYPE: &str = "countersign.dev/signing-keys";

/// The most keys: whoever may write the ConfigMap could ask for more for ever.
const MOST: usize = 8;

/// Why a controller has no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// The API server did not answer, or refused.
    #[error("{NAME}: {0}")]
    Kube(#[from] kube::Error),
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Unmade(#[from] countersign_ruleset::sign::Unusable),
    /// Somebody asks for keys again and again.
    #[error(
        "the Secret {NAME} holds {0} keys, and another is asked for: remove those that are withdrawn"
    )]
    Full(usize),
    /// The Secret holds something else.
    #[error("the Secret {NAME}: expected {expected}, got {got}: it was left as it is")]
    Unfit {
        /// What should be there.
        expected: &'static str,
        /// What is.
        got: String,
    },
}

/// The keys' place. Only who leads writes it.
#[derive(Clone)]
pub struct KeySecret {
    secrets: Api<Secret>,
    showcase: Showcase,
    algorithm: KeyAlgorithm,
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySecret")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl KeySecret {
    /// In the controller's namespace; keys that are made are of that algorithm.
    pub fn new(client: &kube::Client, namespace: &str, algorithm: KeyAlgorithm) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            showcase: Showcase::new(client, namespace),
            algorithm,
        }
    }

    /// The keys; none where no Secret is. One that holds what is no key is an error, and not nothing:
    /// in place of nothing a key would be made.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read(&self) -> Result<Option<Keyring>, NoKeys> {
        let secret = self.secrets.get_opt(NAME).await?;
        secret.as_ref().map(keyring).transpose()
    }

    /// Makes the first key. Whoever calls this has seen that nothing is published, or that somebody
    /// asked for a key by that word: else a lost key would be replaced in silence.
    ///
    /// # Errors
    /// If it cannot be written. If another was faster, its key is read.
    pub async fn first(&self, milliseconds: u64, word: Option<&str>) -> Result<Keyring, NoKeys> {
        let made = self.made(milliseconds)?;
        let newest = (shown::NEWEST.to_owned(), made.id);
        let word = word.map(|word| (shown::ROTATED.to_owned(), word.to_owned()));
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(NAME.into()),
                annotations: Some([newest].into_iter().chain(word).collect()),
                ..ObjectMeta::default()
            },
            type_: Some(TYPE.into()),
            data: Some(BTreeMap::from([(made.name, made.pem)])),
            ..Secret::default()
        };
        let made = match self.secrets.create(&PostParams::default(), &secret).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                self.secrets.get(NAME).await?
            }
            made => made?,
        };
        keyring(&made)
    }

    /// Makes another key if somebody asked for one since the last.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub async fn rotate_if_asked(&self, milliseconds: u64) -> Result<Option<Keyring>, NoKeys> {
        let Some(word) = self.asked().await? else {
            return Ok(None);
        };
        let Some(mut secret) = self.secrets.get_opt(NAME).await? else {
            return Ok(None);
        };
        if shown::annotation(&secret.metadata, shown::ROTATED) == Some(&word) {
            return Ok(None);
        }
        let held = keyring(&secret)?.public_keys().count();
        if held >= MOST {
            return Err(NoKeys::Full(held));
        }
        let made = self.made(milliseconds)?;
        let data = secret.data.get_or_insert_default();
        data.insert(made.name, made.pem);
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(shown::ROTATED.into(), word);
        annotations.insert(shown::NEWEST.into(), made.id);
        // with the resourceVersion that was read: of two who try one is refused
        let written = self
            .secrets
            .replace(NAME, &PostParams::default(), &secret)
            .await?;
        keyring(&written).map(Some)
    }

    /// The word by which somebody asks for a key and was not given one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn asked(&self) -> Result<Option<String>, NoKeys> {
        Ok(self.showcase.asked().await?)
    }

    /// Shows the public halves, for `countersign keys adopt`; and which word was answered last.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn show(&self, keyring: &Keyring) -> Result<(), NoKeys> {
        let held = self.secrets.get_metadata_opt(NAME).await?;
        let held = held.as_ref().map(|it| &it.metadata);
        let word = held.and_then(|it| shown::annotation(it, shown::ROTATED));
        let newest = keyring.public_keys().next().map(|key| key.id().as_str());
        if let (Some(held), Some(newest)) = (held, newest)
            && shown::annotation(held, shown::NEWEST) != Some(newest)
        {
            self.vouch(newest).await?;
        }
        Ok(self.showcase.show(keyring, word).await?)
    }

    /// Notes on the Secret which key is the newest: whoever may write the ConfigMap may not write there.
    async fn vouch(&self, newest: &str) -> Result<(), NoKeys> {
        let mut secret = self.secrets.get(NAME).await?;
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(shown::NEWEST.into(), newest.into());
        let params = PostParams::default();
        self.secrets.replace(NAME, &params, &secret).await?;
        Ok(())
    }

    fn made(&self, milliseconds: u64) -> Result<Made, NoKeys> {
        let key = SigningKey::generate(self.algorithm)?;
        let (pem, public) = (key.to_pem()?, Signer::public_key(&key));
        Ok(Made {
            id: public.id().to_string(),
            name: format!("{milliseconds:016}-{}", shown::file(public)),
            pem: ByteString(pem.as_bytes().to_vec()),
        })
    }
}

/// A key as the Secret holds it.
struct Made {
    id: String,
    name: String,
    pem: ByteString,
}

/// The keys of a Secret, the newest first: their names begin with the time at which they were made.
fn keyring(secret: &Secret) -> Result<Keyring, NoKeys> {
    let unfit = |expected, got: &str| NoKeys::Unfit {
        expected,
        got: got.to_owned(),
    };
    if secret.type_.as_deref() != Some(TYPE) {
        return Err(unfit(
            "the type countersign.dev/signing-keys",
            secret.type_.as_deref().unwrap_or("none"),
        ));
    }
    let data = secret.data.iter().flatten().rev();
    let keys = data.map(|(name, pem)| {
        let text = Zeroizing::new(String::from_utf8_lossy(&pem.0).into_owned());
        let key = SigningKey::from_pem(&text)
            .map_err(|_| unfit("an Ed25519 or P-256 private key", name))?;
        let key: Arc<dyn SigningService> = Arc::new(key);
        Ok(key)
    });
    let keys = keys.collect::<Result<Vec<_>, NoKeys>>()?;
    if keys.is_empty() {
        return Err(unfit("a private key", "nothing"));
    }
    Ok(Keyring::new(keys))
}

#[cfg(test)]
mod tests {
    use super::{NoKeys, Secret, TYPE, keyring};
    use countersign_ruleset::key::KeyAlgorithm;
    use countersign_ruleset::sign::{Signer, SigningKey};
    use k8s_openapi::ByteString;
    use std::collections::BTreeMap;

    fn secret(type_: &str, data: &[(&str, &[u8])]) -> Secret {
        let data = data.iter();
        let data: BTreeMap<_, _> = data
            .map(|(name, bytes)| ((*name).to_owned(), ByteString(bytes.to_vec())))
            .collect();
        Secret {
            type_: Some(type_.into()),
            data: Some(data),
            ..Secret::default()
        }
    }

    #[test]
    fn the_newest_key_comes_first() {
        let keys = [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256].map(|algorithm| {
            let key = SigningKey::generate(algorithm).unwrap();
            (key.public_key().clone(), key.to_pem().unwrap())
        });
        let [(old, old_pem), (new, new_pem)] = &keys;
        let data = [
            ("0001-a.pem", old_pem.as_bytes()),
            ("0002-b.pem", new_pem.as_bytes()),
        ];
        let ring = keyring(&secret(TYPE, &data)).unwrap();
        assert_eq!(ring.public_keys().collect::<Vec<_>>(), [new, old]);
    }

    #[test]
    fn what_is_no_key_is_never_taken_for_nothing() {
        for (type_, data, said) in [
            (
                "Opaque",
                &[][..],
                "expected the type countersign.dev/signing-keys, got Opaque",
            ),
            (TYPE, &[], "expected a private key, got nothing"),
            (
                TYPE,
                &[("1.pem", &b"what only we know"[..])],
                "expected an Ed25519 or P-256 private key, got 1.pem",
            ),
        ] {
            let refusal = keyring(&secret(type_, data)).unwrap_err();
            assert!(matches!(refusal, NoKeys::Unfit { .. }));
            let text = refusal.to_string();
            assert!(text.contains(said), "{text}");
            assert!(!text.contains("only we know"), "{text}");
        }
    }
}
