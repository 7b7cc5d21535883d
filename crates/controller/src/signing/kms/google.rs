//! Google's Cloud KMS, asked for public keys and signatures by its REST interface.
//!
//! What comes back is believed in nothing: it is of the key that was asked, undamaged, and verified with
//! the public key that a root has signed in.

use super::access::Access;
use super::ask::{Client, Place};
use super::crc32c::crc32c;
use super::{KmsEndpoint, KmsKeyName, NotByKms};
use crate::signing::{Keyring, SigningService};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long answers are waited for, and how often they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often.
    pub tries: u32,
    /// How long one answer may take.
    pub each: Duration,
    /// How long after the first failure the second try comes; twice as long after each.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 4,
            each: Duration::from_secs(5),
            pause: Duration::from_millis(500),
        }
    }
}

/// The service, and the account by which it is asked.
pub struct Google {
    client: Client,
    kms: Place,
    access: Access,
    patience: Patience,
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google")
            .field("kms", &self.kms)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Google {
    /// The service, or who stands in for it and for the metadata server.
    ///
    /// # Errors
    /// If there can be no TLS.
    pub fn new(
        instead: Option<KmsEndpoint>,
        patience: Patience,
        clock: fn() -> Instant,
    ) -> Result<Self, NotByKms> {
        let place = |host: &str, port, plain| match instead.map(KmsEndpoint::address) {
            None => Place {
                host: host.to_owned(),
                port,
                plain,
            },
            Some(address) => Place {
                host: address.ip().to_string(),
                port: address.port(),
                plain: true,
            },
        };
        Ok(Self {
            client: Client::new()?,
            kms: place("cloudkms.googleapis.com", 443, false),
            // plain http, to an address of the machine's own link
            access: Access::new(place("metadata.google.internal", 80, true), clock),
            patience,
        })
    }

    /// Asks, and asks again where that may help. What is read is looked at before it counts.
    async fn ask<A>(
        &self,
        path: &str,
        body: Option<&Value>,
        read: impl Fn(&[u8]) -> Result<A, NotByKms>,
    ) -> Result<A, NotByKms> {
        let Patience { tries, each, pause } = self.patience;
        let (mut left, mut pause) = (tries, pause);
        loop {
            let asked = timeout(each, self.once(path, body)).await;
            let late = |_| Err(NotByKms::Late(each.as_millis()));
            let error = match asked.unwrap_or_else(late).and_then(|bytes| read(&bytes)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            left = left.saturating_sub(1);
            if left == 0 || !error.is_passing() {
                return Err(error);
            }
            if matches!(error, NotByKms::Status { status: 401 }) {
                self.access.forget();
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }

    async fn once(&self, path: &str, body: Option<&Value>) -> Result<Bytes, NotByKms> {
        let method = if body.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let body = body.map(|body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, self.access.header(&self.client).await?)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.unwrap_or_default()));
        let request = request.map_err(|_| NotByKms::Malformed("a request"))?;
        Ok(self.client.ask(&self.kms, request).await?.into_body())
    }
}

/// A version of a key that signs there.
#[derive(Debug)]
pub struct KmsKey {
    google: Arc<Google>,
    name: KmsKeyName,
    public: PublicKey,
}

/// `PublicKey` of the interface.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    pem: String,
    algorithm: String,
    pem_crc32c: Sum,
    name: String,
}

/// `AsymmetricSignResponse` of the interface.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signature: String,
    signature_crc32c: Sum,
    #[serde(default)]
    verified_digest_crc32c: bool,
    #[serde(default)]
    verified_data_crc32c: bool,
    name: String,
}

/// A checksum: 64 bits are written as text in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sum {
    Text(String),
    Number(u64),
}

impl Sum {
    fn is_of(&self, bytes: &[u8]) -> bool {
        let sum = crc32c(bytes);
        match self {
            Self::Text(text) => *text == sum.to_string(),
            Self::Number(number) => *number == u64::from(sum),
        }
    }
}

impl KmsKey {
    /// Asks for its public half.
    ///
    /// # Errors
    /// If there is none that can be used here.
    pub async fn open(google: Arc<Google>, name: KmsKeyName) -> Result<Self, NotByKms> {
        let path = format!("/v1/{name}/publicKey");
        let public = google
            .ask(&path, None, |bytes| public(&name, bytes))
            .await?;
        Ok(Self {
            google,
            name,
            public,
        })
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, NotByKms> {
        let algorithm = self.public.algorithm();
        let body = match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                let digest = digest(&SHA256, message);
                let sum = crc32c(digest.as_ref()).to_string();
                json!({"digest": {"sha256": STANDARD.encode(digest)}, "digestCrc32c": sum})
            }
            KeyAlgorithm::Ed25519 => {
                let sum = crc32c(message).to_string();
                json!({"data": STANDARD.encode(message), "dataCrc32c": sum})
            }
        };
        let path = format!("/v1/{}:asymmetricSign", self.name);
        let read = |bytes: &[u8]| signature(&self.name, algorithm, bytes);
        let signature = self.google.ask(&path, Some(&body), read).await?;
        if !self.public.verifies(message, &signature) {
            return Err(NotByKms::OtherKey(self.public.id().to_string()));
        }
        Ok(signature)
    }
}

