//! The providers of a ruleset, made ready once: keys admitted, revocations hashed.

use super::known::Known;
use super::required::Required;
use crate::claims::{Fact, lookup};
use crate::keys::{Freshness, KeySet, Thumbprint};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::{Algorithm, ClaimPaths, Keys, Provider};
use countersign_ruleset::rules::{Revocation, Revoked};
use countersign_ruleset::time::UnixTime;
use foldhash::HashMap;
use serde_json::{Map, Value};
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

/// All providers of a ruleset, by the issuers that they sign as.
#[derive(Debug, Default)]
pub struct Providers {
    all: Vec<Arc<Trusted>>,
    by_issuer: HashMap<String, Option<Arc<Trusted>>>,
}

impl Providers {
    /// Makes the providers ready.
    pub fn new(keys: Keys, revocations: &[Revocation]) -> Self {
        Self::sharing(keys, revocations, &Arc::default())
    }

    /// The same, with the signatures that are known already.
    pub(crate) fn sharing(keys: Keys, revocations: &[Revocation], known: &Arc<Known>) -> Self {
        let mut providers = Self::default();
        for provider in keys.providers {
            let trusted = Trusted {
                known: Arc::clone(known),
                ..Trusted::new(provider, revocations)
            };
            let trusted = Arc::new(trusted);
            for issuer in &trusted.provider.issuers {
                match providers.by_issuer.entry(issuer.clone()) {
                    Entry::Vacant(place) => {
                        place.insert(Some(Arc::clone(&trusted)));
                    }
                    // Two that claim one issuer: neither gets it, or the keys of the one would
                    // verify what the other says.
                    Entry::Occupied(mut place) => {
                        place
                            .get_mut()
                            .take_if(|other| !Arc::ptr_eq(other, &trusted));
                    }
                }
            }
            providers.all.push(trusted);
        }
        providers
    }

    /// The provider that signs as `issuer`, compared exactly.
    pub fn by_issuer(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.by_issuer.get(issuer)?.as_ref()
    }

    /// The provider of that name, as long as it is the only one to sign as `issuer`.
    pub(crate) fn named(&self, id: &ProviderId, issuer: &str) -> Option<&Arc<Trusted>> {
        self.by_issuer(issuer).filter(|it| it.id() == id)
    }

    /// Every provider.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.all.iter()
    }
}

/// A provider whose tokens may count: how they read, the keys that verify them, and what was
/// revoked.
pub struct Trusted {
    provider: Provider,
    keys: KeySet,
    revocations: Revocations,
    known: Arc<Known>,
}

impl Trusted {
    /// Admits the provider's keys, and keeps those of `revocations` that are about it.
    pub fn new(mut provider: Provider, revocations: &[Revocation]) -> Self {
        let freshness = provider.fetched_at.map_or(Freshness::Inline, |fetched_at| {
            Freshness::Until(fetched_at.plus(provider.max_stale))
        });
        let jwks = std::mem::take(&mut provider.keys);
        let own = revocations
            .iter()
            .filter(|revocation| revocation.provider == provider.id);
        Self {
            keys: KeySet::admit(&jwks, &provider.algorithms, freshness),
            revocations: own.collect(),
            known: Arc::default(),
            provider,
        }
    }

    /// Its name.
    pub const fn id(&self) -> &ProviderId {
        &self.provider.id
    }

    /// Its definition, without its keys.
    pub const fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The header that carries its tokens, in lower case; `None` is `Authorization: Bearer`.
    pub fn header(&self) -> Option<&str> {
        self.provider.header.as_deref()
    }

    /// Its keys.
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    pub(super) fn algorithms(&self) -> &[Algorithm] {
        &self.provider.algorithms
    }

    pub(crate) const fn claims(&self) -> &ClaimPaths {
        &self.provider.claims
    }

    /// Whether it signs as `issuer`: exactly, without a thought for slashes or case.
    pub(crate) fn issues_as(&self, issuer: &str) -> bool {
        self.provider.issuers.iter().any(|own| own == issuer)
    }

    /// Whether the key counts no longer, for a token of that date.
    pub(super) fn revokes_key(&self, key: &Thumbprint, issued_at: UnixTime, at: UnixTime) -> bool {
        self.revocations.keys.covers(key.as_str(), issued_at, at)
    }

    /// Whether the token's subject, session or own name counts no longer.
    pub(super) fn revokes(
        &self,
        required: &Required,
        members: &Map<String, Value>,
        at: UnixTime,
    ) -> bool {
        let issued_at = required.issued_at;
        let Revocations {
            subjects,
            sessions,
            tokens,
            keys: _,
        } = &self.revocations;
        subjects.covers(&required.subject, issued_at, at)
            || sessions.covers_claim(members, "sid", issued_at, at)
            || tokens.covers_claim(members, "jti", issued_at, at)
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trusted")
            .field("id", self.id())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// What was revoked of one provider's.
#[derive(Default)]
struct Revocations {
    keys: Periods,
    sessions: Periods,
    subjects: Periods,
    tokens: Periods,
}

impl<'a> FromIterator<&'a Revocation> for Revocations {
    fn from_iter<I: IntoIterator<Item = &'a Revocation>>(revocations: I) -> Self {
        let mut all = Self::default();
        for Revocation {
            revoked,
            issued_before,
            until,
            provider: _,
        } in revocations
        {
            let (periods, name) = match revoked {
                Revoked::Jti(name) => (&mut all.tokens, name),
                Revoked::Key(name) => (&mut all.keys, name),
                Revoked::Sid(name) => (&mut all.sessions, name),
                Revoked::Subject(name) => (&mut all.subjects, name),
            };
            let period = Period {
                issued_before: *issued_before,
                until: *until,
            };
            periods.0.entry(name.clone()).or_default().push(period);
        }
        all
    }
}

/// By the name of what is revoked, for when.
#[derive(Default)]
struct Periods(HashMap<String, Vec<Period>>);

struct Period {
    issued_before: Option<UnixTime>,
    until: Option<UnixTime>,
}

impl Period {
    fn covers(&self, issued_at: UnixTime, at: UnixTime) -> bool {
        self.until.is_none_or(|until| at < until)
            && self.issued_before.is_none_or(|instant| issued_at < instant)
    }
}

impl Periods {
    fn covers(&self, name: &str, issued_at: UnixTime, at: UnixTime) -> bool {
        self.0
            .get(name)
            .is_some_and(|periods| periods.iter().any(|it| it.covers(issued_at, at)))
    }

    /// As a claim of the token names it. One that cannot be read may be any of those that are
    /// revoked; one that is not there is none of them.
    fn covers_claim(
        &self,
        members: &Map<String, Value>,
        claim: &str,
        issued_at: UnixTime,
        at: UnixTime,
    ) -> bool {
        if self.0.is_empty() {
            return false;
        }
        match lookup::at(members, &[claim.to_owned()]).and_then(lookup::text) {
            Fact::Absent => false,
            Fact::Known(name) => self.covers(name, issued_at, at),
            Fact::Unknown(_) => self.0.values().flatten().any(|it| it.covers(issued_at, at)),
        }
    }
}
