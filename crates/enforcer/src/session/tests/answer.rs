//! What a session is good for, and who is sent to log in.

use super::{
    FETCH, NAVIGATION, id_token, log_in, login, okta_with_client, ruleset, session, session_of,
    trial, visit,
};
use crate::decision::{Challenge, Denial, Verdict};
use crate::request::Request;
use crate::session::{MAX_SESSION, Session};
use crate::token::mint::{ES256, NOW, claims_with, provider};
use crate::trial::{OKTA, Trial, told};
use countersign_ruleset::provider::{Provider, TokenType};
use countersign_ruleset::time::UnixTime;
use serde_json::json;

#[test]
fn a_session_lets_in_whom_the_rules_do_and_nobody_else() {
    let (ana, bo) = (session(&json!({})), session(&json!({"groups": ["guests"]})));
    assert_eq!(
        told(&visit(&trial(), "/", &ana)),
        (200, "Allowed", vec!["staff"])
    );
    let decision = visit(&trial(), "/", &bo);
    // somebody is known, and a login would only say who again
    assert_eq!(told(&decision), (403, "NoRuleMatched", vec![]));
    let caller = decision.caller.unwrap();
    assert!(caller.is_of_session());
    assert_eq!(caller.expires_at(), NOW.plus(MAX_SESSION));
    let bearer = format!("Bearer {}", ES256.token(&claims_with(&json!({}))));
    let decision = trial().call("GET", "/", &[("authorization", &bearer)]);
    assert_eq!(told(&decision), (200, "Allowed", vec!["staff"]));
    assert!(!decision.caller.unwrap().is_of_session());
}

#[test]
fn the_clients_id_is_the_audience_of_no_bearer_token() {
    let taken = Provider {
        token_types: vec![TokenType::IDToken],
        ..okta_with_client()
    };
    let trial = Trial::ruling(&ruleset(&json!({})), vec![taken]);
    let decision = trial.with_token("GET", "/", &id_token(&json!({})));
    assert_eq!(told(&decision), (401, "AudienceMismatch", vec![]));
    let both = json!({"aud": ["dashboards", "https://orders.example.com"]});
    let decision = trial.with_token("GET", "/", &id_token(&both));
    assert_eq!(told(&decision), (200, "Allowed", vec!["staff"]));
}

#[test]
fn a_person_who_navigates_is_sent_to_log_in_and_everyone_else_reads_401() {
    let trial = trial();
    let decision = trial.call("GET", "/", &NAVIGATION);
    assert_eq!(told(&decision), (302, "NoToken", vec![]));
    assert_eq!(login(&decision), Some((OKTA.into(), Challenge::default())));
    assert_eq!(
        told(&trial.call("GET", "/", &[("accept", "text/html")])).0,
        302
    );
    for fields in [&FETCH[..], &[]] {
        let decision = trial.call("GET", "/", fields);
        assert_eq!(told(&decision), (401, "NoToken", vec![]));
        assert_eq!(login(&decision), None);
    }
    assert_eq!(told(&trial.call("POST", "/", &NAVIGATION)).0, 401);
    let [mode, dest] = NAVIGATION;
    let bad = trial.call("GET", "/", &[mode, dest, ("authorization", "Bearer x")]);
    assert_eq!(told(&bad), (401, "NotAJwt", vec![]));
    let basic = trial.call("GET", "/", &[mode, dest, ("authorization", "Basic YTpi")]);
    assert_eq!(told(&basic), (401, "NoToken", vec![]));
    for (rules, provider) in [
        (ruleset(&json!({"login": null})), okta_with_client()),
        (ruleset(&json!({})), provider()),
    ] {
        let without = Trial::ruling(&rules, vec![provider]);
        assert_eq!(
            told(&without.call("GET", "/", &NAVIGATION)),
            (401, "NoToken", vec![])
        );
    }
}

