//! The keys blob: each provider that the rules name, how its tokens read, and its public keys.

use crate::json;
use crate::names::ProviderId;
use crate::rules::{Invalid, MAX_LIST};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// The most providers of one ruleset.
pub const MAX_PROVIDERS: usize = 1_000;

/// The most keys of one provider.
pub const MAX_KEYS: usize = 100;

/// A claim's place in a token: the keys, outermost first. So dots and URLs are no trouble.
pub type ClaimPath = Vec<String>;

/// All providers that the rules name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// By `id`, each once.
    pub providers: Vec<Provider>,
}

/// One provider, with nothing left to look up: an edge discovers nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// Its name.
    pub id: ProviderId,
    /// The `iss` values it signs as, compared exactly; the first is its own, the others aliases.
    pub issuers: Vec<String>,
    /// The header that carries its tokens, in lower case; `None` is `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub header: Option<String>,
    /// The algorithms it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// The types of token that are taken.
    pub token_types: Vec<TokenType>,
    /// How its types of token are told apart: exactly one must fit, and be of a type that is taken.
    pub forms: Vec<TokenForm>,
    /// Whom among an issuer's many customers a token must come from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenants: Option<Tenants>,
    /// The longest `exp - iat`, in seconds.
    pub max_lifetime: u64,
    /// How far its clock may be off, in seconds; at most 60.
    pub clock_skew: u64,
    /// Where its claims are.
    pub claims: ClaimPaths,
    /// What browsers log in as; `None` if nobody logs in there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<Client>,
    /// Where its keys are published; `None` if they are only those given here.
    #[serde(rename = "jwksURL", skip_serializing_if = "Option::is_none", default)]
    pub jwks_url: Option<String>,
    /// Whether that place is what the issuer says (OpenID Connect Discovery §4), and nobody wrote it.
    #[serde(skip_serializing_if = "is_false", default)]
    pub discovered: bool,
    /// Whether an edge may fetch from there.
    pub refresh: Refresh,
    /// How old the keys may be, in seconds, before its tokens are answered 503.
    pub max_stale: u64,
    /// When the keys were fetched; `None` for inline keys, which do not go stale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fetched_at: Option<UnixTime>,
    /// Its public keys. None usable is no fault: its tokens are answered 503, and no other's.
    pub keys: Vec<PublicJwk>,
}

/// What browsers log in as at a provider (RFC 6749 §2.2). Its secret, if it has one, is a file given
/// to the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Its id, which is the `aud` of the ID tokens that it gets (OpenID Connect Core §2).
    pub id: String,
    /// The scopes that it asks for, `openid` among them.
    pub scopes: Vec<String>,
}

/// An asymmetric signature algorithm (RFC 7518 §3.1, RFC 8037). There is no `none` and no MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
    ];

    /// Its name in a token's `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TokenType {
    /// To call a service (RFC 9068).
    AccessToken,
    /// To tell a client who logged in (OpenID Connect Core §2).
    IDToken,
    /// A workload's own (Kubernetes service accounts, SPIFFE JWT-SVIDs).
    WorkloadToken,
}

/// How one type of token is recognised. Every part must hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenForm {
    /// The type that it shows.
    pub token_type: TokenType,
    /// The header's `typ` is one of these, in lower case without `application/`; empty is absent.
    pub typ: Vec<String>,
    /// Of each of these lists, one claim is there.
    pub present: Vec<Vec<ClaimPath>>,
    /// None of these claims is there.
    pub absent: Vec<ClaimPath>,
}

/// Whom among an issuer's many customers a token must come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenants {
    /// The claim that names the customer, the first of these that is there.
    pub paths: Vec<ClaimPath>,
    /// The customers, compared exactly.
    pub any_of: Vec<String>,
    /// Whether the claim is an e-mail address whose domain names the customer.
    pub domain_of_email: bool,
}

/// Where a provider's claims are. `None`: it has no such claim, and what asks for it is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimPaths {
    /// The groups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<GroupsClaim>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<EmailClaim>,
    /// The client: the first of these that is there.
    pub client: Vec<ClaimPath>,
    /// The outermost actor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<ClaimPath>,
    /// The scopes: the first of these that is there, an array or words apart.
    pub scopes: Vec<ClaimPath>,
}

/// Where the groups are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupsClaim {
    /// The claim.
    pub path: ClaimPath,
    /// What its absence means.
    pub when_absent: WhenAbsent,
    /// Claims that say the list was too long to be sent: then the groups are unknown.
    pub overage: Vec<ClaimPath>,
}

/// What the absence of the groups means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenAbsent {
    /// The caller is in no group.
    Empty,
    /// Nothing is known.
    Unknown,
}

/// Where the e-mail address is, and what shows that it was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailClaim {
    /// The claim.
    pub path: ClaimPath,
    /// The claim that must be `true`. `None`: only those of `verified_subjects` count as verified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verified_by: Option<ClaimPath>,
    /// Where no claim shows it: what `sub` begins with if the provider gives its word for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verified_subjects: Option<String>,
    /// The claim that names the domain for which the provider speaks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub domain: Option<ClaimPath>,
}

/// Whether an edge may fetch a provider's keys itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refresh {
    /// It may.
    Edge,
    /// It takes only what is signed here.
    Never,
}

/// A public key as its provider published it (RFC 7517 §4): the public members alone. Each is
/// looked at when it is loaded, and skipped by itself if it does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    /// The key type.
    pub kty: String,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kid: Option<String>,
    /// The algorithm it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alg: Option<String>,
    /// What it is for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<String>,
    /// What may be done with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_ops: Option<Vec<String>>,
    /// The curve.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub crv: Option<String>,
    /// The curve point's first coordinate, or the whole key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub x: Option<String>,
    /// The curve point's second coordinate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub y: Option<String>,
    /// The modulus.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub n: Option<String>,
    /// The exponent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub e: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes one"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Keys {
    /// The bytes that are digested and signed, providers and their keys in order.
    ///
    /// # Errors
    /// None in practice: the types hold nothing that JSON cannot.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut canonical = self.clone();
        canonical.providers.sort_by(|a, b| a.id.cmp(&b.id));
        for provider in &mut canonical.providers {
            provider.algorithms.sort_unstable();
            provider.algorithms.dedup();
            provider.keys.sort();
            provider.keys.dedup();
            if let Some(client) = &mut provider.client {
                client.scopes.sort_unstable();
                client.scopes.dedup();
            }
        }
        serde_json::to_vec(&canonical)
    }

    /// Reads what [`Keys::to_bytes`] wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let keys: Self = json::strict(bytes, json::Limits::BLOB)?;
        let ids = keys.providers.iter().map(|p| p.id.as_str());
        crate::rules::at_most("providers", MAX_PROVIDERS, keys.providers.len())?;
        crate::rules::ordered("providers", ids)?;
        for provider in &keys.providers {
            crate::rules::at_most("keys", MAX_KEYS, provider.keys.len())?;
            if let Some(client) = &provider.client {
                crate::rules::at_most("scopes", MAX_LIST, client.scopes.len())?;
                if client.id.is_empty() {
                    return Err(Invalid::ClientWithoutId(provider.id.clone()));
                }
            }
        }
        crate::rules::canonical(bytes, keys.to_bytes())?;
        Ok(keys)
    }

    /// The provider of that name.
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == *id)
    }
}

#[cfg(test)]
mod tests;
