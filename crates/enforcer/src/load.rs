//! Loads rulesets from wherever they are published and keeps them fresh: the only part that does I/O.
//!
//! ```text
//! state directory ─┐ (a restart, tried first)
//! directories ─────┤
//! ConfigMaps ──────┼─► gate: the one verifier ─► enforcer.install      floors ─► state directory
//! https ───────────┤
//! object stores ───┘
//! ```
//!
//! Each carrier is asked by a thread or a task of its own, which holds the verifier only while it has
//! everything at hand: one that hangs holds up no other. Whatever is refused changes nothing: what is
//! in force stays, and an [`Observer`] is told.

use crate::store::Enforcer;
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Options;
use std::path::PathBuf;
use std::sync::Arc;

mod config_map;
mod directory;
#[cfg(feature = "http")]
mod follow;
mod gate;
#[cfg(feature = "http")]
mod http;
mod look;
#[cfg(feature = "objects")]
mod objects;
#[cfg(feature = "http")]
mod pace;
mod place;
#[cfg(feature = "http")]
mod remote;
mod state;
mod watch;

pub use config_map::ConfigMap;
pub use directory::Directory;
#[cfg(feature = "objects")]
pub use place::Bucket;
#[cfg(feature = "http")]
pub use place::Endpoint;
pub use place::{NotAPlace, Place};
pub use state::StateDirectory;
pub use watch::{Watch, watch};

use gate::Gate;
use look::{Local, Look};

/// Where rulesets come from and what they must be.
#[derive(Debug)]
pub struct Sources {
    /// The bytes of the pinned trust document.
    pub trust_root: Vec<u8>,
    /// What the operator has set.
    pub options: Options,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Where they are published. The newest ruleset that verifies is in force.
    pub places: Vec<Place>,
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
#[derive(Debug)]
pub struct Loader {
    gate: Arc<Gate>,
    local: Vec<Local>,
    #[cfg(feature = "http")]
    remote: Vec<remote::Remote>,
}

impl Loader {
    /// Starts: the pinned trust document is read, and what was in force at the last stop is put in
    /// force again if it still may be.
    ///
    /// # Errors
    /// If the pinned trust document is not one to start from.
    pub fn start(
        sources: Sources,
        enforcer: Arc<Enforcer>,
        observer: Observer,
        wall: UnixTime,
    ) -> Result<Self, Refusal> {
        let state = sources.state.map(StateDirectory::new);
        let own = state.as_ref().map(|state| state.path().to_path_buf());
        let gate = Gate::start(
            (&sources.trust_root, sources.options, sources.scopes),
            (state, sources.places.iter().any(Place::is_remote)),
            enforcer,
            observer,
        )?;
        let mut local = Vec::new();
        #[cfg(feature = "http")]
        let mut beyond = Vec::new();
        for place in sources.places {
            match place {
                Place::ConfigMap(path) => local.push(Local::ConfigMap(ConfigMap::new(path))),
                Place::Directory(path) => local.push(Local::Directory(Directory::new(path))),
                #[cfg(feature = "http")]
                Place::Https(endpoint) => {
                    beyond.push(remote::Remote::Http(Box::new(http::Http::new(endpoint))));
                }
                #[cfg(feature = "objects")]
                Place::Objects(bucket) => {
                    beyond.push(remote::Remote::Objects(objects::Objects::new(bucket)));
                }
            }
        }
        if let Some(own) = own {
            gate.look_at(
                &mut Local::Directory(Directory::new(own)),
                wall,
                Look::restart,
            );
        }
        Ok(Self {
            gate: Arc::new(gate),
            local,
            #[cfg(feature = "http")]
            remote: beyond,
        })
    }

    /// Looks once, for every scope, at every carrier that lies on this machine: those of a network
    /// are asked by [`watch()`] alone, for they may not answer.
    pub fn cycle(&mut self, wall: UnixTime) {
        for carrier in &mut self.local {
            self.gate.look_at(carrier, wall, Look::new);
        }
    }
}

#[cfg(test)]
mod tests;
