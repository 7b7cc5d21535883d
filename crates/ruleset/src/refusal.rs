//! Every way in which a ruleset is refused, by name: what is in force stays, and the name is told.

use crate::envelope::Unopened;
use crate::manifest::{BlobName, Digest, Unfit};
use crate::names::{Cluster, ProviderId, Scope};
use crate::rules;
use crate::time::UnixTime;
use crate::trust::Distrusted;
use crate::verifier::{Order, SKEW};

/// Why a ruleset, or the trust it stands on, was refused. The names are stable: they are metrics'
/// labels, log fields and what a runbook is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A blob decodes to another length.
    #[error("expected the blob `{name}` to decode to {expected} bytes, got {got}")]
    BlobDecoded {
        /// Which.
        name: BlobName,
        /// What was signed.
        expected: u64,
        /// What came out.
        got: u64,
    },
    /// A blob has another digest.
    #[error("expected the blob `{name}` with the digest {expected}, got {got}")]
    BlobDigest {
        /// Which.
        name: BlobName,
        /// What was signed.
        expected: Digest,
        /// What came.
        got: Digest,
    },
    /// A blob is not there.
    #[error("the blob `{name}`, {digest}, is missing: {reason}")]
    BlobMissing {
        /// Which.
        name: BlobName,
        /// Its digest.
        digest: Digest,
        /// What the carrier said.
        reason: String,
    },
    /// A blob is of another length.
    #[error("expected the blob `{name}` of {expected} bytes, got {got} or more")]
    BlobSize {
        /// Which.
        name: BlobName,
        /// What was signed.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// It has the place of what was accepted before and other content.
    #[error(
        "two rulesets are {order}: two publishers write one scope, or the signing key is stolen"
    )]
    Equivocated {
        /// The place of both.
        order: Order,
    },
    /// It has expired.
    #[error("expired at {end}, now is {now}: publish anew")]
    Expired {
        /// The end of its validity, or of the age that is allowed here.
        end: UnixTime,
        /// Now.
        now: UnixTime,
    },
    /// The carrier failed.
    #[error("{what} could not be read: {reason}")]
    FetchFailed {
        /// What was asked for.
        what: &'static str,
        /// What the carrier said.
        reason: String,
    },
    /// It is issued later than now.
    #[error(
        "issued at {issued_at}, now is {now}, and at most {SKEW} s apart are allowed: set the clock \
         that is wrong"
    )]
    FromTheFuture {
        /// When it says it was.
        issued_at: UnixTime,
        /// The wall clock.
        now: UnixTime,
    },
    /// No delegation covers the scope.
    #[error("the trust document delegates nobody for the scope `{scope}`")]
    NotDelegated {
        /// The scope.
        scope: Scope,
    },
    /// There is no manifest.
    #[error("there is no manifest for the scope `{scope}`")]
    NotFound {
        /// The scope.
        scope: Scope,
    },
    /// It is older than what was accepted before.
    #[error("expected {floor} or later, got {got}: an old ruleset was put back")]
    RolledBack {
        /// What was accepted, or is demanded here.
        floor: Order,
        /// What came.
        got: Order,
    },
    /// The blobs are what was signed, but not what an edge can run.
    #[error("the rules are invalid: {0}")]
    RulesInvalid(#[from] Unrunnable),
    /// A trust document was refused.
    #[error(transparent)]
    Trust(#[from] Distrusted),
    /// The trust document has expired: nothing new is accepted.
    #[error("the trust document expired at {at}: publish the next version, signed by the root key")]
    TrustExpired {
        /// When.
        at: UnixTime,
    },
    /// The pinned trust document has the version of the remembered one and another payload.
    #[error(
        "the pinned trust document {version} is not the one that was trusted before: pin that one, \
         or one of a higher version"
    )]
    TrustMismatch {
        /// The version of both.
        version: u64,
    },
    /// The manifest is signed for a trust document that is not known here.
    #[error("the manifest needs trust document {needs}, the latest known is {known}")]
    TrustUnknown {
        /// What it needs.
        needs: u64,
        /// What is known.
        known: u64,
    },
    /// The manifest says what it may not, whoever signed it.
    #[error("the manifest is malformed: {0}")]
    Unfit(#[from] Unfit),
    /// The manifest was not opened under the keys that the trust document names.
    #[error("the manifest was not opened: {0}")]
    Unopened(#[from] Unopened),
    /// It is of another installation.
    #[error("expected the cluster `{expected}`, got `{got}`")]
    WrongCluster {
        /// Ours.
        expected: Cluster,
        /// Its.
        got: Cluster,
    },
    /// It is of another namespace, or of another namespace of that name.
    #[error("expected the scope `{expected}`, got `{got}`")]
    WrongScope {
        /// The scope, or `SCOPE@UID`.
        expected: String,
        /// What it says.
        got: String,
    },
}

/// Why blobs that are just what was signed cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrunnable {
    /// A blob is not what its type promises.
    #[error("the blob `{name}`: {because}")]
    Invalid {
        /// Which.
        name: BlobName,
        /// Why.
        because: rules::Invalid,
    },
    /// Keys would count as fresh for longer than they are.
    #[error("the keys of `{provider}` were fetched at {fetched_at}, after the ruleset was issued")]
    KeysFromTheFuture {
        /// Whose keys.
        provider: ProviderId,
        /// When.
        fetched_at: UnixTime,
    },
    /// The rules take the word of someone who is not there.
    #[error("the rules name the provider `{0}`, which the keys do not")]
    ProviderUnknown(ProviderId),
    /// The rules are another namespace's.
    #[error("the manifest is of the scope `{expected}`, its rules of `{got}`")]
    Scope {
        /// The manifest's.
        expected: Scope,
        /// The rules'.
        got: Scope,
    },
}

