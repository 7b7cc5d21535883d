//! The claims that every token must have, its time, its type, its tenant.

use super::Gate;
use crate::token::mint::{self, ES256, ISSUER, NOW, claims_with};
use crate::token::{Compact, Invalid, Registered, verify};
use countersign_ruleset::provider::{EmailClaim, Provider, Tenants, TokenForm, TokenType};
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

/// Attack 34: an ID token says who logged in, and opens nothing.
#[test]
fn a_token_is_of_exactly_one_type_that_is_taken() {
    let id_header = json!({"alg": "ES256", "kid": "es256", "typ": "JWT"}).to_string();
    let id_claims = claims_with(&json!({"nonce": "n", "scope": null})).to_string();
    let id_token = ES256.sign(&id_header, &id_claims);
    let taking = |token_types| Provider {
        token_types,
        ..mint::provider()
    };
    assert_eq!(Gate::new().refuses(&id_token), Invalid::WrongTokenType);
    Gate::of(taking(vec![TokenType::IDToken])).accepts(&id_token);
    assert_eq!(
        Gate::of(taking(vec![TokenType::IDToken])).refuses(&ES256.token(&mint::claims())),
        Invalid::WrongTokenType
    );
    // What is forbidden is there, though it is of no use; what is asked is there as `null`.
    let gate = Gate::of(taking(vec![TokenType::IDToken]));
    let scoped = claims_with(&json!({"nonce": "n", "scope": [1]})).to_string();
    assert_eq!(
        gate.refuses(&ES256.sign(&id_header, &scoped)),
        Invalid::WrongTokenType
    );
    let nulled = id_claims.replace(r#""nonce":"n""#, r#""nonce":null"#);
    assert_eq!(
        gate.refuses(&ES256.sign(&id_header, &nulled)),
        Invalid::WrongTokenType
    );
    // Without `typ` only where the form says so.
    let untyped = json!({"alg": "ES256", "kid": "es256"}).to_string();
    gate.accepts(&ES256.sign(&untyped, &id_claims));
    assert_eq!(Gate::new().header(&untyped), Err(Invalid::WrongTokenType));
}

#[test]
fn a_token_that_could_be_of_two_types_is_of_none() {
    let mut provider = mint::provider();
    provider.token_types = vec![TokenType::AccessToken, TokenType::IDToken];
    let form = |token_type| TokenForm {
        token_type,
        typ: vec!["at+jwt".into()],
        present: vec![],
        absent: vec![],
    };
    provider.forms = vec![form(TokenType::AccessToken), form(TokenType::AccessToken)];
    let token = ES256.token(&mint::claims());
    Gate::of(provider.clone()).accepts(&token);
    provider.forms.push(form(TokenType::IDToken));
    assert_eq!(
        Gate::of(provider.clone()).refuses(&token),
        Invalid::WrongTokenType
    );
    provider.forms.clear();
    assert_eq!(Gate::of(provider).refuses(&token), Invalid::WrongTokenType);
}

/// OpenID Connect Back-Channel Logout §2.4, for those that send no `typ`.
#[test]
fn refuses_a_security_event_whatever_its_typ() {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!(claim("events", event), Err(Invalid::WrongTokenType));
    assert_eq!(claim("events", json!("a claim of one's own")), Ok(()));
}

/// RFC 9449 §7.2, RFC 8705 §3.
#[test]
fn refuses_a_bound_token_as_a_bearer() {
    for cnf in [
        json!({"jkt": "x"}),
        json!({"x5t#S256": "x"}),
        json!({}),
        json!("x"),
    ] {
        assert_eq!(claim("cnf", cnf), Err(Invalid::BoundToken));
    }
}

#[test]
fn a_token_of_a_shared_issuer_must_come_from_a_tenant() {
    let tenants = |domain_of_email| Provider {
        tenants: Some(Tenants {
            paths: vec![vec!["tid".into()], vec!["email".into()]],
            any_of: vec!["example.com".into(), "t-1".into()],
            domain_of_email,
        }),
        ..mint::provider()
    };
    let gate = Gate::of(tenants(false));
    assert_eq!(gate.claims(&claims_with(&json!({"tid": "t-1"}))), Ok(()));
    let refusal = Err(Invalid::TenantNotAllowed);
    for tid in [
        json!("T-1"),
        json!("t-1 "),
        json!("t-2"),
        json!(["t-1"]),
        json!(1),
        json!(""),
    ] {
        assert_eq!(gate.claims(&claims_with(&json!({ "tid": tid }))), refusal);
    }
    assert_eq!(
        gate.claims(&mint::claims()),
        refusal,
        "an address is no tenant by itself"
    );
    assert_eq!(gate.claims(&claims_with(&json!({"email": null}))), refusal);
    // By the domain of the address: if it is verified.
    let gate = Gate::of(tenants(true));
    assert_eq!(gate.claims(&mint::claims()), Ok(()));
    assert_eq!(
        gate.claims(&claims_with(&json!({"email_verified": false}))),
        refusal
    );
    assert_eq!(
        gate.claims(&claims_with(&json!({"email": "ana@evil.com"}))),
        refusal
    );
    assert_eq!(
        gate.claims(&claims_with(&json!({"email": "a@evil.com@example.com"}))),
        refusal
    );
    let unmapped = Provider {
        claims: countersign_ruleset::provider::ClaimPaths {
            email: Some(EmailClaim {
                path: vec!["mail".into()],
                verified_by: None,
                domain: None,
            }),
            ..mint::provider().claims
        },
        ..tenants(true)
    };
    assert_eq!(Gate::of(unmapped).claims(&mint::claims()), refusal);
}

/// What would tell the sender something that he did not write is told to those alone who have a
/// good signature.
#[test]
fn a_forged_token_learns_neither_tenants_nor_revocations() {
    let tenants = Tenants {
        paths: vec![vec!["tid".into()]],
        any_of: vec!["t-1".into()],
        domain_of_email: false,
    };
    let gate = Gate::of(Provider {
        tenants: Some(tenants),
        ..mint::provider()
    });
    let forged = mint::Signer::es256("es256").token(&mint::claims());
    assert_eq!(gate.refuses(&forged), Invalid::BadSignature);
    assert_eq!(
        gate.refuses(&ES256.token(&mint::claims())),
        Invalid::TenantNotAllowed
    );
}
