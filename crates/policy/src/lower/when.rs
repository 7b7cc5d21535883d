//! `when`: a condition in CEL, read, checked and lowered to the ruleset's own form.
//!
//! ```text
//! text ── cel::parse ──► tree ── guard ──► whose word is it? ── Lowering ──► nodes, with their types
//! ```
//!
//! What is refused makes its rule unknown: an Allow gives nothing, a Deny acts. A mistake that only
//! makes a part unknown (a capture that there is not) is reported and lowered as that.

use super::Sink;
use super::place::Place;
use crate::cel::{self, Fault};
use crate::diagnostic::{Code, FieldPath, Severity, Span};
use countersign_ruleset::condition::{Condition, Node};
use countersign_ruleset::rules::{Effect, To};

mod call;
mod fact;
mod guard;
mod lowering;
mod network;
mod never;
mod provider;
mod sort;

use lowering::Lowering;

/// What a condition stands beside in its rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'r> {
    /// What the rule does.
    pub(super) effect: Effect,
    /// Whether an entry of the rule's `from` says `anyone`.
    pub(super) anyone: bool,
    /// The rule's `to`, of whose paths each is an alternative with captures of its own.
    pub(super) to: &'r [To],
    /// Which providers it may name.
    pub(super) place: Place<'r>,
}

/// Something that is not as it was meant, and lowered all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doubt {
    severity: Severity,
    code: Code,
    fault: Fault,
}

/// Lowers a condition; `None`, and diagnostics, if it cannot be: it is then unknown.
pub(super) fn lower(
    path: &FieldPath,
    text: &str,
    beside: Beside<'_>,
    sink: &mut Sink,
) -> Option<Condition> {
    let refused = |sink: &mut Sink, code, fault: Fault| {
        let place = (path, fault.span);
        sink.at(place, (code, Severity::Error), fault.message, fault.help);
        None
    };
    let tree = match cel::parse(text) {
        Ok(tree) => tree,
        Err(fault) => return refused(sink, Code::Condition, fault),
    };
    let mut lowering = Lowering::new(beside);
    let condition = match lowering.whole(&tree) {
        Ok(condition) => condition,
        Err(fault) => return refused(sink, Code::Condition, fault),
    };
    if beside.anyone
        && let Some(fault) = guard::unguarded(&tree)
    {
        return refused(sink, Code::AnyonesWord, fault);
    }
    let constant = !asks(&condition);
    for Doubt {
        severity,
        code,
        fault,
    } in lowering.into_doubts()
    {
        let place = (path, fault.span);
        sink.at(place, (code, severity), fault.message, fault.help);
    }
    if constant {
        let message = "it asks nothing of the caller or the request: it is always the same";
        let span = Span {
            start: 0,
            end: text.len(),
        };
        sink.at(
            (path, span),
            (Code::Vacuous, Severity::Warning),
            message,
            None,
        );
    }
    Some(condition)
}

/// Whether it is a condition that holds only by the word of providers that it names.
pub(super) fn names_whose_word(text: &str) -> bool {
    cel::parse(text).is_ok_and(|tree| guard::is_tested(&tree))
}

/// Whether it looks at a fact.
fn asks(condition: &Condition) -> bool {
    condition.nodes().iter().any(|node| match node {
        Node::Capture(_) | Node::Caller(_) | Node::Claim(_) | Node::Request(_) => true,
        Node::Every { body, .. } | Node::Exists { body, .. } => asks(body),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
