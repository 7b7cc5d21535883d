//! Findings: what is wrong, where in which file, and what to write instead.

use countersign_policy::diagnostic::{FieldPath, ResourceId, Severity};
use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

mod show;

pub(crate) use show::show;

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// A stable name: a diagnostic's id, or `Unreadable`.
    pub(crate) code: &'static str,
    /// How bad.
    pub(crate) severity: Severity,
    /// What was expected and what was got.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    /// The resource, if it is known.
    pub(crate) resource: Option<ResourceId>,
    /// The field in it.
    pub(crate) path: Option<FieldPath>,
    /// Where it is written, if it is.
    pub(crate) place: Option<Place>,
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: Arc<File>,
    /// The bytes of its text; nothing of a file that could not be read.
    pub(crate) span: Option<Range<usize>>,
}

/// A file that was read.
#[derive(PartialEq, Eq)]
pub(crate) struct File {
    /// Its path, as the folder was given.
    pub(crate) path: String,
    /// Its text; empty if it could not be read.
    pub(crate) text: String,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.path)
    }
}

/// A finding in the form for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written<'f> {
    code: &'f str,
    severity: Severity,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'f ResourceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'f FieldPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
}

impl Finding {
    /// Something that cannot be read: then nothing is compiled.
    pub(crate) fn unreadable(
        place: Place,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self {
            code: "Unreadable",
            severity: Severity::Error,
            message: message.into(),
            help,
            resource: None,
            path: None,
            place: Some(place),
        }
    }

    /// Whether it is an error.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The form for programs.
    pub(crate) fn written(&self) -> Written<'_> {
        let position = self.place.as_ref().and_then(Place::position);
        Written {
            code: self.code,
            severity: self.severity,
            message: &self.message,
            help: self.help.as_deref(),
            resource: self.resource.as_ref(),
            path: self.path.as_ref(),
            file: self.place.as_ref().map(|place| place.file.path.as_str()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            end_column: self.place.as_ref().and_then(Place::end_column),
        }
    }
}

impl Place {
    /// A whole file.
    pub(crate) const fn whole(file: Arc<File>) -> Self {
        Self { file, span: None }
    }

    /// Line and column of its begin, both from 1, the column in characters.
    pub(crate) fn position(&self) -> Option<(usize, usize)> {
        let before = self.file.text.get(..self.span.as_ref()?.start)?;
        let line = before.matches('\n').count().saturating_add(1);
        let begun = before.rsplit('\n').next().unwrap_or(before);
        Some((line, begun.chars().count().saturating_add(1)))
    }

    /// The column after its last character, where it is a stretch of one line.
    pub(crate) fn end_column(&self) -> Option<usize> {
        let (_, column) = self.position()?;
        let stretch = self.file.text.get(self.span.clone()?)?;
        let is_one = !stretch.is_empty() && !stretch.contains('\n');
        is_one.then(|| column.saturating_add(stretch.chars().count()))
    }
}

/// How many errors and warnings there are, in words; `None` if there are none.
pub(crate) fn counted(findings: &[Finding]) -> Option<String> {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len().saturating_sub(errors);
    match (errors, warnings) {
        (0, 0) => None,
        (_, 0) => Some(count(errors, "error")),
        (0, _) => Some(count(warnings, "warning")),
        _ => Some(format!(
            "{}, {}",
            count(errors, "error"),
            count(warnings, "warning")
        )),
    }
}

/// A number and a noun, in the plural where it is not one.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}
