//! `require`: what a caller that matches must have done beside.

use super::Sink;
use crate::diagnostic::FieldPath;
use crate::v1alpha1::RequireSpec;
use countersign_ruleset::rules::Require;

/// What could not be read: it is never met.
pub(super) fn unknown() -> Require {
    Require {
        unknown: true,
        ..Require::default()
    }
}

/// Lowers what is asked. A part that cannot be read leaves the others, and is never met.
pub(super) fn lower(path: &FieldPath, _written: &RequireSpec, sink: &mut Sink) -> Require {
    sink.unsupported(path, "`require`");
    unknown()
}
