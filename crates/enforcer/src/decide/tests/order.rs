//! First the form, then the credential, then Deny, then boundary and Allow.

use crate::decision::{Denial, Verdict};
use crate::token::mint::{ES256, claims, claims_with, provider};
use crate::trial::{Trial, okta, policy, rule, told};
use countersign_ruleset::provider::Provider;
use serde_json::{Value, json};

fn anyone(name: &str, effect: &str, more: &Value) -> Value {
    rule(name, effect, json!("anyone"), more)
}

fn public() -> Trial {
    Trial::of(&json!([anyone("open", "Allow", &json!({}))]))
}

#[test]
fn two_credentials_are_refused_before_either_is_looked_at() {
    let bearer = ("authorization", "Bearer x");
    let decision = public().call("GET", "/", &[bearer, bearer]);
    assert_eq!(told(&decision), (400, "CredentialTwice", vec![]));
}

#[test]
fn a_bad_token_is_refused_even_where_none_is_needed() {
    let decision = public().with_token("GET", "/", "x");
    assert_eq!(told(&decision), (401, "NotAJwt", vec![]));
    let Verdict::Deny(Denial::Unauthenticated(challenge)) = decision.verdict else {
        panic!("{decision:?}")
    };
    assert_eq!(challenge.error, Some("invalid_token"));
    assert_eq!(told(&public().get("/")), (200, "Allowed", vec!["open"]));
}

/// Another scheme is no token: what is open to all is open to it.
#[test]
fn another_scheme_counts_as_no_token() {
    let decision = public().call("GET", "/", &[("authorization", "Basic YTpi")]);
    assert_eq!(told(&decision), (200, "Allowed", vec!["open"]));
}

#[test]
fn a_deny_beats_every_allow_whatever_their_order() {
    let trial = Trial::of(&json!([
        anyone("a-open", "Allow", &json!({})),
        anyone("b-shut", "Deny", &json!({"to": [{"paths": ["/admin/**"]}]})),
    ]));
    for path in ["/admin", "/admin/", "/admin/x"] {
        let decision = trial.get(path);
        assert_eq!(
            told(&decision),
            (403, "DeniedByRule", vec!["b-shut"]),
            "{path}"
        );
    }
    assert_eq!(trial.get("/administration").status(), 200);
}

#[test]
fn a_deny_of_another_policy_counts_as_well() {
    let open = anyone("open", "Allow", &json!({}));
    let shut = anyone("shut", "Deny", &json!({"to": [{"methods": ["DELETE"]}]}));
    let policies = json!([policy("one", &json!([open])), policy("two", &json!([shut]))]);
    let trial = Trial::with(&policies, &json!([]), vec![]);
    let decision = trial.call("DELETE", "/", &[]);
    assert_eq!(told(&decision), (403, "DeniedByRule", vec!["shut"]));
    assert_eq!(trial.get("/").status(), 200);
}

/// Whose groups are not known may be in any.
#[test]
fn a_deny_acts_on_what_is_not_known() {
    let contractors = okta(&json!([{"groups": ["contractors"]}]));
    let trial = Trial::of(&json!([
        rule("all", "Allow", okta(&json!([])), &json!({})),
        rule("no-contractors", "Deny", contractors, &json!({})),
    ]));
    assert_eq!(trial.by("/", &claims()).status(), 200);
    for change in [
        json!({"groups": ["contractors"]}),
        json!({"groups": null}),
        json!({"groups": 7}),
        json!({"hasgroups": true}),
    ] {
        let decision = trial.by("/", &claims_with(&change));
        let expected = (403, "DeniedByRule", vec!["no-contractors"]);
        assert_eq!(told(&decision), expected, "{change}");
    }
}

