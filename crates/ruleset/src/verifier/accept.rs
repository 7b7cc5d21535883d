//! The cycle: trust first, then one manifest, then its blobs; the specification stands above each step.

use super::{
    Accepted, Carrier, Cycle, Fetched, Floor, Held, MAX_TRUST_STEPS, Outcome, Ruleset, SKEW, Term,
    Verifier, same_cluster,
};
use crate::envelope::{self, Verified};
use crate::json;
use crate::manifest::{
    BlobName, BlobRef, Digest, Encoding, MAX_BLOB, MAX_BYTES, MAX_STALE, Manifest, PAYLOAD_TYPE,
    SCHEMAS,
};
use crate::names::Scope;
use crate::provider::Keys;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::time::UnixTime;
use crate::trust::Delegation;
use serde::Deserialize;

/// The two blobs, as they came: decoded they are the same bytes, for the one encoding is identity.
struct Blobs {
    keys: (Digest, Vec<u8>),
    rules: (Digest, Vec<u8>),
}

impl Verifier {
    /// Looks at what a carrier has for a scope. `restart` says that the carrier is this edge's own
    /// state directory: then what was in force may be served on past its end.
    pub fn accept(
        &mut self,
        scope: &Scope,
        carrier: &mut dyn Carrier,
        wall: UnixTime,
        restart: bool,
    ) -> Cycle {
        let before = self.trust.version;
        let outcome = self.advance_trust(carrier, wall).and_then(|()| {
            let (ruleset, envelope, blobs) = match self.read(scope, carrier, wall, restart)? {
                Some(read) => read,
                None => return Ok(Outcome::Unchanged),
            };
            self.commit(scope, &ruleset, &envelope);
            let blobs = vec![blobs.keys, blobs.rules];
            Ok(Outcome::InForce(Box::new(Accepted {
                ruleset,
                envelope,
                blobs,
            })))
        });
        let state_changed =
            self.trust.version != before || matches!(outcome, Ok(Outcome::InForce(_)));
        Cycle {
            outcome,
            withdrawn: !self.still_holds(scope),
            state_changed,
        }
    }

    /// `advance_trust()`: at start and before each new manifest.
    fn advance_trust(&mut self, carrier: &mut dyn Carrier, wall: UnixTime) -> Result<(), Refusal> {
        // repeat ≤ 1024: b = fetch trust/{t.version+1}.json, ≤ 16 KiB; none: stop
        for _ in 0..MAX_TRUST_STEPS {
            let version = self.trust.version.saturating_add(1);
            let bytes = match carrier.trust(version) {
                Fetched::Bytes(bytes) => bytes,
                Fetched::NotFound => break,
                // "none" is NotFound only: a fetch error or a refused document ends the cycle
                Fetched::Failed(reason) => {
                    return Err(Refusal::FetchFailed {
                        what: "the next trust document",
                        reason,
                    });
                }
            };
            // n = strict(open(b, TRUST, t.root)); open(b, TRUST, n.root)      # old AND new threshold
            // keys unique by SPKI, 1 ≤ threshold ≤ |keys|, …                   else TrustInvalid
            let next = self.trust.open_next(&bytes, &self.seen)?;
            // n.version == t.version+1  else TrustOutOfOrder;  n.cluster == t.cluster  else WrongCluster
            if next.version != version {
                return Err(Refusal::TrustOutOfOrder {
                    expected: version,
                    got: next.version,
                });
            }
            same_cluster(&self.trust.cluster, &next.cluster)?;
            // t = n; persist(t)          # before going on; expiry of intermediates is ignored
            self.trust = next.into_inner();
            self.trust_envelope = bytes;
            self.seen.extend(self.trust.key_ids().cloned());
        }
        // now < t.expiresAt                                     else TrustExpired: accept nothing new
        if self.now(wall) >= self.trust.expires_at {
            return Err(Refusal::TrustExpired {
                at: self.trust.expires_at,
            });
        }
        Ok(())
    }

