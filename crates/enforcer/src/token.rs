//! Verification of a token: every check that RFC 7515, 7519 and 8725 ask for, in one order.
//!
//! ```text
//! Compact ── form ── header ── claims ── provider ── time, type ── key ── signature ── Claims
//!            └──────────── nothing is fetched, nothing is believed ──────┘
//! ```
//!
//! `jsonwebtoken` has the mathematics of the signature; what it lets through (`crit`, repeated
//! members, an `iss` that is a list, a key for encryption, ...) is refused before it.
//!
#![doc = include_str!("../attacks.md")]

use crate::claims::Claims;
use crate::keys::{NotFound, Thumbprint};
use countersign_ruleset::provider::TokenType;
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value};
use std::sync::Arc;

mod compact;
mod form;
mod header;
mod id_token;
mod invalid;
mod known;
#[cfg(test)]
pub(crate) mod mint;
mod object;
mod required;
mod tenant;
mod trusted;

pub use compact::{Compact, MAX_HEADER, MAX_TOKEN};
pub(crate) use id_token::id_token;
pub use invalid::{Excerpt, Invalid, Part, Registered};
pub(crate) use required::numeric_date;
pub use trusted::{Providers, Trusted};

use header::Header;
pub(crate) use known::Known;
use known::Name;
use required::Required;

/// A token that passed every check. Only this module makes one: of a caller's token, of which only
/// [`Claims`] are made, or of the ID token of a login.
pub(crate) struct Authentic {
    pub(crate) trusted: Arc<Trusted>,
    pub(crate) members: Map<String, Value>,
    pub(crate) required: Required,
    pub(crate) key: Thumbprint,
    _evidence: Evidence,
}

/// Cannot be made outside this module.
struct Evidence(());

/// Verifies a token: who issued it, that it is good now, and what it says.
///
/// `admitted` answers for an issuer (`iss`, exact) with the provider that the target at hand takes
/// tokens from, and by the header that this one came in; what it does not answer for is unknown.
///
/// The audience is not judged here: each policy has its own, and the claims tell
/// ([`Claims::audiences`]).
///
/// # Order
/// What is cheap comes before the signature: a flood of expired or foreign tokens must not cost a
/// signature check each. So a refusal may come from a token that nobody signed, and says only what
/// its sender wrote himself. Whatever would tell him something that he does not know (the
/// provider's tenants, what was revoked) comes after the signature.
pub fn verify<'p>(
    compact: Compact<'_>,
    admitted: impl FnOnce(&str) -> Option<&'p Arc<Trusted>>,
    at: UnixTime,
) -> Result<Claims, Invalid> {
    authentic(compact, admitted, None, at).map(Claims::of)
}

/// The same checks, of a token of the `only` type that is asked for, or of any that the provider's
/// `tokenTypes` take.
fn authentic<'p>(
    compact: Compact<'_>,
    admitted: impl FnOnce(&str) -> Option<&'p Arc<Trusted>>,
    only: Option<TokenType>,
    at: UnixTime,
) -> Result<Authentic, Invalid> {
    // 1 to 3: size, parts, encoding.
    let parts = compact.open()?;
    // 4 to 8: the header.
    let header = Header::read(&parts.header)?;
    // 9. "Verify that the resulting octet sequence is a UTF-8-encoded representation of a
    // completely valid JSON object conforming to RFC 7159; let the JWT Claims Set be this JSON
    // object." (RFC 7519 §7.2)
    let members = object::read(&parts.claims, Part::Claims)?;
    // 10. "the application MUST validate that the cryptographic keys used for the cryptographic
    // operations in the JWT belong to the issuer. If they do not, the application MUST reject the
    // JWT." (RFC 8725 §3.8). So keys are those of one provider, found by `iss` alone.
    let issuer = required::text(&members, Registered::Issuer)?;
    let trusted = admitted(issuer)
        .filter(|trusted| trusted.issues_as(issuer))
        .ok_or_else(|| Invalid::UnknownIssuer {
            iss: Excerpt::of(issuer),
        })?;
    // 11. "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT
    // use any other algorithms when performing cryptographic operations." (RFC 8725 §3.1)
    if !trusted.algorithms().contains(&header.algorithm) {
        return Err(Invalid::AlgorithmNotAllowed);
    }
    // 12 and 13: the claims that every token must have, and its time.
    let required = Required::read(&members)?;
    required.in_time(trusted, at)?;
    // 14 and 15: the type.
    form::expect_accepted(trusted, only, header.typ.as_deref(), &members)?;
    // 16. Whoever presents a token with `cnf` must show that he has the key (RFC 7800 §3.1, RFC
    // 9449 §7.1, RFC 8705 §3). A bearer shows nothing.
    if members.contains_key("cnf") {
        return Err(Invalid::BoundToken);
    }
    // 17. "each key MUST be used with exactly one algorithm, and this MUST be checked when the
    // cryptographic operation is performed." (RFC 8725 §3.1)
    let revoked = |key: &Thumbprint| trusted.revokes_key(key, required.issued_at, at);
    let kid = header.kid.as_deref();
    let key = trusted
        .keys()
        .find(kid, header.algorithm, at, revoked)
        .map_err(|why| no_key(why, trusted, kid))?;
    // 18. "Validate the JWS Signature against the JWS Signing Input" (RFC 7515 §5.2), over the bytes
    // received. What was verified once is true for ever.
    let name = Name::of(
        key.thumbprint(),
        header.algorithm,
        parts.signed,
        &parts.signature,
    );
    if !trusted.known().holds(name) {
        if !key.verify(header.algorithm, parts.signed, &parts.signature) {
            return Err(Invalid::BadSignature);
        }
        trusted.known().remember(name);
    }
    // 19. An issuer that serves everybody says with its signature only that somebody is its
    // customer; whose, the tenant says.
    if !tenant::is_admitted(trusted.provider(), &members) {
        return Err(Invalid::TenantNotAllowed);
    }
    // 20. By what the provider calls the token and its subject, never by the token's bytes: an ECDSA
    // signature can be changed into another one that verifies too.
    if trusted.revokes(&required, &members, at) {
        return Err(Invalid::Revoked);
    }
    Ok(Authentic {
        trusted: Arc::clone(trusted),
        key: key.thumbprint().clone(),
        members,
        required,
        _evidence: Evidence(()),
    })
}

fn no_key(why: NotFound, trusted: &Trusted, kid: Option<&str>) -> Invalid {
    let provider = trusted.id().clone();
    match why {
        NotFound::Ambiguous => Invalid::AmbiguousKey { provider },
        NotFound::Empty => Invalid::KeysUnavailable(provider),
        NotFound::Revoked => Invalid::Revoked,
        NotFound::Stale => Invalid::KeysStale(provider),
        NotFound::Unknown => Invalid::UnknownKey {
            provider,
            kid: Excerpt::of(kid.unwrap_or_default()),
        },
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]
mod tests;
