//! What ends a session: its time, another login, another application, a revocation.

use super::{id_token, log_in, okta_with_client, ruleset, session, trial, visit};
use crate::session::MAX_SESSION;
use crate::store::{Enforcer, Target};
use crate::token::mint::{EDDSA, NOW, provider};
use crate::trial::{APPLICATION, OKTA, Trial, told, verified};
use countersign_ruleset::provider::{Client, Keys, Provider, Tenants};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

/// What a visit with a session of `trial()` comes to under another ruleset.
fn under(more: &Value, provider: Provider) -> u16 {
    let trial = Trial::ruling(&ruleset(more), vec![provider]);
    visit(&trial, "/", &session(&json!({}))).status()
}

#[test]
fn a_session_is_over_when_what_it_was_made_by_is_another() {
    assert_eq!(under(&json!({}), okta_with_client()), 200);
    assert_eq!(under(&json!({"scope": "shop"}), okta_with_client()), 200);
    assert_eq!(under(&json!({"login": null}), okta_with_client()), 401);
    let renamed = |id: &str| Provider {
        client: Some(Client {
            id: id.into(),
            scopes: vec![],
        }),
        ..provider()
    };
    assert_eq!(under(&json!({}), renamed("dashboards")), 200);
    assert_eq!(under(&json!({}), renamed("reports")), 302);
    assert_eq!(under(&json!({}), provider()), 401);
    let moved = Provider {
        issuers: vec!["https://moved.example".into()],
        ..okta_with_client()
    };
    assert_eq!(under(&json!({}), moved), 302);
    let tenants = Tenants {
        paths: vec![vec!["hd".into()]],
        any_of: vec!["example.com".into()],
        domain_of_email: false,
    };
    assert_eq!(
        under(
            &json!({}),
            Provider {
                tenants: Some(tenants),
                ..okta_with_client()
            }
        ),
        302
    );
    // a key that was replaced is not revoked
    assert_eq!(
        under(
            &json!({}),
            Provider {
                keys: vec![EDDSA.jwk()],
                ..okta_with_client()
            }
        ),
        200
    );
}

#[test]
fn a_session_is_of_one_application_of_one_scope() {
    let payroll = log_in(&trial(), "Service/payroll", &id_token(&json!({}))).unwrap();
    assert_eq!(payroll.application().1.to_string(), "Service/payroll");
    assert_eq!(
        told(&visit(&trial(), "/", &payroll)),
        (302, "NoToken", vec![])
    );
    let mut rules = ruleset(&json!({}));
    rules.scope = "other".parse().unwrap();
    let other = Trial(Enforcer::new(
        Target::Application(APPLICATION.parse().unwrap()),
        vec!["other".parse().unwrap()],
    ));
    let keys = Keys {
        providers: vec![okta_with_client()],
    };
    other.0.install(verified(&rules, &keys, 1));
    assert_eq!(
        told(&visit(&other, "/", &session(&json!({})))),
        (302, "NoToken", vec![])
    );
    let place = (&"other".parse().unwrap(), &APPLICATION.parse().unwrap());
    let own = other.0.log_in(place, &id_token(&json!({})), NOW).unwrap();
    assert_eq!(
        told(&visit(&other, "/", &own)),
        (200, "Allowed", vec!["staff"])
    );
    assert_eq!(told(&visit(&trial(), "/", &own)), (302, "NoToken", vec![]));
}

#[test]
fn a_session_ends_after_half_a_day_and_not_with_its_id_token() {
    let place = (&"shop".parse().unwrap(), &APPLICATION.parse().unwrap());
    let early = UnixTime(NOW.0 - MAX_SESSION);
    let token = id_token(&json!({"iat": early.0 - 60, "exp": early.0 + 300}));
    for (at, status) in [(early, 302), (early.plus(1), 200)] {
        let session = trial().0.log_in(place, &token, at).unwrap();
        assert_eq!(visit(&trial(), "/", &session).status(), status);
    }
}

#[test]
fn what_is_revoked_ends_a_session_as_it_does_a_token() {
    let thumbprint = session(&json!({})).token.key.as_str().to_owned();
    let revoked = |what: Value, more: Value| {
        let mut revocation = json!({"provider": OKTA, "revoked": what});
        for (member, value) in more.as_object().unwrap() {
            revocation[member] = value.clone();
        }
        under(&json!({"revocations": [revocation]}), okta_with_client())
    };
    let none = || json!({});
    for (what, other) in [
        (json!({"subject": "ana"}), json!({"subject": "bo"})),
        (json!({"sid": "session-1"}), json!({"sid": "session-2"})),
        (json!({"jti": "token-1"}), json!({"jti": "token-2"})),
        (json!({"key": thumbprint}), json!({"key": "another"})),
    ] {
        assert_eq!(revoked(what.clone(), none()), 302, "{what}");
        assert_eq!(revoked(other.clone(), none()), 200, "{other}");
        let issued = NOW.0 - 60;
        assert_eq!(
            revoked(what.clone(), json!({"issuedBefore": issued + 1})),
            302,
            "{what}"
        );
        assert_eq!(
            revoked(what.clone(), json!({"issuedBefore": issued})),
            200,
            "{what}"
        );
        assert_eq!(
            revoked(what.clone(), json!({"until": NOW.0})),
            200,
            "{what}"
        );
    }
}
