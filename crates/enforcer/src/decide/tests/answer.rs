//! What a denied caller is asked for, and what comes with a permit.

use crate::decision::{Challenge, Decision, Denial, Verdict};
use crate::token::mint::{NOW, claims, claims_with, provider};
use crate::trial::{OKTA, Trial, okta, policy, rule, rules, told};
use countersign_ruleset::rules::{Disclose, Forward};
use serde_json::{Value, json};

fn challenge(decision: Decision) -> Option<Challenge> {
    match decision.verdict {
        Verdict::Deny(Denial::Unauthenticated(challenge)) => Some(challenge),
        Verdict::Deny(Denial::Forbidden(challenge)) => challenge,
        _ => None,
    }
}

#[test]
fn without_a_token_one_is_asked_for_and_with_one_there_is_no_use_in_it() {
    let trial = Trial::of(&json!([rule(
        "support",
        "Allow",
        okta(&json!([{"groups": ["order-support"]}])),
        &json!({"to": [{"methods": ["GET"], "paths": ["/v1/orders/**"]}]})
    )]));
    assert_eq!(told(&trial.get("/v1/orders")), (401, "NoToken", vec![]));
    assert_eq!(
        challenge(trial.get("/v1/orders")),
        Some(Challenge::default())
    );
    let decision = trial.by("/v1/orders", &claims());
    assert_eq!(told(&decision), (200, "Allowed", vec!["support"]));
    let decision = trial.by("/v2", &claims());
    assert_eq!(told(&decision), (403, "NoRuleMatched", vec![]));
    assert_eq!(challenge(decision), None);
    let guest = claims_with(&json!({"groups": []}));
    let decision = trial.by("/v1/orders", &guest);
    assert_eq!(told(&decision), (403, "NoRuleMatched", vec![]));
}

#[test]
fn a_token_for_another_audience_gives_nothing() {
    let trial = Trial::of(&json!([rule("all", "Allow", okta(&json!([])), &json!({}))]));
    for (audience, expected) in [
        (json!("https://orders.example.com"), "Allowed"),
        (json!(["x", "https://orders.example.com"]), "Allowed"),
        (json!("https://orders.example.com/"), "AudienceMismatch"),
        (json!(["https://payments.example.com"]), "AudienceMismatch"),
    ] {
        let decision = trial.by("/", &claims_with(&json!({"aud": audience})));
        assert_eq!(decision.reason.as_str(), expected, "{audience}");
        let error = challenge(decision).map(|challenge| challenge.error);
        let mismatch = expected == "AudienceMismatch";
        assert_eq!(
            error,
            mismatch.then_some(Some("invalid_token")),
            "{audience}"
        );
    }
}

fn requiring(require: &Value) -> Trial {
    Trial::of(&json!([demanding("all", require)]))
}

#[test]
fn missing_scopes_are_told_all_of_them() {
    let trial = requiring(&json!({"scopes": ["orders:read", "orders:write"]}));
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "InsufficientScope", vec![]));
    let challenge = challenge(decision).unwrap();
    assert_eq!(challenge.error, Some("insufficient_scope"));
    assert_eq!(challenge.scope, ["orders:read", "orders:write"]);
    let granted = claims_with(&json!({"scope": "orders:read orders:write"}));
    assert_eq!(trial.by("/", &granted).status(), 200);
}

/// RFC 9470: the login comes before the scopes.
#[test]
fn a_login_that_is_too_weak_or_too_old_is_asked_for_anew() {
    let asked = json!({"acrValues": ["phr", "phrh"], "maxAuthAge": 300, "scopes": ["none"]});
    let trial = requiring(&asked);
    let fresh = NOW.0 - 300;
    for change in [
        json!({}),
        json!({"acr": "pwd", "auth_time": fresh}),
        json!({"acr": "phr", "auth_time": fresh - 1}),
        json!({"acr": "phr", "auth_time": NOW.0 + 61}),
        json!({"acr": "phr"}),
    ] {
        let decision = trial.by("/", &claims_with(&change));
        let expected = (401, "InsufficientUserAuthentication", vec![]);
        assert_eq!(told(&decision), expected, "{change}");
        let challenge = challenge(decision).unwrap();
        assert_eq!(challenge.error, Some("insufficient_user_authentication"));
        assert_eq!(
            (challenge.acr_values.len(), challenge.max_age),
            (2, Some(300))
        );
    }
    let change = json!({"acr": "phr", "auth_time": fresh, "scope": "none"});
    assert_eq!(trial.by("/", &claims_with(&change)).status(), 200);
}

#[test]
fn every_method_of_login_that_is_asked_for_must_be_there() {
    let trial = requiring(&json!({"amr": ["hwk", "pin"]}));
    let with = |amr: Value| trial.by("/", &claims_with(&json!({"amr": amr})));
    assert_eq!(with(json!(["hwk", "pin", "x"])).status(), 200);
    let decision = with(json!(["hwk"]));
    let expected = (401, "InsufficientUserAuthentication", vec![]);
    assert_eq!(told(&decision), expected);
}

