//! A signature that is known spares its verification, and no other check.

use super::super::known::{Known, Name};
use super::super::mint::{ES256, NOW, claims, claims_with, provider, trusted};
use super::super::{Compact, Invalid, Providers, Trusted, verify};
use crate::keys::Thumbprint;
use countersign_ruleset::provider::{Algorithm, Keys, Provider};
use countersign_ruleset::rules::{Revocation, Revoked};
use countersign_ruleset::time::UnixTime;
use serde_json::json;
use std::sync::Arc;

fn outcome(token: &str, trusted: &Arc<Trusted>, at: UnixTime) -> Result<(), Invalid> {
    verify(Compact::new(token), |_| Some(trusted), at).map(drop)
}

fn name(thumbprint: &Thumbprint, token: &str) -> Name {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = super::decode(signature);
    Name::of(thumbprint, Algorithm::ES256, signed.as_bytes(), &signature)
}

fn sharing(provider: Provider, revocations: &[Revocation], known: &Arc<Known>) -> Arc<Trusted> {
    let issuer = provider.issuers[0].clone();
    let providers = vec![provider];
    let providers = Providers::sharing(Keys { providers }, revocations, known);
    Arc::clone(providers.by_issuer(&issuer).unwrap())
}

fn only_es256() -> Provider {
    Provider {
        keys: vec![ES256.jwk()],
        ..provider()
    }
}

#[test]
fn only_what_was_verified_is_known() {
    let known = Arc::<Known>::default();
    let trusted = sharing(only_es256(), &[], &known);
    let thumbprint = trusted.keys().thumbprints().next().unwrap().clone();
    let good = ES256.token(&claims());
    let other = ES256.token(&claims_with(&json!({"sub": "ben"})));
    let forged = {
        let (head, _) = good.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        format!("{head}.{signature}")
    };
    assert!(!known.holds(name(&thumbprint, &good)));
    for _ in 0..2 {
        assert_eq!(outcome(&good, &trusted, NOW), Ok(()));
        assert!(known.holds(name(&thumbprint, &good)));
        assert_eq!(outcome(&forged, &trusted, NOW), Err(Invalid::BadSignature));
        assert!(!known.holds(name(&thumbprint, &forged)));
        assert!(!known.holds(name(&thumbprint, &other)));
    }
}

#[test]
fn a_known_signature_is_of_one_key_and_one_algorithm() {
    let trusted = trusted(provider(), &[]);
    let [first, second, ..] = trusted.keys().thumbprints().collect::<Vec<_>>()[..] else {
        panic!("two keys")
    };
    let of = |key, algorithm| Name::of(key, algorithm, b"a.b", b"c");
    assert!(of(first, Algorithm::ES256) == of(first, Algorithm::ES256));
    assert!(of(first, Algorithm::ES256) != of(second, Algorithm::ES256));
    assert!(of(first, Algorithm::ES256) != of(first, Algorithm::ES384));
    assert!(of(first, Algorithm::ES256) != Name::of(first, Algorithm::ES256, b"a.bc", b""));
}

#[test]
fn what_is_known_still_expires_and_is_still_revoked_and_withdrawn() {
    let known = Arc::<Known>::default();
    let token = ES256.token(&claims());
    let before = sharing(only_es256(), &[], &known);
    assert_eq!(outcome(&token, &before, NOW), Ok(()));
    assert_eq!(
        outcome(&token, &before, NOW.plus(7_200)),
        Err(Invalid::Expired)
    );

    let revocation = Revocation {
        provider: provider().id,
        revoked: Revoked::Subject("ana".into()),
        issued_before: None,
        until: None,
    };
    let revoked = sharing(only_es256(), &[revocation], &known);
    assert_eq!(outcome(&token, &revoked, NOW), Err(Invalid::Revoked));

    let withdrawn = Provider {
        keys: vec![],
        ..provider()
    };
    let id = withdrawn.id.clone();
    let withdrawn = sharing(withdrawn, &[], &known);
    assert_eq!(
        outcome(&token, &withdrawn, NOW),
        Err(Invalid::KeysUnavailable(id))
    );
    assert_eq!(outcome(&token, &before, NOW), Ok(()));
}
