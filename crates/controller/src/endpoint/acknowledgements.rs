//! Which edges have which ruleset in force, as they say themselves: telemetry, and nothing is decided by it.

use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Order;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How long an edge counts that says nothing more, in seconds: three long polls.
pub(super) const TTL: u64 = 180;

/// The most edges of one scope: above, the ones that said nothing for the longest are forgotten.
pub(super) const MOST: usize = 10_000;

/// A pod, by its token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pod {
    /// Its UID: one that is made anew is another.
    pub uid: String,
    /// Its name, for people.
    pub name: String,
}

/// What one edge said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Which pod it is in.
    pub pod: Pod,
    /// The place of what is in force there.
    pub order: Order,
    /// When it said so.
    pub seen_at: UnixTime,
}

/// What was heard of the edges of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// What each said last, by its pod's UID.
    pub edges: BTreeMap<String, Acknowledgement>,
    /// How many there are beside them, of which no more is known.
    pub unlisted: usize,
}

/// What one replica heard, by namespace.
pub type Words = BTreeMap<Scope, Heard>;

/// What all edges said: to this replica, and to the others.
#[derive(Debug, Default)]
pub struct Acknowledgements {
    inner: Mutex<Inner>,
    news: watch::Sender<BTreeSet<Scope>>,
}

#[derive(Debug, Default)]
struct Inner {
    own: BTreeMap<Scope, Own>,
    /// What other replicas heard, by their names; `None` is what cannot be read.
    others: BTreeMap<String, Option<Words>>,
}

/// What edges of one namespace said to this replica.
#[derive(Debug, Default)]
struct Own {
    edges: BTreeMap<String, Acknowledgement>,
    /// When one was forgotten last that was not over.
    forgot: Option<UnixTime>,
}

impl Own {
    fn unlisted(&self, now: UnixTime) -> usize {
        let is_recent = self.forgot.is_some_and(|at| now.since(at) <= TTL);
        usize::from(is_recent)
    }
}

impl Acknowledgements {
    /// Takes down what an edge of a scope says. Whose it is comes from its token, and so does the
    /// scope: a pod speaks for itself, in its own namespace.
    pub fn take(&self, scope: &Scope, acknowledgement: Acknowledgement) {
        let now = acknowledgement.seen_at;
        let mut inner = self.hold();
        let own = inner.own.entry(scope.clone()).or_default();
        let uid = acknowledgement.pod.uid.clone();
        if own.edges.len() >= MOST && !own.edges.contains_key(&uid) {
            forget(own, now);
        }
        let order = acknowledgement.order;
        let before = own.edges.insert(uid, acknowledgement);
        drop(inner);
        if before.is_none_or(|before| before.order != order) {
            self.tell([scope.clone()]);
        }
    }

    /// Takes down what another replica heard, in place of what it had heard before; `None` is what
    /// cannot be read, and may have been anything.
    pub fn hear(&self, replica: &str, words: Option<Words>) {
        let mut inner = self.hold();
        let before = inner.others.insert(replica.to_owned(), words);
        let after = inner.others.get(replica).and_then(Option::as_ref);
        let differing = differing(before.flatten().as_ref(), after);
        drop(inner);
        self.tell(differing);
    }

    /// Forgets a replica that is gone, and what it heard.
    pub fn forget(&self, replica: &str) {
        let before = self.hold().others.remove(replica);
        self.tell(differing(before.flatten().as_ref(), None));
    }

    /// What was said to this replica by edges that are still heard of.
    pub fn own(&self, now: UnixTime) -> Words {
        let mut inner = self.hold();
        inner.own.retain(|_, own| {
            own.edges.retain(|_, edge| !is_over(edge, now));
            !own.edges.is_empty()
        });
        let all = inner.own.iter().map(|(scope, own)| {
            let heard = Heard {
                edges: own.edges.clone(),
                unlisted: own.unlisted(now),
            };
            (scope.clone(), heard)
        });
        all.collect()
    }

    /// What the edges of a scope said that are still heard of, whichever replica they said it to: of
    /// one that spoke to two, what it said last.
    pub fn of(&self, scope: &Scope, now: UnixTime) -> Heard {
        let inner = self.hold();
        let own = inner.own.get(scope);
        let mut all = Heard {
            edges: own.map(|own| own.edges.clone()).unwrap_or_default(),
            unlisted: own.map_or(0, |own| own.unlisted(now)),
        };
        for words in inner.others.values() {
            let Some(words) = words else {
                all.unlisted = all.unlisted.saturating_add(1);
                continue;
            };
            let Some(heard) = words.get(scope) else {
                continue;
            };
            all.unlisted = all.unlisted.saturating_add(heard.unlisted);
            for (uid, edge) in &heard.edges {
                let last = |it: &Acknowledgement| (it.seen_at, it.order);
                let known = all.edges.get(uid);
                if known.is_none_or(|known| last(known) < last(edge)) {
                    all.edges.insert(uid.clone(), edge.clone());
                }
            }
        }
        drop(inner);
        all.edges.retain(|_, edge| !is_over(edge, now));
        all
    }

    /// Wakes whoever waits when an edge has something else in force; [`Self::changed`] says of which
    /// scopes.
    pub fn news(&self) -> watch::Receiver<BTreeSet<Scope>> {
        self.news.subscribe()
    }

    /// The scopes in which something changed since this was asked last.
    pub fn changed(&self) -> BTreeSet<Scope> {
        let mut changed = BTreeSet::new();
        self.news.send_if_modified(|scopes| {
            changed = std::mem::take(scopes);
            false
        });
        changed
    }

    fn tell(&self, of: impl IntoIterator<Item = Scope>) {
        let mut of = of.into_iter().peekable();
        if of.peek().is_some() {
            self.news.send_modify(|scopes| scopes.extend(of));
        }
    }

    fn hold(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scopes of which two say different things; when it was said is no difference.
pub(crate) fn differing(before: Option<&Words>, after: Option<&Words>) -> BTreeSet<Scope> {
    let all = [before, after].into_iter().flatten();
    let all: BTreeSet<&Scope> = all.flat_map(BTreeMap::keys).collect();
    let of = |words: Option<&'_ Words>, scope: &Scope| {
        let heard = words?.get(scope)?;
        let edges = heard.edges.iter();
        let places = edges.map(|(uid, edge)| (uid.clone(), edge.order));
        Some((places.collect::<BTreeMap<_, _>>(), heard.unlisted))
    };
    let differ = |scope: &Scope| of(before, scope) != of(after, scope);
    all.into_iter().filter(|it| differ(it)).cloned().collect()
}

fn is_over(edge: &Acknowledgement, now: UnixTime) -> bool {
    now.since(edge.seen_at) > TTL
}

/// Makes room: those that are over, or else the one that said nothing for the longest.
fn forget(own: &mut Own, now: UnixTime) {
    let before = own.edges.len();
    own.edges.retain(|_, edge| !is_over(edge, now));
    if own.edges.len() < before {
        return;
    }
    let oldest = own.edges.iter().min_by_key(|(_, edge)| edge.seen_at);
    if let Some(uid) = oldest.map(|(uid, _)| uid.clone()) {
        own.edges.remove(&uid);
        own.forgot = Some(now);
    }
}
