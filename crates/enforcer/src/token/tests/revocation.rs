//! What counts no longer, though its signature does.

use super::Gate;
use crate::token::Invalid;
use crate::token::mint::{self, ES256, NOW, RSA, claims_with};
use countersign_ruleset::provider::Provider;
use countersign_ruleset::rules::{Revocation, Revoked};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

fn of(revoked: Revoked) -> Revocation {
    Revocation {
        provider: "ClusterTrustProvider/okta".parse().unwrap(),
        revoked,
        issued_before: None,
        until: None,
    }
}

fn gate(revocations: &[Revocation]) -> Gate {
    Gate::revoking(mint::provider(), revocations)
}

fn thumbprint() -> String {
    Gate::new()
        .accepts(&ES256.token(&mint::claims()))
        .key_thumbprint()
        .to_owned()
}

#[test]
fn refuses_a_revoked_subject_session_and_token() {
    let cases = [
        (Revoked::Subject("ana".into()), json!({"sub": "bo"})),
        (
            Revoked::Sid("session-1".into()),
            json!({"sid": "session-2"}),
        ),
        (Revoked::Jti("token-1".into()), json!({"jti": "token-2"})),
    ];
    for (revoked, other) in cases {
        let gate = gate(&[of(revoked)]);
        assert_eq!(gate.claims(&mint::claims()), Err(Invalid::Revoked));
        assert_eq!(gate.claims(&claims_with(&other)), Ok(()));
    }
}

/// An absent `sid` is none of those that are revoked; one that cannot be read may be any.
#[test]
fn a_session_that_cannot_be_read_may_be_the_revoked_one() {
    let gate = gate(&[of(Revoked::Sid("session-2".into()))]);
    assert_eq!(gate.claims(&claims_with(&json!({"sid": null}))), Ok(()));
    for sid in [json!(7), json!(["session-2"]), json!({}), json!("")] {
        assert_eq!(
            gate.claims(&claims_with(&json!({ "sid": sid }))),
            Err(Invalid::Revoked)
        );
        assert_eq!(
            Gate::new().claims(&claims_with(&json!({ "sid": sid }))),
            Ok(())
        );
    }
    let mut nulled = mint::claims();
    nulled["sid"] = Value::Null;
    assert_eq!(gate.claims(&nulled), Err(Invalid::Revoked));
}

#[test]
fn a_revoked_key_verifies_nothing_and_leaves_the_others() {
    let gate = gate(&[of(Revoked::Key(thumbprint()))]);
    assert_eq!(
        gate.refuses(&ES256.token(&mint::claims())),
        Invalid::Revoked
    );
    gate.accepts(&RSA.token(&mint::claims()));
    // Without a `kid`, what is left decides.
    let second = mint::Signer::es256("second");
    let keys = vec![ES256.jwk(), second.jwk()];
    let gate = Gate::revoking(
        Provider {
            keys,
            ..mint::provider()
        },
        &[of(Revoked::Key(thumbprint()))],
    );
    let header = json!({"alg": "ES256", "typ": "at+jwt"}).to_string();
    gate.accepts(&second.sign(&header, &mint::claims().to_string()));
    let stolen = ES256.sign(&header, &mint::claims().to_string());
    assert_eq!(gate.refuses(&stolen), Invalid::BadSignature);
}

#[test]
fn a_revocation_may_spare_what_was_issued_since_and_end_by_itself() {
    let issued_at = NOW.minus(60);
    for revoked in [Revoked::Subject("ana".into()), Revoked::Key(thumbprint())] {
        let case = |issued_before: Option<UnixTime>, until: Option<UnixTime>| {
            let revocation = Revocation {
                issued_before,
                until,
                ..of(revoked.clone())
            };
            gate(&[revocation]).claims(&mint::claims())
        };
        assert_eq!(case(None, None), Err(Invalid::Revoked));
        assert_eq!(case(Some(issued_at.plus(1)), None), Err(Invalid::Revoked));
        assert_eq!(case(Some(issued_at), None), Ok(()));
        assert_eq!(case(None, Some(NOW.plus(1))), Err(Invalid::Revoked));
        assert_eq!(case(None, Some(NOW)), Ok(()));
    }
}

/// Of several, one that covers the token suffices.
#[test]
fn revocations_of_one_name_add_up() {
    let early = Revocation {
        issued_before: Some(UnixTime(1)),
        ..of(Revoked::Subject("ana".into()))
    };
    assert_eq!(
        gate(std::slice::from_ref(&early)).claims(&mint::claims()),
        Ok(())
    );
    let both = [early, of(Revoked::Subject("ana".into()))];
    assert_eq!(gate(&both).claims(&mint::claims()), Err(Invalid::Revoked));
}

#[test]
fn a_revocation_is_of_one_provider() {
    let other = Revocation {
        provider: "ClusterTrustProvider/other".parse().unwrap(),
        ..of(Revoked::Subject("ana".into()))
    };
    assert_eq!(gate(&[other]).claims(&mint::claims()), Ok(()));
}
