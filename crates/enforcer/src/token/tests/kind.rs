//! The type of a token, what binds it, and from whom among many it comes.

use super::Gate;
use crate::token::Invalid;
use crate::token::mint::{self, ES256, claims_with};
use countersign_ruleset::provider::{
    ClaimPaths, EmailClaim, Provider, Tenants, TokenForm, TokenType,
};
use serde_json::json;

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
    // An empty `typ` is not an absent one.
    let empty = id_header.replace("JWT", "");
    assert_eq!(
        gate.refuses(&ES256.sign(&empty, &id_claims)),
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

/// OIDC Back-Channel Logout §2.4, for those that send no `typ`.
#[test]
fn refuses_a_security_event_whatever_its_typ() {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!(
        Gate::new().claims(&claims_with(&json!({"events": event}))),
        Err(Invalid::WrongTokenType)
    );
    assert_eq!(
        Gate::new().claims(&claims_with(
            &json!({"events": json!("a claim of one's own")})
        )),
        Ok(())
    );
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
        assert_eq!(
            Gate::new().claims(&claims_with(&json!({ "cnf": cnf }))),
            Err(Invalid::BoundToken)
        );
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
        claims: ClaimPaths {
            email: Some(EmailClaim {
                path: vec!["mail".into()],
                verified_by: None,
                verified_subjects: None,
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
