//! What is remembered of a publication, so that one that would say the same is not made.

use super::authority::Terms;
use super::chain::Last;
use super::store::Version;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::manifest::{BlobName, BlobRef, Manifest};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::{Order, SKEW};
use std::collections::BTreeMap;

/// What is known of the ruleset that is published of a namespace.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The state of the store that it is true of.
    pub(super) version: Version,
    /// What was signed.
    pub(super) manifest: Manifest,
    /// Its digest.
    pub(super) digest: Digest,
    /// What its keys say; `None` if its blobs are not whole.
    pub(super) gist: Option<Gist>,
    /// The highest place that was ever seen, and the latest time: a store that was restored from a copy
    /// shows an older ruleset than edges hold.
    pub(super) highest: Order,
    pub(super) latest: UnixTime,
}

impl Known {
    /// What was read back.
    pub(super) fn read(last: &Last) -> Self {
        let whole = last.whole.as_ref();
        // a clock that was ahead has signed what was taken before it was issued: it shows nothing of ours
        let issued = last.manifest.issued_at;
        let is_ahead = |written: &UnixTime| issued.since(*written) > SKEW;
        Self {
            version: last.version.clone(),
            manifest: last.manifest.clone(),
            digest: last.digest.clone(),
            gist: whole.and_then(|whole| Gist::of(&whole.keys)),
            highest: last.order(),
            latest: last.written.filter(is_ahead).unwrap_or(issued),
        }
    }

    /// The same, and what was seen before is not forgotten.
    pub(super) fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before {
            // what is as new as all that was seen says itself when it was issued
            if self.order() < before.highest {
                self.latest = self.latest.max(before.latest);
            }
            self.highest = self.highest.max(before.highest);
        }
        self
    }

    const fn order(&self) -> Order {
        Order {
            trust: self.manifest.trust,
            serial: self.manifest.serial,
        }
    }

    /// Whether it was signed under this trust document and says what these blobs say; keys that were
    /// fetched again and are the same say the same. What is older than something that was published says
    /// nothing: edges hold the newer one, and take no older one.
    pub(super) fn says(&self, draft: &Manifest, gist: Option<&Gist>) -> bool {
        let meaning = |gist: Option<&Gist>| gist.map(|gist| gist.meaning.clone());
        let rules = |manifest: &Manifest| blob(manifest, BlobName::Rules).map(|b| b.digest.clone());
        self.order() == self.highest
            && self.manifest.trust == draft.trust
            && self.manifest.scope_uid == draft.scope_uid
            && rules(&self.manifest) == rules(draft)
            && gist.is_some()
            && meaning(self.gist.as_ref()) == meaning(gist)
    }

    /// When it is to be signed anew: at a quarter of the smallest age, or when half of the time has gone
    /// for which its keys are good, as there may be fresher ones by then.
    pub(super) fn resign_at(&self, terms: &Terms, now: UnixTime) -> UnixTime {
        let regular = self.renew_at(terms);
        let halves = self.gist.iter().flat_map(Gist::halves);
        halves.filter(|at| *at > now).fold(regular, UnixTime::min)
    }

    /// Whether it is to be signed anew now. What was issued later than now is in force nowhere.
    pub(super) fn is_due(&self, gist: Option<&Gist>, terms: &Terms, now: UnixTime) -> bool {
        let is_aging = |(before, new): (&Gist, &Gist)| before.is_aging(new, now);
        let is_ahead = self.manifest.issued_at.since(now) > SKEW;
        is_ahead
            || now >= self.renew_at(terms)
            || self.gist.as_ref().zip(gist).is_some_and(is_aging)
    }

    fn renew_at(&self, terms: &Terms) -> UnixTime {
        let m = &self.manifest;
        let quarter = (m.expires_at.since(m.issued_at) / 4).max(1);
        m.issued_at.plus(terms.renewed_after().min(quarter))
    }

    /// Whether a blob is one of its own, and is known to be there.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.gist.is_some()
            && self
                .manifest
                .blobs
                .iter()
                .any(|blob| blob.digest == *digest)
    }
}

fn blob(manifest: &Manifest, name: BlobName) -> Option<&BlobRef> {
    manifest.blobs.iter().find(|blob| blob.name == name)
}

/// What keys say, apart from when they were fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gist {
    meaning: Digest,
    /// When each provider's keys were fetched, and for how long they are good.
    fetched: BTreeMap<ProviderId, (UnixTime, u64)>,
}

impl Gist {
    /// The gist of keys; `None` if they cannot be written, and then they cannot be published.
    pub(super) fn of(keys: &Keys) -> Option<Self> {
        let mut timeless = keys.clone();
        let mut fetched = BTreeMap::new();
        for provider in &mut timeless.providers {
            if let Some(at) = provider.fetched_at.take() {
                fetched.insert(provider.id.clone(), (at, provider.max_stale));
            }
        }
        let bytes = timeless.to_bytes().ok()?;
        Some(Self {
            meaning: Digest::of(&bytes),
            fetched,
        })
    }

    fn halves(&self) -> impl Iterator<Item = UnixTime> {
        self.fetched.values().map(|(at, good)| at.plus(good / 2))
    }

    /// Whether a provider's keys have been good for half of their time, and there are fresher ones.
    fn is_aging(&self, new: &Self, now: UnixTime) -> bool {
        self.fetched.iter().any(|(id, (at, good))| {
            let is_fresher = new.fetched.get(id).is_some_and(|(newer, _)| newer > at);
            is_fresher && now >= at.plus(good / 2)
        })
    }
}
