//! The claims that every token must have, each of its type, and whether their time is now.

use super::invalid::{Invalid, Registered};
use super::trusted::Trusted;
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value};

/// How far a provider's clock may be off at most, whatever is configured.
const MAX_SKEW: u64 = 60;

/// The latest instant that a claim may name: 2^53 - 1, up to which every JSON reader agrees.
const LATEST: u64 = 9_007_199_254_740_991;

/// The registered claims of a token.
#[derive(Clone)]
pub(crate) struct Required {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) issued_at: UnixTime,
    pub(crate) expires_at: UnixTime,
    not_before: Option<UnixTime>,
}

impl Required {
    /// Step 12. RFC 7519 §4.1 leaves them all optional and to the application; ours asks for `iss`,
    /// `sub`, `aud`, `exp` and `iat`, as RFC 9068 §2.2 does for access tokens and OIDC Core §2 for
    /// ID tokens. A wrong type is refused and never read as absent.
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, Invalid> {
        Ok(Self {
            issuer: text(members, Registered::Issuer)?.to_owned(),
            subject: text(members, Registered::Subject)?.to_owned(),
            audiences: audiences(members)?,
            expires_at: required_date(members, Registered::ExpirationTime)?,
            issued_at: required_date(members, Registered::IssuedAt)?,
            not_before: not_before(members)?,
        })
    }

    /// Step 13: the time, with the leeway that RFC 7519 §4.1.4 allows: "usually no more than a few
    /// minutes, to account for clock skew"; ours at most one.
    pub(super) fn in_time(&self, trusted: &Trusted, at: UnixTime) -> Result<(), Invalid> {
        let skew = trusted.provider().clock_skew.min(MAX_SKEW);
        // "The "exp" (expiration time) claim identifies the expiration time on or after which the
        // JWT MUST NOT be accepted for processing." (§4.1.4). One that ended before it began has
        // never been good.
        if at >= self.expires_at.plus(skew) || self.expires_at <= self.issued_at {
            return Err(Invalid::Expired);
        }
        // "The "nbf" (not before) claim identifies the time before which the JWT MUST NOT be
        // accepted for processing." (§4.1.5)
        if self
            .not_before
            .is_some_and(|not_before| not_before > at.plus(skew))
        {
            return Err(Invalid::NotYetValid);
        }
        // `iat` bounds the lifetime, and revocations go by it: a date to come would stretch the one
        // and slip through the other.
        if self.issued_at > at.plus(skew) {
            return Err(Invalid::IssuedInTheFuture);
        }
        if self.expires_at.since(self.issued_at) > trusted.provider().max_lifetime {
            return Err(Invalid::LifetimeTooLong);
        }
        Ok(())
    }
}

/// A claim that must be a string with something in it.
pub(super) fn text(members: &Map<String, Value>, claim: Registered) -> Result<&str, Invalid> {
    match members.get(claim.as_str()) {
        None => Err(Invalid::MissingClaim(claim)),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Invalid::MalformedClaim(claim)),
    }
}

/// "In the general case, the "aud" value is an array of case-sensitive strings [...] In the special
/// case when the JWT has one audience, the "aud" value MAY be a single case-sensitive string"
/// (RFC 7519 §4.1.3). An empty array is an audience of nobody.
fn audiences(members: &Map<String, Value>) -> Result<Vec<String>, Invalid> {
    let malformed = Invalid::MalformedClaim(Registered::Audience);
    let audiences = match members.get(Registered::Audience.as_str()) {
        None => return Err(Invalid::MissingClaim(Registered::Audience)),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .map(|one| one.as_str().map(ToOwned::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| malformed.clone())?,
        Some(_) => return Err(malformed),
    };
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        return Err(malformed);
    }
    Ok(audiences)
}

fn required_date(members: &Map<String, Value>, claim: Registered) -> Result<UnixTime, Invalid> {
    let value = members
        .get(claim.as_str())
        .ok_or(Invalid::MissingClaim(claim))?;
    numeric_date(value).ok_or(Invalid::MalformedClaim(claim))
}

/// Rounded up: a token that is good from the middle of a second is not good at its beginning.
fn not_before(members: &Map<String, Value>) -> Result<Option<UnixTime>, Invalid> {
    let Some(value) = members.get(Registered::NotBefore.as_str()) else {
        return Ok(None);
    };
    let whole = numeric_date(value).ok_or(Invalid::MalformedClaim(Registered::NotBefore))?;
    let has_fraction = value.as_f64().is_some_and(|number| number.fract() > 0.0);
    Ok(Some(if has_fraction { whole.plus(1) } else { whole }))
}

/// "A JSON numeric value representing the number of seconds from 1970-01-01T00:00:00Z UTC until the
/// specified UTC date/time, ignoring leap seconds. [...] non-integer values can be represented."
/// (RFC 7519 §2). Rounded down; not a string, not negative, not beyond what JSON readers agree on.
pub(crate) fn numeric_date(value: &Value) -> Option<UnixTime> {
    let Value::Number(number) = value else {
        return None;
    };
    let seconds = match number.as_u64() {
        Some(whole) => whole,
        None => whole_part(number.as_f64()?)?,
    };
    (seconds <= LATEST).then_some(UnixTime(seconds))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the range is checked just before, and rounding down is what is meant"
)]
fn whole_part(number: f64) -> Option<u64> {
    (0.0..=LATEST as f64)
        .contains(&number)
        .then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::numeric_date;
    use countersign_ruleset::time::UnixTime;
    use serde_json::{Value, json};

    #[test]
    fn a_date_is_a_number_that_every_reader_reads_alike() {
        for (value, seconds) in [
            (json!(0), 0),
            (json!(1.9), 1),
            (json!(1e3), 1_000),
            (json!(9_007_199_254_740_991_u64), 9_007_199_254_740_991),
        ] {
            assert_eq!(numeric_date(&value), Some(UnixTime(seconds)), "{value}");
        }
        let huge: Value = serde_json::from_str("1e300").unwrap();
        for value in [
            json!(-1),
            json!(-0.5),
            json!("1"),
            json!(null),
            json!(true),
            json!([1]),
            json!(9_007_199_254_740_992_u64),
            huge,
        ] {
            assert_eq!(numeric_date(&value), None, "{value}");
        }
    }
}