#[test]
fn a_login_that_is_not_good_enough_is_made_anew_by_who_navigates() {
    let weak = session(&json!({}));
    let decision = visit(&trial(), "/pay", &weak);
    assert_eq!(
        told(&decision),
        (302, "InsufficientUserAuthentication", vec![])
    );
    let challenge = Challenge {
        error: Some("insufficient_user_authentication"),
        scope: vec![],
        acr_values: vec!["phr".into()],
        max_age: Some(300),
    };
    assert_eq!(login(&decision), Some((OKTA.into(), challenge)));
    let decision = trial().with_session("GET", "/pay", &FETCH, Some(&weak), NOW);
    assert_eq!(
        told(&decision),
        (401, "InsufficientUserAuthentication", vec![])
    );
    let strong = session(&json!({"acr": "phr", "auth_time": NOW.0 - 60}));
    assert_eq!(
        told(&visit(&trial(), "/pay", &strong)),
        (200, "Allowed", vec!["strong"])
    );
    // who bears a token gets a better one by himself
    let bearer = format!("Bearer {}", ES256.token(&claims_with(&json!({}))));
    let [mode, dest] = NAVIGATION;
    let decision = trial().call("GET", "/pay", &[mode, dest, ("authorization", &bearer)]);
    assert_eq!(
        told(&decision),
        (401, "InsufficientUserAuthentication", vec![])
    );
    let own = Provider {
        header: Some("x-id".into()),
        ..okta_with_client()
    };
    let trial = Trial::ruling(&ruleset(&json!({})), vec![own]);
    let token = ES256.token(&claims_with(&json!({})));
    let decision = trial.call("GET", "/pay", &[mode, dest, ("x-id", &token)]);
    assert_eq!(
        told(&decision),
        (401, "InsufficientUserAuthentication", vec![])
    );
    let decision = trial.call("GET", "/", &[mode, dest, ("x-id", "x")]);
    assert_eq!(told(&decision), (401, "NotAJwt", vec![]));
}

/// A provider that never gives what is asked for would else send the browser round for ever, for it
/// knows him and asks nobody.
#[test]
fn who_was_just_sent_for_the_same_is_not_sent_again() {
    let sent = login(&visit(&trial(), "/pay", &session(&json!({}))));
    let (_, challenge) = sent.unwrap();
    let pay = |challenge: &Challenge, ago: u64| {
        let session = session_of(&json!({}), challenge, UnixTime(NOW.0 - ago));
        let decision = visit(&trial(), "/pay", &session);
        assert_eq!(decision.reason.as_str(), "InsufficientUserAuthentication");
        decision
    };
    let decision = pay(&challenge, 0);
    assert_eq!(decision.status(), 401);
    let Verdict::Deny(Denial::Unauthenticated(told)) = decision.verdict else {
        panic!("{decision:?}")
    };
    assert_eq!(told, challenge);
    assert_eq!(pay(&challenge, 59).status(), 401);
    // by then somebody asks again
    assert_eq!(pay(&challenge, 60).status(), 302);
    // it was for something else
    for other in [
        Challenge::default(),
        Challenge {
            acr_values: vec!["phr".into(), "phrh".into()],
            ..challenge.clone()
        },
        Challenge {
            max_age: None,
            ..challenge.clone()
        },
        Challenge {
            max_age: Some(600),
            ..challenge.clone()
        },
    ] {
        assert_eq!(pay(&other, 0).status(), 302, "{other:?}");
    }
    // and where it came with it, it is enough
    let strong = json!({"acr": "phr", "auth_time": NOW.0 - 60});
    let session = session_of(&strong, &challenge, NOW);
    assert_eq!(visit(&trial(), "/pay", &session).status(), 200);
}

#[test]
fn beside_a_token_a_session_that_counts_is_one_credential_too_many() {
    let live = session(&json!({}));
    let stale = log_in(&trial(), "Service/payroll", &id_token(&json!({}))).unwrap();
    let bearer = |groups: &str| {
        format!(
            "Bearer {}",
            ES256.token(&claims_with(&json!({"groups": [groups]})))
        )
    };
    let ask = |session: &Session, token: &str| {
        let decision =
            trial().with_session("GET", "/", &[("authorization", token)], Some(session), NOW);
        (decision.status(), decision.reason.as_str())
    };
    assert_eq!(ask(&live, &bearer("staff")), (400, "CredentialTwice"));
    assert_eq!(ask(&live, "Bearer x"), (400, "CredentialTwice"));
    assert_eq!(ask(&stale, &bearer("staff")), (200, "Allowed"));
    assert_eq!(ask(&stale, &bearer("guests")), (403, "NoRuleMatched"));
    assert_eq!(ask(&stale, "Bearer x"), (401, "NotAJwt"));
    // another scheme is no token
    assert_eq!(ask(&live, "Basic YTpi"), (200, "Allowed"));
    assert_eq!(ask(&stale, "Basic YTpi"), (401, "NoToken"));
    let own = Provider {
        header: Some("x-id".into()),
        ..okta_with_client()
    };
    let trial = Trial::ruling(&ruleset(&json!({})), vec![own]);
    let decision = trial.with_session("GET", "/", &[("x-id", "x")], Some(&live), NOW);
    assert_eq!(told(&decision), (400, "CredentialTwice", vec![]));
}

