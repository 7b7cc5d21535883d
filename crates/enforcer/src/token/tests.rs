//! Each refusal provoked by the one thing that is wrong, beside a token that has it right.

use super::mint::{self, ES256, ISSUER, NOW, Signer};
use super::{Compact, Invalid, Trusted, verify};
use crate::claims::Claims;
use countersign_ruleset::provider::Provider;
use countersign_ruleset::rules::Revocation;
use countersign_ruleset::time::UnixTime;
use serde_json::Value;
use std::sync::Arc;

mod claims;
mod form;
mod header;
mod key;
mod kind;
mod known;
mod mutation;
mod revocation;
mod vectors;

fn decode(signature: &str) -> Vec<u8> {
    use base64::Engine;
    let alphabet = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    alphabet.decode(signature).unwrap()
}

/// One provider before which tokens are brought.
struct Gate(Arc<Trusted>);

impl Gate {
    fn new() -> Self {
        Self::of(mint::provider())
    }

    fn of(provider: Provider) -> Self {
        Self::revoking(provider, &[])
    }

    fn revoking(provider: Provider, revocations: &[Revocation]) -> Self {
        Self(mint::trusted(provider, revocations))
    }

    fn verify(&self, token: &str) -> Result<Claims, Invalid> {
        self.verify_at(token, NOW)
    }

    fn verify_at(&self, token: &str, at: UnixTime) -> Result<Claims, Invalid> {
        verify(
            Compact::new(token),
            |iss| self.0.issues_as(iss).then_some(&self.0),
            at,
        )
    }

    #[track_caller]
    fn accepts(&self, token: &str) -> Claims {
        self.verify(token).unwrap()
    }

    #[track_caller]
    fn refuses(&self, token: &str) -> Invalid {
        self.verify(token).unwrap_err()
    }

    /// What becomes of a plain token with these claims.
    fn claims(&self, claims: &Value) -> Result<(), Invalid> {
        self.verify(&ES256.token(claims)).map(drop)
    }

    /// What becomes of a plain token with this header.
    fn header(&self, header: &str) -> Result<(), Invalid> {
        self.verify(&ES256.sign(header, &mint::claims().to_string()))
            .map(drop)
    }
}

#[test]
fn a_good_token_says_who_calls() {
    let claims = Gate::new().accepts(&ES256.token(&mint::claims()));
    assert_eq!(claims.provider().as_str(), "ClusterTrustProvider/okta");
    assert_eq!((claims.issuer(), claims.subject()), (ISSUER, "ana"));
    assert_eq!(claims.audiences(), ["https://orders.example.com"]);
    assert_eq!(claims.issued_at(), NOW.minus(60));
    assert_eq!(claims.expires_at(), NOW.plus(3_540));
    assert_eq!(claims.key_thumbprint().len(), 43);
}

#[test]
fn neither_a_token_nor_its_claims_can_be_printed() {
    let token = ES256.token(&mint::claims());
    let claims = Gate::new().accepts(&token);
    let printed = format!("{:?} {claims:?} {:?}", Compact::new(&token), Gate::new().0);
    for secret in [
        token.rsplit_once('.').unwrap().1,
        "ana",
        "Example.com",
        "staff",
        "token-1",
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// The other half of `Providers::new`: what two claim, neither gets.
#[test]
fn an_issuer_that_two_providers_claim_belongs_to_neither() {
    use countersign_ruleset::provider::Keys;
    let other = |issuers: &[&str]| Provider {
        id: "TrustProvider/squatter".parse().unwrap(),
        issuers: issuers.iter().map(ToString::to_string).collect(),
        ..mint::provider()
    };
    let apart = Keys {
        providers: vec![mint::provider(), other(&["https://other.example.com"])],
    };
    let providers = super::Providers::new(apart, &[]);
    assert_eq!(
        providers.by_issuer(ISSUER).unwrap().id().as_str(),
        "ClusterTrustProvider/okta"
    );
    assert_eq!(providers.iter().count(), 2);
    let together = Keys {
        providers: vec![mint::provider(), other(&[ISSUER])],
    };
    let providers = super::Providers::new(together, &[]);
    assert!(providers.by_issuer(ISSUER).is_none());
    assert!(
        providers
            .by_issuer("https://id.example.com/alias/")
            .is_some()
    );
    let twice = Provider {
        issuers: vec![ISSUER.into(), ISSUER.into()],
        ..mint::provider()
    };
    let providers = super::Providers::new(
        Keys {
            providers: vec![twice],
        },
        &[],
    );
    assert!(providers.by_issuer(ISSUER).is_some());
}

/// RFC 8725 §3.8: a key of one issuer verifies nothing that another says, under one `kid` either.
#[test]
fn a_key_belongs_to_its_issuer() {
    let theirs = Signer::es256("es256");
    let other = Provider {
        id: "ClusterTrustProvider/other".parse().unwrap(),
        issuers: vec!["https://other.example.com".into()],
        keys: vec![theirs.jwk()],
        ..mint::provider()
    };
    let keys = countersign_ruleset::provider::Keys {
        providers: vec![mint::provider(), other],
    };
    let providers = super::Providers::new(keys, &[]);
    let verify =
        |token: &str| verify(Compact::new(token), |iss| providers.by_issuer(iss), NOW).map(drop);
    let of_other = mint::claims_with(&serde_json::json!({"iss": "https://other.example.com"}));
    assert_eq!(verify(&theirs.token(&of_other)), Ok(()));
    assert_eq!(
        verify(&theirs.token(&mint::claims())),
        Err(Invalid::BadSignature)
    );
    assert_eq!(verify(&ES256.token(&of_other)), Err(Invalid::BadSignature));
}
