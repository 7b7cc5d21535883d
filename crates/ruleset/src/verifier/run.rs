//! The order of the steps: trust first, then one manifest, then its two blobs, then all or nothing.

use super::accept::Opened;
use super::blobs::{Gathering, assemble, received};
use super::state::Remembered;
use super::step::{Fetch, Fetched, Persist, Step};
use super::{Accepted, Cycle, Held, MAX_TRUST_STEPS, Outcome, State, Verifier};
use crate::names::Scope;
use crate::refusal::Refusal;
use crate::time::UnixTime;

/// What every step of a cycle knows.
#[derive(Debug)]
pub(super) struct Run<'v> {
    verifier: &'v mut Verifier,
    pub(super) scope: Scope,
    wall: UnixTime,
    restart: bool,
    followed: usize,
    changed: bool,
}

/// What a cycle waits for.
#[derive(Debug)]
pub(super) enum Awaited {
    Blob(Box<Gathering>),
    Manifest,
    Trust(u64),
}

/// What comes after the state is persisted.
#[derive(Debug)]
pub(super) enum Next {
    InForce(Box<Accepted>),
    Trust,
}

impl<'v> Run<'v> {
    pub(super) const fn new(
        verifier: &'v mut Verifier,
        scope: Scope,
        wall: UnixTime,
        restart: bool,
    ) -> Self {
        Self {
            verifier,
            scope,
            wall,
            restart,
            followed: 0,
            changed: false,
        }
    }

    /// `advance_trust()`                                   # at start and before each new manifest
    ///   repeat ≤ 1024: b = fetch trust/{t.version+1}.json, ≤ 16 KiB
    pub(super) fn next_trust(self) -> Step<'v> {
        if self.followed >= MAX_TRUST_STEPS {
            return self.trusted();
        }
        let version = self.verifier.trust().version.saturating_add(1);
        self.fetch(Awaited::Trust(version))
    }

    pub(super) fn got_trust(self, fetched: Fetched) -> Step<'v> {
        let bytes = match fetched {
            Fetched::Bytes(bytes) => bytes,
            // none: stop
            Fetched::NotFound => return self.trusted(),
            // and "none" is NotFound only: a fetch error or a refused document ends the cycle
            Fetched::Failed(reason) => {
                let what = "the next trust document";
                return self.refuse(Refusal::FetchFailed { what, reason });
            }
        };
        let remembered = &self.verifier.remembered;
        match remembered.trust.next(bytes, &remembered.seen_keys) {
            // t = n; persist(t)           # before going on; expiry of intermediates is ignored
            Ok(next) => {
                let mut remembered = remembered.clone();
                remembered.follow(next);
                self.persist(remembered, Next::Trust)
            }
            Err(distrusted) => self.refuse(distrusted.into()),
        }
    }

    fn trusted(self) -> Step<'v> {
        // now < t.expiresAt                                 else TrustExpired: accept nothing new
        let at = self.verifier.trust().expires_at;
        if self.verifier.now(self.wall) >= at {
            return self.refuse(Refusal::TrustExpired { at });
        }
        // 1 g = the one rulesets group of t whose scopes match scope            else NotDelegated
        if self.verifier.trust().delegation(&self.scope).is_none() {
            let scope = self.scope.clone();
            return self.refuse(Refusal::NotDelegated { scope });
        }
        // 2 fetch SCOPE/manifest.json
        self.fetch(Awaited::Manifest)
    }

    pub(super) fn got_manifest(self, fetched: Fetched) -> Step<'v> {
        let envelope = match fetched {
            Fetched::Bytes(bytes) => bytes,
            Fetched::NotFound => {
                let scope = self.scope.clone();
                return self.refuse(Refusal::NotFound { scope });
            }
            Fetched::Failed(reason) => {
                let what = "the manifest";
                return self.refuse(Refusal::FetchFailed { what, reason });
            }
        };
        let opened = self.verifier.open(&self.scope, envelope);
        let accepted = opened.and_then(|opened| {
            if self.verifier.is_in_force(&self.scope, &opened)? {
                return Ok(Err(opened));
            }
            let term = self
                .verifier
                .term(&self.scope, &opened, self.wall, self.restart)?;
            Ok(Ok(Gathering::new(opened, term)?))
        });
        match accepted {
            Ok(Ok(gathering)) => self.fetch(Awaited::Blob(Box::new(gathering))),
            // same and in force: Unchanged, stop
            Ok(Err(Opened { envelope, .. })) => self.end(Ok(Outcome::Unchanged), Some(envelope)),
            Err(refusal) => self.refuse(refusal),
        }
    }

    pub(super) fn got_blob(self, mut gathering: Box<Gathering>, fetched: Fetched) -> Step<'v> {
        let bytes = match received(gathering.missing(), fetched) {
            Ok(bytes) => bytes,
            Err(refusal) => return self.refuse(refusal),
        };
        let Some(keys) = gathering.keys.take() else {
            gathering.keys = Some(bytes);
            return self.fetch(Awaited::Blob(gathering));
        };
        match assemble(*gathering, keys, bytes) {
            // 10 commit: persist floor & blobs (failure: metric, go on); hi=max(hi,issuedAt)
            Ok(accepted) => {
                let mut remembered = self.verifier.remembered.clone();
                remembered.accept(&self.scope, &accepted.ruleset);
                self.persist(remembered, Next::InForce(Box::new(accepted)))
            }
            //    Any refusal: nothing persisted, in-force kept
            Err(refusal) => self.refuse(refusal.into()),
        }
    }

    pub(super) fn persisted(mut self, state: State, next: Next) -> Step<'v> {
        if let Some(remembered) = state.into_remembered() {
            self.verifier.remembered = remembered;
        }
        self.changed = true;
        match next {
            Next::Trust => {
                self.followed = self.followed.saturating_add(1);
                self.next_trust()
            }
            Next::InForce(accepted) => {
                // 10 swap; ack
                let held = Held {
                    envelope: accepted.envelope.clone(),
                    digest: accepted.ruleset.digest.clone(),
                    opened_under: self.verifier.trust().version,
                };
                self.verifier.in_force.insert(self.scope.clone(), held);
                self.end(Ok(Outcome::InForce(accepted)), None)
            }
        }
    }

    const fn fetch(self, awaited: Awaited) -> Step<'v> {
        Step::Fetch(Fetch { run: self, awaited })
    }

    const fn persist(self, remembered: Remembered, next: Next) -> Step<'v> {
        let state = State::of(remembered);
        Step::Persist(Persist {
            run: self,
            state,
            next,
        })
    }

    fn refuse(self, refusal: Refusal) -> Step<'v> {
        self.end(Err(refusal), None)
    }

    fn end(self, outcome: Result<Outcome, Refusal>, published: Option<Vec<u8>>) -> Step<'v> {
        Step::Done(Cycle {
            outcome,
            withdrawn: self.verifier.withdraws(&self.scope, published),
            state_changed: self.changed,
        })
    }
}
