//! The one verifier that all carriers share, and what is in force by it.

use super::look::{Local, Look};
use super::{News, Observer, Report, StateDirectory};
use crate::store::Enforcer;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{
    Accepted, Cycle, Fetched, Options, Order, Outcome, State, Step, Verifier, Wanted,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Nothing is put in force but through it. Whoever comes with everything at hand is let through at
/// once; whoever lacks something is told what, and comes again with it.
pub(super) struct Gate {
    held: Mutex<Held>,
    scopes: Vec<Scope>,
    state: Option<StateDirectory>,
    enforcer: Arc<Enforcer>,
    observer: Observer,
    /// Whether blobs are kept beside what is made of them, for they come from afar.
    keeps_blobs: bool,
}

struct Held {
    verifier: Verifier,
    in_force: BTreeMap<Scope, InForce>,
}

/// What is in force of a scope.
struct InForce {
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only servers are told")
    )]
    order: Order,
    /// Its blobs as they came, if they would have to be fetched again: a manifest that is signed anew
    /// names the same.
    blobs: Vec<(Digest, Vec<u8>)>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// Something could not be had: it is asked for again sooner or later.
    Unfetched,
    /// All that was asked for came, whatever it was.
    Well,
}

impl Gate {
    pub(super) fn start(
        (trust_root, options, scopes): (&[u8], Options, Vec<Scope>),
        (state, keeps_blobs): (Option<StateDirectory>, bool),
        enforcer: Arc<Enforcer>,
        observer: Observer,
    ) -> Result<Self, Refusal> {
        let remembered = state
            .as_ref()
            .map_or_else(State::default, StateDirectory::read);
        let verifier = Verifier::start(trust_root, options, remembered)?;
        Ok(Self {
            held: Mutex::new(Held {
                verifier,
                in_force: BTreeMap::new(),
            }),
            scopes,
            state,
            enforcer,
            observer,
            keeps_blobs,
        })
    }

    #[cfg(feature = "http")]
    pub(super) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The place of what is in force of a scope.
    #[cfg(feature = "http")]
    pub(super) fn order(&self, scope: &Scope) -> Option<Order> {
        self.hold().in_force.get(scope).map(|it| it.order)
    }

    /// Looks for every scope at a carrier that answers at once.
    pub(super) fn look_at(&self, carrier: &mut Local, wall: UnixTime, look: fn(Scope) -> Look) {
        let name = carrier.name();
        for scope in &self.scopes {
            carrier.begin();
            let mut look = look(scope.clone());
            while let Err(missing) = self.pass(&look, &name, wall) {
                let mut wanted = Some(missing);
                while let Some(next) = wanted {
                    let fetched = carrier.fetch(scope, &next);
                    wanted = look.bring(next, fetched);
                }
            }
        }
    }

    /// Lets a look through, or says what it lacks.
    pub(super) fn pass(&self, look: &Look, carrier: &str, wall: UnixTime) -> Result<Went, Wanted> {
        let mut held = self.hold();
        if look.leads_on() {
            // A cycle that breaks off after new trust would leave what is in force without a key that
            // vouches for it, and the next carrier's look would withdraw it: so it is tried on a copy.
            let mut rehearsal = held.verifier.clone();
            let kept = held.in_force.get(&look.scope);
            let lacks = run(&mut rehearsal, kept, (look, wall), None).err();
            if let Some(wanted) = lacks {
                return Err(wanted);
            }
        }
        let Held { verifier, in_force } = &mut *held;
        let kept = in_force.get(&look.scope);
        let (cycle, persisted) = run(verifier, kept, (look, wall), self.state.as_ref())?;
        let report = self.conclude(&mut held, cycle, (look, carrier, persisted));
        drop(held);
        (self.observer)(&report);
        Ok(match report.news {
            News::Refused(Refusal::FetchFailed { .. } | Refusal::BlobMissing { .. }) => {
                Went::Unfetched
            }
            News::InForce { .. } | News::Refused(_) | News::Unchanged => Went::Well,
        })
    }

    #[cfg(test)]
    pub(super) fn tell(&mut self, observer: Observer) {
        self.observer = observer;
    }

    fn conclude(
        &self,
        held: &mut Held,
        cycle: Cycle,
        (look, carrier, persisted): (&Look, &str, bool),
    ) -> Report {
        let scope = look.scope.clone();
        if cycle.withdrawn {
            held.in_force.remove(&scope);
            self.enforcer.withdraw(&scope);
        }
        let news = match cycle.outcome {
            Ok(Outcome::InForce(accepted)) => {
                let Accepted { ruleset, blobs, .. } = *accepted;
                let (trust, serial) = (ruleset.manifest.trust, ruleset.manifest.serial);
                let in_force = InForce {
                    order: Order { trust, serial },
                    blobs: if self.keeps_blobs { blobs } else { Vec::new() },
                };
                held.in_force.insert(scope.clone(), in_force);
                self.enforcer.install(ruleset);
                News::InForce { serial }
            }
            Ok(Outcome::Unchanged) => News::Unchanged,
            Err(refusal) => News::Refused(refusal),
        };
        Report {
            scope,
            carrier: carrier.to_owned(),
            news,
            withdrawn: cycle.withdrawn,
            persisted,
        }
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One cycle, with what was brought and what is in force. What must be remembered is on the disk
/// before the cycle goes on, and so before anything is put in force by it.
fn run(
    verifier: &mut Verifier,
    in_force: Option<&InForce>,
    (look, wall): (&Look, UnixTime),
    state: Option<&StateDirectory>,
) -> Result<(Cycle, bool), Wanted> {
    let mut persisted = true;
    let mut step = verifier.begin(&look.scope, wall, look.restart);
    loop {
        step = match step {
            Step::Fetch(fetch) => {
                let wanted = fetch.wanted();
                let at_hand = look.brought(&wanted).cloned();
                let kept = || in_force.and_then(|it| it.blob(&wanted));
                match at_hand.or_else(kept) {
                    Some(fetched) => fetch.got(fetched),
                    None => return Err(wanted),
                }
            }
            Step::Persist(persist) => {
                if let Some(state) = state {
                    // what comes from the state directory is there already
                    let accepted = persist.accepted().filter(|_| !look.restart);
                    persisted &= accepted.is_none_or(|it| state.keep(&look.scope, it));
                    persisted &= state.write(persist.state());
                }
                persist.done()
            }
            Step::Done(cycle) => return Ok((cycle, persisted)),
        }
    }
}

impl InForce {
    fn blob(&self, wanted: &Wanted) -> Option<Fetched> {
        let Wanted::Blob(blob) = wanted else {
            return None;
        };
        let mut all = self.blobs.iter();
        all.find_map(|(digest, bytes)| {
            (*digest == blob.digest).then(|| Fetched::Bytes(bytes.clone()))
        })
    }
}
