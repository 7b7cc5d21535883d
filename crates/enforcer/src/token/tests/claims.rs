//! The claims that every token must have, and its time.

use super::Gate;
use crate::token::mint::{self, ES256, ISSUER, NOW, claims_with};
use crate::token::{Compact, Invalid, Registered, verify};
use countersign_ruleset::provider::Provider;
use serde_json::{Value, json};

/// A token with this claim, `null` and all.
fn claim(name: &str, value: Value) -> Result<(), Invalid> {
    let mut claims = mint::claims();
    claims[name] = value;
    Gate::new().claims(&claims)
}

#[test]
fn refuses_a_token_without_what_every_token_has() {
    for missing in [
        Registered::Audience,
        Registered::ExpirationTime,
        Registered::IssuedAt,
        Registered::Issuer,
        Registered::Subject,
    ] {
        let claims = claims_with(&json!({ missing.as_str(): null }));
        assert_eq!(
            Gate::new().claims(&claims),
            Err(Invalid::MissingClaim(missing))
        );
    }
    assert_eq!(
        Gate::new().claims(&claims_with(&json!({"nbf": null}))),
        Ok(())
    );
}

/// Attacks 26 to 31: CVE-2026-25537. A wrong type is refused and never read as absent.
#[test]
fn refuses_a_registered_claim_of_another_type() {
    let dates = [
        json!(null),
        json!("1795485600"),
        json!(true),
        json!([1]),
        json!({}),
        json!(-1),
    ];
    for date in [
        Registered::ExpirationTime,
        Registered::IssuedAt,
        Registered::NotBefore,
    ] {
        for value in &dates {
            let refusal = Err(Invalid::MalformedClaim(date));
            assert_eq!(
                claim(date.as_str(), value.clone()),
                refusal,
                "{date} {value}"
            );
        }
    }
    for text in [Registered::Issuer, Registered::Subject] {
        for value in [
            json!(null),
            json!(7),
            json!(""),
            json!([ISSUER]),
            json!({"a": ISSUER}),
        ] {
            let refusal = Err(Invalid::MalformedClaim(text));
            assert_eq!(
                claim(text.as_str(), value.clone()),
                refusal,
                "{text} {value}"
            );
        }
    }
    for value in [
        json!(null),
        json!(1),
        json!(""),
        json!([]),
        json!(["a", 1]),
        json!(["a", ""]),
        json!({}),
    ] {
        let refusal = Err(Invalid::MalformedClaim(Registered::Audience));
        assert_eq!(claim("aud", value.clone()), refusal, "{value}");
    }
}

#[test]
fn an_audience_is_one_or_several_texts_as_they_are() {
    let audiences = |value: Value| {
        let claims = claims_with(&json!({ "aud": value }));
        Gate::new()
            .accepts(&ES256.token(&claims))
            .audiences()
            .to_vec()
    };
    assert_eq!(audiences(json!("https://a/")), ["https://a/"]);
    assert_eq!(
        audiences(json!(["https://a", "https://a/", "a"])),
        ["https://a", "https://a/", "a"]
    );
}

/// Attack 29: RFC 8725 §3.8.
#[test]
fn an_issuer_is_compared_exactly_and_there_is_no_other_one_to_fall_back_to() {
    for iss in [
        "https://id.example.com/",
        "https://ID.example.com",
        "http://id.example.com",
        "id.example.com",
        "https://id.example.com/alias",
        "https://evil.example.com\r\nX: y",
    ] {
        let refusal = claim("iss", json!(iss)).unwrap_err();
        assert!(matches!(&refusal, Invalid::UnknownIssuer { iss } if !iss.as_str().contains('\n')));
    }
    assert_eq!(claim("iss", json!("https://id.example.com/alias/")), Ok(()));
    // Even if the look-up is too generous.
    let trusted = mint::trusted(mint::provider(), &[]);
    let token = ES256.token(&claims_with(&json!({"iss": "https://evil.example.com"})));
    let refusal = verify(Compact::new(&token), |_| Some(&trusted), NOW).unwrap_err();
    assert_eq!(refusal.as_str(), "UnknownIssuer");
}

#[test]
fn a_token_ends_at_its_expiry_and_a_skew() {
    let gate = Gate::new();
    let token = ES256.token(&mint::claims());
    let expiry = NOW.plus(3_540);
    assert!(gate.verify_at(&token, expiry.plus(29)).is_ok());
    assert_eq!(
        gate.verify_at(&token, expiry.plus(30)).unwrap_err(),
        Invalid::Expired
    );
    assert_eq!(claim("exp", json!(0)), Err(Invalid::Expired));
    // A fraction is fine, and gives nothing.
    let fraction = NOW.0 - 30;
    let claims = |exp: String| {
        mint::claims()
            .to_string()
            .replace(&expiry.0.to_string(), &exp)
    };
    let sign = |exp: String| ES256.sign(&ES256.header().to_string(), &claims(exp));
    assert_eq!(
        gate.refuses(&sign(format!("{fraction}.9"))),
        Invalid::Expired
    );
    gate.accepts(&sign(format!("{}.1", fraction + 1)));
}

#[test]
fn a_token_that_ends_before_it_begins_is_expired() {
    assert_eq!(claim("iat", json!(NOW.0 + 10)), Ok(()));
    let backwards = claims_with(&json!({"iat": NOW.0 + 10, "exp": NOW.0 + 10}));
    assert_eq!(Gate::new().claims(&backwards), Err(Invalid::Expired));
}

#[test]
fn a_token_begins_at_its_not_before_less_a_skew() {
    assert_eq!(claim("nbf", json!(NOW.0 + 30)), Ok(()));
    assert_eq!(claim("nbf", json!(NOW.0 + 31)), Err(Invalid::NotYetValid));
    assert_eq!(
        claim("nbf", json!(30.5 + 1_795_485_600.0)),
        Err(Invalid::NotYetValid)
    );
}

#[test]
fn refuses_a_token_from_the_future() {
    assert_eq!(claim("iat", json!(NOW.0 + 30)), Ok(()));
    assert_eq!(
        claim("iat", json!(NOW.0 + 31)),
        Err(Invalid::IssuedInTheFuture)
    );
}

#[test]
fn refuses_a_lifetime_beyond_the_providers() {
    assert_eq!(claim("exp", json!(NOW.0 + 3_540)), Ok(()));
    assert_eq!(
        claim("exp", json!(NOW.0 + 3_541)),
        Err(Invalid::LifetimeTooLong)
    );
    assert_eq!(
        claim("exp", json!(9_007_199_254_740_991_u64)),
        Err(Invalid::LifetimeTooLong)
    );
}

#[test]
fn a_skew_is_a_minute_at_most_whatever_is_configured() {
    let gate = Gate::of(Provider {
        clock_skew: u64::MAX,
        ..mint::provider()
    });
    let token = ES256.token(&mint::claims());
    let expiry = NOW.plus(3_540);
    assert!(gate.verify_at(&token, expiry.plus(59)).is_ok());
    assert_eq!(
        gate.verify_at(&token, expiry.plus(60)).unwrap_err(),
        Invalid::Expired
    );
}
