//! Path patterns as a tree of segments: a path visits only the nodes that it could end at.

use countersign_ruleset::path::{PathPattern, Segment};
use foldhash::HashMap;

/// The tree. A `T` stands where a pattern ends.
#[derive(Debug)]
pub(super) struct Trie<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<Box<str>, Self>,
    any: Option<Box<Self>>,
    /// For the path that ends here.
    here: T,
    /// For this path and all below.
    below: T,
}

impl<T: Default> Default for Node<T> {
    fn default() -> Self {
        Self {
            literals: HashMap::default(),
            any: None,
            here: T::default(),
            below: T::default(),
        }
    }
}

impl<T: Default> Default for Trie<T> {
    fn default() -> Self {
        Self {
            root: Node::default(),
        }
    }
}

impl<T: Default> Trie<T> {
    /// Where a pattern ends; `None` is the pattern of all paths.
    pub(super) fn at(&mut self, pattern: Option<&PathPattern>) -> &mut T {
        let mut node = &mut self.root;
        for segment in pattern.map_or(&[][..], PathPattern::segments) {
            node = match segment {
                Segment::Rest => return &mut node.below,
                Segment::Any | Segment::Capture(_) => node.any.get_or_insert_default(),
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
            };
        }
        if pattern.is_some() {
            &mut node.here
        } else {
            &mut node.below
        }
    }

    /// Every place of a pattern that covers the path, which begins with a slash.
    pub(super) fn visit<'t>(&'t self, path: &str, found: &mut impl FnMut(&'t T) -> bool) -> bool {
        self.root.visit(path.strip_prefix('/'), found)
    }
}

impl<T> Node<T> {
    /// `rest` is what follows, without its slash; `None` is nothing more. Ends early, with `true`,
    /// as soon as `found` says so.
    fn visit<'t>(&'t self, rest: Option<&str>, found: &mut impl FnMut(&'t T) -> bool) -> bool {
        if found(&self.below) {
            return true;
        }
        let Some(rest) = rest else {
            return found(&self.here);
        };
        let (segment, next) = match rest.split_once('/') {
            Some((segment, next)) => (segment, Some(next)),
            None => (rest, None),
        };
        let literal = self.literals.get(segment);
        let any = self.any.as_deref().filter(|_| !segment.is_empty());
        literal
            .into_iter()
            .chain(any)
            .any(|node| node.visit(next, found))
    }
}

#[cfg(test)]
mod tests {
    use super::Trie;
    use countersign_ruleset::path::{CanonicalPath, PathPattern};
    use proptest::prelude::*;

    fn pattern() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec!["a", "b", "*", "{x}"]);
        (
            prop::collection::vec(segment, 0..4),
            prop::sample::select(vec!["", "/", "/**"]),
        )
            .prop_map(|(segments, end)| {
                let mut text: String = segments.iter().flat_map(|s| ["/", s]).collect();
                text.push_str(end);
                if text.is_empty() { "/".into() } else { text }
            })
    }

    proptest! {
        #[test]
        fn visits_just_the_patterns_that_cover_the_path(
            patterns in prop::collection::vec(pattern(), 1..12),
            path in "(/[abc]){0,4}/?",
        ) {
            let path = CanonicalPath::parse(format!("/{}", path.trim_start_matches('/')).as_bytes()).unwrap();
            let patterns: Vec<PathPattern> = patterns.iter().filter_map(|p| p.parse().ok()).collect();
            let mut trie: Trie<Vec<usize>> = Trie::default();
            for (n, pattern) in patterns.iter().enumerate() {
                trie.at(Some(pattern)).push(n);
            }
            let mut visited: Vec<usize> = Vec::new();
            trie.visit(path.as_str(), &mut |found| { visited.extend(found); false });
            visited.sort_unstable();
            let expected: Vec<usize> =
                (0..patterns.len()).filter(|&n| patterns[n].matches(&path)).collect();
            prop_assert_eq!(visited, expected);
        }
    }
}
