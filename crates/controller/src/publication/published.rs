//! What came of a publication: what is in force from now on, or why it is not.

use super::authority::Unfit;
use super::store::{StoreError, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::sign::Unsigned;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Distrusted;

/// One namespace's ruleset, as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The namespace.
    pub scope: Scope,
    /// The trust document whose keys signed it.
    pub trust: u64,
    /// The serial under it.
    pub serial: u64,
    /// The digest of the manifest's payload.
    pub digest: Digest,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// The end of its validity.
    pub expires_at: UnixTime,
    /// When it is to be signed anew.
    pub resign_at: UnixTime,
    /// How many rules it holds; what goes on as it was is not counted again.
    pub rules: usize,
    /// Whether it denies everything, as nothing is said of its namespace any longer.
    pub emptied: bool,
    /// Whether it is new. If not, it was there already and said the same.
    pub changed: bool,
}

/// Why nothing was published. What was published before goes on.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// Our clock is behind what was signed: one of the two is wrong.
    #[error(
        "it is {now} by this clock, and the ruleset of `{scope}` that is published was issued at {last}: \
         nothing is published before then; see to the clock"
    )]
    Clock {
        /// The namespace.
        scope: Scope,
        /// Now.
        now: UnixTime,
        /// When the last was issued.
        last: UnixTime,
    },
    /// Somebody else published meanwhile.
    #[error("{place}: another publisher was first")]
    Conflict {
        /// Where.
        place: String,
    },
    /// A trust document is not what it should be.
    #[error("{place}: {because}")]
    Distrusted {
        /// Where from.
        place: String,
        /// Why.
        because: Distrusted,
    },
    /// There is no trust document.
    #[error("expected a trust document, got none")]
    NoTrust,
    /// A trust document is never changed once it is published.
    #[error(
        "{place}: another trust document {version} is published there than the one that is given"
    )]
    OtherTrust {
        /// Where.
        place: String,
        /// Which.
        version: u64,
    },
    /// No edge would take it.
    #[error("the ruleset of `{scope}` was sealed, and no edge would take it: {because}")]
    Refused {
        /// The namespace.
        scope: Scope,
        /// Why.
        because: Box<Refusal>,
    },
    /// It is more than this store has room for; the empty set is published, which denies.
    #[error(
        "expected at most {most} bytes of rules and keys in the namespace {scope}, got {got}: it allows \
         nothing"
    )]
    TooLarge {
        /// The namespace.
        scope: Scope,
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// There is no number left.
    #[error(
        "the last serial of `{0}` is taken: publish the next trust document, which begins them anew"
    )]
    SerialsEnded(Scope),
    /// It could not be signed.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// Edges would not take it.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is there was not published by us, or is no longer what we published.
    #[error(
        "{place}: what is published there cannot be verified: {name}: {why}. Nothing was published"
    )]
    Unverifiable {
        /// Where.
        place: String,
        /// The refusal.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// The store would not have it.
    #[error("{place}: {because}")]
    Unwritten {
        /// Where.
        place: String,
        /// Why.
        because: WriteError,
    },
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A root has to sign a trust document that names our key.
    AwaitingTrust,
    /// Trying again, at once: there is something newer to be read.
    Conflict,
    /// Mending the clock.
    Clock,
    /// Looking at who wrote what is there.
    Unverifiable,
    /// Trying again, later.
    Store,
    /// Changing what was asked for.
    Refused,
}

impl NotPublished {
    /// What is to be done about it.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Clock { .. } => Kind::Clock,
            Self::Conflict { .. } => Kind::Conflict,
            Self::NoTrust
            | Self::Unfit(
                Unfit::Nobody { .. }
                | Unfit::OtherKey { .. }
                | Unfit::Threshold { .. }
                | Unfit::TrustExpired { .. },
            ) => Kind::AwaitingTrust,
            Self::Store(_)
            | Self::Unsigned(Unsigned::Signer(_))
            | Self::Unwritten {
                because: WriteError::Store(_),
                ..
            } => Kind::Store,
            Self::Distrusted { .. } | Self::OtherTrust { .. } | Self::Unverifiable { .. } => {
                Kind::Unverifiable
            }
            Self::Refused { .. }
            | Self::SerialsEnded(_)
            | Self::TooLarge { .. }
            | Self::Unfit(_)
            | Self::Unsigned(_)
            | Self::Unwritten { .. } => Kind::Refused,
        }
    }

    /// A write that was not done, at its place.
    pub(super) fn unwritten(place: String, because: WriteError) -> Self {
        match because {
            WriteError::Conflict => Self::Conflict { place },
            WriteError::Store(error) => Self::Store(error),
            WriteError::NotItsDigest | WriteError::TooLarge { .. } => {
                Self::Unwritten { place, because }
            }
        }
    }
}
