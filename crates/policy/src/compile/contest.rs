//! Which sections of a route other routes may take from it, without that it can be told.
//!
//! What others take for certain is looked up; only what cannot be told of theirs is held against each
//! match, and within a bound: nobody's routes make others wait.

use crate::lower::section::may_come_before;
use countersign_ruleset::names::ApplicationId;
use countersign_ruleset::path::PathPattern;
use countersign_ruleset::rules::{Section, SectionMatch};
use std::collections::BTreeMap;

/// The most pairs of matches that are held against each other in one namespace.
pub(super) const STEPS: usize = 1 << 21;

/// What a match asks, if all that it asks is known.
type Key<'k> = (Option<&'k PathPattern>, Option<&'k str>);

/// Another route that may be for the same host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rival<'k> {
    pub(super) sections: &'k [Section],
    /// Whether it is known for which hosts both are.
    pub(super) hosts_known: bool,
    /// Whether it is not known yet if it is for all that it names.
    pub(super) pending: bool,
}

/// What the rivals of one route take.
#[derive(Debug, Default)]
pub(super) struct Contest<'k> {
    /// For certain, and the first who does.
    taken: BTreeMap<Key<'k>, &'k ApplicationId>,
    /// What they may take, and whether also what is more specific.
    unclear: Vec<(&'k ApplicationId, &'k SectionMatch, bool)>,
}

impl<'k> Contest<'k> {
    pub(super) fn of(rivals: &BTreeMap<&'k ApplicationId, Rival<'k>>) -> Self {
        let mut contest = Self::default();
        for (id, rival) in rivals {
            for one in rival.sections.iter().flat_map(|it| &it.matches) {
                if one.unknown || rival.pending || !rival.hosts_known {
                    contest.unclear.push((id, one, !rival.hosts_known));
                } else {
                    contest.taken.entry(key(one)).or_insert(id);
                }
            }
        }
        contest
    }

    /// The first route that may take what the section does.
    pub(super) fn disputes(&self, section: &Section, steps: &mut usize) -> Option<String> {
        let matches = || section.matches.iter();
        let taken = matches().filter_map(|it| self.taken.get(&key(it))).min();
        let pairs = self.unclear.len().saturating_mul(section.matches.len());
        let Some(left) = steps.checked_sub(pairs) else {
            return Some(
                "other routes of its hosts, of which too much cannot be told: they are not looked at"
                    .to_owned(),
            );
        };
        *steps = left;
        let unclear = self.unclear.iter().find(|(_, one, also)| {
            let takes = |own| may_come_before(one, own) || *also && may_come_before(own, one);
            matches().any(takes)
        });
        let first = unclear.map(|(id, ..)| id).into_iter().chain(taken).min()?;
        Some(format!("{first}, which may take it too"))
    }
}

fn key(one: &SectionMatch) -> Key<'_> {
    (one.path.as_ref(), one.method.as_deref())
}

#[cfg(test)]
mod tests {
    use super::{Contest, Rival};
    use countersign_ruleset::names::ApplicationId;
    use countersign_ruleset::rules::Section;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// A section that takes, perhaps, what that path covers.
    fn section(path: &str, unknown: bool) -> Section {
        let one = json!({"path": path, "unknown": unknown});
        serde_json::from_value(json!({"matches": [one]})).unwrap()
    }

    /// What is said of a section `/v1`, with so many steps left.
    fn said(
        theirs: (&str, bool),
        change: impl Fn(&mut Rival<'_>),
        mut steps: usize,
    ) -> (Option<String>, usize) {
        let id: ApplicationId = "HTTPRoute.gateway.networking.k8s.io/other".parse().unwrap();
        let sections = [section(theirs.0, theirs.1)];
        let mut rival = Rival {
            sections: &sections,
            hosts_known: true,
            pending: false,
        };
        change(&mut rival);
        let rivals = BTreeMap::from([(&id, rival)]);
        let contest = Contest::of(&rivals);
        (
            contest.disputes(&section("/v1/**", false), &mut steps),
            steps,
        )
    }

    #[test]
    fn what_is_certain_costs_nothing_and_what_is_not_a_step() {
        let other = "HTTPRoute.gateway.networking.k8s.io/other, which may take it too";
        let other = Some(other.to_owned());
        let (same, below, above) = (("/v1/**", false), ("/v1/a/**", false), ("/**", false));
        let as_it_is = |_: &mut Rival<'_>| {};
        assert_eq!(said(same, as_it_is, 0), (other.clone(), 0));
        assert_eq!(said(below, as_it_is, 0), (None, 0));
        let unknown = ("/v1/a/**", true);
        assert_eq!(said(unknown, as_it_is, 1), (other.clone(), 0));
        let pending = |it: &mut Rival<'_>| it.pending = true;
        assert_eq!(said(below, pending, 1), (other.clone(), 0));
        assert_eq!(said(above, pending, 1), (None, 0));
        let anywhere = |it: &mut Rival<'_>| it.hosts_known = false;
        assert_eq!(said(above, anywhere, 1), (other, 0));
        let lost = said(unknown, as_it_is, 0).0.unwrap();
        assert!(lost.contains("they are not looked at"), "{lost}");
    }
}
