//! The object store of a cloud as a carrier: Google's, Amazon's or Azure's, with the credentials that its
//! own tools would take from the environment.

use super::place::Bucket;
use super::remote::Known;
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Fetched, Wanted};
use futures::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, Error, GetOptions, GetResult, ObjectStore, RetryConfig};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long something small may take.
const SMALL: Duration = Duration::from_secs(15);

/// How long a blob may take: 64 MiB at 1 MiB/s.
const LARGE: Duration = Duration::from_secs(64);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A bucket, and what lies below a prefix of it.
pub(super) struct Objects {
    bucket: Bucket,
    store: Mutex<Option<Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for Objects {
    /// Without the store, which holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl Objects {
    pub(super) const fn new(bucket: Bucket) -> Self {
        let store = Mutex::new(None);
        Self { bucket, store }
    }

    /// Its name in reports.
    pub(super) fn name(&self) -> &str {
        self.bucket.url()
    }

    /// What is wanted of a scope.
    pub(super) async fn fetch(&self, scope: &Scope, wanted: &Wanted, known: &mut Known) -> Fetched {
        let deadline = match wanted {
            Wanted::Blob(_) => LARGE,
            Wanted::Manifest | Wanted::Trust(_) => SMALL,
        };
        let asked = tokio::time::timeout(deadline, self.ask(scope, wanted, known)).await;
        let late = |_| {
            Err(format!(
                "expected an answer within {} s, got none",
                deadline.as_secs()
            ))
        };
        asked.unwrap_or_else(late).unwrap_or_else(Fetched::Failed)
    }

    async fn ask(
        &self,
        scope: &Scope,
        wanted: &Wanted,
        known: &mut Known,
    ) -> Result<Fetched, String> {
        let is_manifest = *wanted == Wanted::Manifest;
        let path = Path::from(format!("{}{}", self.bucket.prefix(), wanted.path(scope)));
        let options = GetOptions {
            if_none_match: known.etag.clone().filter(|_| is_manifest),
            ..GetOptions::default()
        };
        let store = self.store()?;
        let got = match store.get_opts(&path, options).await {
            Ok(got) => got,
            Err(Error::NotFound { .. }) => {
                if is_manifest {
                    known.take(None, Fetched::NotFound);
                }
                return Ok(Fetched::NotFound);
            }
            Err(Error::NotModified { .. }) if is_manifest => return Ok(known.once()),
            Err(error) => return Err(refusal(&error)),
        };
        let etag = got.meta.e_tag.clone();
        let fetched = Fetched::Bytes(read(got, wanted.most()).await?);
        if is_manifest {
            known.take(etag, fetched.clone());
        }
        Ok(fetched)
    }

    /// The store, made when it is first asked: what is missing in the environment is then a refusal.
    fn store(&self) -> Result<Arc<dyn ObjectStore>, String> {
        let mut made = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*made {
            return Ok(Arc::clone(store));
        }
        let store = open(&self.bucket)?;
        *made = Some(Arc::clone(&store));
        Ok(store)
    }
}

fn open(bucket: &Bucket) -> Result<Arc<dyn ObjectStore>, String> {
    let (url, plain) = (bucket.url(), bucket.http_on_loopback);
    let client = |plain| {
        ClientOptions::new()
            .with_allow_http(plain)
            .with_connect_timeout(CONNECT)
            .with_timeout(LARGE)
    };
    let retry = RetryConfig {
        max_retries: 1,
        retry_timeout: CONNECT,
        ..RetryConfig::default()
    };
    let failed = |error: Error| refusal(&error);
    if url.starts_with("gs://") {
        let builder = GoogleCloudStorageBuilder::from_env().with_url(url);
        let builder = builder.with_client_options(client(false)).with_retry(retry);
        return Ok(Arc::new(builder.build().map_err(failed)?));
    }
    if url.starts_with("az://") {
        let builder = MicrosoftAzureBuilder::from_env().with_url(url);
        let builder = builder.with_client_options(client(false)).with_retry(retry);
        return Ok(Arc::new(builder.build().map_err(failed)?));
    }
    let builder = AmazonS3Builder::from_env().with_url(url);
    let builder = builder.with_retry(retry);
    amazon(builder, plain.then(|| client(true)), client(false)).map_err(failed)
}

/// Amazon's, or whatever speaks as it does: by plain http only where that was asked for, and its endpoint
/// is an address of this machine.
fn amazon(
    builder: AmazonS3Builder,
    plain: Option<ClientOptions>,
    secure: ClientOptions,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let keys = [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint];
    let mut endpoints = keys.iter().filter_map(|key| builder.get_config_value(key));
    let here = endpoints.all(|endpoint| super::place::is_plain_loopback(&endpoint));
    let client = plain.filter(|_| here).unwrap_or(secure);
    Ok(Arc::new(builder.with_client_options(client).build()?))
}

/// No more than `most` bytes, which is one too many: so too much is seen as that.
async fn read(got: GetResult, most: u64) -> Result<Vec<u8>, String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let mut stream = got.into_stream();
    while let Some(part) = stream.try_next().await.map_err(|error| refusal(&error))? {
        bytes.extend_from_slice(&part);
        if bytes.len() >= most {
            bytes.truncate(most);
            break;
        }
    }
    Ok(bytes)
}

/// Why a store gave nothing. What follows a `?` is left out, for a URL may hold a signature there; and
/// what is long, for some stores tell each caller another story.
fn refusal(error: &Error) -> String {
    let kind = match error {
        Error::PermissionDenied { .. } => {
            return "permission denied: the edge needs to read objects and to list the bucket, or what is \
                    absent cannot be told from what is refused"
                .to_owned();
        }
        Error::Unauthenticated { .. } => return "the credentials are not taken".to_owned(),
        other => other.to_string(),
    };
    let words = kind.split_whitespace();
    let words = words.map(|word| word.split('?').next().unwrap_or_default());
    let text: Vec<&str> = words.collect();
    text.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests;