    /// `now() = max(wall, hi)`: a clock set back does not revive what has expired.
    fn now(&self, wall: UnixTime) -> UnixTime {
        wall.max(self.latest)
    }

    /// Steps 1 to 9; `None` is Unchanged.
    fn read(
        &self,
        scope: &Scope,
        carrier: &mut dyn Carrier,
        wall: UnixTime,
        restart: bool,
    ) -> Result<Option<(Verified<Ruleset>, Vec<u8>, Blobs)>, Refusal> {
        // 1 advance_trust(); g = the one rulesets group of t whose scopes match   else NotDelegated
        let not_delegated = || Refusal::NotDelegated {
            scope: scope.to_string(),
        };
        let group = self.trust.delegation(scope).ok_or_else(not_delegated)?;
        // 2 m = open(fetch SCOPE/manifest.json, MANIFEST, g, 16 KiB)
        let envelope = match carrier.manifest(scope) {
            Fetched::Bytes(bytes) => bytes,
            Fetched::NotFound => {
                return Err(Refusal::NotFound {
                    scope: scope.to_string(),
                });
            }
            Fetched::Failed(reason) => {
                return Err(Refusal::FetchFailed {
                    what: "the manifest",
                    reason,
                });
            }
        };
        let opened = envelope::open(
            &envelope,
            PAYLOAD_TYPE,
            group.signers(),
            MAX_BYTES,
            &self.seen,
        )
        .map_err(Refusal::Manifest)?;
        let digest = Digest::of(&opened);
        let manifest = opened.and_then(|payload| parse(&payload))?;
        self.is_ours(&manifest, scope)?;
        if self.is_unchanged(&manifest, &digest, scope)? {
            return Ok(None);
        }
        let term = self.term(&manifest, &digest, group, scope, wall, restart)?;
        let blobs = blobs(&manifest, scope, carrier)?;
        // 9 strict parse; counts within limits; every provider named in rules is in keys; ids unique
        //                                                                        else RulesInvalid
        let rules = Rules::from_bytes(&blobs.rules.1)?;
        let keys = Keys::from_bytes(&blobs.keys.1)?;
        if rules.scope != *scope {
            let got = rules.scope.to_string();
            return Err(Refusal::WrongScope {
                expected: scope.to_string(),
                got,
            });
        }
        if let Some(unknown) = rules
            .providers()
            .into_iter()
            .find(|id| keys.provider(id).is_none())
        {
            return Err(Refusal::ProviderUnknown(unknown.to_string()));
        }
        let ruleset = manifest.and_then(|manifest| {
            Ok::<_, Refusal>(Ruleset {
                manifest,
                digest,
                rules,
                keys,
                term,
            })
        })?;
        Ok(Some((ruleset, envelope, blobs)))
    }

    /// Steps 4 and 5.
    fn is_ours(&self, m: &Manifest, scope: &Scope) -> Result<(), Refusal> {
        // 4 m.cluster == t.cluster, else WrongCluster; m.scope == scope; m.scopeUID == flag's UID if
        //   given, == floor's if floor.trust == m.trust                          else WrongScope
        same_cluster(&self.trust.cluster, &m.cluster)?;
        if m.scope != *scope {
            let (expected, got) = (scope.to_string(), m.scope.to_string());
            return Err(Refusal::WrongScope { expected, got });
        }
        let pinned = self.options.scope_uids.get(scope);
        let floor = self
            .floors
            .get(scope)
            .filter(|floor| floor.trust == m.trust);
        // an empty UID at the floor may become the first real one, and never goes back
        let floor = floor
            .map(|floor| &floor.scope_uid)
            .filter(|uid| !uid.is_empty());
        for expected in [pinned, floor].into_iter().flatten() {
            if *expected != m.scope_uid {
                let expected = format!("{scope}@{expected}");
                let got = format!("{scope}@{}", m.scope_uid);
                return Err(Refusal::WrongScope { expected, got });
            }
        }
        // 5 m.trust ≤ t.version                                                 else TrustUnknown
        if m.trust > self.trust.version {
            return Err(Refusal::TrustUnknown {
                needs: m.trust,
                known: self.trust.version,
            });
        }
        Ok(())
    }

