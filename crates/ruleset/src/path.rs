//! Paths: the one canonical form that is decided on and sent on, and the patterns policies write.
//!
//! A gate that reads a path in one way before a service that reads it in another is no gate. So
//! there is one function, [`CanonicalPath::parse`]; what two readers might take differently is
//! refused, and what is let through is passed on in the form that was decided on.

use std::fmt::{self, Write as _};

mod pattern;

pub use pattern::{PathPattern, PatternMalformed, Segment};

/// A path (RFC 3986 §3.3) in canonical form: absolute, every `pchar` decoded, other bytes as
/// upper-case `%XX`, no empty, `.` or `..` segment but a trailing slash.
///
/// ```
/// use countersign_ruleset::path::{CanonicalPath, Malformed};
/// assert_eq!(CanonicalPath::parse(b"/v1/%6Frders/%e9t").unwrap_err().reason, Malformed::NotUtf8);
/// assert_eq!(CanonicalPath::parse(b"/v1/./%6Frders%3Acancel").unwrap().as_str(), "/v1/orders:cancel");
/// assert_eq!(CanonicalPath::parse(b"/public/..%2fadmin").unwrap_err().reason, Malformed::EncodedSlash);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalPath(Box<str>);

/// Why a path has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// `\`, as it is or encoded: some servers take it for a slash.
    Backslash,
    /// A `%` without two hexadecimal digits.
    BadEscape,
    /// An encoded control character, NUL among them.
    Control,
    /// `%25` before two hexadecimal digits: decoded twice, it becomes another path.
    DoubleEncoding,
    /// Two slashes: some servers take them for one.
    EmptySegment,
    /// An encoded slash.
    EncodedSlash,
    /// A `#`.
    Fragment,
    /// It does not begin with a slash.
    NotAbsolute,
    /// Decoded, it is not UTF-8.
    NotUtf8,
    /// A `..` that goes past the root.
    PastRoot,
    /// A byte that must be encoded in a path.
    RawByte,
    /// `;`, as it is or encoded: some servers cut the segment there.
    Semicolon,
}

impl Malformed {
    /// What was found, for a person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backslash => "a backslash",
            Self::BadEscape => "a `%` without two hexadecimal digits",
            Self::Control => "an encoded control character",
            Self::DoubleEncoding => "a doubly encoded byte",
            Self::EmptySegment => "two slashes",
            Self::EncodedSlash => "an encoded slash",
            Self::Fragment => "a `#`",
            Self::NotAbsolute => "no slash at the start",
            Self::NotUtf8 => "bytes that are not UTF-8",
            Self::PastRoot => "a `..` past the root",
            Self::RawByte => "a byte that must be percent-encoded",
            Self::Semicolon => "a semicolon",
        }
    }
}

/// A path without a canonical form, and where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a path that every server reads alike, got {} at byte {at}", .reason.as_str())]
pub struct NotCanonical {
    /// What was found.
    pub reason: Malformed,
    /// The offset into the path as it came.
    pub at: usize,
}

impl CanonicalPath {
    /// The canonical form of a path as it stands in a request target, without the query.
    pub fn parse(raw: &[u8]) -> Result<Self, NotCanonical> {
        let refused = |reason, at| NotCanonical { reason, at };
        if raw.first() != Some(&b'/') {
            return Err(refused(Malformed::NotAbsolute, 0));
        }
        let mut decoded = String::with_capacity(raw.len());
        let mut utf8 = Vec::new();
        let mut at = 0_usize;
        while let Some(&byte) = raw.get(at) {
            let escape = byte == b'%';
            let byte = if escape {
                let digits = raw.get(at.saturating_add(1)..at.saturating_add(3));
                digits
                    .and_then(hex)
                    .ok_or_else(|| refused(Malformed::BadEscape, at))?
            } else {
                byte
            };
            forbidden(byte, escape).map_or(Ok(()), |reason| Err(refused(reason, at)))?;
            if byte == b'/' && decoded.ends_with('/') {
                return Err(refused(Malformed::EmptySegment, at));
            }
            if is_pchar(byte) || byte == b'/' {
                decoded.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(decoded, "%{byte:02X}");
            }
            utf8.push(byte);
            at = at.saturating_add(if escape { 3 } else { 1 });
        }
        if std::str::from_utf8(&utf8).is_err() {
            return Err(refused(Malformed::NotUtf8, 0));
        }
        if is_doubly_encoded(&decoded) {
            return Err(refused(Malformed::DoubleEncoding, 0));
        }
        without_dots(&decoded)
            .map(Self)
            .ok_or_else(|| refused(Malformed::PastRoot, 0))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments; the last is empty if the path ends in a slash.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }

    /// The path without its trailing slash, if it has one and is more than that: what a Deny
    /// covers too.
    pub fn without_trailing_slash(&self) -> Option<&str> {
        self.0.strip_suffix('/').filter(|rest| !rest.is_empty())
    }
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|text| u8::from_str_radix(text, 16).ok())
}

/// What may not stand in a path, whether as it is or encoded.
const fn forbidden(byte: u8, escape: bool) -> Option<Malformed> {
    match byte {
        b'/' if escape => Some(Malformed::EncodedSlash),
        b'\\' => Some(Malformed::Backslash),
        b';' => Some(Malformed::Semicolon),
        0..=0x1f | 0x7f if escape => Some(Malformed::Control),
        b'#' if !escape => Some(Malformed::Fragment),
        _ if escape || byte == b'/' || is_pchar(byte) => None,
        _ => Some(Malformed::RawByte),
    }
}

/// RFC 3986 §3.3: unreserved, sub-delims, `:` and `@`. The semicolon has been refused before.
const fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'='
        )
        || matches!(byte, b':' | b'@')
}

/// Looked for in the result: `%25%34%31` decodes to the same `%2541` as the plain form.
fn is_doubly_encoded(decoded: &str) -> bool {
    decoded.split("%25").skip(1).any(|rest| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|two| hex(two).is_some())
    })
}

/// RFC 3986 §5.2.4, but `None` where it would go past the root.
fn without_dots(path: &str) -> Option<Box<str>> {
    let mut kept: Vec<&str> = Vec::new();
    let mut trailing = false;
    for segment in path.split('/').skip(1) {
        trailing = matches!(segment, "" | "." | "..");
        match segment {
            ".." => {
                kept.pop()?;
            }
            "" | "." => {}
            _ => kept.push(segment),
        }
    }
    let mut result = String::with_capacity(path.len());
    for segment in kept {
        result.push('/');
        result.push_str(segment);
    }
    if trailing {
        result.push('/');
    }
    Some(result.into())
}

#[cfg(test)]
mod tests;
