//! The development issuer: plays every provider of the manifests, with keys that only this process trusts.
//!
//! A token says the provider's own `iss` and reads as that provider's tokens do, so that production's
//! manifests need no change on a laptop. Nothing but the trust of this one process makes it count.

use super::cast::{Cast, Person};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::jwks::{FetchedKeys, Jwks};
use countersign_policy::resources::KeySource;
use countersign_ruleset::provider::Provider;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

mod claims;
mod http;
mod keys;

pub(super) use http::serve;
use keys::Keys;

/// A token. It cannot be printed; it is for an `Authorization` header and for whoever asks on
/// loopback.
#[derive(Clone)]
pub(super) struct Token(String);

impl Token {
    /// The token itself.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoToken {
    /// Nobody is called that.
    #[error("expected `as` to be one of {known}, got `{got}`")]
    Nobody {
        /// Who there is.
        known: String,
        /// Who was asked for.
        got: String,
    },
    /// The provider signs in no way that there is a key for.
    #[error("there is no key for an algorithm of the provider `{0}`")]
    NoAlgorithm(String),
    /// The provider takes no type of token that can be told.
    #[error("the provider `{0}` takes no type of token that can be told apart")]
    NoForm(String),
    /// There is no randomness.
    #[error("the key could not sign")]
    Unsigned,
}

/// The issuer. A clone is the same one.
#[derive(Clone)]
pub(super) struct Issuer {
    keys: Arc<Keys>,
    cast: Arc<Mutex<Cast>>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer(redacted)")
    }
}

impl Issuer {
    /// An issuer with new keys, and nobody to speak of yet.
    pub(super) fn new() -> Result<Self, NoToken> {
        Ok(Self {
            keys: Arc::new(Keys::generate().ok_or(NoToken::Unsigned)?),
            cast: Arc::default(),
        })
    }

    /// Speaks of these people from now on.
    pub(super) fn recast(&self, cast: Cast) {
        *self.cast.lock().unwrap_or_else(PoisonError::into_inner) = cast;
    }

    /// Who there is.
    pub(super) fn cast(&self) -> Cast {
        self.cast
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Its keys as those of each provider whose keys are not in the manifests.
    pub(super) fn plays(
        &self,
        sources: &[KeySource],
        now: UnixTime,
    ) -> BTreeMap<ResourceId, FetchedKeys> {
        let keys = Jwks::read(&self.keys.jwks()).unwrap_or_default().keys;
        let plays = |source: &KeySource| {
            let jwks_url = source.jwks_url.clone();
            let fetched = FetchedKeys {
                keys: keys.clone(),
                jwks_url: jwks_url.unwrap_or_else(|| format!("{}/jwks.json", source.issuer)),
                fetched_at: now,
            };
            (source.resource.clone(), fetched)
        };
        sources.iter().map(plays).collect()
    }

    /// Its key set, for whoever asks.
    pub(super) fn jwks(&self) -> Value {
        self.keys.jwks()
    }

    /// A token of that person, as the person's provider would issue it.
    pub(super) fn token(
        &self,
        person: &Person,
        provider: &Provider,
        audiences: &[String],
        now: UnixTime,
    ) -> Result<Token, NoToken> {
        let no_form = || NoToken::NoForm(provider.id.to_string());
        let (typ, claims) = claims::of(person, provider, audiences, now).ok_or_else(no_form)?;
        let key = self.keys.fitting(&provider.algorithms);
        let key = key.ok_or_else(|| NoToken::NoAlgorithm(provider.id.to_string()))?;
        let mut header = json!({"alg": key.algorithm.as_str(), "kid": key.kid});
        if let (Some(members), false) = (header.as_object_mut(), typ.is_empty()) {
            members.insert("typ".to_owned(), typ.into());
        }
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let signature = key.sign(input.as_bytes()).ok_or(NoToken::Unsigned)?;
        Ok(Token(format!(
            "{input}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}
