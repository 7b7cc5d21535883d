//! How each namespace stands: what is published of it, and since when each policy is a part of it.

use super::publishing::Came;
use crate::publication::Published;
use crate::status::condition::Programmed;
use crate::watch::Object;
use countersign_ruleset::names::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// A place in the order of what is published: trust and serial.
pub(super) type Place = (u64, u64);

/// How all namespaces stand.
#[derive(Debug, Default)]
pub(super) struct Standings {
    by_scope: BTreeMap<Scope, Standing>,
}

/// How one does.
#[derive(Debug, Default)]
struct Standing {
    /// Whether something was published of it, by whomever.
    is_published: bool,
    programmed: Option<Programmed>,
    /// Whether what the cluster demands has reached it.
    reached: bool,
    last: Option<Published>,
    /// For each policy, by its UID: its generation, and the place at which it became a part of what is
    /// published. What others change later does not set it back.
    since: BTreeMap<String, (i64, Place)>,
}

impl Standings {
    /// Forgets everything: others publish from now on.
    pub(super) fn clear(&mut self) {
        self.by_scope.clear();
    }

    /// Takes down what is published.
    pub(super) fn published(&mut self, scopes: impl IntoIterator<Item = Scope>) {
        for scope in scopes {
            self.by_scope.entry(scope).or_default().is_published = true;
        }
    }

    /// Whether something is published of a namespace.
    pub(super) fn is_published(&self, scope: &Scope) -> bool {
        self.by_scope.get(scope).is_some_and(|it| it.is_published)
    }

    /// Takes down what came of a namespace; whether that is news to the cluster.
    pub(super) fn concluded(&mut self, scope: &Scope, came: &Came, policies: &[&Object]) -> bool {
        let standing = self.by_scope.entry(scope.clone()).or_default();
        if let Some(published) = &came.published {
            standing.is_published = true;
            standing.last = Some(published.clone());
            // of what goes on as it was, nothing is new
            if came.programmed == Programmed::Yes {
                standing.is_since(policies, (published.trust, published.serial));
            }
        }
        let before = standing.programmed.replace(came.programmed.clone());
        let reached = std::mem::replace(&mut standing.reached, came.reached);
        (before.as_ref(), reached) != (Some(&came.programmed), came.reached)
    }

    /// Forgets a namespace that is gone.
    pub(super) fn gone(&mut self, scope: &Scope) -> bool {
        self.by_scope.remove(scope).is_some()
    }

    /// What is published of a namespace.
    pub(super) fn last(&self, scope: &Scope) -> Option<&Published> {
        self.by_scope.get(scope)?.last.as_ref()
    }

    /// The place of what is published of a namespace.
    pub(super) fn place(&self, scope: &Scope) -> Option<Place> {
        self.last(scope).map(|it| (it.trust, it.serial))
    }

    /// Since when a policy is a part of what is published.
    pub(super) fn since(&self, scope: &Scope, policy: &Object) -> Option<Place> {
        let (generation, place) = self.by_scope.get(scope)?.since.get(&policy.uid)?;
        (*generation == policy.generation).then_some(*place)
    }

    /// How what the cluster demands stands: it is a part of every namespace's ruleset. What is wrong with
    /// a namespace's own part is told there, and holds up nothing of the cluster's.
    pub(super) fn of_cluster(&self) -> Programmed {
        let standings = self.by_scope.iter();
        let mut failing = standings.filter(|(_, it)| it.programmed.is_some() && !it.reached);
        let Some((first, standing)) = failing.next() else {
            return Programmed::Yes;
        };
        if let Some(Programmed::AwaitingTrust(why)) = &standing.programmed {
            return Programmed::AwaitingTrust(why.clone());
        }
        let why = match failing.count() {
            0 => format!("the namespace {first} keeps what it had: see its Ruleset"),
            more => format!(
                "the namespace {first} and {more} more keep what they had: see their Rulesets"
            ),
        };
        Programmed::NotPublished(why)
    }
}

