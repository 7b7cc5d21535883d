//! One rule: who, what, when and until when.

use crate::token::mint::{NOW, claims, claims_with, provider};
use crate::trial::{Trial, okta, policy, rule, rules, told};
use countersign_ruleset::provider::Provider;
use serde_json::{Value, json};

fn allow(more: &Value) -> Trial {
    Trial::of(&json!([rule("r", "Allow", json!("anyone"), more)]))
}

fn deny(more: &Value) -> Trial {
    Trial::of(&json!([
        rule("open", "Allow", json!("anyone"), &json!({})),
        rule("shut", "Deny", json!("anyone"), more),
    ]))
}

#[test]
fn an_allow_ends_by_itself() {
    let trial = allow(&json!({"expiresAt": NOW.0 + 60}));
    assert_eq!(trial.at("GET", "/", &[], NOW.plus(59)).status(), 200);
    assert_eq!(trial.at("GET", "/", &[], NOW.plus(60)).status(), 401);
}

#[test]
fn a_method_is_exact_and_get_does_not_imply_head() {
    let trial = allow(&json!({"to": [{"methods": ["GET"]}]}));
    assert_eq!(trial.get("/").status(), 200);
    for method in ["HEAD", "GETS", "POST"] {
        assert_eq!(trial.call(method, "/", &[]).status(), 401, "{method}");
    }
    assert_eq!(trial.call("get", "/", &[]).status(), 400);
    let purge = allow(&json!({"to": [{"methods": ["PURGE"]}]}));
    assert_eq!(purge.call("PURGE", "/", &[]).status(), 200);
    assert_eq!(purge.call("purge", "/", &[]).status(), 401);
}

/// The caller chooses `Host`: what asks for one cannot be lost or won by another.
#[test]
fn a_foreign_host_matches_no_allow_and_every_deny_that_names_hosts() {
    let hosts = json!({"to": [{"hosts": ["orders.example.com"]}]});
    let foreign = [("host", "evil.example")];
    assert_eq!(allow(&hosts).get("/").status(), 200);
    assert_eq!(allow(&hosts).call("GET", "/", &foreign).status(), 401);
    let hosts = json!({"to": [{"hosts": ["other.example.com"]}]});
    assert_eq!(deny(&hosts).get("/").status(), 200);
    let decision = deny(&hosts).call("GET", "/", &foreign);
    assert_eq!(told(&decision), (403, "DeniedByRule", vec!["shut"]));
}

/// Nor can a condition: it would open by the name that it asks for, and let pass by any other.
#[test]
fn a_foreign_host_is_unknown_to_a_condition() {
    let when = |host: &str| {
        json!({"when": [{"request": "host"}, {"literal": {"text": host}},
            {"compare": {"operator": "equal", "left": 0, "right": 1}}]})
    };
    let foreign = [("host", "evil.example")];
    let (own, other) = (when("orders.example.com"), when("evil.example"));
    assert_eq!(allow(&own).get("/").status(), 200);
    assert_eq!(allow(&other).call("GET", "/", &foreign).status(), 401);
    assert_eq!(deny(&other).get("/").status(), 200);
    for condition in [own, other] {
        let decision = deny(&condition).call("GET", "/", &foreign);
        assert_eq!(told(&decision), (403, "DeniedByRule", vec!["shut"]));
    }
}

#[test]
fn what_cannot_be_read_lets_nobody_in_and_keeps_everybody_out() {
    for to in [
        json!({"unknown": true}),
        json!({"mcp": {"tools": ["list"]}}),
    ] {
        let more = json!({"to": [to]});
        assert_eq!(allow(&more).get("/").status(), 401, "{to}");
        assert_eq!(deny(&more).get("/").status(), 403, "{to}");
    }
    let from = |effect| {
        Trial::of(&json!([
            rule(
                "open",
                "Allow",
                json!("anyone"),
                &json!({"to": [{"paths": ["/open"]}]})
            ),
            rule("r", effect, json!("unknown"), &json!({})),
        ]))
    };
    assert_eq!(from("Allow").get("/").status(), 401);
    assert_eq!(from("Deny").get("/open").status(), 403);
}

#[test]
fn what_is_missing_is_false_for_the_anonymous_and_unknown_for_any_other() {
    let trial = Trial::of(&json!([
        rule("all", "Allow", okta(&json!([])), &json!({})),
        rule("open", "Allow", json!("anyone"), &json!({})),
        rule(
            "shut",
            "Deny",
            json!({"missing": "AccessRole/gone"}),
            &json!({})
        ),
    ]));
    assert_eq!(trial.get("/").status(), 200);
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "DeniedByRule", vec!["shut"]));
}

#[test]
fn a_preflight_is_told_from_any_other_request() {
    let trial = allow(&json!({"to": [{"corsPreflight": true}]}));
    let origin = ("origin", "https://app.example");
    let method = ("access-control-request-method", "PUT");
    assert_eq!(trial.call("OPTIONS", "/", &[origin, method]).status(), 200);
    for (verb, fields) in [
        ("OPTIONS", &[origin][..]),
        ("OPTIONS", &[method]),
        ("PUT", &[origin, method]),
    ] {
        assert_eq!(trial.call(verb, "/", fields).status(), 401, "{verb}");
    }
}

fn tenants() -> Value {
    json!([{"claim": ["tenant"]}, {"capture": "tenant"},
           {"compare": {"operator": "equal", "left": 0, "right": 1}}])
}