#[test]
fn a_session_counts_for_nothing_that_another_page_may_have_sent() {
    let ana = session(&json!({}));
    let ask = |method: &str, fields: &[(&str, &str)]| {
        let decision = trial().with_session(method, "/", fields, Some(&ana), NOW);
        (decision.status(), decision.reason.as_str())
    };
    let site = |value| [("sec-fetch-site", value)];
    assert_eq!(ask("POST", &site("same-origin")), (200, "Allowed"));
    assert_eq!(
        ask("POST", &[("origin", "https://orders.example.com")]),
        (200, "Allowed")
    );
    assert_eq!(ask("POST", &site("cross-site")), (401, "NoToken"));
    assert_eq!(ask("POST", &site("same-site")), (401, "NoToken"));
    assert_eq!(
        ask("POST", &[("origin", "https://evil.example")]),
        (401, "NoToken")
    );
    assert_eq!(ask("GET", &site("cross-site")), (200, "Allowed"));
    // what is borne counts by itself: no page can have it sent
    let bearer = format!("Bearer {}", ES256.token(&claims_with(&json!({}))));
    let [foreign] = site("cross-site");
    assert_eq!(
        ask("POST", &[foreign, ("authorization", &bearer)]),
        (200, "Allowed")
    );
}

#[test]
fn an_explanation_says_that_a_session_is_for_the_application() {
    let headers = http::HeaderMap::from_iter([(
        http::header::HOST,
        http::HeaderValue::from_static("orders.example.com"),
    )]);
    let uri = http::Uri::from_static("/");
    let explain = |session: &Session| {
        let request = Request::new(&http::Method::GET, &uri, &headers, None).unwrap();
        let request = request.with_session(session);
        trial().0.explain(&request, NOW).to_string()
    };
    let audience = "✓ audience: a session of this application";
    let allowed = explain(&session(&json!({})));
    assert!(allowed.contains(audience), "{allowed}");
    let denied = explain(&session(&json!({"groups": ["guests"]})));
    assert!(denied.contains("NoRuleMatched"), "{denied}");
    assert!(denied.contains(audience), "{denied}");
}

/// What would help a browser is no header.
#[test]
fn an_explanation_says_where_a_browser_is_sent() {
    let explain =
        |path: &'static str, fields: &[(&'static str, &str)], session: Option<&Session>| {
            let mut headers = http::HeaderMap::new();
            headers.insert("host", "orders.example.com".parse().unwrap());
            for (name, value) in fields {
                headers.insert(*name, value.parse().unwrap());
            }
            let uri = http::Uri::from_static(path);
            let request = Request::new(&http::Method::GET, &uri, &headers, None).unwrap();
            let request = match session {
                Some(session) => request.with_session(session),
                None => request,
            };
            trial().0.explain(&request, NOW)
        };
    let weak = session(&json!({}));
    let sent = format!("the browser is sent to log in at {OKTA}");
    for told in [
        explain("/", &NAVIGATION, None),
        explain("/pay", &NAVIGATION, Some(&weak)),
    ] {
        assert_eq!((told.status, told.help.first()), (302, Some(&sent)));
        assert!(!told.to_string().contains("Bearer"), "{told}");
    }
    let bearer = format!("send `Authorization: Bearer` with a token of [{OKTA}]");
    for told in [explain("/", &FETCH, None), explain("/", &[], None)] {
        assert_eq!((told.status, told.help.first()), (401, Some(&bearer)));
    }
    let again = "log in again at the provider, as the rule asks".to_owned();
    let told = explain("/pay", &FETCH, Some(&weak));
    assert_eq!((told.status, told.help.first()), (401, Some(&again)));
}
