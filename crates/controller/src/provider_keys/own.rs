//! The cluster's own issuer: what it is called, and its keys, asked of the API server itself.

use super::{Answer, LIMITS, get};
use countersign_policy::jwks::{FetchedKeys, Jwks};
use countersign_policy::resources::KeySource;
use countersign_ruleset::json;
use countersign_ruleset::time::UnixTime;
use serde_json::Value;

/// Where an API server describes its issuer.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where it has its keys.
const KEYS: &str = "/openid/v1/jwks";

/// Why the cluster's own issuer, or its keys, are not known.
#[derive(Debug, thiserror::Error)]
pub enum NoIssuer {
    /// The API server did not answer, or refused.
    #[error("{path}: {because}")]
    Refused {
        /// Of what.
        path: &'static str,
        /// Why.
        because: kube::Error,
    },
    /// What it answers is not what it should be.
    #[error("{path}: {because}")]
    Unfit {
        /// Of what.
        path: &'static str,
        /// What was expected, and what was got.
        because: String,
    },
}

/// The issuer of this cluster's service accounts.
///
/// Its keys are fetched by the connection to the API server, which is authenticated both ways: the
/// issuer's own URL may lead nowhere from here, and nobody else is to be asked in its place.
#[derive(Clone)]
pub struct OwnIssuer {
    issuer: String,
    client: kube::Client,
}

/// What is known of the cluster's own issuer.
#[derive(Debug, Clone, Default)]
pub enum Asked {
    /// Nothing yet: the API server could not be asked.
    #[default]
    NotYet,
    /// The API server has none, or none that it tells.
    NotSaid,
    /// It is this.
    Is(OwnIssuer),
}

impl Asked {
    /// It, if it is known.
    pub const fn issuer(&self) -> Option<&OwnIssuer> {
        match self {
            Self::Is(issuer) => Some(issuer),
            Self::NotYet | Self::NotSaid => None,
        }
    }

    /// Whether the answer is still to come.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::NotYet)
    }
}

impl std::fmt::Debug for OwnIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnIssuer")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl OwnIssuer {
    /// Asks the API server which issuer it is.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn discover(client: &kube::Client) -> Result<Self, NoIssuer> {
        let document = ask(client, DISCOVERY).await?;
        let issuer = document.get("issuer").and_then(Value::as_str);
        let issuer = issuer.ok_or_else(|| NoIssuer::Unfit {
            path: DISCOVERY,
            because: "expected the member `issuer`, got none".to_owned(),
        })?;
        Ok(Self {
            issuer: issuer.to_owned(),
            client: client.clone(),
        })
    }

    /// What it is called in a token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Writes the issuer into the manifest of a ClusterTrustProvider of the type `Kubernetes` that
    /// names none: this cluster is meant. The resource itself stays as it was written.
    pub fn complete(&self, manifest: &mut Value) {
        let is_meant = Self::is_meant(manifest);
        let spec = manifest.get_mut("spec").and_then(Value::as_object_mut);
        if let Some(spec) = spec.filter(|_| is_meant) {
            spec.insert("issuer".into(), self.issuer.as_str().into());
        }
    }

    /// Whether a manifest is that of a provider by which this cluster is meant.
    pub fn is_meant(manifest: &Value) -> bool {
        let is = |pointer: &str, text: &str| {
            manifest.pointer(pointer).and_then(Value::as_str) == Some(text)
        };
        is("/kind", "ClusterTrustProvider")
            && is("/spec/type", "Kubernetes")
            && manifest.pointer("/spec/issuer").is_none()
    }

    /// Whether a provider's keys are those of this cluster: it has its name, and says no other place.
    /// A namespace's provider never is, for that one is asked of nobody but who it names.
    pub fn is(&self, source: &KeySource) -> bool {
        source.resource.kind == "ClusterTrustProvider"
            && source.issuer == self.issuer
            && source.jwks_url.is_none()
            && source.ca_bundle.is_none()
            && source.proxy_url.is_none()
    }

    /// Its keys.
    ///
    /// # Errors
    /// If the API server does not give any.
    pub async fn keys(&self, now: UnixTime) -> Result<Answer, NoIssuer> {
        let document = ask(&self.client, KEYS).await?;
        let unfit = |because| NoIssuer::Unfit {
            path: KEYS,
            because,
        };
        let keys = Jwks::read(&document).map_err(unfit)?.keys;
        if keys.is_empty() {
            let none = "expected a key that verifies signatures, got none";
            return Err(unfit(none.to_owned()));
        }
        let keys = FetchedKeys {
            keys,
            jwks_url: format!("{}{KEYS}", self.issuer.trim_end_matches('/')),
            fetched_at: now,
        };
        Ok(Answer {
            keys,
            max_age: None,
        })
    }
}

async fn ask(client: &kube::Client, path: &'static str) -> Result<Value, NoIssuer> {
    let refused = |because| NoIssuer::Refused { path, because };
    let request = http::Request::get(path).body(Vec::new());
    let request = request.map_err(|error| refused(kube::Error::HttpError(error)))?;
    let text = client.request_text(request).await.map_err(refused)?;
    let unfit = |because| NoIssuer::Unfit { path, because };
    if text.len() > get::MAX_BYTES {
        return Err(unfit(format!("expected at most {} bytes", get::MAX_BYTES)));
    }
    json::strict(text.as_bytes(), LIMITS).map_err(|malformed| unfit(malformed.to_string()))
}
