//! Who a rule speaks of: entries of `from`, roles, revocations, and what an audit line may hold.

use crate::names::{ProviderId, RoleId};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// One entry of `from`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Entry {
    /// Everyone, with or without a token.
    Anyone,
    /// A caller with a verified token of `provider` for whom every matcher holds. False for the
    /// anonymous and for every other provider's callers.
    #[serde(rename_all = "camelCase")]
    Identity {
        /// Whose word it takes.
        provider: ProviderId,
        /// All must hold; of none, any caller of the provider.
        all: Vec<Matcher>,
    },
    /// A provider or role that does not exist: unknown for any verified caller, false for the
    /// anonymous. The text names it, for `explain`.
    Missing(String),
    /// Whoever holds the role.
    Role(RoleId),
    /// It could not be read: unknown for everyone.
    Unknown,
}

/// One demand on the claims of a verified token. Lists mean one of them; all are compared exactly.
///
/// Unknown where the claim is absent, of another type, or too long to be listed (overage).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Matcher {
    /// The outermost actor (`act`, RFC 8693 §4.1).
    Actors(Vec<String>),
    /// One of these conjunctions.
    AnyOf(Vec<Vec<Self>>),
    /// A claim, by its path of keys: a string that is listed, or an array that holds one.
    #[serde(rename_all = "camelCase")]
    Claim {
        /// The keys, outermost first.
        path: Vec<String>,
        /// The values.
        any_of: Vec<String>,
    },
    /// The client (`azp`, `client_id`).
    Clients(Vec<String>),
    /// The domain of the verified e-mail address, in lower case; and the domain claim, if mapped.
    EmailDomains(Vec<String>),
    /// The verified e-mail address, in lower case.
    Emails(Vec<String>),
    /// A group.
    Groups(Vec<String>),
    /// A Kubernetes service account, read from `sub`.
    ServiceAccounts(Vec<ServiceAccount>),
    /// `sub`.
    Subjects(Vec<String>),
    /// It could not be read.
    Unknown,
}

/// Kubernetes service accounts; `None` stands for every value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// Tokens that count no longer, though their signature does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revocation {
    /// Whose tokens.
    pub provider: ProviderId,
    /// Which of them.
    pub revoked: Revoked,
    /// Only those issued before this instant (`iat`); `None` for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issued_before: Option<UnixTime>,
    /// Until when this revocation counts; after it the tokens have expired by themselves.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<UnixTime>,
}

/// What a revocation goes by. Never the bytes of a token: a signature can be changed into another
/// one that verifies too (ECDSA's `n - s`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Revoked {
    /// `jti`.
    Jti(String),
    /// The provider's key, by its RFC 7638 thumbprint (SHA-256, base64url).
    Key(String),
    /// `sid`.
    Sid(String),
    /// `sub`.
    Subject(String),
}

/// How a claim appears in an audit line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Audited {
    /// Its SHA-256, salted by the provider.
    Hash,
    /// As it is.
    Plain,
}
