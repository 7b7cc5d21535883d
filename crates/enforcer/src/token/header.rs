//! A token's header: which algorithm and key it claims, and nothing that would bring its own.

use super::invalid::{Invalid, Part};
use super::object;
use countersign_ruleset::provider::Algorithm;
use serde_json::{Map, Value};

/// Members by which a token brings a key of its own, or says where to fetch one.
const EMBEDDED_KEYS: [&str; 4] = ["jku", "jwk", "x5c", "x5u"];

/// What is used of a header.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// In lower case, without `application/`.
    pub(super) typ: Option<String>,
}

impl Header {
    /// Steps 4 to 8.
    pub(super) fn read(octets: &[u8]) -> Result<Self, Invalid> {
        // 4. "Verify that the resulting octet sequence is a UTF-8-encoded representation of a
        // completely valid JSON object" (RFC 7515 §5.2); "The Header Parameter names within the
        // JOSE Header MUST be unique" (§4).
        let members = object::read(octets, Part::Header)?;
        // 5. "If any of the listed extension Header Parameters are not understood and supported by
        // the recipient, then the JWS is invalid." (RFC 7515 §4.1.11). None is, and an empty list
        // must not be.
        if members.contains_key("crit") {
            return Err(Invalid::CriticalHeader);
        }
        // A JWT must not use `b64` with `false` (RFC 7797 §7), and `true` says nothing.
        if members.contains_key("b64") {
            return Err(Invalid::UnencodedPayload);
        }
        // 6. A key is the provider's or none. What `jwk`, `jku`, `x5u` and `x5c` bring (RFC 7515
        // §4.1.2 to §4.1.6), the sender has chosen; and what he lets us fetch, he aims at us.
        if let Some(name) = EMBEDDED_KEYS
            .into_iter()
            .find(|name| members.contains_key(*name))
        {
            return Err(Invalid::EmbeddedKey(name));
        }
        // 7. "In the case that nested signing or encryption is employed, this Header Parameter MUST
        // be present; in this case, the value MUST be "JWT"" (RFC 7519 §5.2).
        if text(&members, "cty")?.is_some_and(|cty| media_type(cty) == "jwt") {
            return Err(Invalid::NestedToken);
        }
        // 8. "The "alg" value is a case-sensitive ASCII string [...] This Header Parameter MUST be
        // present" (RFC 7515 §4.1.1). Compared with what exists, so that neither `none` nor a MAC
        // needs to be refused by name.
        let alg = members.get("alg").and_then(Value::as_str);
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| Some(algorithm.as_str()) == alg);
        Ok(Self {
            algorithm: algorithm.ok_or(Invalid::AlgorithmNotAllowed)?,
            kid: text(&members, "kid")?.map(ToOwned::to_owned),
            typ: text(&members, "typ")?.map(media_type),
        })
    }
}

/// A member that "MUST be a case-sensitive string", or is one of a media type, if it is there.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Invalid> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::MalformedObject(Part::Header)),
    }
}

/// "A recipient using the media type value MUST treat it as if "application/" were prepended to any
/// "typ" value not containing a '/'." (RFC 7515 §4.1.9). Media types have no case.
fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(short) if !short.contains('/') => short.to_owned(),
        _ => lower,
    }
}