    /// Step 6.
    fn is_unchanged(&self, m: &Manifest, digest: &Digest, scope: &Scope) -> Result<bool, Refusal> {
        // 6 f = max(floor[scope], --serial-floor TRUST:SERIAL) ordered by (trust, serial)
        //   (m.trust,m.serial) < f: RolledBack
        let got = (m.trust, m.serial);
        let floor = self.floors.get(scope);
        let kept = floor.map(|floor| (floor.trust, floor.serial));
        if let Some(floor) = kept.max(self.options.serial_floor)
            && got < floor
        {
            return Err(Refusal::RolledBack { floor, got });
        }
        //   == f, digest known: sha256(payload) == f.digest else Equivocated; same and in force:
        //   Unchanged, stop
        match floor {
            Some(floor) if kept == Some(got) && floor.digest != *digest => {
                Err(Refusal::Equivocated { order: got })
            }
            _ => Ok(self
                .in_force
                .get(scope)
                .is_some_and(|held| held.digest == *digest)),
        }
    }

    /// Step 7.
    fn term(
        &self,
        m: &Manifest,
        digest: &Digest,
        group: &Delegation,
        scope: &Scope,
        wall: UnixTime,
        restart: bool,
    ) -> Result<Term, Refusal> {
        // 7 m.issuedAt ≤ wall+SKEW (wall, not now())            else FromTheFuture   # floor not moved
        if m.issued_at > wall.plus(SKEW) {
            return Err(Refusal::FromTheFuture {
                issued_at: m.issued_at,
                now: wall,
            });
        }
        //   issuedAt < expiresAt ≤ issuedAt+g.maxValidity, stale.for ≤ 7d, serial ≤ 2^53-1  else Malformed
        let latest = m.issued_at.plus(group.max_validity);
        if m.expires_at <= m.issued_at || m.expires_at > latest {
            let reason = format!("expiresAt {}, allowed up to {latest}", m.expires_at);
            return Err(Refusal::Malformed(reason));
        }
        if m.stale.seconds > MAX_STALE {
            let reason = format!(
                "stale.for {} s, allowed up to {MAX_STALE} s",
                m.stale.seconds
            );
            return Err(Refusal::Malformed(reason));
        }
        //   now < end = min(expiresAt, issuedAt+--max-age)                                  else Expired
        //      except at restart: digest == persisted floor.digest and
        //      now < end+min(stale.for, flag) → in force as stale
        let aged = self
            .options
            .max_age
            .map_or(m.expires_at, |age| m.issued_at.plus(age));
        let end = m.expires_at.min(aged);
        let served_until = end.plus(m.stale.seconds.min(self.options.max_stale));
        let was_in_force = self
            .floors
            .get(scope)
            .is_some_and(|floor| floor.digest == *digest);
        let until = if restart && was_in_force {
            served_until
        } else {
            end
        };
        let now = self.now(wall);
        if now >= until {
            return Err(Refusal::Expired { end, now });
        }
        Ok(Term {
            issued_at: m.issued_at,
            end,
            served_until,
        })
    }

    /// 10 commit: persist floor & blobs; hi=max(hi,issuedAt); swap. The caller persists and swaps.
    fn commit(&mut self, scope: &Scope, ruleset: &Ruleset, envelope: &[u8]) {
        let m = &ruleset.manifest;
        let floor = Floor {
            trust: m.trust,
            serial: m.serial,
            digest: ruleset.digest.clone(),
            issued_at: m.issued_at,
            scope_uid: m.scope_uid.clone(),
        };
        self.floors.insert(scope.clone(), floor);
        self.latest = self.latest.max(m.issued_at);
        let held = Held {
            envelope: envelope.to_vec(),
            digest: ruleset.digest.clone(),
            opened_under: self.trust.version,
        };
        self.in_force.insert(scope.clone(), held);
    }

