//! Every way in which a ruleset is refused, by name: what is in force stays, and the name is told.

use crate::envelope::Unopened;
use crate::rules;
use crate::time::UnixTime;
use crate::trust::Distrusted;

/// Why a ruleset, or the trust it stands on, was refused. The names are stable: they are metrics'
/// labels, log fields and what a runbook is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The manifest was not opened under the keys that the trust document names.
    #[error("the manifest was not opened: {0}")]
    Manifest(Unopened),
    /// A trust document was refused.
    #[error(transparent)]
    Trust(#[from] Distrusted),
    /// A payload is not what was promised.
    #[error("the manifest is malformed: {0}")]
    Malformed(String),
    /// The pinned trust document has the version of the persisted one and another payload.
    #[error("the pinned trust document {version} is not the one that was trusted before")]
    TrustMismatch {
        /// The version of both.
        version: u64,
    },
    /// A trust document is not the next one.
    #[error("expected trust document {expected}, got {got}")]
    TrustOutOfOrder {
        /// The next version.
        expected: u64,
        /// What it says.
        got: u64,
    },
    /// The trust document has expired: nothing new is accepted.
    #[error("the trust document expired at {at}: publish the next version, signed by the root key")]
    TrustExpired {
        /// When.
        at: UnixTime,
    },
    /// The manifest is signed for a trust document that is not known here.
    #[error("the manifest needs trust document {needs}, known is {known}")]
    TrustUnknown {
        /// What it needs.
        needs: u64,
        /// What is known.
        known: u64,
    },
    /// No delegation covers the scope.
    #[error("the trust document delegates nobody for the scope `{scope}`")]
    NotDelegated {
        /// The scope.
        scope: String,
    },
    /// It is of another installation.
    #[error("expected the cluster `{expected}`, got `{got}`")]
    WrongCluster {
        /// Ours.
        expected: String,
        /// Its.
        got: String,
    },
    /// It is of another namespace, or of another namespace of that name.
    #[error("expected the scope `{expected}`, got `{got}`")]
    WrongScope {
        /// The scope, or `scope@uid`.
        expected: String,
        /// What it says.
        got: String,
    },
    /// Its schema is older than any that is read here.
    #[error("the schema {got} is older than {min}, the oldest read here: compile it anew")]
    SchemaTooOld {
        /// Its schema.
        got: u32,
        /// The oldest read.
        min: u32,
    },
    /// Its schema is newer than any that is read here.
    #[error("the schema {got} is newer than {max}, the newest read here: update this edge")]
    SchemaTooNew {
        /// Its schema.
        got: u32,
        /// The newest read.
        max: u32,
    },
    /// It is older than what was accepted before.
    #[error("expected (trust, serial) from {floor:?} on, got {got:?}: an old ruleset was put back")]
    RolledBack {
        /// What was accepted.
        floor: (u64, u64),
        /// What came.
        got: (u64, u64),
    },
    /// It has the serial of what was accepted before and other content.
    #[error("two rulesets have the (trust, serial) {order:?}: the signing key may be stolen")]
    Equivocated {
        /// The order of both.
        order: (u64, u64),
    },
    /// It is issued later than now.
    #[error("issued at {issued_at}, now is {now}: the signer's clock or this one is wrong")]
    FromTheFuture {
        /// When it says it was.
        issued_at: UnixTime,
        /// The wall clock.
        now: UnixTime,
    },
    /// It has expired.
    #[error("expired at {end}, now is {now}")]
    Expired {
        /// The end of its validity, or of the age that is allowed here.
        end: UnixTime,
        /// Now.
        now: UnixTime,
    },
    /// A blob is larger than may be read.
    #[error("expected blobs of at most {most} bytes, got {got}")]
    TooLarge {
        /// The limit.
        most: u64,
        /// Its size.
        got: u64,
    },
    /// A blob is not there.
    #[error("the blob {digest} is missing: {reason}")]
    BlobMissing {
        /// Its digest.
        digest: String,
        /// What the carrier said.
        reason: String,
    },
    /// A blob is of another length.
    #[error("expected a blob of {expected} bytes, got {got}")]
    BlobSize {
        /// What was signed.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// A blob has another digest.
    #[error("expected the blob {expected}, got {got}")]
    BlobDigest {
        /// What was signed.
        expected: String,
        /// What came.
        got: String,
    },
    /// A blob decodes to another length.
    #[error("expected the blob to decode to {expected} bytes, got {got}")]
    BlobDecoded {
        /// What was signed.
        expected: u64,
        /// What came out.
        got: u64,
    },
    /// The blobs are what was signed, but not what an edge can run.
    #[error("the rules are invalid: {0}")]
    RulesInvalid(#[from] rules::Invalid),
    /// The rules name a provider that the keys do not.
    #[error("the rules name the provider `{0}`, which the keys do not")]
    ProviderUnknown(String),
    /// There is no manifest.
    #[error("there is no manifest for the scope `{scope}`")]
    NotFound {
        /// The scope.
        scope: String,
    },
    /// The carrier failed.
    #[error("{what} could not be read: {reason}")]
    FetchFailed {
        /// What was asked for.
        what: &'static str,
        /// What the carrier said.
        reason: String,
    },
}

impl Refusal {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Manifest(unopened) | Self::Trust(Distrusted::Unopened(unopened)) => {
                unopened.as_str()
            }
            Self::Trust(Distrusted::Malformed(_)) | Self::Malformed(_) => "Malformed",
            Self::Trust(Distrusted::Invalid(_)) => "TrustInvalid",
            Self::TrustMismatch { .. } => "TrustMismatch",
            Self::TrustOutOfOrder { .. } => "TrustOutOfOrder",
            Self::TrustExpired { .. } => "TrustExpired",
            Self::TrustUnknown { .. } => "TrustUnknown",
            Self::NotDelegated { .. } => "NotDelegated",
            Self::WrongCluster { .. } => "WrongCluster",
            Self::WrongScope { .. } => "WrongScope",
            Self::SchemaTooOld { .. } => "SchemaTooOld",
            Self::SchemaTooNew { .. } => "SchemaTooNew",
            Self::RolledBack { .. } => "RolledBack",
            Self::Equivocated { .. } => "Equivocated",
            Self::FromTheFuture { .. } => "FromTheFuture",
            Self::Expired { .. } => "Expired",
            Self::TooLarge { .. } => "TooLarge",
            Self::BlobMissing { .. } => "BlobMissing",
            Self::BlobSize { .. } => "BlobSize",
            Self::BlobDigest { .. } => "BlobDigest",
            Self::BlobDecoded { .. } => "BlobDecoded",
            Self::RulesInvalid(_) | Self::ProviderUnknown(_) => "RulesInvalid",
            Self::NotFound { .. } => "NotFound",
            Self::FetchFailed { .. } => "FetchFailed",
        }
    }
}

impl Unopened {
    /// Its stable name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "TooLarge",
            Self::Malformed(_) => "Malformed",
            Self::WrongPayloadType { .. } => "WrongPayloadType",
            Self::ThresholdNotMet { .. } => "ThresholdNotMet",
            Self::BadSignature(_) => "BadSignature",
            Self::RemovedKey(_) => "RemovedKey",
            Self::UnknownKey(_) => "UnknownKey",
        }
    }
}
