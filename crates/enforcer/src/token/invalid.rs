//! Why a token is refused: one closed list, each entry one refusal.

use countersign_ruleset::names::ProviderId;
use std::fmt;

/// Why a token is refused.
///
/// A refusal is not a decision yet: [`Invalid::is_temporary`] tells those that end when the
/// provider's keys are there again (503) from those that are the token's own (401).
///
/// What a variant carries was read from a token that nobody vouches for. It is cut, escaped, and
/// for diagnosis only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// `alg` is missing, `none`, a MAC, misspelt, or not among the provider's.
    #[error("`alg` is not an algorithm that the provider signs with")]
    AlgorithmNotAllowed,
    /// There is no `kid` and several keys fit, or several keys have that `kid`.
    #[error("more than one key of `{provider}` fits")]
    AmbiguousKey {
        /// The provider.
        provider: ProviderId,
    },
    /// The signature is not the key's.
    #[error("the signature does not verify")]
    BadSignature,
    /// The token is bound to a key of its holder (`cnf`), and was sent as a bearer token.
    #[error("the token is bound to a key (`cnf`) and may not be used as a bearer token")]
    BoundToken,
    /// There is a `crit`.
    #[error("the header demands an extension by `crit`, and none is supported")]
    CriticalHeader,
    /// A member occurs twice in an object of the header or of the claims.
    #[error("a member occurs twice in the {0}")]
    DuplicateMember(Part),
    /// The header brings its own key, or says where to fetch one.
    #[error("the header brings its own key by `{0}`")]
    EmbeddedKey(&'static str),
    /// It is an encrypted token (JWE).
    #[error("the token is encrypted")]
    Encrypted,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was issued later than now.
    #[error("the token was issued in the future (`iat`)")]
    IssuedInTheFuture,
    /// The provider's keys were fetched too long ago.
    #[error("the keys of `{0}` are too old to be relied on")]
    KeysStale(ProviderId),
    /// No key of the provider is there.
    #[error("no usable key of `{0}` is there")]
    KeysUnavailable(ProviderId),
    /// It is good for longer than the provider's tokens may be.
    #[error("the token is good for longer than `maxLifetime`")]
    LifetimeTooLong,
    /// A registered claim has another type or form than it must have.
    #[error("the claim `{0}` is not of the type that RFC 7519 gives it")]
    MalformedClaim(Registered),
    /// A part is not a strict JSON object, or a member of the header is of another type.
    #[error("the {0} is not a JSON object of the form that is asked")]
    MalformedObject(Part),
    /// A claim that every token must have is not there.
    #[error("the claim `{0}` is missing")]
    MissingClaim(Registered),
    /// It is a token inside a token.
    #[error("the token holds another token")]
    NestedToken,
    /// It has not three parts.
    #[error("expected three parts with dots between")]
    NotAJwt,
    /// A part is not canonical base64url without padding.
    #[error("the {0} is not canonical base64url without padding")]
    NotBase64Url(Part),
    /// It is not good yet.
    #[error("the token is not good yet (`nbf`)")]
    NotYetValid,
    /// Its subject, session, id or key counts no longer.
    #[error("the token was revoked")]
    Revoked,
    /// It comes from another customer of the issuer.
    #[error("the token is not from one of the provider's `tenants`")]
    TenantNotAllowed,
    /// It is larger than a token may be, or its header is.
    #[error("the token is too large")]
    TooLarge,
    /// The header has `b64`.
    #[error("the header has `b64`, which no JWT may have")]
    UnencodedPayload,
    /// Nobody that is admitted here signs as this `iss`.
    #[error("no provider that is admitted here has the issuer `{iss}`")]
    UnknownIssuer {
        /// The issuer that it names.
        iss: Excerpt,
    },
    /// The provider has no such key.
    #[error("`{provider}` has no key `{kid}` for that algorithm")]
    UnknownKey {
        /// The provider.
        provider: ProviderId,
        /// The key that it names; empty if it names none.
        kid: Excerpt,
    },
    /// It is of another type than those that are taken, or could be of two.
    #[error("the token is not of a type that the provider's `tokenTypes` take")]
    WrongTokenType,
}

impl Invalid {
    /// The refusal's name, for headers, metrics and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed => "AlgorithmNotAllowed",
            Self::AmbiguousKey { .. } => "AmbiguousKey",
            Self::BadSignature => "BadSignature",
            Self::BoundToken => "BoundToken",
            Self::CriticalHeader => "CriticalHeader",
            Self::DuplicateMember(_) => "DuplicateMember",
            Self::EmbeddedKey(_) => "EmbeddedKey",
            Self::Encrypted => "Encrypted",
            Self::Expired => "Expired",
            Self::IssuedInTheFuture => "IssuedInTheFuture",
            Self::KeysStale(_) => "KeysStale",
            Self::KeysUnavailable(_) => "KeysUnavailable",
            Self::LifetimeTooLong => "LifetimeTooLong",
            Self::MalformedClaim(_) => "MalformedClaim",
            Self::MalformedObject(_) => "MalformedObject",
            Self::MissingClaim(_) => "MissingClaim",
            Self::NestedToken => "NestedToken",
            Self::NotAJwt => "NotAJwt",
            Self::NotBase64Url(_) => "NotBase64Url",
            Self::NotYetValid => "NotYetValid",
            Self::Revoked => "Revoked",
            Self::TenantNotAllowed => "TenantNotAllowed",
            Self::TooLarge => "TooLarge",
            Self::UnencodedPayload => "UnencodedPayload",
            Self::UnknownIssuer { .. } => "UnknownIssuer",
            Self::UnknownKey { .. } => "UnknownKey",
            Self::WrongTokenType => "WrongTokenType",
        }
    }

    /// Whether the same token may be good later, when its provider's keys are there again.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::KeysStale(_) | Self::KeysUnavailable(_))
    }
}

/// A part of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The claims.
    Claims,
    /// The header.
    Header,
    /// The signature.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims => "claims",
            Self::Header => "header",
            Self::Signature => "signature",
        })
    }
}

/// The registered claims that are looked at before all else (RFC 7519 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// `aud`
    Audience,
    /// `exp`
    ExpirationTime,
    /// `iat`
    IssuedAt,
    /// `iss`
    Issuer,
    /// `nbf`
    NotBefore,
    /// `sub`
    Subject,
}

impl Registered {
    /// The claim's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audience => "aud",
            Self::ExpirationTime => "exp",
            Self::IssuedAt => "iat",
            Self::Issuer => "iss",
            Self::NotBefore => "nbf",
            Self::Subject => "sub",
        }
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A few characters of what a token says of itself: cut short, and with nothing in it that could
/// end a line or a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    const LONGEST: usize = 120;

    pub(super) fn of(text: &str) -> Self {
        let escaped = text.chars().flat_map(char::escape_default);
        Self(escaped.take(Self::LONGEST).collect::<String>().into())
    }

    /// As text, in printable ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;

    #[test]
    fn an_excerpt_cannot_end_a_line() {
        assert_eq!(
            Excerpt::of("a\r\nSet-Cookie: b\u{2028}").as_str(),
            r"a\r\nSet-Cookie: b\u{2028}"
        );
        assert_eq!(Excerpt::of(&"é".repeat(9_999)).as_str().len(), 120);
    }
}