#[test]
fn a_cluster_deny_and_boundary_cannot_be_undone() {
    let open = json!([policy(
        "orders",
        &json!([anyone("open", "Allow", &json!({}))])
    )]);
    let guardrail = json!([{
        "policy": "ClusterAccessPolicy/base", "mode": "Enforce",
        "boundary": [rule("staff", "Allow", okta(&json!([{"groups": ["staff"]}])), &json!({}))],
        "deny": [anyone("no-debug", "Deny", &json!({"to": [{"paths": ["/debug/**"]}]}))]
    }]);
    let trial = Trial::with(&open, &guardrail, vec![provider()]);
    let expected = (403, "DeniedByRule", vec!["no-debug"]);
    assert_eq!(told(&trial.get("/debug/x")), expected);
    assert_eq!(told(&trial.get("/")), (401, "NoToken", vec![]));
}

#[test]
fn a_boundary_lets_in_what_an_allow_lets_in_and_no_more() {
    let all = rule("all", "Allow", okta(&json!([])), &json!({}));
    let guardrail = json!([{
        "policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [],
        "boundary": [rule("staff", "Allow", okta(&json!([{"groups": ["staff"]}])), &json!({}))],
    }]);
    let policies = json!([policy("orders", &json!([all]))]);
    let trial = Trial::with(&policies, &guardrail, vec![provider()]);
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (200, "Allowed", vec!["all", "staff"]));
    let outside = claims_with(&json!({"groups": ["guests"]}));
    let decision = trial.by("/", &outside);
    assert_eq!(told(&decision), (403, "BoundaryNotMet", vec![]));
    let nothing = json!([{
        "policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [], "boundary": []
    }]);
    let trial = Trial::with(&policies, &nothing, vec![provider()]);
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (403, "BoundaryNotMet", vec![]));
}

/// Of two providers, one without keys: its tokens wait, and nobody else's.
#[test]
fn a_provider_without_keys_holds_up_its_own_tokens_alone() {
    let partner = Provider {
        id: "TrustProvider/partner".parse().unwrap(),
        issuers: vec!["https://partner.example".into()],
        keys: vec![],
        ..provider()
    };
    let theirs = json!({"identity": {"provider": "TrustProvider/partner", "all": []}});
    let list = json!([
        rule("ours", "Allow", okta(&json!([])), &json!({})),
        rule("theirs", "Allow", theirs, &json!({})),
        anyone("zero", "Allow", &json!({"to": [{"paths": ["/healthz"]}]})),
    ]);
    let policies = json!([policy("orders", &list)]);
    let trial = Trial::with(&policies, &json!([]), vec![provider(), partner]);
    assert_eq!(trial.by("/", &claims()).status(), 200);
    assert_eq!(trial.get("/healthz").status(), 200);
    let token = ES256.token(&claims_with(&json!({"iss": "https://partner.example"})));
    let decision = trial.with_token("GET", "/", &token);
    assert_eq!(told(&decision), (503, "KeysUnavailable", vec![]));
}

#[test]
fn only_what_allows_name_is_admitted() {
    let list = json!([
        rule(
            "no",
            "Deny",
            okta(&json!([{"groups": ["guests"]}])),
            &json!({})
        ),
        anyone("open", "Allow", &json!({})),
    ]);
    let trial = Trial::of(&list);
    let decision = trial.by("/", &claims());
    assert_eq!(told(&decision), (401, "UnknownIssuer", vec![]));
    assert_eq!(trial.get("/").status(), 200);
}

#[test]
fn a_token_counts_only_from_the_header_of_its_provider() {
    let iap = Provider {
        header: Some("x-goog-iap-jwt-assertion".into()),
        ..provider()
    };
    let list = json!([rule("all", "Allow", okta(&json!([])), &json!({}))]);
    let policies = json!([policy("orders", &list)]);
    let trial = Trial::with(&policies, &json!([]), vec![iap]);
    let token = ES256.token(&claims());
    let decision = trial.call("GET", "/", &[("x-goog-iap-jwt-assertion", &token)]);
    assert_eq!(told(&decision), (200, "Allowed", vec!["all"]));
    let decision = trial.with_token("GET", "/", &token);
    assert_eq!(told(&decision), (401, "UnknownIssuer", vec![]));
}
