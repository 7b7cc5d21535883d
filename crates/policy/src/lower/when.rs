//! `when`: a condition in CEL, read, checked and lowered to the ruleset's own form.

use super::Sink;
use crate::diagnostic::FieldPath;
use countersign_ruleset::condition::Condition;
use countersign_ruleset::rules::{Entry, To};

/// What a condition stands beside in its rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'r> {
    /// The rule's `from`.
    pub(super) from: &'r [Entry],
    /// The rule's `to`, of whose paths each is an alternative with captures of its own.
    pub(super) to: &'r [To],
}

/// Lowers a condition; `None`, and diagnostics, if it cannot be: it is then unknown.
pub(super) fn lower(
    path: &FieldPath,
    _text: &str,
    beside: Beside<'_>,
    sink: &mut Sink,
) -> Option<Condition> {
    let Beside { from: _, to: _ } = beside;
    sink.unsupported(path, "`when`");
    None
}
