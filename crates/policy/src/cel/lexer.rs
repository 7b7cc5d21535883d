//! Splits a condition into its words and signs.

use super::{Fault, number, quoted};
use crate::diagnostic::Span;

/// A word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// The end of the text.
    End,
    /// A whole number without its sign.
    Integer(u64),
    /// A name or a reserved word.
    Name(String),
    /// A sign, such as `&&`.
    Sign(&'static str),
    /// A text.
    Text(String),
}

/// Signs, the longer ones first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ".", ",", "?",
    ":", "+", "-", "*", "/", "%",
];

/// All words and signs of a text, each with its place; the last is its end.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = blank(text, at);
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, Span { start: at, end: at }));
            return Ok(tokens);
        };
        let (token, length) = if let Some((text, length)) = quoted::read(rest, at)? {
            (Token::Text(text), length)
        } else if first.is_ascii_digit() || is_fraction(rest) {
            number::read(rest, at).map(|(number, length)| (Token::Integer(number), length))?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let name = word(rest);
            (Token::Name(name.to_owned()), name.len())
        } else {
            sign(rest, first, at)?
        };
        let end = at.saturating_add(length);
        tokens.push((token, Span { start: at, end }));
        at = end;
    }
}

/// The name or number that a text begins with.
pub(super) fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// `.5` is a fraction in CEL, `.name` is none.
fn is_fraction(text: &str) -> bool {
    let after = text.strip_prefix('.');
    after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()))
}

fn sign(rest: &str, first: char, at: usize) -> Result<(Token, usize), Fault> {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let span = Span {
        start: at,
        end: at.saturating_add(first.len_utf8()),
    };
    let fault = Fault::new(
        span,
        format!("`{}` is no sign of CEL", first.escape_debug()),
    );
    Err(match first {
        '=' => fault.help("to compare, write `==`"),
        '&' => fault.help("write `&&`"),
        '|' => fault.help("write `||`"),
        '“' | '”' | '‘' | '’' | '`' => fault.help("a text stands in \" or '"),
        _ => fault,
    })
}

/// Where the blanks and comments from here on end.
fn blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let after = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let skipped = if after.starts_with("//") {
            let comment = after.find('\n').unwrap_or(after.len());
            rest.len()
                .saturating_sub(after.len())
                .saturating_add(comment)
        } else {
            rest.len().saturating_sub(after.len())
        };
        at = at.saturating_add(skipped);
        if skipped == 0 {
            return at;
        }
    }
}