    /// if t changed: at the END of this cycle the in-force envelope must open() under t, else
    /// unready + 503 (`RemovedKey`; stale mode does not apply)
    fn still_holds(&mut self, scope: &Scope) -> bool {
        let (trust, seen) = (&self.trust, &self.seen);
        let Some(held) = self.in_force.get_mut(scope) else {
            return true;
        };
        if held.opened_under == trust.version {
            return true;
        }
        let holds = trust.delegation(scope).is_some_and(|group| {
            envelope::open(
                &held.envelope,
                PAYLOAD_TYPE,
                group.signers(),
                MAX_BYTES,
                seen,
            )
            .is_ok()
        });
        if holds {
            held.opened_under = trust.version;
        } else {
            self.in_force.remove(scope);
        }
        holds
    }
}

/// 3 peek m.schema: MIN ≤ schema ≤ MAX     else `SchemaTooOld` | `SchemaTooNew`; then strict(m), else Malformed
fn parse(payload: &[u8]) -> Result<Manifest, Refusal> {
    #[derive(Deserialize)]
    struct Peek {
        schema: u32,
    }
    let malformed = |error: json::Malformed| Refusal::Malformed(error.to_string());
    let Peek { schema } = json::strict(payload, json::Limits::PAYLOAD).map_err(malformed)?;
    let (min, max) = (*SCHEMAS.start(), *SCHEMAS.end());
    if schema < min {
        return Err(Refusal::SchemaTooOld { got: schema, min });
    }
    if schema > max {
        return Err(Refusal::SchemaTooNew { got: schema, max });
    }
    json::strict(payload, json::Limits::PAYLOAD).map_err(malformed)
}

/// Step 8.
fn blobs(m: &Manifest, scope: &Scope, carrier: &mut dyn Carrier) -> Result<Blobs, Refusal> {
    // 8 m.blobs = exactly {rules, keys}; digest ~ [0-9a-f]{64}; size, decodedSize ≤ caps
    //                                                                      else Malformed | TooLarge
    let (keys, rules) = match m.blobs.as_slice() {
        [a, b] if a.name == BlobName::Keys && b.name == BlobName::Rules => (a, b),
        [a, b] if a.name == BlobName::Rules && b.name == BlobName::Keys => (b, a),
        _ => {
            return Err(Refusal::Malformed(
                "expected exactly the blobs keys and rules".into(),
            ));
        }
    };
    for blob in [keys, rules] {
        let got = blob.size.max(blob.decoded_size);
        if got > MAX_BLOB {
            return Err(Refusal::TooLarge {
                most: MAX_BLOB,
                got,
            });
        }
    }
    Ok(Blobs {
        keys: fetch(keys, scope, carrier)?,
        rules: fetch(rules, scope, carrier)?,
    })
}

fn fetch(
    blob: &BlobRef,
    scope: &Scope,
    carrier: &mut dyn Carrier,
) -> Result<(Digest, Vec<u8>), Refusal> {
    // each: take from cache by digest or fetch ≤ size+1 bytes within one deadline   else BlobMissing
    let digest = blob.digest.to_string();
    let bytes = match carrier.blob(scope, blob) {
        Fetched::Bytes(bytes) => bytes,
        Fetched::NotFound => {
            return Err(Refusal::BlobMissing {
                digest,
                reason: "there is none".into(),
            });
        }
        Fetched::Failed(reason) => return Err(Refusal::BlobMissing { digest, reason }),
    };
    // len == size else BlobSize; sha256 == digest else BlobDigest
    let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if got != blob.size {
        return Err(Refusal::BlobSize {
            expected: blob.size,
            got,
        });
    }
    let actual = Digest::of(&bytes);
    if actual != blob.digest {
        return Err(Refusal::BlobDigest {
            expected: digest,
            got: actual.to_string(),
        });
    }
    // decode stops at decodedSize, equal                                            else BlobDecoded
    match blob.encoding {
        Encoding::Identity if got != blob.decoded_size => Err(Refusal::BlobDecoded {
            expected: blob.decoded_size,
            got,
        }),
        Encoding::Identity => Ok((actual, bytes)),
    }
}
