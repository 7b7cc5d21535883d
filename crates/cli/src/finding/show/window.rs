//! The one line that a finding is in, cut where it is too long for a person: a manifest may be one line.

use crate::finding::Place;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// The most characters before and after what is shown.
const AROUND: usize = 80;

/// A line, or the part of it around a place.
#[derive(Debug)]
pub(super) struct Window {
    name: String,
    text: String,
    /// Where in the text the place is.
    span: SourceSpan,
    /// From 0, as in the file.
    line: usize,
    column: usize,
}

impl Window {
    /// What surrounds a place; nothing of a file without text.
    pub(super) fn of(place: &Place) -> Option<Self> {
        let span = place.span.clone()?;
        let file = place.file.text.as_str();
        let (line, column) = place.position()?;
        let before = file.get(..span.start)?.rsplit('\n').next()?;
        let inside = file.get(span.clone())?.lines().next().unwrap_or_default();
        let end = span.start.checked_add(inside.len())?;
        let after = file.get(end..)?.lines().next().unwrap_or_default();
        let (left, cut_left) = last(before);
        let (inside, cut_inside) = first(inside, AROUND);
        let (right, cut_right) = first(if cut_inside { "" } else { after }, AROUND);
        let dots = |cut| if cut { "…" } else { "" };
        let begin = format!("{}{left}", dots(cut_left));
        let end = dots(cut_inside || cut_right);
        Some(Self {
            name: place.file.path.clone(),
            span: (begin.len(), inside.len()).into(),
            text: format!("{begin}{inside}{right}{end}"),
            line: line.saturating_sub(1),
            column: column.saturating_sub(1),
        })
    }

    /// Where in the text the place is.
    pub(super) const fn span(&self) -> SourceSpan {
        self.span
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole: SourceSpan = (0, self.text.len()).into();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            whole,
            self.line,
            self.column,
            1,
        )))
    }
}

/// The last characters of a text, and whether others were before them.
fn last(text: &str) -> (&str, bool) {
    let begin = text.char_indices().rev().nth(AROUND.saturating_sub(1));
    let begin = begin.map_or(0, |(at, _)| at);
    (text.get(begin..).unwrap_or_default(), begin > 0)
}

/// The first characters of a text, and whether others follow.
fn first(text: &str, most: usize) -> (&str, bool) {
    let end = text.char_indices().nth(most);
    let end = end.map_or(text.len(), |(at, _)| at);
    (text.get(..end).unwrap_or_default(), end < text.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::{File, Finding, Place, show};
    use std::sync::Arc;

    #[test]
    fn of_a_long_line_a_person_sees_what_is_near() {
        let (before, after) = ("ä".repeat(500_000), "z".repeat(500_000));
        let file = File {
            path: "a.json".to_owned(),
            text: format!("{{}}\n{before}HERE{after}\n"),
        };
        let start = file.text.find("HERE").unwrap();
        let end = start.checked_add(4).unwrap();
        let place = Place {
            file: Arc::new(file),
            span: Some(start..end),
        };
        let shown = show(&Finding::unreadable(place, "wrong", None), false);
        assert!(shown.contains("[a.json:2:500001]"), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let seen = format!("…{}HERE{}…", "ä".repeat(80), "z".repeat(80));
        assert!(lines.iter().any(|line| line.ends_with(&seen)), "{shown}");
        assert!(shown.contains("────") || shown.contains("──┬"), "{shown}");
        assert!(shown.len() < 2_000, "{}", shown.len());
    }
}
