//! Lowers what is written to what is signed.
//!
//! Every part is read in three states. What is unknown is lowered to what is unknown, never left
//! out: so an Allow with it gives nothing, and a Deny with it acts.

use crate::diagnostic::{Code, Diagnostic, FieldPath, ResourceId, Severity, Span};
use crate::field::{Field, Unread, nearest};

pub(crate) mod cluster;
mod from;
mod login;
mod matcher;
mod name;
pub(crate) mod place;
pub(crate) mod policy;
pub(crate) mod provider;
mod require;
pub(crate) mod role;
mod rule;
pub(crate) mod section;
mod selector;
pub(crate) mod target;
pub(crate) mod time;
mod to;
mod when;
mod workload;

/// Takes the diagnostics of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    resource: ResourceId,
    found: Vec<Diagnostic>,
}

/// A part as it is lowered: reported if it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// It is not written.
    Absent,
    /// It is written and can be read.
    Known(T),
    /// It is written and cannot be read.
    Unknown,
}

impl Sink {
    pub(crate) const fn new(resource: ResourceId) -> Self {
        Self {
            resource,
            found: Vec::new(),
        }
    }

    /// Something gives no access, or takes some away.
    pub(crate) fn error(
        &mut self,
        path: &FieldPath,
        code: Code,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(path, None, code, Severity::Error, message.into(), help);
    }

    /// Something works, and probably not as it was meant.
    pub(crate) fn warning(
        &mut self,
        path: &FieldPath,
        code: Code,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(path, None, code, Severity::Warning, message.into(), help);
    }

    /// Something is wrong with a stretch of a field's text.
    pub(crate) fn at(
        &mut self,
        (path, span): (&FieldPath, Span),
        (code, severity): (Code, Severity),
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(path, Some(span), code, severity, message.into(), help);
    }

    /// Reports every field that there is not; whether there was one.
    pub(crate) fn unread(&mut self, path: &FieldPath, unread: &Unread, known: &[&str]) -> bool {
        for name in unread.keys() {
            let help = nearest(name, known.iter().copied()).map_or_else(
                || format!("the fields here are {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no field `{}` here", short(name));
            self.error(&path.name(name), Code::UnknownField, message, Some(help));
        }
        !unread.is_empty()
    }

    /// A field's state; one that cannot be read is reported.
    pub(crate) fn field<'f, T>(&mut self, path: &FieldPath, field: &'f Field<T>) -> Said<&'f T> {
        match field {
            Field::Absent => Said::Absent,
            Field::Known(value) => Said::Known(value),
            Field::Unknown(expected) => {
                self.error(path, Code::UnreadableValue, expected.as_str(), None);
                Said::Unknown
            }
        }
    }

    /// A field that must be there: its absence is reported too.
    pub(crate) fn required<'f, T>(
        &mut self,
        path: &FieldPath,
        field: &'f Field<T>,
    ) -> Option<&'f T> {
        match self.field(path, field) {
            Said::Known(value) => Some(value),
            Said::Absent => {
                self.error(path, Code::Missing, "it must be written", None);
                None
            }
            Said::Unknown => None,
        }
    }

    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found
    }

    fn push(
        &mut self,
        path: &FieldPath,
        span: Option<Span>,
        code: Code,
        severity: Severity,
        message: String,
        help: Option<String>,
    ) {
        let (resource, path) = (self.resource.clone(), path.clone());
        self.found.push(Diagnostic {
            resource,
            path,
            span,
            code,
            severity,
            message,
            help,
        });
    }
}

/// A text for a message, cut to what a person reads.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
