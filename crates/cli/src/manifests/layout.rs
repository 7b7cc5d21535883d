//! Where each field of a document stands in its file.

use countersign_policy::diagnostic::{Code, Step};
use std::ops::Range;

/// What is pointed at: a field's name, or what is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caret {
    /// Its name.
    Name,
    /// Its value, if it is a scalar; else its name.
    Value,
}

impl Caret {
    /// What a mistake of that kind is seen at.
    pub(super) const fn of(code: Code) -> Self {
        match code {
            Code::UnknownField => Self::Name,
            _ => Self::Value,
        }
    }
}

/// A node and the places of what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Its own place; of a mapping or a list only the begin is sure.
    pub(super) at: Range<usize>,
    /// What is inside.
    pub(super) inside: Inside,
}

/// What is inside a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inside {
    /// Nothing: a scalar.
    Scalar,
    /// Members by their names, each with the place of the name.
    Mapping(Vec<(String, Range<usize>, Layout)>),
    /// Members in order.
    List(Vec<Layout>),
}

impl Layout {
    /// The place of a field; of one that is not there, of the nearest around it that is.
    pub(super) fn locate(&self, steps: &[Step], caret: Caret) -> Range<usize> {
        let mut node = self;
        let mut best = self.begin();
        for (n, step) in steps.iter().enumerate() {
            let found = match (&node.inside, step) {
                (Inside::Mapping(members), Step::Name(name)) => {
                    let member = members.iter().find(|(written, ..)| written == name);
                    member.map(|(_, at, value)| (at.clone(), value))
                }
                (Inside::List(members), Step::Index(index)) => {
                    members.get(*index).map(|member| (member.begin(), member))
                }
                _ => None,
            };
            let Some((at, inner)) = found else {
                break;
            };
            let last = n.saturating_add(1) == steps.len();
            let shows = last && caret == Caret::Value && inner.inside == Inside::Scalar;
            best = if shows && !inner.at.is_empty() {
                inner.at.clone()
            } else {
                at
            };
            node = inner;
        }
        best
    }

    /// Where it begins: at its first name, its first member, or itself.
    fn begin(&self) -> Range<usize> {
        match &self.inside {
            Inside::Scalar => self.at.clone(),
            Inside::Mapping(members) => {
                let first = members.first().map(|(_, at, _)| at.clone());
                first.unwrap_or_else(|| self.at.clone())
            }
            Inside::List(members) => {
                let first = members.first().map(Self::begin);
                first.unwrap_or_else(|| self.at.clone())
            }
        }
    }
}

/// No more than the first line of a place, and within the text: a caret under twenty lines shows none.
pub(super) fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let line = text.get(start..end).and_then(|text| text.lines().next());
    let length = line.map_or(0, |line| line.trim_end().len());
    start..start.saturating_add(length)
}
