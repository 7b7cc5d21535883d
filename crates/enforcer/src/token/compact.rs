//! The three parts of a compact token: counted, decoded, and never printed.

use super::invalid::{Invalid, Part};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// The largest token, in octets.
pub const MAX_TOKEN: usize = 16 * 1_024;

/// The largest header, in octets, decoded.
pub const MAX_HEADER: usize = 2 * 1_024;

/// A token as it was received, of which nothing is known.
///
/// It can be neither printed nor taken apart; [`verify`](super::verify) makes
/// [`Claims`](crate::claims::Claims) of it or says why not.
///
/// ```
/// use countersign_enforcer::token::Compact;
/// assert_eq!(format!("{:?}", Compact::new("eyJhbGciOi.J9.secret")), "Compact(20 octets)");
/// ```
#[derive(Clone, Copy)]
pub struct Compact<'a>(&'a str);

impl<'a> Compact<'a> {
    /// Takes the credential of a request: what follows `Bearer `, or a provider's own header.
    pub const fn new(credential: &'a str) -> Self {
        Self(credential)
    }

    /// Steps 1 to 3: the size, the number of parts, their encoding.
    pub(super) fn open(self) -> Result<Parts<'a>, Invalid> {
        // 1. Before anything is allocated. No RFC names a limit; ours holds every token that a
        // request's headers can carry.
        if self.0.len() > MAX_TOKEN {
            return Err(Invalid::TooLarge);
        }
        // 2. "Verify that the JWT contains at least one period ('.') character." (RFC 7519 §7.2);
        // exactly two, for header, claims and signature (RFC 7515 §7.1). Counted, not collected:
        // thirty thousand dots must cost nothing. Five parts are a JWE (RFC 7516 §7.1).
        match self.0.bytes().filter(|octet| *octet == b'.').count() {
            2 => {}
            4 => return Err(Invalid::Encrypted),
            _ => return Err(Invalid::NotAJwt),
        }
        let (signed, signature) = self.0.rsplit_once('.').ok_or(Invalid::NotAJwt)?;
        let (header, claims) = signed.split_once('.').ok_or(Invalid::NotAJwt)?;
        // 3. "Base64url decode the Encoded JOSE Header following the restriction that no line
        // breaks, whitespace, or other additional characters have been used." (RFC 7519 §7.2). Nor
        // padding (RFC 7515 §2), nor bits that are cut off (RFC 4648 §3.5): else one token had
        // several spellings.
        if header.len() > base64::encoded_len(MAX_HEADER, false).unwrap_or(MAX_HEADER) {
            return Err(Invalid::TooLarge);
        }
        Ok(Parts {
            signed: signed.as_bytes(),
            header: decoded(header, Part::Header)?,
            claims: decoded(claims, Part::Claims)?,
            signature: decoded(signature, Part::Signature)?,
        })
    }
}

impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compact({} octets)", self.0.len())
    }
}

/// A token's parts, decoded. Still nothing is known of them.
pub(super) struct Parts<'a> {
    /// What the signature is over: header and claims as they were received.
    pub(super) signed: &'a [u8],
    pub(super) header: Vec<u8>,
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

fn decoded(text: &str, part: Part) -> Result<Vec<u8>, Invalid> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Invalid::NotBase64Url(part))
}
