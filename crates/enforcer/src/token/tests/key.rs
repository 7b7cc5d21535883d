//! Which key verifies a token, and which signatures are none.

use super::Gate;
use crate::token::mint::{self, EDDSA, ES256, ES384, ISSUER, NOW, RSA, Signer};
use crate::token::{Compact, Invalid, verify};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::{Provider, PublicJwk};
use countersign_ruleset::rules::{Revocation, Revoked};
use serde_json::json;

fn okta() -> ProviderId {
    "ClusterTrustProvider/okta".parse().unwrap()
}

fn with_keys(keys: Vec<PublicJwk>) -> Provider {
    Provider {
        keys,
        ..mint::provider()
    }
}

/// A token of `signer` without a `kid`.
fn nameless(signer: &Signer) -> String {
    let mut header = signer.header();
    header.as_object_mut().unwrap().remove("kid");
    signer.sign(&header.to_string(), &mint::claims().to_string())
}

/// The token with another signature.
fn signed(token: &str, signature: &[u8]) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signature(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(token.rsplit_once('.').unwrap().1)
        .unwrap()
}

#[test]
fn verifies_every_algorithm_and_no_other_signature_under_its_name() {
    let gate = Gate::new();
    let signers: [(&Signer, &[&str]); 4] = [
        (&ES256, &["ES256"]),
        (&ES384, &["ES384"]),
        (&EDDSA, &["EdDSA"]),
        (
            &RSA,
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ),
    ];
    for (signer, algorithms) in signers {
        for alg in algorithms {
            let mut header = signer.header();
            header["alg"] = json!(alg);
            let token = signer.sign(&header.to_string(), &mint::claims().to_string());
            gate.accepts(&token);
            let mut wrong = signature(&token);
            wrong[7] ^= 1;
            assert_eq!(
                gate.refuses(&signed(&token, &wrong)),
                Invalid::BadSignature,
                "{alg}"
            );
            let another = signer.token(&mint::claims_with(&json!({"sub": "bo"})));
            let wrong = signed(&token, &signature(&another));
            assert_eq!(gate.refuses(&wrong), Invalid::BadSignature, "{alg}");
        }
    }
}

/// The algorithm is the key's: an RSA key named for one does not verify another.
#[test]
fn a_key_with_an_alg_is_for_that_alone() {
    let key = PublicJwk {
        alg: Some("PS256".into()),
        ..RSA.jwk()
    };
    let gate = Gate::of(with_keys(vec![key]));
    let token = |alg: &str| {
        let header = json!({"alg": alg, "kid": "rsa", "typ": "at+jwt"}).to_string();
        RSA.sign(&header, &mint::claims().to_string())
    };
    gate.accepts(&token("PS256"));
    assert_eq!(gate.refuses(&token("RS256")).as_str(), "UnknownKey");
    // And the signature of one is not taken for another's.
    let renamed = signed(&token("PS256"), &signature(&token("RS256")));
    assert_eq!(gate.refuses(&renamed), Invalid::BadSignature);
}

#[test]
fn without_a_kid_exactly_one_key_must_fit() {
    Gate::new().accepts(&nameless(&ES256));
    let second = Signer::es256("second");
    let gate = Gate::of(with_keys(vec![ES256.jwk(), second.jwk()]));
    assert_eq!(
        gate.refuses(&nameless(&ES256)),
        Invalid::AmbiguousKey { provider: okta() }
    );
    gate.accepts(&ES256.token(&mint::claims()));
    let gate = Gate::of(with_keys(vec![RSA.jwk()]));
    assert_eq!(gate.refuses(&nameless(&ES256)).as_str(), "UnknownKey");
}

/// Attack 9: one name for keys of two types is chosen by the type; for two of one type, by nothing.
#[test]
fn a_kid_that_occurs_twice_is_told_apart_by_the_algorithm_or_not_at_all() {
    let named = |signer: &Signer| PublicJwk {
        kid: Some("es256".into()),
        ..signer.jwk()
    };
    let gate = Gate::of(with_keys(vec![named(&RSA), named(&ES256)]));
    gate.accepts(&ES256.token(&mint::claims()));
    let twin = Signer::es256("es256");
    let gate = Gate::of(with_keys(vec![ES256.jwk(), twin.jwk()]));
    let refusal = Invalid::AmbiguousKey { provider: okta() };
    assert_eq!(gate.refuses(&ES256.token(&mint::claims())), refusal);
    let gate = Gate::of(with_keys(vec![ES256.jwk(), ES256.jwk()]));
    gate.accepts(&ES256.token(&mint::claims()));
}

#[test]
fn a_provider_without_keys_is_unavailable_and_no_other_is() {
    let refusal = Gate::of(with_keys(vec![])).refuses(&ES256.token(&mint::claims()));
    assert_eq!(refusal, Invalid::KeysUnavailable(okta()));
    assert!(refusal.is_temporary());
    let small = PublicJwk {
        n: Some("AQAB".into()),
        ..RSA.jwk()
    };
    let gate = Gate::of(with_keys(vec![small]));
    assert_eq!(
        gate.refuses(&ES256.token(&mint::claims())),
        Invalid::KeysUnavailable(okta())
    );
    // What is the token's own fault does not wait for keys.
    let expired = ES256.token(&mint::claims_with(&json!({"exp": NOW.0 - 59})));
    assert_eq!(gate.refuses(&expired), Invalid::Expired);
}