#[test]
fn a_bearer_has_shown_no_key_and_what_cannot_be_read_is_not_met() {
    let trial = requiring(&json!({"proofOfPossession": true}));
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "ProofOfPossessionRequired", vec![]));
    let trial = requiring(&json!({"unknown": true}));
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "NoRuleMatched", vec![]));
}

fn demanding(name: &str, require: &Value) -> Value {
    let mut all = json!({
        "scopes": [], "acrValues": [], "amr": [], "proofOfPossession": false, "unknown": false
    });
    all.as_object_mut()
        .unwrap()
        .extend(require.as_object().unwrap().clone());
    rule(name, "Allow", okta(&json!([])), &json!({"require": all}))
}

/// Else a caller comes back with what the one asked for, and is sent away by the other.
#[test]
fn one_challenge_does_for_an_allow_and_a_boundary() {
    let own = json!({"scopes": ["read"], "acrValues": ["phr", "phrh"], "maxAuthAge": 300});
    let base = json!({"scopes": ["staff"], "acrValues": ["phrh", "mfa"], "maxAuthAge": 60});
    let policies = json!([policy("orders", &json!([demanding("all", &own)]))]);
    let guardrails = json!([{
        "policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [],
        "boundary": [demanding("b", &base)]
    }]);
    let trial = Trial::with(&policies, &guardrails, vec![provider()]);
    let decision = trial.by("/", &claims());
    let expected = (401, "InsufficientUserAuthentication", vec![]);
    assert_eq!(told(&decision), expected);
    let asked = challenge(decision).unwrap();
    assert_eq!(asked.scope, ["read", "staff"]);
    assert_eq!(
        (asked.acr_values, asked.max_age),
        (vec!["phrh".into()], Some(60))
    );
    let login = json!({"acr": "phrh", "auth_time": NOW.0 - 60});
    let decision = trial.by("/", &claims_with(&login));
    assert_eq!(told(&decision), (403, "InsufficientScope", vec![]));
    assert_eq!(challenge(decision).unwrap().scope, ["read", "staff"]);
    let login = json!({"acr": "phrh", "auth_time": NOW.0 - 60, "scope": "read staff"});
    assert_eq!(trial.by("/", &claims_with(&login)).status(), 200);
}

#[test]
fn of_several_rules_the_login_is_asked_for_first_and_what_nobody_can_show_last() {
    let login = demanding("l", &json!({"amr": ["mfa"]}));
    let scopes = demanding("s", &json!({"scopes": ["read"]}));
    let proof = demanding("p", &json!({"proofOfPossession": true}));
    for (rules, expected) in [
        ([&login, &scopes], "InsufficientUserAuthentication"),
        ([&proof, &login], "InsufficientUserAuthentication"),
        ([&proof, &scopes], "InsufficientScope"),
    ] {
        for rules in [rules, [rules[1], rules[0]]] {
            let mut rules = rules.map(Clone::clone);
            // whatever their names
            rules[0]["name"] = json!("a");
            rules[1]["name"] = json!("b");
            let decision = Trial::of(&json!(rules)).by("/", &claims());
            assert_eq!(decision.reason.as_str(), expected);
        }
    }
    let both = demanding(
        "both",
        &json!({"proofOfPossession": true, "scopes": ["read"]}),
    );
    let trial = Trial::of(&json!([both]));
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "InsufficientScope", vec![]));
    let decision = trial.by("/", &claims_with(&json!({"scope": "read"})));
    assert_eq!(told(&decision), (403, "ProofOfPossessionRequired", vec![]));
}

#[test]
fn a_permit_says_what_the_upstream_is_told_and_the_decision_what_may_be_logged() {
    let list = json!([rule("all", "Allow", okta(&json!([])), &json!({}))]);
    let mut set = rules(&json!([policy("orders", &list)]), &json!([]));
    set.audit = serde_json::from_value(json!({OKTA: {"department": "plain"}})).unwrap();
    let trial = Trial::ruling(&set, vec![provider()]);
    let decision = trial.by("/", &claims());
    assert_eq!(decision.disclose, Disclose::Reason);
    assert_eq!(
        decision.application.as_ref().unwrap().as_str(),
        "Service/orders"
    );
    assert_eq!(decision.ruleset.as_ref().unwrap().scope.as_str(), "shop");
    assert_eq!(decision.rules[0].policy.as_str(), "AccessPolicy/orders");
    assert!(
        decision
            .audited
            .as_ref()
            .unwrap()
            .contains_key("department")
    );
    let caller = decision.caller.as_ref().unwrap();
    assert_eq!(
        (caller.provider().as_str(), caller.subject()),
        (OKTA, "ana")
    );
    let Verdict::Permit(permit) = decision.verdict else {
        panic!("denied")
    };
    assert_eq!(permit.forward(), [Forward::Email]);
    let denied = trial.get("/");
    assert!(denied.caller.is_none() && denied.audited.is_none());
}
