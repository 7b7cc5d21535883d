//! Which section of a route takes a request, by the precedence of Gateway API, three-valued.
//!
//! A policy may cover one named rule of an HTTPRoute. It covers what is sent there, and not all that
//! the rule's matches could match: a section `/` takes nothing that a section `/v1` takes.

use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::path::CanonicalPath;
use countersign_ruleset::rules::{Section, SectionMatch};
use http::Method;

/// The sections of one route.
#[derive(Debug)]
pub(crate) struct Sections(Vec<Section>);

/// "The most specific match wins": an exact path, then the longest prefix, then a method
/// (`HTTPRouteRule.matches`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    exact: bool,
    length: usize,
    method: bool,
}

/// Who could take a request: the section that is asked about, and any other.
#[derive(Debug, Default)]
struct Takers {
    own: bool,
    others: bool,
}

impl Takers {
    const fn add(&mut self, own: bool) {
        self.own |= own;
        self.others |= !own;
    }
}

impl Sections {
    pub(crate) fn new(sections: &[Section]) -> Self {
        Self(sections.to_vec())
    }

    /// Whether the section of that name takes the request. What also asks for a header, a query or
    /// a regular expression may take whatever its path does not exclude; and of two that are
    /// equally specific the order in the route decides, which is not known here.
    pub(crate) fn takes(&self, name: &str, method: &Method, path: &CanonicalPath) -> Kleene {
        let named = |section: &&Section| section.name.as_deref() == Some(name);
        if !self.0.iter().any(|section| named(&section)) {
            return Kleene::Unknown;
        }
        let (mut first, mut surely, mut perhaps) = (None, Takers::default(), Takers::default());
        for section in &self.0 {
            let own = named(&section);
            let covers = |found: &&SectionMatch| covers(found, method, path.as_str());
            for found in section.matches.iter().filter(covers) {
                let rank = Some(rank(found));
                if found.unknown {
                    perhaps.add(own);
                } else if rank > first {
                    (first, surely) = (rank, Takers::default());
                    surely.add(own);
                } else if rank == first {
                    surely.add(own);
                }
            }
        }
        match (surely.own || perhaps.own, surely.others || perhaps.others) {
            (false, _) => Kleene::False,
            (true, false) if surely.own => Kleene::True,
            (true, _) => Kleene::Unknown,
        }
    }
}

/// Without a trailing slash: `/v1/` and `/v1` are one prefix.
fn prefix(found: &SectionMatch) -> &str {
    found.path.strip_suffix('/').unwrap_or(&found.path)
}

fn rank(found: &SectionMatch) -> Rank {
    let path = if found.exact {
        &found.path
    } else {
        prefix(found)
    };
    Rank {
        exact: found.exact,
        length: path.len(),
        method: found.method.is_some(),
    }
}

fn covers(found: &SectionMatch, method: &Method, path: &str) -> bool {
    let by_path = if found.exact {
        path == found.path
    } else {
        let below = path.strip_prefix(prefix(found));
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    by_path && found.method.as_deref().is_none_or(|named| method == named)
}

#[cfg(test)]
mod tests {
    use super::Sections;
    use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
    use countersign_ruleset::path::CanonicalPath;
    use http::Method;

    fn sections(text: &str) -> Sections {
        Sections::new(&serde_json::from_str::<Vec<_>>(text).unwrap())
    }

    fn takes(sections: &Sections, name: &str, path: &str) -> Kleene {
        let path = CanonicalPath::parse(path.as_bytes()).unwrap();
        sections.takes(name, &Method::GET, &path)
    }

    #[test]
    fn the_most_specific_match_wins() {
        let route = sections(
            r#"[{"name":"all","matches":[{"path":"/","exact":false,"unknown":false}]},
                {"name":"v1","matches":[{"path":"/v1/","exact":false,"unknown":false}]},
                {"name":"ping","matches":[{"path":"/v1/ping","exact":true,"unknown":false}]},
                {"name":"get","matches":[{"path":"/v2","exact":false,"method":"GET","unknown":false}]},
                {"matches":[{"path":"/v2","exact":false,"unknown":false},
                            {"path":"/v3","exact":false,"method":"PUT","unknown":false}]}]"#,
        );
        for (path, section) in [
            ("/", "all"),
            ("/v10", "all"),
            ("/v1", "v1"),
            ("/v1/orders", "v1"),
            ("/v1/ping", "ping"),
            ("/v1/ping/", "v1"),
            ("/v2/orders", "get"),
            ("/v3", "all"),
        ] {
            for name in ["all", "v1", "ping", "get"] {
                let expected = if name == section { True } else { False };
                assert_eq!(takes(&route, name, path), expected, "{name}: {path}");
            }
        }
        assert_eq!(takes(&route, "absent", "/"), Unknown);
    }

    #[test]
    fn what_cannot_be_told_is_unknown() {
        let route = sections(
            r#"[{"name":"a","matches":[{"path":"/a","exact":false,"unknown":false}]},
                {"name":"b","matches":[{"path":"/a","exact":false,"unknown":false},
                                       {"path":"/b","exact":false,"unknown":false}]},
                {"name":"canary","matches":[{"path":"/b","exact":false,"unknown":true}]}]"#,
        );
        assert_eq!(takes(&route, "a", "/a"), Unknown, "equally specific");
        assert_eq!(takes(&route, "b", "/a"), Unknown);
        assert_eq!(
            takes(&route, "b", "/b"),
            Unknown,
            "a header may send it elsewhere"
        );
        assert_eq!(takes(&route, "canary", "/b"), Unknown);
        assert_eq!(takes(&route, "canary", "/a"), False);
        assert_eq!(takes(&route, "a", "/c"), False, "nobody takes it");
    }
}
