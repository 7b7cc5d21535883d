//! SHA-256 as the name of some bytes: 64 characters of lower-case hex, or it is no digest.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The SHA-256 of some bytes.
///
/// A digest becomes part of a path and of a URL, so nothing else is ever held by this type: a text
/// is looked at here, once, before anything is fetched by it.
///
/// ```
/// use countersign_ruleset::digest::Digest;
/// let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(Digest::of(b"").as_str(), empty);
/// assert!("../../etc/passwd".parse::<Digest>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(Box<str>);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 characters of lower-case hex")]
pub struct NotADigest;

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(lower_hex(digest(&SHA256, bytes).as_ref()).into())
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    /// `[0-9a-f]{64}`
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.into()))
        } else {
            Err(NotADigest)
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0.into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn lower_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Digest, NotADigest};

    #[test]
    fn a_digest_cannot_climb_out_of_its_folder() {
        assert!("0".repeat(64).parse::<Digest>().is_ok());
        for bad in [
            String::new(),
            "0".repeat(63),
            "0".repeat(65),
            "A".repeat(64),
            "g".repeat(64),
            format!("../{}", "0".repeat(61)),
            format!("{}\n", "0".repeat(63)),
            "é".repeat(32),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad:?}");
        }
    }

    /// FIPS 180-4, the example of one block.
    #[test]
    fn is_the_sha_256_of_the_bytes() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
    }
}
