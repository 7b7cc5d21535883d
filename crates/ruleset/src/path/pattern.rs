//! Patterns of paths: whole segments, no regular expressions.

use super::{CanonicalPath, NotCanonical};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most bytes of a pattern.
pub(super) const MAX_PATTERN: usize = 512;

/// A pattern: literal segments, `*` and `{name}` for exactly one that is not empty, and at the end
/// `/**` for the bare prefix and all below. Case matters.
///
/// ```
/// use countersign_ruleset::path::{CanonicalPath, PathPattern};
/// let pattern: PathPattern = "/t/{tenant}/**".parse().unwrap();
/// let path = CanonicalPath::parse(b"/t/acme/orders/7").unwrap();
/// assert_eq!(pattern.captures(&path), Some(vec![("tenant", "acme".into())]));
/// assert!(pattern.matches(&CanonicalPath::parse(b"/t/acme").unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    text: Box<str>,
    segments: Box<[Segment]>,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// `*`: exactly one segment that is not empty.
    Any,
    /// `{name}`: the same, remembered.
    Capture(Box<str>),
    /// This one; empty only at the end, for a trailing slash.
    Literal(Box<str>),
    /// `**`: the rest, be it nothing.
    Rest,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternMalformed {
    /// A literal is not as the canonical path writes it, so it would never match.
    #[error("expected the canonical spelling `{canonical}`, got `{got}`")]
    NotCanonical {
        /// As it was written.
        got: String,
        /// As it must be written.
        canonical: String,
    },
    /// It could stand in no request.
    #[error(transparent)]
    Impossible(#[from] NotCanonical),
    /// `*` or a brace inside a segment.
    #[error("expected `*` and `{{name}}` to be whole segments, got `{0}`")]
    NotWhole(String),
    /// `**` is not at the end.
    #[error("expected `**` only as the last segment")]
    RestNotLast,
    /// One name twice.
    #[error("expected each capture once, got `{{{0}}}` twice")]
    CaptureTwice(String),
    /// It is too long.
    #[error("expected at most {MAX_PATTERN} bytes, got {0}")]
    TooLong(usize),
}

impl PathPattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of its captures.
    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Capture(name) => Some(&**name),
            Segment::Any | Segment::Literal(_) | Segment::Rest => None,
        })
    }

    /// Whether it covers the path.
    pub fn matches(&self, path: &CanonicalPath) -> bool {
        self.matches_str(path.as_str())
    }

    /// Whether it covers the canonical path of this text, as
    /// [`CanonicalPath::without_trailing_slash`] gives it.
    pub fn matches_str(&self, path: &str) -> bool {
        let mut parts = path.split('/').skip(1);
        for segment in &self.segments {
            let matched = match segment {
                Segment::Rest => return true,
                Segment::Any | Segment::Capture(_) => parts.next().is_some_and(|p| !p.is_empty()),
                Segment::Literal(literal) => parts.next() == Some(literal),
            };
            if !matched {
                return false;
            }
        }
        parts.next().is_none()
    }

    /// The captures, each percent-decoded once; `None` if it does not cover the path.
    pub fn captures<'a>(&'a self, path: &CanonicalPath) -> Option<Vec<(&'a str, String)>> {
        if !self.matches(path) {
            return None;
        }
        let pairs = self.segments.iter().zip(path.segments());
        Some(
            pairs
                .filter_map(|(segment, part)| segment.captured(part))
                .collect(),
        )
    }

    /// One capture of a canonical path that the pattern covers.
    pub fn capture(&self, path: &str, name: &str) -> Option<String> {
        let mut pairs = self.segments.iter().zip(path.split('/').skip(1));
        pairs.find_map(|(s, part)| s.captured(part).filter(|(n, _)| *n == name).map(|(_, v)| v))
    }
}

/// A canonical segment, decoded: it is UTF-8, for the path was.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, beyond @ ..]) = (first, after)
            && let Some(byte) = super::hex(&[*high, *low])
        {
            bytes.push(byte);
            rest = beyond;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl FromStr for PathPattern {
    type Err = PatternMalformed;

    fn from_str(text: &str) -> Result<Self, PatternMalformed> {
        if text.len() > MAX_PATTERN {
            return Err(PatternMalformed::TooLong(text.len()));
        }
        let mut segments = Vec::new();
        let mut plain = String::with_capacity(text.len());
        for part in text.split('/').skip(1) {
            if segments.last() == Some(&Segment::Rest) {
                return Err(PatternMalformed::RestNotLast);
            }
            let segment = Segment::parse(part)?;
            if let Segment::Capture(name) = &segment
                && segments.contains(&segment)
            {
                return Err(PatternMalformed::CaptureTwice(name.to_string()));
            }
            plain.push('/');
            let wild = !matches!(segment, Segment::Literal(_));
            plain.push_str(if wild { "x" } else { part });
            segments.push(segment);
        }
        if !text.starts_with('/') {
            text.clone_into(&mut plain);
        }
        let canonical = CanonicalPath::parse(plain.as_bytes())?;
        if canonical.as_str() != plain {
            let canonical = respelt(text).unwrap_or_else(|| canonical.to_string());
            return Err(PatternMalformed::NotCanonical {
                got: text.into(),
                canonical,
            });
        }
        Ok(Self {
            text: text.into(),
            segments: segments.into(),
        })
    }
}

/// The pattern with each literal as the canonical path writes it.
fn respelt(text: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('/').skip(1) {
        match Segment::parse(part).ok()? {
            Segment::Literal(literal) => match &*literal {
                "." => {}
                ".." => drop(parts.pop()?),
                _ => {
                    let path = CanonicalPath::parse(format!("/{literal}").as_bytes()).ok()?;
                    parts.push(path.as_str().trim_start_matches('/').to_owned());
                }
            },
            _ => parts.push(part.to_owned()),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

impl Segment {
    fn captured<'a>(&'a self, part: &str) -> Option<(&'a str, String)> {
        match self {
            Self::Capture(name) => Some((&**name, decoded(part))),
            Self::Any | Self::Literal(_) | Self::Rest => None,
        }
    }

    fn parse(part: &str) -> Result<Self, PatternMalformed> {
        if part == "**" {
            return Ok(Self::Rest);
        }
        if part == "*" {
            return Ok(Self::Any);
        }
        if let Some(name) = part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            && is_name(name)
        {
            return Ok(Self::Capture(name.into()));
        }
        if part.contains(['*', '{', '}']) {
            return Err(PatternMalformed::NotWhole(part.into()));
        }
        Ok(Self::Literal(part.into()))
    }
}

/// What CEL can name after `path.`.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

impl TryFrom<String> for PathPattern {
    type Error = PatternMalformed;

    fn try_from(text: String) -> Result<Self, PatternMalformed> {
        text.parse()
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.text.into()
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