#[test]
fn a_condition_is_asked_for_each_path_by_itself() {
    let more = json!({"to": [{"paths": ["/t/{tenant}/**", "/open"]}], "when": tenants()});
    let trial = Trial::of(&json!([rule("own", "Allow", okta(&json!([])), &more)]));
    let acme = claims_with(&json!({"tenant": "acme"}));
    assert_eq!(trial.by("/t/acme/x", &acme).status(), 200);
    assert_eq!(trial.by("/t/acm%65/x", &acme).status(), 200);
    for (path, claims) in [
        ("/t/other/x", &acme),
        ("/open", &acme),
        ("/t/acme", &claims()),
    ] {
        let decision = trial.by(path, claims);
        assert_eq!(told(&decision), (403, "NoRuleMatched", vec![]), "{path}");
    }
    let not_own = json!([{"claim": ["tenant"]}, {"capture": "tenant"},
        {"compare": {"operator": "notEqual", "left": 0, "right": 1}}]);
    let more = json!({"to": [{"paths": ["/t/{tenant}/**"]}], "when": not_own});
    let trial = Trial::of(&json!([
        rule("all", "Allow", okta(&json!([])), &json!({})),
        rule("foreign", "Deny", okta(&json!([])), &more),
    ]));
    assert_eq!(trial.by("/t/acme", &acme).status(), 200);
    assert_eq!(trial.by("/t/other", &acme).status(), 403);
    assert_eq!(trial.by("/t/acme", &claims()).status(), 403, "no claim");
    assert_eq!(trial.by("/x", &claims()).status(), 200);
}

/// A tenant must not be able to say of himself what the cluster asks.
#[test]
fn a_cluster_rule_asks_nothing_of_a_namespaced_provider() {
    let own = Provider {
        id: "TrustProvider/own".parse().unwrap(),
        ..provider()
    };
    let from = json!({"identity": {"provider": "TrustProvider/own", "all": []}});
    let policies = json!([policy(
        "orders",
        &json!([rule("all", "Allow", from, &json!({}))])
    )]);
    let admin = json!([{"caller": "subject"}, {"literal": {"text": "ana"}},
        {"compare": {"operator": "equal", "left": 0, "right": 1}}]);
    let with = |boundary: Value| {
        let guardrails = json!([{
            "policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [],
            "boundary": [boundary]
        }]);
        Trial::with(&policies, &guardrails, vec![own.clone()])
    };
    let anyone = rule("b", "Allow", json!("anyone"), &json!({}));
    assert_eq!(with(anyone).by("/", &claims()).status(), 200);
    let asks = rule("b", "Allow", json!("anyone"), &json!({"when": admin}));
    let decision = with(asks).by("/", &claims());
    assert_eq!(told(&decision), (403, "BoundaryNotMet", vec![]));
    for require in [
        json!({"acrValues": ["mfa"]}),
        json!({"amr": ["hwk"]}),
        json!({"scopes": ["orders"]}),
        json!({"maxAuthAge": 60}),
    ] {
        let login = json!({"acr": "mfa", "amr": ["hwk"], "scope": "orders", "auth_time": NOW.0});
        let said = claims_with(&login);
        let mut whole = json!({"scopes": [], "acrValues": [], "amr": [],
            "proofOfPossession": false, "unknown": false});
        whole
            .as_object_mut()
            .unwrap()
            .extend(require.as_object().unwrap().clone());
        let more = json!({"require": whole});
        let asks = || rule("b", "Allow", json!("anyone"), &more);
        let decision = with(asks()).by("/", &said);
        assert_eq!(told(&decision), (403, "BoundaryNotMet", vec![]), "{more}");
        let guardrails = json!([{
            "policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [],
            "boundary": [asks()]
        }]);
        let all = rule("all", "Allow", okta(&json!([])), &json!({}));
        let policies = json!([policy("orders", &json!([all]))]);
        let trial = Trial::with(&policies, &guardrails, vec![provider()]);
        let decision = trial.by("/", &said);
        assert_eq!(
            told(&decision),
            (200, "Allowed", vec!["all", "b"]),
            "{more}"
        );
    }
}

#[test]
fn a_policy_of_one_section_covers_what_the_route_sends_there() {
    let mut of_section = policy(
        "admins",
        &json!([rule("r", "Allow", json!("anyone"), &json!({}))]),
    );
    of_section["section"] = json!("all");
    let mut set = rules(&json!([of_section]), &json!([]));
    let sections = json!([
        {"name": "all", "matches": [{"path": "/**", "unknown": false}]},
        {"name": "v1", "matches": [{"path": "/v1/**", "unknown": false}]}
    ]);
    let without = Trial::ruling(&set, vec![]);
    assert_eq!(
        without.get("/").status(),
        401,
        "which section takes it is not known"
    );
    set.applications[0].sections = serde_json::from_value(sections).unwrap();
    let trial = Trial::ruling(&set, vec![]);
    assert_eq!(trial.get("/").status(), 200);
    let elsewhere = trial.get("/v1/orders");
    assert_eq!(told(&elsewhere), (403, "NotCovered", vec![]));
}

#[test]
fn a_role_is_whoever_holds_it() {
    let list = json!([rule(
        "r",
        "Allow",
        json!({"role": "AccessRole/admin"}),
        &json!({})
    )]);
    let mut set = rules(&json!([policy("orders", &list)]), &json!([]));
    let members = json!([okta(&json!([{"subjects": ["ana"]}]))]);
    let role = "AccessRole/admin".parse().unwrap();
    set.roles
        .insert(role, serde_json::from_value(members).unwrap());
    let trial = Trial::ruling(&set, vec![provider()]);
    assert_eq!(trial.by("/", &claims()).status(), 200);
    let ben = claims_with(&json!({"sub": "ben"}));
    assert_eq!(told(&trial.by("/", &ben)), (403, "NoRuleMatched", vec![]));
}
