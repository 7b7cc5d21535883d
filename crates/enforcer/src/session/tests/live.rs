//! What ends a session: its time, another login, another application, a revocation.

use super::{
    GOOGLE, asked, google, id_token, log_in, okta_with_client, ruleset, session, session_of, trial,
    visit,
};
use crate::decision::Challenge;
use crate::session::{MAX_SESSION, Session};
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
    let nothing = Challenge::default();
    let id_token = id_token(&json!({}));
    let own = other
        .0
        .log_in(place, &id_token, asked(&nothing), NOW)
        .unwrap();
    assert_eq!(
        told(&visit(&other, "/", &own)),
        (200, "Allowed", vec!["staff"])
    );
    assert_eq!(told(&visit(&trial(), "/", &own)), (302, "NoToken", vec![]));
}

#[test]
fn a_session_ends_after_half_a_day_and_not_with_its_id_token() {
    let early = UnixTime(NOW.0 - MAX_SESSION);
    for (at, status) in [(early, 302), (early.plus(1), 200)] {
        let session = session_of(&json!({}), &Challenge::default(), at);
        assert_eq!(visit(&trial(), "/", &session).status(), status);
    }
}

/// A clock that was ahead when somebody logged in, and is set right, must not make his session longer.
#[test]
fn a_session_from_later_is_none() {
    for (ahead, status) in [(60, 200), (61, 302), (86_400, 302)] {
        let at = NOW.plus(ahead);
        let session = Session {
            made_at: at,
            ..session(&json!({}))
        };
        assert_eq!(visit(&trial(), "/", &session).status(), status, "{ahead}");
    }
}

#[test]
fn a_session_is_over_when_more_is_asked_for_at_its_login() {
    let asking = |scopes: &[&str]| Provider {
        client: Some(Client {
            id: "dashboards".into(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
        }),
        ..provider()
    };
    assert_eq!(under(&json!({}), asking(&["openid"])), 200);
    assert_eq!(under(&json!({}), asking(&[])), 200);
    assert_eq!(under(&json!({}), asking(&["groups", "openid"])), 302);
}

/// An issuer that another provider has now, as the same client: what was the one's word is not the other's.
#[test]
fn a_session_is_of_the_provider_whose_word_it_was() {
    let moved = Provider {
        issuers: vec!["https://moved.example".into()],
        ..okta_with_client()
    };
    let theirs = Provider {
        issuers: provider().issuers,
        ..google(okta_with_client())
    };
    let visited = |login: &str, providers: Vec<Provider>| {
        let trial = Trial::ruling(&ruleset(&json!({"login": login})), providers);
        visit(&trial, "/", &session(&json!({}))).status()
    };
    for login in [OKTA, GOOGLE] {
        assert_eq!(visited(login, vec![theirs.clone(), moved.clone()]), 302);
        // nor where both have it
        let both = vec![theirs.clone(), okta_with_client()];
        assert_eq!(visited(login, both), 302, "{login}");
    }
    let apart = vec![google(okta_with_client()), okta_with_client()];
    assert_eq!(visited(OKTA, apart), 200);
}

#[test]
fn a_revocation_that_is_over_gives_no_session_back() {
    let under = |since: u64, until: u64, more: Value| {
        let mut revocation = json!({"provider": OKTA, "revoked": {"subject": "ana"}});
        revocation["until"] = json!(until);
        for (member, value) in more.as_object().unwrap() {
            revocation[member] = value.clone();
        }
        let rules = ruleset(&json!({"revocations": [revocation]}));
        let trial = Trial::ruling(&rules, vec![okta_with_client()]);
        let session = session_of(&json!({}), &Challenge::default(), UnixTime(since));
        visit(&trial, "/", &session).status()
    };
    let (now, hour_ago) = (NOW.0, NOW.0 - 3_600);
    assert_eq!(under(hour_ago, now + 1, json!({})), 302);
    assert_eq!(under(hour_ago, now, json!({})), 302);
    assert_eq!(under(hour_ago, hour_ago + 1, json!({})), 302);
    // who logged in when it was over
    assert_eq!(under(hour_ago, hour_ago, json!({})), 200);
    // and of what it did not take
    let earlier = json!({"issuedBefore": hour_ago - 60});
    assert_eq!(under(hour_ago, now, earlier), 200);
    // by a clock a little ahead, what is in force is
    assert_eq!(under(now + 60, now + 1, json!({})), 302);
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
