//! Findings for people: the line as it was written, a caret under the field, and what to do.

use super::{Finding, Place};
use countersign_policy::diagnostic::Severity;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
    SourceSpan,
};
use std::fmt;

mod window;

use window::Window;

/// The longest line that is shown whole.
const LONGEST: usize = 400;

/// A finding as miette takes it.
struct Shown<'f> {
    finding: &'f Finding,
    source: Option<(Box<dyn SourceCode>, SourceSpan)>,
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
        let (source, _) = self.source.as_ref()?;
        Some(&**source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, span) = self.source.as_ref()?;
        let label = self.finding.path.as_ref().map(ToString::to_string);
        let label = label.filter(|path| !path.is_empty());
        Some(Box::new(std::iter::once(LabeledSpan::new(
            label,
            span.offset(),
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
    let source = finding.place.as_ref().and_then(source);
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

/// The lines around a place, or what is nearest in one that is too long.
fn source(place: &Place) -> Option<(Box<dyn SourceCode>, SourceSpan)> {
    let span = place.span.clone()?;
    let (line, _) = place.position()?;
    let near = place.file.text.lines().skip(line.saturating_sub(2)).take(3);
    if near.map(str::len).any(|length| length > LONGEST) {
        let window = Window::of(place)?;
        let span = window.span();
        return Some((Box::new(window), span));
    }
    let whole = NamedSource::new(&place.file.path, place.file.text.clone());
    Some((Box::new(whole), (span.start, span.len()).into()))
}
