//! Google's two types: its accounts, and its proxy that stands before a service.

use super::table::{EMAIL, HOUR, PLAIN};
use super::{Email, Form, Platform, Preset};
use countersign_ruleset::provider::{Algorithm, TokenType};

/// Its access tokens are opaque; what is a JWT is an ID token, of a person or a service account.
/// `email_verified` alone does not make Google speak for a domain: that does `hd`.
pub(super) const GOOGLE: Preset = Preset {
    name: "Google",
    issuer: Some("https://accounts.google.com"),
    issuer_form: "https://accounts.google.com",
    aliases: &["accounts.google.com"],
    algorithms: &[Algorithm::RS256],
    token_types: &[TokenType::IDToken],
    forms: &[Form {
        token_type: TokenType::IDToken,
        typ: &["", "jwt"],
        present: &[],
        absent: &[],
    }],
    max_lifetime: HOUR,
    email: Some(Email {
        domain: Some(&["hd"]),
        ..EMAIL
    }),
    client: &[&["azp"]],
    scopes: &[],
    tenant: &[&["hd"]],
    platform: Some(Platform::Google),
    sources: &[
        "https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload",
        "https://developers.google.com/identity/gsi/web/guides/verify-google-id-token",
        "https://cloud.google.com/docs/authentication/token-types#id",
    ],
    ..PLAIN
};

/// What the proxy tells the service behind it; `aud` is that service, and nobody else can choose
/// it. It has no discovery document. No claim says that the address was verified: of Google's own
/// accounts it is, by whose word the proxy let them in; what an external identity (`gcip`) or a
/// workforce's provider wrote into it, nobody says.
pub(super) const GOOGLE_IAP: Preset = Preset {
    name: "GoogleIAP",
    issuer: Some("https://cloud.google.com/iap"),
    issuer_form: "https://cloud.google.com/iap",
    jwks_url: Some("https://www.gstatic.com/iap/verify/public_key-jwk"),
    header: Some("x-goog-iap-jwt-assertion"),
    algorithms: &[Algorithm::ES256],
    token_types: &[TokenType::IDToken],
    forms: &[Form {
        token_type: TokenType::IDToken,
        typ: &["", "jwt"],
        present: &[],
        absent: &[],
    }],
    max_lifetime: 600,
    email: Some(Email {
        path: &["email"],
        verified_by: None,
        verified_subjects: Some("accounts.google.com:"),
        domain: Some(&["hd"]),
    }),
    client: &[],
    scopes: &[],
    tenant: &[&["hd"]],
    sources: &["https://cloud.google.com/iap/docs/signed-headers-howto"],
    ..PLAIN
};
