//! Where published documents are kept, and what every such place promises.

use countersign_ruleset::digest::Digest;
use countersign_ruleset::manifest::{self, MAX_BLOB};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::fmt;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The trust document of that version.
    Trust(u64),
    /// A namespace's manifest.
    Manifest(Scope),
    /// A blob of a namespace.
    Blob(Scope, Digest),
}

impl Key {
    /// Its place, as edges look for it.
    pub fn path(&self) -> String {
        match self {
            Self::Trust(version) => format!("trust/{version}.json"),
            Self::Manifest(scope) => format!("{scope}/manifest.json"),
            Self::Blob(scope, digest) => format!("{scope}/blobs/sha256/{digest}"),
        }
    }

    /// The most bytes that it may have.
    pub fn most(&self) -> usize {
        match self {
            Self::Trust(_) => trust::MAX_BYTES,
            Self::Manifest(_) => manifest::MAX_BYTES,
            Self::Blob(..) => usize::try_from(MAX_BLOB).unwrap_or(usize::MAX),
        }
    }

    /// Whether it is written once and never again: what is named by its content, and what a root signed.
    pub const fn is_immutable(&self) -> bool {
        !matches!(self, Self::Manifest(_))
    }

    /// Whether these bytes may be kept here. Every store asks this before it writes.
    pub fn admit(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let (most, got) = (self.most(), bytes.len());
        if got > most {
            return Err(WriteError::TooLarge { most, got });
        }
        match self {
            Self::Blob(_, digest) if Digest::of(bytes) != *digest => Err(WriteError::NotItsDigest),
            Self::Blob(..) | Self::Manifest(_) | Self::Trust(_) => Ok(()),
        }
    }
}

impl Key {
    /// Trust is never taken back but by the next document.
    pub(super) fn may_go(&self, place: String) -> Result<(), StoreError> {
        match self {
            Self::Trust(_) => Err(StoreError::failed(place, "trust documents are not removed")),
            Self::Blob(..) | Self::Manifest(_) => Ok(()),
        }
    }

    /// Bytes as they were read, if they are what may be here.
    pub(super) fn found(&self, bytes: Vec<u8>, version: Version) -> Option<Stored> {
        let is_it = self.admit(&bytes).is_ok();
        is_it.then_some(Stored {
            bytes,
            version,
            written: None,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A state of what is kept, as its store names it; nothing can be read out of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// A store's own name for a state.
    pub(crate) fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// The store's own name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The bytes, no more than [`Key::most`].
    pub bytes: Vec<u8>,
    /// The state that they are.
    pub version: Version,
    /// When they were written, by the store's own clock, if it has one and it is known.
    pub written: Option<UnixTime>,
}

/// What must be there for a write to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// Exactly this state.
    Version(Version),
    /// Whatever.
    Any,
}

impl From<Option<&Version>> for Expected {
    fn from(version: Option<&Version>) -> Self {
        version.map_or(Self::Absent, |version| Self::Version(version.clone()))
    }
}

/// Why a store could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What is there is larger than may be read, and was not read.
    #[error("{place}: expected at most {most} bytes, got more")]
    TooLarge {
        /// Where.
        place: String,
        /// The limit.
        most: usize,
    },
    /// It could not be reached, or would not.
    #[error("{place}: {why}")]
    Failed {
        /// Where.
        place: String,
        /// Why.
        why: String,
    },
}

impl StoreError {
    /// A failure, in the words of what failed.
    pub(crate) fn failed(place: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Failed {
            place: place.to_string(),
            why: why.to_string(),
        }
    }
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Something else is there than was expected.
    #[error("something else is there than was read before")]
    Conflict,
    /// A blob is named by its digest.
    #[error("expected the bytes that the digest names, got others")]
    NotItsDigest,
    /// It is larger than this store keeps.
    #[error("expected at most {most} bytes, got {got}")]
    TooLarge {
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// The store could not answer. It may have been written all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a store asks that is kept in the cluster's own database, and in the memory of each replica: one
/// namespace must not fill either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thrift {
    /// The most bytes of one namespace's blobs that are in force at once.
    pub ruleset: usize,
    /// For how many seconds a blob is kept that the manifest does not name.
    pub grace: u64,
    /// The most of those that are kept.
    pub unneeded: usize,
}

/// A place for published documents. It needs no trust: what is read is verified, what is written is signed.
///
/// Every store promises:
/// - A read gives what was written last, or nothing; never a part, and never more than [`Key::most`]
///   bytes, which it refuses before it holds them.
/// - A write is whole or not at all, and is done when its future ends well. A blob is there for whoever
///   reads a manifest that was written after it.
/// - Of two writes that expect the same state, one is a [`WriteError::Conflict`]; if
///   [`Store::fences`] says otherwise, then two that meet within one call may both be done.
/// - What lies in a blob's place and is not what its digest names is not there: it is not read, and it is
///   written over. So what was damaged is mended by whoever publishes it again.
/// - What else [`Key::is_immutable`] is never changed: the same bytes again are no fault, others are a
///   conflict, whatever was expected. Bytes that [`Key::admit`] refuses are not written.
/// - [`Store::scopes`] lists the namespaces that have a manifest, [`Store::blobs`] one's blobs.
/// - To remove what is not there is no fault. Trust documents are not removed.
pub trait Store: fmt::Debug + Send + Sync {
    /// What a document's place is called in messages.
    fn place(&self, key: &Key) -> String;
    /// Whether of two writers that meet exactly one is told.
    fn fences(&self) -> bool;
    /// How it is to be spared; `None` for a store that edges read themselves: what a manifest of theirs
    /// names must be there for as long as that one may be in force.
    fn thrift(&self) -> Option<Thrift> {
        None
    }
    /// Reads.
    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, StoreError>>;
    /// Writes, if what is there is what is expected.
    fn write<'a>(
        &'a self,
        key: &'a Key,
        bytes: &'a [u8],
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, WriteError>>;
    /// The namespaces that have a manifest.
    fn scopes(&self) -> BoxFuture<'_, Result<BTreeSet<Scope>, StoreError>>;
    /// The blobs of a namespace, in use or not.
    fn blobs<'a>(&'a self, scope: &'a Scope)
    -> BoxFuture<'a, Result<BTreeSet<Digest>, StoreError>>;
    /// Removes.
    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), StoreError>>;
}
