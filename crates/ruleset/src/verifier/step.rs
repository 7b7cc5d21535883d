//! A cycle, step by step and without I/O: it says what it needs next, and what to keep.
//!
//! Each step is taken by value and gives the next one, so no step can be left out, taken twice or
//! answered with what another one asked for. A cycle that is dropped half-way has done nothing but
//! follow the trust documents that were persisted.

use super::run::{Awaited, Next, Run};
use super::{Accepted, Cycle, State, Verifier};
use crate::manifest::{self, BlobRef};
use crate::names::Scope;
use crate::time::UnixTime;
use crate::trust;

/// What is to be done next.
#[derive(Debug)]
#[must_use = "a cycle goes on only if its steps are taken"]
pub enum Step<'v> {
    /// Fetch something.
    Fetch(Fetch<'v>),
    /// Persist the state, and the blobs before it.
    Persist(Persist<'v>),
    /// Nothing: this is what came of it.
    Done(Cycle),
}

/// What a carrier delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bytes.
    Bytes(Vec<u8>),
    /// It is certain that there is none.
    NotFound,
    /// It could not be had, and nothing is known.
    Failed(String),
}

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A blob, from a cache or from the carrier.
    Blob(BlobRef),
    /// The manifest's envelope.
    Manifest,
    /// The envelope of the trust document of that version.
    Trust(u64),
}

impl Wanted {
    /// Where it is published, below the root that all scopes share.
    pub fn path(&self, scope: &Scope) -> String {
        match self {
            Self::Blob(blob) => format!("{scope}/blobs/sha256/{}", blob.digest),
            Self::Manifest => format!("{scope}/manifest.json"),
            Self::Trust(version) => format!("trust/{version}.json"),
        }
    }

    /// How many bytes to read at most: one more than there may be, so that too much is seen as too
    /// much and never held.
    pub fn most(&self) -> u64 {
        let cap = |cap| u64::try_from(cap).unwrap_or(u64::MAX);
        let allowed = match self {
            Self::Blob(blob) => blob.size,
            Self::Manifest => cap(manifest::MAX_BYTES),
            Self::Trust(_) => cap(trust::MAX_BYTES),
        };
        allowed.saturating_add(1)
    }
}

/// A cycle that waits for bytes.
#[derive(Debug)]
pub struct Fetch<'v> {
    pub(super) run: Run<'v>,
    pub(super) awaited: Awaited,
}

/// A cycle that waits for the state to be persisted.
#[derive(Debug)]
pub struct Persist<'v> {
    pub(super) run: Run<'v>,
    pub(super) state: State,
    pub(super) next: Next,
}

impl Verifier {
    /// Begins a look at what a carrier has for a scope. `restart` says that the carrier is this
    /// edge's own state directory: then what was in force may be served on past its end.
    ///
    /// ```
    /// use countersign_ruleset::names::Scope;
    /// use countersign_ruleset::time::UnixTime;
    /// use countersign_ruleset::verifier::{Cycle, Fetched, Step, Verifier};
    ///
    /// fn look(verifier: &mut Verifier, scope: &Scope, wall: UnixTime) -> Cycle {
    ///     let mut step = verifier.begin(scope, wall, false);
    ///     loop {
    ///         step = match step {
    ///             // await `fetch.wanted().path(scope)` of a store here
    ///             Step::Fetch(fetch) => fetch.got(Fetched::NotFound),
    ///             // await the writing of `persist.state()` here
    ///             Step::Persist(persist) => persist.done(),
    ///             Step::Done(cycle) => return cycle,
    ///         }
    ///     }
    /// }
    /// ```
    pub fn begin(&mut self, scope: &Scope, wall: UnixTime, restart: bool) -> Step<'_> {
        Run::new(self, scope.clone(), wall, restart).next_trust()
    }
}

impl<'v> Fetch<'v> {
    /// What is to be fetched.
    pub fn wanted(&self) -> Wanted {
        match &self.awaited {
            Awaited::Blob(gathering) => Wanted::Blob(gathering.missing().clone()),
            Awaited::Manifest => Wanted::Manifest,
            Awaited::Trust(version) => Wanted::Trust(*version),
        }
    }

    /// The scope that it is fetched for.
    pub const fn scope(&self) -> &Scope {
        &self.run.scope
    }

    /// Goes on with what came.
    pub fn got(self, fetched: Fetched) -> Step<'v> {
        match self.awaited {
            Awaited::Blob(gathering) => self.run.got_blob(gathering, fetched),
            Awaited::Manifest => self.run.got_manifest(fetched),
            Awaited::Trust(_) => self.run.got_trust(fetched),
        }
    }
}

impl<'v> Persist<'v> {
    /// What must be remembered from now on, whole.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What a restart needs beside it, to be kept before it: the ruleset that will be in force.
    pub const fn accepted(&self) -> Option<&Accepted> {
        match &self.next {
            Next::InForce(accepted) => Some(accepted),
            Next::Trust => None,
        }
    }

    /// Goes on, also if it could not be written: a revocation in it matters more.
    pub fn done(self) -> Step<'v> {
        self.run.persisted(self.state, self.next)
    }
}
