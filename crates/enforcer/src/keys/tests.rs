//! Sets of keys: what is kept of them, and which key is found.

use super::{Freshness, Key, KeySet, Misfit, NotFound};
use crate::token::mint::{ES256, RSA};
use countersign_ruleset::provider::{Algorithm, PublicJwk};
use countersign_ruleset::time::UnixTime;

mod admission;

/// Attack 8: RFC 7517 §5.
#[test]
fn skips_what_it_does_not_know_and_keeps_the_rest_of_the_set() {
    let odd = |kty: &str| PublicJwk {
        kty: kty.into(),
        kid: Some(kty.into()),
        ..ES256.jwk()
    };
    let jwks = [odd("AKP"), ES256.jwk(), odd(""), odd("ec"), RSA.jwk()];
    let set = KeySet::admit(&jwks, &Algorithm::ALL, Freshness::Inline);
    assert_eq!(set.thumbprints().count(), 2);
    let skipped: Vec<_> = set
        .skipped()
        .iter()
        .map(|it| (it.kid.as_deref(), &it.misfit))
        .collect();
    assert_eq!(
        skipped,
        [
            (Some("AKP"), &Misfit::Type("AKP".into())),
            (Some(""), &Misfit::Type(String::new())),
            (Some("ec"), &Misfit::Type("ec".into())),
        ]
    );
}

#[test]
fn skips_a_key_that_the_provider_has_no_algorithm_for() {
    let set = KeySet::admit(
        &[RSA.jwk(), ES256.jwk()],
        &[Algorithm::ES256],
        Freshness::Inline,
    );
    assert_eq!(set.len(), 1);
    assert_eq!(set.skipped()[0].misfit, Misfit::AlgorithmNotAllowed);
    let jwk = PublicJwk {
        alg: Some("RS256".into()),
        ..RSA.jwk()
    };
    let set = KeySet::admit(&[jwk], &[Algorithm::PS256], Freshness::Inline);
    assert!(set.is_empty());
    assert_eq!(set.skipped()[0].misfit, Misfit::AlgorithmNotAllowed);
}

/// The examples of RFC 7638 §3.1 and RFC 8037 A.3.
#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_B\
             JECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2\
             QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh\
             6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = PublicJwk {
        kty: "RSA".into(),
        n: Some(n.into()),
        e: Some("AQAB".into()),
        alg: Some("RS256".into()),
        kid: Some("2011-04-29".into()),
        ..PublicJwk::default()
    };
    let okp = PublicJwk {
        kty: "OKP".into(),
        crv: Some("Ed25519".into()),
        x: Some("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()),
        ..PublicJwk::default()
    };
    for (jwk, thumbprint) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        let key = Key::admit(&jwk, &Algorithm::ALL).unwrap();
        assert_eq!(key.thumbprint().as_str(), thumbprint);
    }
    // Of an EC key jsonwebtoken makes the same.
    let ours = Key::admit(&ES256.jwk(), &Algorithm::ALL).unwrap();
    let theirs = serde_json::to_value(ES256.jwk()).unwrap();
    let theirs: jsonwebtoken::jwk::Jwk = serde_json::from_value(theirs).unwrap();
    let theirs = theirs
        .thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
        .unwrap();
    assert_eq!(ours.thumbprint().as_str(), theirs);
}

#[test]
fn finds_one_key_and_says_why_there_is_none() {
    let at = UnixTime(100);
    let set = KeySet::admit(
        &[ES256.jwk(), RSA.jwk()],
        &[Algorithm::ES256, Algorithm::RS256, Algorithm::PS256],
        Freshness::Until(at),
    );
    let find = |kid, algorithm| {
        set.find(kid, algorithm, at, |_| false)
            .map(|key| key.kid().unwrap())
    };
    assert_eq!(find(Some("es256"), Algorithm::ES256), Ok("es256"));
    assert_eq!(find(None, Algorithm::ES256), Ok("es256"));
    assert_eq!(find(None, Algorithm::PS256), Ok("rsa"));
    assert_eq!(find(Some("rsa"), Algorithm::RS512), Err(NotFound::Unknown));
    assert_eq!(find(Some("rsa"), Algorithm::ES256), Err(NotFound::Unknown));
    assert_eq!(find(Some(""), Algorithm::ES256), Err(NotFound::Unknown));
    let revoked = set
        .find(Some("rsa"), Algorithm::RS256, at, |_| true)
        .unwrap_err();
    assert_eq!(revoked, NotFound::Revoked);
    let stale = set
        .find(Some("rsa"), Algorithm::RS256, at.plus(1), |_| false)
        .unwrap_err();
    assert_eq!(stale, NotFound::Stale);
    let none = KeySet::admit(&[], &Algorithm::ALL, Freshness::Inline);
    let empty = none
        .find(None, Algorithm::ES256, UnixTime(u64::MAX), |_| false)
        .unwrap_err();
    assert_eq!(empty, NotFound::Empty);
}

#[test]
fn a_key_without_a_kid_is_found_by_none() {
    let set = KeySet::admit(
        &[PublicJwk {
            kid: None,
            ..ES256.jwk()
        }],
        &Algorithm::ALL,
        Freshness::Inline,
    );
    let find = |kid| {
        set.find(kid, Algorithm::ES256, UnixTime(0), |_| false)
            .is_ok()
    };
    assert!(find(None) && !find(Some("es256")) && !find(Some("")));
}
