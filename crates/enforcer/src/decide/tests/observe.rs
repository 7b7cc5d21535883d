//! What is only observed takes no part, and says what it would have come to.

use crate::decision::{Decision, Would};
use crate::token::mint::{claims, provider};
use crate::trial::{Trial, okta, policy, rule, told};
use serde_json::{Value, json};

fn observing(list: &Value) -> Value {
    let mut observed = policy("observed", list);
    observed["mode"] = json!("Observe");
    observed
}

fn would(decision: &Decision) -> (bool, &'static str, Vec<&str>) {
    let Would {
        allow,
        reason,
        rules,
    } = decision.would.as_ref().unwrap();
    let rules = rules.iter().map(|it| it.rule.as_str());
    (*allow, reason.as_str(), rules.collect())
}

#[test]
fn what_is_only_observed_covers_nothing_and_says_what_it_would_do() {
    let staff = rule(
        "staff",
        "Allow",
        okta(&json!([{"groups": ["staff"]}])),
        &json!({}),
    );
    let policies = json!([observing(&json!([staff]))]);
    let trial = Trial::with(&policies, &json!([]), vec![provider()]);
    let decision = trial.get("/");
    assert_eq!(told(&decision), (403, "NotCovered", vec![]));
    assert_eq!(would(&decision), (false, "NoToken", vec![]));
    // nobody is admitted by what is only observed, so the token is refused and would not be
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (401, "UnknownIssuer", vec![]));
    assert_eq!(would(&decision), (true, "Allowed", vec!["staff"]));
}

#[test]
fn an_observed_policy_widens_and_narrows_only_what_would_be() {
    let open = rule(
        "open",
        "Allow",
        json!("anyone"),
        &json!({"to": [{"paths": ["/a"]}]}),
    );
    let more = rule(
        "more",
        "Allow",
        json!("anyone"),
        &json!({"to": [{"paths": ["/b"]}]}),
    );
    let shut = rule(
        "shut",
        "Deny",
        json!("anyone"),
        &json!({"to": [{"paths": ["/a"]}]}),
    );
    let policies = json!([
        observing(&json!([more, shut])),
        policy("orders", &json!([open]))
    ]);
    let trial = Trial::with(&policies, &json!([]), vec![]);
    let a = trial.get("/a");
    assert_eq!(told(&a), (200, "Allowed", vec!["open"]));
    assert_eq!(would(&a), (false, "DeniedByRule", vec!["shut"]));
    let b = trial.get("/b");
    assert_eq!(told(&b), (401, "NoToken", vec![]));
    assert_eq!(would(&b), (true, "Allowed", vec!["more"]));
}

#[test]
fn what_is_open_only_until_then_has_ended_where_it_is_observed() {
    let mut open = rule(
        "open",
        "Allow",
        json!("anyone"),
        &json!({"to": [{"paths": ["/**"]}]}),
    );
    let staff = rule(
        "staff",
        "Allow",
        okta(&json!([{"groups": ["staff"]}])),
        &json!({}),
    );
    let beside = |open: &Value| {
        let policies = json!([observing(&json!([staff])), policy("orders", &json!([open]))]);
        Trial::with(&policies, &json!([]), vec![provider()]).get("/")
    };
    assert_eq!(would(&beside(&open)), (true, "Allowed", vec!["open"]));
    open["expiresAt"] = json!(4_000_000_000_u64);
    let decision = beside(&open);
    assert_eq!(told(&decision), (200, "Allowed", vec!["open"]));
    assert_eq!(would(&decision), (false, "NoToken", vec![]));
}

#[test]
fn what_is_observed_stays_under_the_guardrails() {
    let more = rule("more", "Allow", json!("anyone"), &json!({}));
    let policies = json!([observing(&json!([more]))]);
    let guard = |mode: &str| {
        json!([{"policy": "ClusterAccessPolicy/base", "mode": mode, "deny": [],
                "boundary": [rule("b", "Allow", okta(&json!([])), &json!({}))]}])
    };
    for mode in ["Enforce", "Observe"] {
        let trial = Trial::with(&policies, &guard(mode), vec![provider()]);
        assert_eq!(would(&trial.get("/")), (false, "NoToken", vec![]), "{mode}");
    }
    let open = rule("open", "Allow", json!("anyone"), &json!({}));
    let policies = json!([policy("orders", &json!([open]))]);
    let trial = Trial::with(&policies, &guard("Observe"), vec![provider()]);
    let decision = trial.get("/");
    assert_eq!(told(&decision), (200, "Allowed", vec!["open"]));
    assert_eq!(would(&decision), (false, "NoToken", vec![]));
}

#[test]
fn without_anything_observed_there_is_nothing_to_say() {
    let open = rule("open", "Allow", json!("anyone"), &json!({}));
    assert_eq!(Trial::of(&json!([open])).get("/").would, None);
}