impl SigningService for KmsKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        let told = |error: NotByKms| format!("{}: {error}", self.name);
        Box::pin(async move { self.signature(message).await.map_err(told) })
    }
}

/// The public key that is shown. Its `algorithm` says how it signs, and must be what the key is.
fn public(name: &KmsKeyName, bytes: &[u8]) -> Result<PublicKey, NotByKms> {
    let shown: Shown =
        serde_json::from_slice(bytes).map_err(|_| NotByKms::Malformed("a public key"))?;
    expect_name(name, &shown.name)?;
    if !shown.pem_crc32c.is_of(shown.pem.as_bytes()) {
        return Err(NotByKms::Checksum("the public key"));
    }
    let expected = match shown.algorithm.as_str() {
        "EC_SIGN_P256_SHA256" => KeyAlgorithm::EcdsaP256,
        "EC_SIGN_ED25519" => KeyAlgorithm::Ed25519,
        _ => return Err(NotByKms::Algorithm),
    };
    let key = PublicKey::from_pem(&shown.pem).ok();
    let key = key.filter(|key| key.algorithm() == expected);
    key.ok_or(NotByKms::Malformed("a public key of its algorithm"))
}

/// The signature, as it came: undamaged, of what was sent undamaged.
fn signature(
    name: &KmsKeyName,
    algorithm: KeyAlgorithm,
    bytes: &[u8],
) -> Result<Vec<u8>, NotByKms> {
    let signed: Signed =
        serde_json::from_slice(bytes).map_err(|_| NotByKms::Malformed("a signature"))?;
    expect_name(name, &signed.name)?;
    let arrived = match algorithm {
        KeyAlgorithm::EcdsaP256 => signed.verified_digest_crc32c,
        KeyAlgorithm::Ed25519 => signed.verified_data_crc32c,
    };
    if !arrived {
        return Err(NotByKms::Checksum("what is to be signed"));
    }
    let signature = STANDARD.decode(signed.signature);
    let signature = signature.map_err(|_| NotByKms::Malformed("a signature"))?;
    if !signed.signature_crc32c.is_of(&signature) {
        return Err(NotByKms::Checksum("the signature"));
    }
    Ok(signature)
}

fn expect_name(expected: &KmsKeyName, got: &str) -> Result<(), NotByKms> {
    if got == expected.as_str() {
        return Ok(());
    }
    let expected = expected.clone();
    Err(NotByKms::OtherName { expected })
}

/// The keys that are named, each opened once.
#[derive(Debug)]
pub struct KmsKeys {
    google: Arc<Google>,
    /// The newest first.
    keys: Vec<(KmsKeyName, Option<Arc<KmsKey>>)>,
}

impl KmsKeys {
    /// Of these, the newest first.
    pub fn new(google: Arc<Google>, newest_first: &[KmsKeyName]) -> Self {
        let keys = newest_first.iter().map(|name| (name.clone(), None));
        Self {
            google,
            keys: keys.collect(),
        }
    }

    /// Those that can be used: with one of them, what is published goes on.
    ///
    /// # Errors
    /// If none can be.
    pub async fn keyring(&mut self) -> Result<Keyring, NotByKms> {
        let mut usable: Vec<Arc<dyn SigningService>> = Vec::new();
        let mut failed = None;
        for (name, opened) in &mut self.keys {
            if opened.is_none() {
                match KmsKey::open(Arc::clone(&self.google), name.clone()).await {
                    Ok(key) => *opened = Some(Arc::new(key)),
                    Err(error) => {
                        left_out(name, &error);
                        failed = failed.or(Some(error));
                    }
                }
            }
            if let Some(key) = opened {
                usable.push(Arc::<KmsKey>::clone(key));
            }
        }
        match failed {
            Some(error) if usable.is_empty() => Err(error),
            _ => Ok(Keyring::new(usable)),
        }
    }
}

fn left_out(name: &KmsKeyName, error: &NotByKms) {
    tracing::warn!(%name, %error, "a key cannot be used");
}