#[test]
fn keys_are_stale_after_their_time_and_inline_keys_never() {
    let provider = |fetched_at| Provider {
        fetched_at,
        max_stale: 600,
        ..mint::provider()
    };
    let token = ES256.token(&mint::claims());
    Gate::of(provider(Some(NOW.minus(600)))).accepts(&token);
    let refusal = Gate::of(provider(Some(NOW.minus(601)))).refuses(&token);
    assert_eq!(refusal, Invalid::KeysStale(okta()));
    assert!(refusal.is_temporary() && !Invalid::BadSignature.is_temporary());
    Gate::of(provider(None)).accepts(&token);
}

/// Attack 17: CVE-2022-21449, and what Envoy was seen to take.
#[test]
fn refuses_an_ecdsa_signature_that_is_zero_too_long_or_der() {
    let order = URL_SAFE_NO_PAD
        .decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE")
        .unwrap();
    let zero = vec![0; 32];
    let mut one = zero.clone();
    one[31] = 1;
    let token = ES256.token(&mint::claims());
    for r in [&zero, &one, &order] {
        for s in [&zero, &one, &order] {
            let wrong = signed(&token, &[r.as_slice(), s].concat());
            assert_eq!(Gate::new().refuses(&wrong), Invalid::BadSignature);
        }
    }
    let good = signature(&token);
    let der = {
        let integer = |half: &[u8]| {
            let pad = u8::from(half[0] > 127);
            let size = u8::try_from(half.len()).unwrap() + pad;
            [&[2, size], &vec![0; pad.into()][..], half].concat()
        };
        let body = [integer(&good[..32]), integer(&good[32..])].concat();
        [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    };
    let longer = [&good[..], &[0]].concat();
    let split = [&[0], &good[..32], &[0], &good[32..]].concat();
    for wrong in [&der, &longer, &split, &good[..63].to_vec(), &vec![]] {
        assert_eq!(
            Gate::new().refuses(&signed(&token, wrong)),
            Invalid::BadSignature
        );
    }
}

/// Attack 18: whoever has a token has a second one with other bytes. So nothing goes by the bytes.
#[test]
fn a_revoked_token_stays_revoked_under_its_other_signature() {
    let token = ES256.token(&mint::claims());
    let twin = signed(&token, &negated(&signature(&token)));
    assert_ne!(token, twin);
    Gate::new().accepts(&twin);
    let revocation = Revocation {
        provider: okta(),
        revoked: Revoked::Jti("token-1".into()),
        issued_before: None,
        until: None,
    };
    let gate = Gate::revoking(mint::provider(), &[revocation]);
    assert_eq!(gate.refuses(&token), Invalid::Revoked);
    assert_eq!(gate.refuses(&twin), Invalid::Revoked);
}

/// The signature with `n - s` in place of `s`, for P-256.
fn negated(signature: &[u8]) -> Vec<u8> {
    let order = URL_SAFE_NO_PAD
        .decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE")
        .unwrap();
    let mut result = signature.to_vec();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        result[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    result
}

/// Attack 20: RFC 8032 §5.1.7, S must be less than the order of the group.
#[test]
fn refuses_an_ed25519_signature_with_the_order_added() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let token = EDDSA.token(&mint::claims());
    Gate::new().accepts(&token);
    let mut wrong = signature(&token);
    let mut carry = 0;
    for (octet, added) in wrong[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*octet) + u16::from(added) + carry;
        *octet = u8::try_from(sum % 256).unwrap();
        carry = sum / 256;
    }
    assert_eq!(
        Gate::new().refuses(&signed(&token, &wrong)),
        Invalid::BadSignature
    );
}

/// Attack 19: RFC 8017 §8.1.2, §8.2.2.
#[test]
fn refuses_an_rsa_signature_of_another_length() {
    let token = RSA.token(&mint::claims());
    let good = signature(&token);
    Gate::new().accepts(&token);
    let longer = [&[0], &good[..]].concat();
    for wrong in [
        &longer,
        &good[1..].to_vec(),
        &vec![0; 256],
        &vec![0xff; 256],
        &vec![],
    ] {
        assert_eq!(
            Gate::new().refuses(&signed(&token, wrong)),
            Invalid::BadSignature
        );
    }
}

#[test]
fn a_key_of_another_curve_verifies_nothing() {
    let renamed = PublicJwk {
        kid: Some("es384".into()),
        ..ES256.jwk()
    };
    let gate = Gate::of(with_keys(vec![renamed]));
    assert_eq!(
        gate.refuses(&ES384.token(&mint::claims())).as_str(),
        "UnknownKey"
    );
}

#[test]
fn only_what_the_target_admits_is_known() {
    let token = ES256.token(&mint::claims());
    let refusal = verify(Compact::new(&token), |_| None, NOW).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!("no provider that is admitted here has the issuer `{ISSUER}`")
    );
}
