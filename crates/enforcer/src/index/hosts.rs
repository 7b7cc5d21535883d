//! Hosts to places: an exact name beats a wildcard, and a longer wildcard a shorter one.

use countersign_ruleset::host::{Host, HostPattern};
use foldhash::HashMap;

/// Where each host leads.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    exact: HashMap<Box<str>, Vec<usize>>,
    wildcards: HashMap<Box<str>, Vec<usize>>,
}

impl Hosts {
    pub(crate) fn extend(&mut self, patterns: &[HostPattern], place: usize) {
        for pattern in patterns {
            let places = match pattern.wildcard() {
                Some(suffix) => self.wildcards.entry(suffix.into()),
                None => self.exact.entry(pattern.as_str().into()),
            };
            places.or_default().push(place);
        }
    }

    /// Takes over another's patterns, all leading to one place.
    pub(crate) fn join(&mut self, other: &Self, place: usize) {
        for host in other.exact.keys() {
            self.exact.entry(host.clone()).or_default().push(place);
        }
        for suffix in other.wildcards.keys() {
            self.wildcards
                .entry(suffix.clone())
                .or_default()
                .push(place);
        }
    }

    /// The places of the most specific pattern that matches.
    pub(crate) fn find<'s>(&'s self, host: &Host) -> &'s [usize] {
        self.matching(host).next().unwrap_or_default()
    }

    /// The places of each pattern that matches, the most specific first.
    pub(crate) fn matching<'s>(&'s self, host: &Host) -> impl Iterator<Item = &'s [usize]> {
        let suffixes = std::iter::successors(shorter(host.as_str()), |name| shorter(name));
        let wildcards = suffixes.filter_map(|suffix| self.wildcards.get(suffix));
        let patterns = self.exact.get(host.as_str()).into_iter().chain(wildcards);
        patterns.map(Vec::as_slice)
    }
}

/// Without the first label.
fn shorter(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
    use super::Hosts;
    use countersign_ruleset::host::Host;

    #[test]
    fn the_most_specific_pattern_wins() {
        let mut hosts = Hosts::default();
        for (n, pattern) in ["*.example.com", "*.b.example.com", "a.b.example.com"]
            .iter()
            .enumerate()
        {
            hosts.extend(&[pattern.parse().unwrap()], n);
        }
        for (host, expected) in [
            ("x.example.com", &[0][..]),
            ("x.b.example.com", &[1]),
            ("y.x.b.example.com", &[1]),
            ("a.b.example.com", &[2]),
            ("b.example.com", &[0]),
            ("example.com", &[]),
            ("other.example", &[]),
        ] {
            assert_eq!(hosts.find(&Host::parse(host).unwrap()), expected, "{host}");
        }
        let host = Host::parse("a.b.example.com").unwrap();
        let all: Vec<_> = hosts.matching(&host).flatten().copied().collect();
        assert_eq!(all, [2, 1, 0]);
    }
}
