//! What others published: a namespace that somebody else published since is looked at anew.
//!
//! A replica that was stopped while it led may publish once more when it goes on, and means what was
//! meant before. Whoever leads by now must not leave that as it is.

use super::queue::Work;
use super::standing::Place;
use super::{Reconciler, lock};
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::Order;
use std::collections::BTreeMap;

/// The places that were noticed of namespaces that are being done: their own may be among them.
#[derive(Debug, Default)]
pub(super) struct Noticed(BTreeMap<Scope, Place>);

impl Noticed {
    pub(super) fn add(&mut self, scope: Scope, place: Place) {
        let highest = self.0.entry(scope).or_insert(place);
        *highest = place.max(*highest);
    }

    /// Whether a place was noticed that is later than what came of it.
    pub(super) fn settle(&mut self, scope: &Scope, own: Option<Place>) -> bool {
        let noticed = self.0.remove(scope);
        noticed.is_some_and(|noticed| own.is_some_and(|own| own < noticed))
    }
}

impl Reconciler {
    /// These are published by now, by whomever.
    pub(crate) fn notice(&self, published: impl IntoIterator<Item = (Scope, Order)>) {
        if !self.leads() {
            return;
        }
        let mut touched = Vec::new();
        for (scope, order) in published {
            let place = (order.trust, order.serial);
            let own = lock(&self.standings).place(&scope);
            if own.is_none_or(|own| own >= place) {
                continue;
            }
            let work = Work::Namespace(scope.clone());
            if lock(&self.queue).is_busy(&work) {
                lock(&self.noticed).add(scope, place);
            } else {
                touched.push(work);
            }
        }
        if !touched.is_empty() {
            self.touch_all(touched);
        }
    }

    /// A namespace is done: what was noticed meanwhile is its own, or is to be looked at.
    pub(super) fn settle(&self, work: &Work) {
        let Work::Namespace(scope) = work else { return };
        let own = lock(&self.standings).place(scope);
        if lock(&self.noticed).settle(scope, own) {
            self.touch_all([work.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Noticed;

    /// What this one published itself is noticed, too, and is no news.
    #[test]
    fn what_another_published_since_is_news() {
        let (mut noticed, shop) = (Noticed::default(), "shop".parse().unwrap());
        assert!(!noticed.settle(&shop, Some((1, 5))));
        for (own, is_news) in [(Some((1, 5)), true), (Some((1, 6)), false), (None, false)] {
            noticed.add("shop".parse().unwrap(), (1, 6));
            noticed.add("shop".parse().unwrap(), (1, 4));
            assert_eq!(noticed.settle(&shop, own), is_news, "{own:?}");
            assert!(!noticed.settle(&shop, own), "it is told once");
        }
        noticed.add("shop".parse().unwrap(), (2, 1));
        assert!(noticed.settle(&shop, Some((1, 9))));
    }
}
