//! Sections: what each rule of a route takes, once the order of the rules has been settled.
//!
//! By Gateway API precedence the more specific match wins, and of two that are alike the first rule.
//! The signed form knows the one; the other is settled here, by leaving out what a rule before it takes.

use crate::resources::route::{Route, RouteMatch, RouteRule};
use countersign_ruleset::path::{PathPattern, Segment};
use countersign_ruleset::rules::{Section, SectionMatch};
use std::collections::{BTreeMap, BTreeSet};

/// The sections of a route; of one that cannot be read, one that may take anything.
pub(crate) fn sections(route: &Route) -> Vec<Section> {
    let Ok(rules) = &route.rules else {
        let matches = vec![SectionMatch {
            path: None,
            method: None,
            unknown: true,
        }];
        return vec![Section {
            name: None,
            matches,
        }];
    };
    let slashes = ambiguous_slashes(rules);
    let mut taken = BTreeSet::new();
    let mut sections: BTreeMap<Option<&str>, Vec<SectionMatch>> = BTreeMap::new();
    for rule in rules {
        let own = sections.entry(rule.name.as_deref()).or_default();
        let mut takes = BTreeSet::new();
        for found in &rule.matches {
            let mut found = found.takes.clone();
            let key = (found.path.clone(), found.method.clone());
            found.unknown |= key.0.as_ref().is_some_and(|path| slashes.contains(path));
            // what an earlier rule takes for certain is no longer there to be taken
            if found.unknown {
                own.push(found);
            } else if !taken.contains(&key) {
                takes.insert(key);
                own.push(found);
            }
        }
        taken.extend(takes);
    }
    let sections = sections.into_iter().map(|(name, matches)| Section {
        name: name.map(str::to_owned),
        matches,
    });
    sections.collect()
}

/// The prefixes that one rule writes with a slash at the end, and another without: which is longer
/// is read in two ways.
fn ambiguous_slashes(rules: &[RouteRule]) -> BTreeSet<PathPattern> {
    let mut written: BTreeMap<&PathPattern, (BTreeSet<bool>, BTreeSet<usize>)> = BTreeMap::new();
    for (number, rule) in rules.iter().enumerate() {
        for found in &rule.matches {
            if let Some(path) = &found.takes.path
                && path.segments().last() == Some(&Segment::Rest)
            {
                let (slashes, rules) = written.entry(path).or_default();
                slashes.insert(found.slash);
                rules.insert(number);
            }
        }
    }
    let ambiguous = written
        .into_iter()
        .filter(|(_, (slashes, rules))| slashes.len() > 1 && rules.len() > 1);
    ambiguous.map(|(path, _)| path.clone()).collect()
}

/// Why it cannot be told what a section takes, if it cannot: of its own matches or of those of other
/// rules that would come before them.
pub(crate) fn unclear<'r>(route: &'r Route, section: &str) -> Option<&'r str> {
    let unclear = route.unclear.get_or_init(|| {
        let rules = route.rules.as_deref().unwrap_or_default();
        let slashes = ambiguous_slashes(rules);
        let names: BTreeSet<_> = rules.iter().filter_map(|it| it.name.as_deref()).collect();
        let of = |name: &str| Some((name.to_owned(), unclear_section(rules, name, &slashes)?));
        names.into_iter().filter_map(of).collect()
    });
    unclear.get(section).map(String::as_str)
}

fn unclear_section(
    rules: &[RouteRule],
    section: &str,
    slashes: &BTreeSet<PathPattern>,
) -> Option<String> {
    let is_own = |rule: &&RouteRule| rule.name.as_deref() == Some(section);
    let own: Vec<&RouteMatch> = rules
        .iter()
        .filter(is_own)
        .flat_map(|rule| &rule.matches)
        .collect();
    for (number, rule) in rules.iter().enumerate() {
        for (at, found) in rule.matches.iter().enumerate() {
            let path = found.takes.path.as_ref();
            let slash = path.is_some_and(|path| slashes.contains(path));
            let unclear = found.unclear.as_deref();
            let unclear = unclear
                .or(slash.then_some("is a prefix that another rule writes with another end"));
            let Some(unclear) = unclear else {
                continue;
            };
            let before = |own: &&RouteMatch| may_come_before(&found.takes, &own.takes);
            if is_own(&rule) || own.iter().any(before) {
                return Some(format!("rules[{number}].matches[{at}] {unclear}"));
            }
        }
    }
    None
}

/// Whether a match of which it is not known what it takes could take what another does: it is as
/// specific, or more.
pub(crate) fn may_come_before(one: &SectionMatch, other: &SectionMatch) -> bool {
    let methods = match (&one.method, &other.method) {
        (Some(one), Some(other)) => one == other,
        (None, Some(_)) if one.path == other.path && one.path.is_some() => false,
        _ => true,
    };
    let paths = match (&one.path, &other.path) {
        (Some(one), Some(other)) => is_within(one, other),
        _ => true,
    };
    methods && paths
}

/// Whether every path of `narrow` is one of `wide`, or could be.
fn is_within(narrow: &PathPattern, wide: &PathPattern) -> bool {
    let mut segments = narrow.segments().iter();
    for segment in wide.segments() {
        let fits = match (segment, segments.next()) {
            (Segment::Rest, _) => return true,
            (_, None | Some(Segment::Rest)) => false,
            (Segment::Literal(wide), Some(Segment::Literal(narrow))) => wide == narrow,
            (_, Some(_)) => true,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests;
