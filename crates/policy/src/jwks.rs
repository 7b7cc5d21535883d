//! Providers' public keys, out of a JWKS (RFC 7517 §5): the public members alone, each key by itself.
//!
//! A secret can get no further than here: members are taken by name, a key with a private part is
//! left out whole, and no message holds a value of such a key.

use countersign_ruleset::provider::{Algorithm, MAX_KEYS, PublicJwk};
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The private members of the key types that there are (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 9] = ["d", "dp", "dq", "k", "oth", "p", "priv", "q", "qi"];

/// The most characters of one member: a modulus of 8,192 bits has 1,366.
const MAX_MEMBER: usize = 2_048;

/// Keys as they were fetched, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The keys that can be used.
    pub keys: Vec<PublicJwk>,
    /// From where.
    pub jwks_url: String,
    /// When the request was sent.
    pub fetched_at: UnixTime,
}

/// What a JWKS holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    /// The keys that can be used.
    pub keys: Vec<PublicJwk>,
    /// The keys that cannot, by their place, and why.
    pub skipped: Vec<(usize, String)>,
    /// The keys that can, by their place, and have a name that another one has too.
    pub repeated: Vec<(usize, String)>,
}

impl Jwks {
    /// Reads a JWKS. A key that does not fit is skipped, and the others stay.
    ///
    /// # Errors
    /// If it is no JWKS at all, or has more keys than may be: part of a set is no set.
    pub fn read(document: &Value) -> Result<Self, String> {
        let members = document.get("keys").and_then(Value::as_array);
        let members = members.ok_or("expected a JWKS: an object with a list `keys`")?;
        if members.len() > MAX_KEYS {
            return Err(format!(
                "expected at most {MAX_KEYS} keys, got {}",
                members.len()
            ));
        }
        let mut jwks = Self::default();
        let mut named = BTreeMap::new();
        for (place, member) in members.iter().enumerate() {
            match key(member) {
                Ok(key) => {
                    jwks.note_repetition(place, &key, &mut named);
                    jwks.keys.push(key);
                }
                Err(why) => jwks.skipped.push((place, why)),
            }
        }
        Ok(jwks)
    }

    /// "When "kid" values are used within a JWK Set, different keys within the JWK Set SHOULD use
    /// distinct "kid" values." (RFC 7517 §4.5). Both stay: they may be of different types.
    fn note_repetition(
        &mut self,
        place: usize,
        key: &PublicJwk,
        named: &mut BTreeMap<String, usize>,
    ) {
        let Some(kid) = &key.kid else { return };
        if let Some(first) = named.get(kid) {
            let kid = crate::lower::short(kid);
            self.repeated
                .push((place, format!("key {first} has the `kid` `{kid}` too")));
        } else {
            named.insert(kid.clone(), place);
        }
    }
}

fn key(value: &Value) -> Result<PublicJwk, String> {
    let members = value.as_object().ok_or("expected an object")?;
    if let Some(name) = PRIVATE.iter().find(|name| members.contains_key(**name)) {
        return Err(format!(
            "it holds the private member `{name}`: whoever has read it can sign"
        ));
    }
    let kty = text(members, "kty")?.ok_or("expected the member `kty`")?;
    let demanded: &[&str] = match kty.as_str() {
        "EC" => &["crv", "x", "y"],
        "OKP" => &["crv", "x"],
        "RSA" => &["n", "e"],
        "oct" => return Err("it is symmetric: whoever has read it can sign".into()),
        other => {
            return Err(format!(
                "expected `kty` RSA, EC or OKP, got `{}`",
                short(other)
            ));
        }
    };
    if let Some(missing) = demanded.iter().find(|name| !members.contains_key(**name)) {
        return Err(format!("expected the member `{missing}`"));
    }
    let of_type = |name| {
        if demanded.contains(&name) {
            text(members, name)
        } else {
            Ok(None)
        }
    };
    let jwk = PublicJwk {
        kid: text(members, "kid")?,
        alg: text(members, "alg")?,
        usage: text(members, "use")?,
        key_ops: operations(members)?,
        crv: of_type("crv")?,
        x: of_type("x")?,
        y: of_type("y")?,
        n: of_type("n")?,
        e: of_type("e")?,
        kty,
    };
    expect_for_signatures(&jwk)?;
    Ok(jwk)
}

/// What is for something else, or cannot be verified with, would only be carried along.
fn expect_for_signatures(jwk: &PublicJwk) -> Result<(), String> {
    let unknown = |name: &str, expected: &str, got: &str| {
        Err(format!(
            "expected `{name}` {expected}, got `{}`",
            short(got)
        ))
    };
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("EC", Some("P-256" | "P-384")) | ("OKP", Some("Ed25519")) | ("RSA", _) => {}
        ("EC", crv) => return unknown("crv", "P-256 or P-384", crv.unwrap_or_default()),
        (_, crv) => return unknown("crv", "Ed25519", crv.unwrap_or_default()),
    }
    if let Some(usage) = jwk.usage.as_deref().filter(|usage| *usage != "sig") {
        return unknown("use", "sig", usage);
    }
    let known = |alg: &str| Algorithm::ALL.iter().any(|known| known.as_str() == alg);
    if let Some(alg) = jwk.alg.as_deref().filter(|alg| !known(alg)) {
        return unknown("alg", "of an asymmetric signature", alg);
    }
    for (name, value) in [("x", &jwk.x), ("y", &jwk.y), ("n", &jwk.n), ("e", &jwk.e)] {
        if value.as_deref().is_some_and(|value| !is_base64url(value)) {
            return Err(format!("expected `{name}` in base64url without padding"));
        }
    }
    Ok(())
}

fn operations(members: &Map<String, Value>) -> Result<Option<Vec<String>>, String> {
    let Some(written) = members.get("key_ops") else {
        return Ok(None);
    };
    let texts = written
        .as_array()
        .filter(|list| list.len() <= 8)
        .and_then(|list| {
            let texts = list
                .iter()
                .map(|one| one.as_str().filter(|text| text.len() <= 32));
            texts.map(|text| text.map(Into::into)).collect()
        });
    texts
        .map(Some)
        .ok_or_else(|| "expected `key_ops` to be a short list of texts".into())
}

/// A member that is a text, if it is there. What is of another type is not taken for absent.
fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if (1..=MAX_MEMBER).contains(&text.len()) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(format!(
            "expected `{name}` to be a text of 1 to {MAX_MEMBER} characters"
        )),
    }
}

fn is_base64url(text: &str) -> bool {
    text.bytes()
        .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

fn short(text: &str) -> String {
    crate::lower::short(text)
}

#[cfg(test)]
mod tests;
