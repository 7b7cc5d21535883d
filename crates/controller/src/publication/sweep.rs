//! Blobs that no manifest names any longer: removed when nobody can still be reading by an older one.

use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet};

/// Since when which blob is not needed.
///
/// It is remembered by the process alone: whoever leads next begins to count anew, so that a blob is
/// kept for too long and never removed too soon.
#[derive(Debug, Default)]
pub(super) struct Sweep(BTreeMap<Scope, BTreeMap<Digest, UnixTime>>);

/// What is kept though it is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// For how many seconds.
    pub(super) grace: u64,
    /// And of these the last so many.
    pub(super) most: usize,
}

impl Sweep {
    /// What may be removed of a namespace's blobs, having been unneeded for long enough, or being too
    /// many: who changes a namespace each second must not fill the store.
    pub(super) fn due(
        &mut self,
        scope: &Scope,
        there: &BTreeSet<Digest>,
        needed: &BTreeSet<Digest>,
        now: UnixTime,
        kept: Kept,
    ) -> Vec<Digest> {
        let since = self.0.entry(scope.clone()).or_default();
        since.retain(|digest, _| there.contains(digest) && !needed.contains(digest));
        for digest in there.difference(needed) {
            since.entry(digest.clone()).or_insert(now);
        }
        let mut all: Vec<_> = since.iter().map(|(digest, at)| (*at, digest)).collect();
        all.sort_by(|one, other| other.cmp(one));
        let due = all.into_iter().enumerate();
        let due =
            due.filter(|(place, (at, _))| *place >= kept.most || now.since(*at) >= kept.grace);
        let due = due.map(|(_, (_, digest))| digest.clone()).collect();
        if since.is_empty() {
            self.0.remove(scope);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Sweep};
    use countersign_ruleset::digest::Digest;
    use countersign_ruleset::time::UnixTime;
    use std::collections::BTreeSet;

    #[test]
    fn a_blob_goes_when_it_was_unneeded_for_the_whole_grace() {
        let scope = "shop".parse().unwrap();
        let [old, new] = [b"old", b"new"].map(|bytes| Digest::of(bytes));
        let both = BTreeSet::from([old.clone(), new.clone()]);
        let mut sweep = Sweep::default();
        let mut due = |needed: &[&Digest], now| {
            let needed = needed.iter().map(|digest| (*digest).clone()).collect();
            let kept = Kept {
                grace: 100,
                most: 1,
            };
            sweep.due(&scope, &both, &needed, UnixTime(now), kept)
        };
        assert!(due(&[&old, &new], 0).is_empty());
        assert!(due(&[&new], 10).is_empty());
        assert!(due(&[&new], 109).is_empty());
        assert_eq!(due(&[&new], 110), std::slice::from_ref(&old));
        // it is needed again, and the time begins anew
        assert!(due(&[&old, &new], 111).is_empty());
        assert!(due(&[&new], 112).is_empty());
        assert!(due(&[&new], 211).is_empty());
        assert_eq!(due(&[&new], 212), [old]);
    }

    #[test]
    fn of_many_that_are_not_needed_the_last_few_are_kept() {
        let scope = "shop".parse().unwrap();
        let all: Vec<Digest> = (0..6_u8).map(|number| Digest::of(&[number])).collect();
        let mut sweep = Sweep::default();
        let kept = Kept {
            grace: 100,
            most: 2,
        };
        for last in 1..all.len() {
            let there = all[last.saturating_sub(3)..=last].iter().cloned().collect();
            let needed = BTreeSet::from([all[last].clone()]);
            let now = UnixTime(u64::try_from(last).unwrap());
            let due = sweep.due(&scope, &there, &needed, now, kept);
            let expected: Vec<Digest> = all[..last].iter().rev().skip(2).take(1).cloned().collect();
            assert_eq!(due, expected, "{last}");
        }
    }
}