impl Standing {
    fn is_since(&mut self, policies: &[&Object], place: Place) {
        let uids: BTreeSet<&str> = policies.iter().map(|it| it.uid.as_str()).collect();
        self.since.retain(|uid, _| uids.contains(uid.as_str()));
        for policy in policies {
            let since = self.since.get(&policy.uid);
            if since.is_none_or(|(generation, _)| *generation != policy.generation) {
                let new = (policy.generation, place);
                self.since.insert(policy.uid.clone(), new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Came, Standings};
    use crate::publication::Published;
    use crate::status::condition::Programmed;
    use crate::watch::{Kind, Object};
    use countersign_ruleset::digest::Digest;
    use countersign_ruleset::names::Scope;
    use countersign_ruleset::time::UnixTime;
    use serde_json::json;

    fn scope() -> Scope {
        "shop".parse().unwrap()
    }

    fn published(serial: u64) -> Published {
        Published {
            scope: scope(),
            trust: 1,
            serial,
            digest: Digest::of(b""),
            issued_at: UnixTime(0),
            expires_at: UnixTime(0),
            resign_at: UnixTime(0),
            rules: 0,
            emptied: false,
            changed: true,
        }
    }

    fn policy(uid: &str, generation: i64) -> Object {
        let written = json!({"metadata": {"namespace": "shop", "name": "a", "uid": uid,
            "generation": generation}});
        Object::of(Kind::AccessPolicy, serde_json::from_value(written).unwrap()).unwrap()
    }

    fn came(programmed: Programmed, serial: u64, reached: bool) -> Came {
        Came {
            programmed,
            published: Some(published(serial)),
            reached,
        }
    }

    /// Or each change of one policy would have all of them wait for the edges again.
    #[test]
    fn what_others_change_sets_a_policy_not_back() {
        let mut standings = Standings::default();
        let (a, b) = (policy("a", 1), policy("b", 1));
        let yes = |serial| came(Programmed::Yes, serial, true);
        assert!(standings.concluded(&scope(), &yes(5), &[&a, &b]));
        let b = policy("b", 2);
        assert_eq!(standings.since(&scope(), &b), None);
        assert!(!standings.concluded(&scope(), &yes(6), &[&a, &b]));
        assert_eq!(standings.since(&scope(), &a), Some((1, 5)));
        assert_eq!(standings.since(&scope(), &b), Some((1, 6)));
    }

    /// A ruleset that goes on as it was, because something cannot be read, has nothing new in it.
    #[test]
    fn what_goes_on_has_nothing_new_in_it() {
        let mut standings = Standings::default();
        let unreadable = Programmed::Unreadable("too large".to_owned());
        let a = policy("a", 1);
        standings.concluded(&scope(), &came(unreadable, 5, true), &[&a]);
        assert_eq!(standings.since(&scope(), &a), None);
    }

    /// Else any team could hold up whoever waits for a policy of the cluster, with words of its own.
    #[test]
    fn what_a_team_writes_holds_up_no_policy_of_the_cluster() {
        let mut standings = Standings::default();
        let unreadable = || Programmed::Unreadable("their words".to_owned());
        standings.concluded(&scope(), &came(unreadable(), 5, true), &[]);
        assert_eq!(standings.of_cluster(), Programmed::Yes);
        for (name, expected) in [
            (
                "shop",
                "the namespace shop keeps what it had: see its Ruleset",
            ),
            (
                "bank",
                "the namespace bank and 1 more keep what they had: see their Rulesets",
            ),
        ] {
            let scope = name.parse().unwrap();
            assert!(standings.concluded(&scope, &came(unreadable(), 5, false), &[]));
            let why = Programmed::NotPublished(expected.to_owned());
            assert_eq!(standings.of_cluster(), why);
        }
        for name in ["shop", "bank"] {
            let scope = name.parse().unwrap();
            assert!(standings.concluded(&scope, &came(Programmed::Yes, 6, true), &[]));
        }
        assert_eq!(standings.of_cluster(), Programmed::Yes);
    }
}
