//! Findings for people: the line as it was written, a caret under the field, and what to do.

use super::Finding;
use countersign_policy::diagnostic::Severity;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use std::fmt;

/// A finding as miette takes it.
struct Shown<'f> {
    finding: &'f Finding,
    source: Option<NamedSource<String>>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, &self.finding.place) {
            (None, Some(place)) => write!(f, "{}: {}", place.file.path, self.finding.message),
            _ => f.write_str(&self.finding.message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.finding.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let source: &dyn SourceCode = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.finding.place.as_ref()?.span.clone()?;
        let label = self.finding.path.as_ref().map(ToString::to_string);
        let label = label.filter(|path| !path.is_empty());
        Some(Box::new(std::iter::once(LabeledSpan::new(
            label,
            span.start,
            span.len(),
        ))))
    }
}

/// The finding as text, with or without colour.
pub(crate) fn show(finding: &Finding, colour: bool) -> String {
    let theme = if colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let place = finding.place.as_ref().filter(|place| place.span.is_some());
    let source = place.map(|place| NamedSource::new(&place.file.path, place.file.text.clone()));
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(100)
        .with_links(false)
        .without_cause_chain();
    // A writer that is a text cannot fail.
    let shown = handler.render_report(&mut text, &Shown { finding, source });
    if shown.is_err() {
        text.clone_from(&finding.message);
    }
    text
}
