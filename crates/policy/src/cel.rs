//! CEL as written: the part of it that a condition may use, read into a tree with the place of each part.
//!
//! A reader of our own, for its messages: what is not of this part is refused by name, at its place,
//! with what to write instead. It cannot panic, and it ends: the text is short and its nesting bounded.

use crate::diagnostic::Span;

mod lexer;
mod number;
mod parser;
mod quoted;
mod tree;

pub(crate) use parser::parse;
pub(crate) use tree::{Binary, Expr, Kind};

/// The longest condition, in bytes.
pub(crate) const MAX_TEXT: usize = 1_024;

/// How deep a condition may be nested: parentheses, lists, calls, members of members.
pub(crate) const MAX_DEPTH: usize = 24;

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) span: Span,
    /// What was expected and what was got.
    pub(crate) message: String,
    /// What to write.
    pub(crate) help: Option<String>,
}

impl Fault {
    /// A fault without advice.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }

    /// The same, with what to write.
    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}
