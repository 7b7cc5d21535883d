//! Who claims which hosts, so that those who share one are found without asking each of each.
//!
//! A pattern is filed by its labels from the right, so that what lies below a wildcard stands together:
//!
//! ```text
//! *.example.com        moc.elpmaxe.*
//! orders.example.com   moc.elpmaxe.sredro
//! ```

use super::HostPattern;
use std::collections::{BTreeMap, BTreeSet};

/// The claims of many, each a set of patterns.
#[derive(Debug)]
pub struct Claimants<T> {
    by_host: BTreeMap<String, BTreeSet<T>>,
}

impl<T: Copy + Ord> Claimants<T> {
    /// Nobody claims anything.
    pub const fn new() -> Self {
        let by_host = BTreeMap::new();
        Self { by_host }
    }

    /// Files a claim.
    pub fn insert(&mut self, pattern: &HostPattern, by: T) {
        self.by_host.entry(key(pattern)).or_default().insert(by);
    }

    /// Who claims hosts of this pattern; the same one as often as he claims one.
    pub fn sharing(&self, pattern: &HostPattern) -> impl Iterator<Item = T> {
        let below = pattern
            .wildcard()
            .map(|suffix| format!("{}.", reversed(suffix)));
        let below = below.into_iter().flat_map(|prefix| {
            let from = self.by_host.range(prefix.clone()..);
            from.take_while(move |(key, _)| key.starts_with(&prefix))
        });
        let own = pattern.wildcard().is_none().then(|| key(pattern));
        let labels = pattern.wildcard().unwrap_or(pattern.as_str());
        let above = labels.match_indices('.').filter_map(|(at, _)| {
            let suffix = labels.get(at.checked_add(1)?..)?;
            Some(format!("{}.*", reversed(suffix)))
        });
        let named: Vec<String> = own.into_iter().chain(above).collect();
        let named = named.into_iter().filter_map(|key| self.by_host.get(&key));
        let below = below.map(|(_, claiming)| claiming);
        below.chain(named).flatten().copied()
    }
}

impl<T: Copy + Ord> Default for Claimants<T> {
    fn default() -> Self {
        Self::new()
    }
}

fn key(pattern: &HostPattern) -> String {
    match pattern.wildcard() {
        Some(suffix) => format!("{}.*", reversed(suffix)),
        None => reversed(pattern.as_str()),
    }
}

fn reversed(name: &str) -> String {
    name.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::Claimants;
    use crate::host::HostPattern;

    /// Each pair is asked, and the answers are the same.
    #[test]
    fn those_share_a_host_whose_patterns_overlap() {
        let patterns: Vec<HostPattern> = [
            "com",
            "*.com",
            "example.com",
            "*.example.com",
            "a.example.com",
            "*.a.example.com",
            "b.a.example.com",
            "aexample.com",
            "*.aexample.com",
            "example-a.com",
            "x.example.org",
        ]
        .iter()
        .map(|it| it.parse().unwrap())
        .collect();
        let mut claims = Claimants::new();
        for (n, pattern) in patterns.iter().enumerate() {
            claims.insert(pattern, n);
        }
        for pattern in &patterns {
            let all = patterns.iter().enumerate();
            let expected: Vec<usize> = all
                .filter(|(_, other)| pattern.overlaps(other))
                .map(|(n, _)| n)
                .collect();
            let mut found: Vec<usize> = claims.sharing(pattern).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
