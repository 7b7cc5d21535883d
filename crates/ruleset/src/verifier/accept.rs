//! What a manifest is asked before its blobs are fetched: whose it is, whether it is new, and when.

use super::{Floor, Order, SKEW, Term, Verifier, same_cluster};
use crate::digest::Digest;
use crate::envelope::{self, Verified};
use crate::manifest::{MAX_BYTES, Manifest, PAYLOAD_TYPE};
use crate::names::Scope;
use crate::refusal::Refusal;
use crate::time::UnixTime;

/// A manifest that was opened and belongs here.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) manifest: Verified<Manifest>,
    pub(super) envelope: Vec<u8>,
    /// `sha256(payload)`
    pub(super) digest: Digest,
    /// What the root allows its signers.
    max_validity: u64,
}

impl Opened {
    fn order(&self) -> Order {
        Order {
            trust: self.manifest.trust,
            serial: self.manifest.serial,
        }
    }
}

impl Verifier {
    /// Steps 2 to 5.
    pub(super) fn open(&self, scope: &Scope, envelope: Vec<u8>) -> Result<Opened, Refusal> {
        let not_delegated = || Refusal::NotDelegated {
            scope: scope.clone(),
        };
        let group = self.trust().delegation(scope).ok_or_else(not_delegated)?;
        // 2 m = open(fetch SCOPE/manifest.json, MANIFEST, g, 16 KiB)
        let signers = group.signers();
        let payload = envelope::open(&envelope, PAYLOAD_TYPE, signers, MAX_BYTES, self.seen())?;
        let digest = Digest::of(&payload);
        let manifest = payload.and_then(|payload| Manifest::parse(&payload))?;
        // 4 m.cluster == t.cluster                                              else WrongCluster
        same_cluster(&self.trust().cluster, &manifest.cluster)?;
        //   m.scope == scope; m.scopeUID == …                                     else WrongScope
        self.same_scope(scope, &manifest)?;
        // 5 m.trust ≤ t.version                                                 else TrustUnknown
        let (needs, known) = (manifest.trust, self.trust().version);
        if needs > known {
            return Err(Refusal::TrustUnknown { needs, known });
        }
        Ok(Opened {
            manifest,
            envelope,
            digest,
            max_validity: group.max_validity,
        })
    }

    fn same_scope(&self, scope: &Scope, m: &Manifest) -> Result<(), Refusal> {
        if m.scope != *scope {
            let (expected, got) = (scope.to_string(), m.scope.to_string());
            return Err(Refusal::WrongScope { expected, got });
        }
        // m.scopeUID == flag's UID if given, == floor's if floor.trust == m.trust
        let flag = self.options.scope_uids.get(scope);
        let floor = self.floor(scope).filter(|floor| floor.trust == m.trust);
        // an edge whose floor has "" may pin the first real one once, never back
        let floor = floor.map(|f| &f.scope_uid).filter(|uid| !uid.is_empty());
        let mut pinned = [flag, floor].into_iter().flatten();
        match pinned.find(|uid| **uid != m.scope_uid) {
            None => Ok(()),
            Some(uid) => Err(Refusal::WrongScope {
                expected: format!("{scope}@{uid}"),
                got: format!("{scope}@{}", m.scope_uid),
            }),
        }
    }

    /// Step 6: whether it is just what is in force.
    pub(super) fn is_in_force(&self, scope: &Scope, opened: &Opened) -> Result<bool, Refusal> {
        // 6 f = max(floor[scope], --serial-floor TRUST:SERIAL) ordered by (trust, serial)
        let got = opened.order();
        let floor = self.floor(scope);
        let f = floor.map(Floor::order).max(self.options.serial_floor);
        // (m.trust,m.serial) < f: RolledBack
        if let Some(f) = f.filter(|f| got < *f) {
            return Err(Refusal::RolledBack { floor: f, got });
        }
        // == f, digest known: sha256(payload) == f.digest else Equivocated
        let at_floor = floor.filter(|floor| floor.order() == got);
        if at_floor.is_some_and(|floor| floor.digest != opened.digest) {
            return Err(Refusal::Equivocated { order: got });
        }
        // same and in force: Unchanged
        let held = self.in_force.get(scope);
        Ok(held.is_some_and(|held| held.digest == opened.digest))
    }

    /// Step 7: until when it holds.
    pub(super) fn term(
        &self,
        scope: &Scope,
        opened: &Opened,
        wall: UnixTime,
        restart: bool,
    ) -> Result<Term, Refusal> {
        let m = &opened.manifest;
        // 7 m.issuedAt ≤ wall+SKEW (wall, not now())      else FromTheFuture   # floor not moved
        if m.issued_at > wall.plus(SKEW) {
            let (issued_at, now) = (m.issued_at, wall);
            return Err(Refusal::FromTheFuture { issued_at, now });
        }
        //   issuedAt < expiresAt ≤ issuedAt+g.maxValidity, stale.for ≤ 7d           else Malformed
        m.inspect_times(opened.max_validity)?;
        //   now < end = min(expiresAt, issuedAt+--max-age)                            else Expired
        let aged = self.options.max_age.map(|age| m.issued_at.plus(age));
        let end = aged.map_or(m.expires_at, |aged| m.expires_at.min(aged));
        let served_until = end.plus(m.stale.seconds.min(self.options.max_stale));
        let now = self.now(wall);
        //   except at restart: digest == persisted floor.digest and
        //   now < end+min(stale.for, flag) → in force as stale
        let floor = self.floor(scope);
        let was_in_force = restart && floor.is_some_and(|floor| floor.digest == opened.digest);
        let until = if was_in_force { served_until } else { end };
        if now >= until {
            return Err(Refusal::Expired { end, now });
        }
        Ok(Term {
            earliest: m.issued_at.max(self.remembered.latest),
            end,
            served_until,
        })
    }
}
