//! Texts: in one or three quotes of either kind, raw or with escapes.

use super::Fault;
use crate::diagnostic::Span;

/// The text that stands here in quotes, and its length; `None` if none does.
pub(super) fn read(text: &str, at: usize) -> Result<Option<(String, usize)>, Fault> {
    let Some(begin) = text.find(['"', '\'']).filter(|begin| *begin <= 2) else {
        return Ok(None);
    };
    let (prefix, rest) = text.split_at_checked(begin).unwrap_or_default();
    let raw = match &*prefix.to_ascii_lowercase() {
        "" => false,
        "r" => true,
        "b" | "br" | "rb" => {
            let span = Span {
                start: at,
                end: at.saturating_add(begin),
            };
            let fault = Fault::new(span, "a condition has no bytes");
            return Err(fault.help("write a text, without the `b`"));
        }
        _ => return Ok(None),
    };
    let triple = rest.starts_with("\"\"\"") || rest.starts_with("'''");
    let quote = rest.get(..if triple { 3 } else { 1 }).unwrap_or_default();
    let mut body = Body {
        rest: rest.strip_prefix(quote).unwrap_or_default(),
        at: at.saturating_add(begin).saturating_add(quote.len()),
    };
    let mut read = String::new();
    loop {
        if body.rest.starts_with(quote) {
            let end = body.at.saturating_add(quote.len());
            return Ok(Some((read, end.saturating_sub(at))));
        }
        let start = body.at;
        match body.next() {
            Some('\\') if !raw => read.push(body.escape(start)?),
            Some('\n' | '\r') if !triple => {
                let span = Span {
                    start: at,
                    end: start,
                };
                let fault = Fault::new(span, "a text ends on the line where it begins");
                return Err(fault.help(format!("close it with {quote}")));
            }
            Some(c) => read.push(c),
            None => {
                let span = Span {
                    start: at,
                    end: start,
                };
                let fault = Fault::new(span, "the text does not end");
                return Err(fault.help(format!("close it with {quote}")));
            }
        }
    }
}

/// What is left of a text, and where it begins.
struct Body<'t> {
    rest: &'t str,
    at: usize,
}

impl Body<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        self.at = self.at.saturating_add(next.len_utf8());
        Some(next)
    }

    /// What stands after a backslash.
    fn escape(&mut self, start: usize) -> Result<char, Fault> {
        let read = match self.next() {
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some(same @ ('\\' | '?' | '"' | '\'' | '`')) => Some(same),
            Some('x' | 'X') => self.code(0, 2, 16),
            Some('u') => self.code(0, 4, 16),
            Some('U') => self.code(0, 8, 16),
            Some(first @ '0'..='3') => self.code(first.to_digit(8).unwrap_or_default(), 2, 8),
            _ => None,
        };
        read.ok_or_else(|| {
            let span = Span {
                start,
                end: self.at,
            };
            let fault = Fault::new(span, "it is no escape of CEL");
            fault.help("for a backslash, write `\\\\`")
        })
    }

    /// A character by so many digits of its code, after what was read of it.
    fn code(&mut self, mut code: u32, digits: u32, radix: u32) -> Option<char> {
        for _ in 0..digits {
            let mut ahead = self.rest.chars();
            let digit = ahead.next()?.to_digit(radix)?;
            self.next();
            code = code.checked_mul(radix)?.checked_add(digit)?;
        }
        char::from_u32(code)
    }
}
