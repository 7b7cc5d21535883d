//! Findings as `JUnit` XML, which test reports are made from.

use crate::finding::Finding;
use std::fmt::Write;

/// One suite: a case for each finding, and one that passes if there is none.
pub(crate) fn suite(findings: &[Finding]) -> String {
    let failures = findings.iter().filter(|finding| finding.is_error()).count();
    let tests = findings.len().max(1);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut push = |line: &str| {
        xml.push_str(line);
        xml.push('\n');
    };
    push(&format!(
        "<testsuite name=\"countersign check\" tests=\"{tests}\" failures=\"{failures}\">"
    ));
    if findings.is_empty() {
        push("  <testcase name=\"manifests\"/>");
    }
    for finding in findings {
        push(&case(finding));
    }
    xml.push_str("</testsuite>");
    xml
}

fn case(finding: &Finding) -> String {
    let mut at = String::new();
    if let Some(place) = &finding.place {
        at.push_str(&place.file.path);
        if let Some((line, column)) = place.position() {
            // A writer that is a text cannot fail.
            let _ = write!(at, ":{line}:{column}");
        }
    }
    let (name, class) = (escaped(&at), escaped(finding.code));
    let text = escaped(&finding.message);
    let body = if finding.is_error() {
        format!("<failure message=\"{text}\"/>")
    } else {
        format!("<system-out>{text}</system-out>")
    };
    format!("  <testcase name=\"{name}\" classname=\"{class}\">{body}</testcase>")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            // XML 1.0 has no way to write these
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
