//! Parts of a rule, each with what was expected, what was got, and what that came to.

use countersign_ruleset::kleene::Kleene;
use serde::{Serialize, Serializer};

/// How much of a value, or of a list, is shown.
const MOST_TEXT: usize = 200;
const MOST_MEMBERS: usize = 16;

/// What an entry of a list is called.
pub(super) const ENTRY: &str = "entry";

/// A part of a rule, and the parts that it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// What is asked: `groups`, `paths`, `when`.
    pub name: String,
    /// Whether it holds.
    #[serde(serialize_with = "word")]
    pub truth: Kleene,
    /// What would hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// How its parts make it up; nothing for one that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// Its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
}

/// How parts make up another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Join {
    /// All must hold.
    All,
    /// One suffices.
    Any,
}

impl Part {
    /// One that is asked as a whole.
    pub(super) fn leaf(name: impl Into<String>, truth: impl Into<Kleene>) -> Self {
        Self {
            name: name.into(),
            truth: truth.into(),
            expected: None,
            got: None,
            join: None,
            parts: Vec::new(),
        }
    }

    pub(super) fn all(name: impl Into<String>, parts: Vec<Self>) -> Self {
        let truth = Kleene::all(parts.iter().map(|part| part.truth));
        Self {
            join: Some(Join::All),
            parts,
            ..Self::leaf(name, truth)
        }
    }

    pub(super) fn any(name: impl Into<String>, parts: Vec<Self>) -> Self {
        let truth = Kleene::any(parts.iter().map(|part| part.truth));
        Self {
            join: Some(Join::Any),
            parts,
            ..Self::leaf(name, truth)
        }
    }

    /// Without the only entry between it and what is asked.
    pub(super) fn flat(mut self) -> Self {
        match self.parts.pop() {
            Some(only) if self.parts.is_empty() && only.name == ENTRY => Self {
                name: self.name,
                ..only
            },
            last => {
                self.parts.extend(last);
                self
            }
        }
    }

    /// The same, with what the rule itself came to: its parts only show why.
    pub(super) fn which_is(self, truth: Kleene) -> Self {
        Self { truth, ..self }
    }

    pub(super) fn expected(self, text: impl Into<String>) -> Self {
        Self {
            expected: Some(text.into()),
            ..self
        }
    }

    pub(super) fn got(self, text: impl Into<String>) -> Self {
        Self {
            got: Some(text.into()),
            ..self
        }
    }

    /// How many of its parts do not hold, by the way that asks for the fewest changes.
    pub(super) fn distance(&self) -> usize {
        if self.truth == Kleene::True {
            return 0;
        }
        let each = self.parts.iter().map(Self::distance);
        match self.join {
            None => 1,
            Some(Join::All) => each.fold(0, usize::saturating_add).max(1),
            Some(Join::Any) => each.min().unwrap_or(1),
        }
    }

    /// The parts that do not hold, by that way: what would have to change.
    pub fn failing(&self) -> Vec<&Self> {
        if self.truth == Kleene::True {
            return Vec::new();
        }
        let below: Vec<&Self> = match self.join {
            None => Vec::new(),
            Some(Join::All) => self.parts.iter().flat_map(Self::failing).collect(),
            Some(Join::Any) => {
                let nearest = self.parts.iter().min_by_key(|part| part.distance());
                nearest.map(Self::failing).unwrap_or_default()
            }
        };
        if below.is_empty() { vec![self] } else { below }
    }
}

/// `true`, `false` or `unknown`.
pub(super) const fn told(truth: Kleene) -> &'static str {
    match truth {
        Kleene::False => "false",
        Kleene::Unknown => "unknown",
        Kleene::True => "true",
    }
}

/// Writes that.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `serialize_with` passes one"
)]
pub(super) fn word<S: Serializer>(truth: &Kleene, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(told(*truth))
}

/// A text as it is shown: without control characters, and not longer than anybody reads.
pub(super) fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(MOST_TEXT).map(plain).collect();
    if text.chars().nth(MOST_TEXT).is_some() {
        shown.push('…');
    }
    shown
}

/// `[a, b]`, or the first of them.
pub(super) fn list<T: AsRef<str>>(members: impl IntoIterator<Item = T>) -> String {
    let mut members = members.into_iter();
    let mut first: Vec<String> = members
        .by_ref()
        .take(MOST_MEMBERS)
        .map(|member| shown(member.as_ref()))
        .collect();
    let more = members.count();
    if more > 0 {
        first.push(format!("… {more} more"));
    }
    format!("[{}]", first.join(", "))
}

/// `one of [a, b]`, or the only one.
pub(super) fn one_of<T: AsRef<str>>(members: &[T]) -> String {
    match members {
        [only] => shown(only.as_ref()),
        members => format!("one of {}", list(members)),
    }
}

/// `all of [a, b]`, or the only one.
pub(super) fn all_of<T: AsRef<str>>(members: &[T]) -> String {
    match members {
        [only] => shown(only.as_ref()),
        members => format!("all of {}", list(members)),
    }
}
