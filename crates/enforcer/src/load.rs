//! Loads rulesets from directories and keeps them fresh: the only part that does I/O.
//!
//! ```text
//! state directory ─┐ (a restart, tried first)
//! directories ─────┴─► verifier ─► enforcer.install      floors ─► state directory
//! ```
//!
//! Whatever is refused changes nothing: what is in force stays, and an [`Observer`] is told.

use crate::store::Enforcer;
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{Cycle, Options, Outcome, State, Step, Verifier};
use std::path::PathBuf;
use std::sync::Arc;

mod directory;
mod state;
mod watch;

pub use directory::Directory;
pub use state::StateDirectory;
pub use watch::{Watch, watch};

/// Where rulesets come from and what they must be.
#[derive(Debug)]
pub struct Sources {
    /// The bytes of the pinned trust document.
    pub trust_root: Vec<u8>,
    /// What the operator has set.
    pub options: Options,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// The directories, each with `trust/`, `SCOPE/manifest.json` and `SCOPE/blobs/`. The newest
    /// ruleset that verifies is in force.
    pub directories: Vec<PathBuf>,
    /// Where floors are kept across restarts.
    pub state: Option<PathBuf>,
}

/// What came of one look at one carrier.
#[derive(Debug)]
pub struct Report {
    /// The scope.
    pub scope: Scope,
    /// Where it was looked for.
    pub carrier: String,
    /// What came of it.
    pub news: News,
    /// Whether what was in force was withdrawn, for its keys are trusted no longer.
    pub withdrawn: bool,
    /// Whether what a restart needs could be written; if not, what is new is in force all the same,
    /// and a restart may lose its floor.
    pub persisted: bool,
}

/// What came of a look.
#[derive(Debug)]
pub enum News {
    /// A ruleset was put in force.
    InForce {
        /// Its serial.
        serial: u64,
    },
    /// It was refused, and what was in force stays.
    Refused(Refusal),
    /// What is in force is what is there.
    Unchanged,
}

/// Is told of every look. It must not block for long.
pub type Observer = Arc<dyn Fn(&Report) + Send + Sync>;

/// The verifier with its carriers.
pub struct Loader {
    verifier: Verifier,
    scopes: Vec<Scope>,
    directories: Vec<Directory>,
    state: Option<StateDirectory>,
    enforcer: Arc<Enforcer>,
    observer: Observer,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl Loader {
    /// Starts: the pinned trust document is read, and what was in force at the last stop is put in
    /// force again if it still may be.
    pub fn start(
        sources: Sources,
        enforcer: Arc<Enforcer>,
        observer: Observer,
        wall: UnixTime,
    ) -> Result<Self, Refusal> {
        let state = sources.state.map(StateDirectory::new);
        let remembered = state
            .as_ref()
            .map_or_else(State::default, StateDirectory::read);
        let verifier = Verifier::start(&sources.trust_root, sources.options, remembered)?;
        let mut loader = Self {
            verifier,
            scopes: sources.scopes,
            directories: sources
                .directories
                .into_iter()
                .map(Directory::new)
                .collect(),
            state,
            enforcer,
            observer,
        };
        if let Some(state) = &loader.state {
            let mut own = Directory::new(state.path().to_path_buf());
            for scope in loader.scopes.clone() {
                loader.look(&scope, &mut own, wall, true);
            }
        }
        Ok(loader)
    }

    /// Looks at every directory for every scope once.
    pub fn cycle(&mut self, wall: UnixTime) {
        let mut directories = std::mem::take(&mut self.directories);
        for scope in self.scopes.clone() {
            for directory in &mut directories {
                self.look(&scope, directory, wall, false);
            }
        }
        self.directories = directories;
    }

    fn look(&mut self, scope: &Scope, directory: &mut Directory, wall: UnixTime, restart: bool) {
        let (cycle, persisted) = self.run(scope, directory, wall, restart);
        if cycle.withdrawn {
            self.enforcer.withdraw(scope);
        }
        let news = match cycle.outcome {
            Ok(Outcome::InForce(accepted)) => {
                let serial = accepted.ruleset.manifest.serial;
                self.enforcer.install(accepted.ruleset);
                News::InForce { serial }
            }
            Ok(Outcome::Unchanged) => News::Unchanged,
            Err(refusal) => News::Refused(refusal),
        };
        let carrier = directory.path().display().to_string();
        (self.observer)(&Report {
            scope: scope.clone(),
            carrier,
            news,
            withdrawn: cycle.withdrawn,
            persisted,
        });
    }

    /// One cycle. What must be remembered is on the disk before the cycle goes on, and so before
    /// anything is put in force by it.
    fn run(
        &mut self,
        scope: &Scope,
        directory: &mut Directory,
        wall: UnixTime,
        restart: bool,
    ) -> (Cycle, bool) {
        let mut persisted = true;
        let mut step = self.verifier.begin(scope, wall, restart);
        loop {
            step = match step {
                Step::Fetch(fetch) => {
                    let fetched = directory.fetch(scope, &fetch.wanted());
                    fetch.got(fetched)
                }
                Step::Persist(persist) => {
                    if let Some(state) = &self.state {
                        // what comes from the state directory is there already
                        let accepted = persist.accepted().filter(|_| !restart);
                        persisted &= accepted.is_none_or(|it| state.keep(scope, it));
                        persisted &= state.write(persist.state());
                    }
                    persist.done()
                }
                Step::Done(cycle) => return (cycle, persisted),
            }
        }
    }

    /// The directories that are looked at.
    pub fn directories(&self) -> impl Iterator<Item = &std::path::Path> {
        self.directories.iter().map(Directory::path)
    }
}

#[cfg(test)]
mod tests;