impl Refusal {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::BlobDecoded { .. } => "BlobDecoded",
            Self::BlobDigest { .. } => "BlobDigest",
            Self::BlobMissing { .. } => "BlobMissing",
            Self::BlobSize { .. } => "BlobSize",
            Self::Equivocated { .. } => "Equivocated",
            Self::Expired { .. } => "Expired",
            Self::FetchFailed { .. } => "FetchFailed",
            Self::FromTheFuture { .. } => "FromTheFuture",
            Self::NotDelegated { .. } => "NotDelegated",
            Self::NotFound { .. } => "NotFound",
            Self::RolledBack { .. } => "RolledBack",
            Self::RulesInvalid(_) => "RulesInvalid",
            Self::Trust(distrusted) => distrusted.as_str(),
            Self::TrustExpired { .. } => "TrustExpired",
            Self::TrustMismatch { .. } => "TrustMismatch",
            Self::TrustUnknown { .. } => "TrustUnknown",
            Self::Unfit(unfit) => unfit.as_str(),
            Self::Unopened(unopened) => unopened.as_str(),
            Self::WrongCluster { .. } => "WrongCluster",
            Self::WrongScope { .. } => "WrongScope",
        }
    }
}

impl Distrusted {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "TrustInvalid",
            Self::Malformed(_) => "Malformed",
            Self::OutOfOrder { .. } => "TrustOutOfOrder",
            Self::Unopened(unopened) => unopened.as_str(),
            Self::WrongCluster { .. } => "WrongCluster",
        }
    }
}

impl Unfit {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Blobs(_) | Self::Json(_) | Self::Stale(_) | Self::Validity { .. } => "Malformed",
            Self::SchemaTooNew { .. } => "SchemaTooNew",
            Self::SchemaTooOld { .. } => "SchemaTooOld",
            Self::TooLarge(_) => "TooLarge",
        }
    }
}

impl Unopened {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::BadSignature(_) => "BadSignature",
            Self::Malformed(_) => "Malformed",
            Self::RemovedKey(_) => "RemovedKey",
            Self::ThresholdNotMet { .. } => "ThresholdNotMet",
            Self::TooLarge { .. } => "TooLarge",
            Self::UnknownKey(_) => "UnknownKey",
            Self::WrongPayloadType { .. } => "WrongPayloadType",
        }
    }
}
