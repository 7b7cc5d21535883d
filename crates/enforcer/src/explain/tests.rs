//! Explanations of whole decisions: their text, and that they say what was decided.

mod agree;
mod parts;

use super::{Explanation, Kind};
use crate::request::Request;
use crate::token::mint::{ES256, NOW, claims, claims_with, provider};
use crate::trial::{Trial, okta, policy, rule};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};

/// A request as it is sent.
#[derive(Default)]
struct Sent<'a> {
    method: &'a str,
    target: &'a str,
    token: Option<&'a str>,
    fields: &'a [(&'static str, &'static str)],
    body: Option<&'a [u8]>,
}

fn explained(trial: &Trial, sent: &Sent<'_>) -> Explanation {
    let mut headers = HeaderMap::new();
    if sent.fields.iter().all(|(name, _)| *name != "host") {
        headers.insert("host", HeaderValue::from_static("orders.example.com"));
    }
    for (name, value) in sent.fields {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if let Some(token) = sent.token {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let method: Method = sent.method.parse().unwrap_or(Method::GET);
    let uri: Uri = sent.target.parse().unwrap();
    let mut request = Request::new(&method, &uri, &headers, None).unwrap();
    if let Some(body) = sent.body {
        request = request.with_body(body);
    }
    trial.0.explain(&request, NOW)
}

fn by(trial: &Trial, target: &str, claims: &Value) -> Explanation {
    let token = ES256.token(claims);
    explained(
        trial,
        &Sent {
            method: "GET",
            target,
            token: Some(&token),
            ..Sent::default()
        },
    )
}

fn get(trial: &Trial, target: &str) -> Explanation {
    explained(
        trial,
        &Sent {
            method: "GET",
            target,
            ..Sent::default()
        },
    )
}

fn orders() -> Trial {
    Trial::of(&json!([
        rule(
            "support",
            "Allow",
            okta(&json!([{"groups": ["order-support"]}])),
            &json!({"to": [{"methods": ["GET", "POST"], "paths": ["/v1/orders/**"]}]})
        ),
        rule(
            "admins",
            "Allow",
            okta(&json!([{"groups": ["order-admin"]}, {"emailDomains": ["example.com"]}])),
            &json!({"to": [{"paths": ["/admin/**"]}]})
        ),
        rule(
            "no-guests",
            "Deny",
            okta(&json!([{"groups": ["guests"]}])),
            &json!({})
        ),
    ]))
}

#[test]
fn says_which_part_of_the_nearest_rule_failed() {
    let guest = claims_with(&json!({"groups": ["staff"]}));
    let explanation = by(&orders(), "/v1/orders/7?q=secret", &guest);
    let expected = "\
denied: 403 NoRuleMatched: no rule lets it in
  request  GET orders.example.com/v1/orders/7
  target   Service/orders
  token    ClusterTrustProvider/okta

AccessPolicy/orders/support, an Allow, does not let it in:
  ✗ from
    ✓ provider: ClusterTrustProvider/okta
    ✗ groups: expected order-support, got [staff]
  ✓ to
    ✓ methods: GET
    ✓ paths: /v1/orders/7
  ✓ audience: [https://orders.example.com]

other rules:
  AccessPolicy/orders/admins, an Allow, does not let it in: groups: expected order-admin, got [staff]
  AccessPolicy/orders/no-guests, a Deny, does not act: groups: expected guests, got [staff]

help: AccessPolicy/orders/support would hold but for groups";
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn says_who_let_it_in() {
    let explanation = by(&orders(), "/v1/orders", &claims());
    assert_eq!(explanation.decided_by, ["AccessPolicy/orders/support"]);
    let text = explanation.to_string();
    assert!(
        text.starts_with("allowed: 200 Allowed: a rule lets it in\n"),
        "{text}"
    );
    assert!(
        text.contains("\n  rule     AccessPolicy/orders/support\n"),
        "{text}"
    );
    assert!(
        text.contains("\n\nAccessPolicy/orders/support, an Allow, lets it in:\n"),
        "{text}"
    );
}

/// The one that fewer changes would make hold comes first.
#[test]
fn the_nearest_rule_comes_first() {
    let nearest = |target: &str, claims: &Value| {
        let explanation = by(&orders(), target, claims);
        explanation.rules[0].rule.clone()
    };
    let guest = claims_with(&json!({"groups": ["staff"]}));
    assert_eq!(
        nearest("/v1/orders/7", &guest),
        "AccessPolicy/orders/support"
    );
    assert_eq!(nearest("/admin", &guest), "AccessPolicy/orders/admins");
    let guest = claims_with(&json!({"groups": ["guests"]}));
    assert_eq!(nearest("/admin", &guest), "AccessPolicy/orders/no-guests");
}

#[test]
fn a_deny_that_acts_on_what_is_unknown_says_so() {
    let many = claims_with(&json!({"groups": null, "hasgroups": true}));
    let explanation = by(&orders(), "/v1/orders", &many);
    assert_eq!(explanation.reason, "DeniedByRule");
    let text = explanation.to_string();
    let part =
        "? groups: expected guests, got unknown: there are too many to be listed in the token";
    assert!(text.contains(part), "{text}");
    let help = "help: AccessPolicy/orders/no-guests acts because [groups] is unknown: a Deny acts on \
                all that is not false";
    assert!(text.contains(help), "{text}");
}

#[test]
fn says_why_a_claim_is_not_known() {
    let of = |changes: Value| {
        let explanation = by(&orders(), "/admin", &claims_with(&changes));
        let parts = explanation
            .rules
            .iter()
            .find(|rule| rule.rule.ends_with("admins"));
        let parts: Vec<_> = parts
            .unwrap()
            .failing()
            .map(|part| part.got.clone().unwrap())
            .collect();
        parts.join("; ")
    };
    let groups = json!(["order-admin"]);
    for (changes, expected) in [
        (
            json!({"groups": groups, "email_verified": false}),
            "unknown: nothing shows that the address was verified",
        ),
        (
            json!({"groups": groups, "email": null}),
            "nothing: the token does not say",
        ),
        (
            json!({"groups": groups, "email": "a@b@c"}),
            "unknown: it is no plain address",
        ),
        (
            json!({"groups": groups, "email": "ana@evil.com"}),
            "evil.com",
        ),
        (
            json!({"groups": "order-admin"}),
            "unknown: the claim is of another type",
        ),
        (json!({"groups": groups, "act": {"sub": "bot"}}), "bot"),
    ] {
        assert_eq!(of(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn asks_for_what_would_help() {
    let help = |explanation: Explanation| explanation.help.join("; ");
    let trial = orders();
    assert_eq!(
        help(get(&trial, "/v1/orders")),
        "send `Authorization: Bearer` with a token of [ClusterTrustProvider/okta]"
    );
    let other = claims_with(&json!({"aud": "https://payments.example.com"}));
    let explanation = by(&trial, "/v1/orders", &other);
    assert!(explanation.to_string().contains(
        "✗ audience: expected https://orders.example.com, got [https://payments.example.com]"
    ));
    assert_eq!(
        help(explanation),
        "use a token that was issued for this audience"
    );
    let expired = claims_with(&json!({"exp": NOW.0 - 60}));
    let explanation = by(&trial, "/v1/orders", &expired);
    assert_eq!(
        (explanation.reason, explanation.rules.len()),
        ("Expired", 0)
    );
    assert_eq!(
        help(explanation),
        "the tokens of these providers count here: [ClusterTrustProvider/okta]"
    );
    let agent = claims_with(&json!({"act": {"sub": "bot"}}));
    assert_eq!(
        help(by(&trial, "/v1/orders", &agent)),
        "AccessPolicy/orders/support would hold but for actors; \
         an agent inherits nothing: name it under `actors` in an entry of its own"
    );
}

#[test]
fn observed_rules_come_last_and_are_told_apart() {
    let mut watched = policy(
        "watched",
        &json!([rule("open", "Allow", json!("anyone"), &json!({}))]),
    );
    watched["mode"] = json!("Observe");
    let own = policy(
        "orders",
        &json!([rule("r", "Allow", okta(&json!([])), &json!({}))]),
    );
    let trial = Trial::with(&json!([own, watched]), &json!([]), vec![provider()]);
    let explanation = get(&trial, "/");
    assert!(!explanation.allowed && explanation.would.as_ref().unwrap().allowed);
    let rules: Vec<_> = explanation
        .rules
        .iter()
        .map(|r| (r.rule.as_str(), r.enforced))
        .collect();
    assert_eq!(
        rules,
        [
            ("AccessPolicy/orders/r", true),
            ("AccessPolicy/watched/open", false)
        ]
    );
    let text = explanation.to_string();
    assert!(
        text.contains("\n  observed would be allowed: Allowed\n"),
        "{text}"
    );
    assert!(
        text.contains("watched/open, an Allow, only observed, lets it in"),
        "{text}"
    );
}

#[test]
fn a_boundary_that_does_not_hold_comes_before_what_does() {
    let boundary = json!([{"policy": "ClusterAccessPolicy/production", "mode": "Enforce", "deny": [],
        "boundary": [rule("probes", "Allow", json!("anyone"), &json!({"to": [{"paths": ["/healthz"]}]}))]}]);
    let own = policy(
        "orders",
        &json!([rule("r", "Allow", okta(&json!([])), &json!({}))]),
    );
    let trial = Trial::with(&json!([own]), &boundary, vec![provider()]);
    let explanation = by(&trial, "/", &claims());
    assert_eq!(explanation.reason, "BoundaryNotMet");
    let kinds: Vec<_> = explanation
        .rules
        .iter()
        .map(|rule| (rule.kind, rule.acts))
        .collect();
    assert_eq!(kinds, [(Kind::Boundary, false), (Kind::Allow, true)]);
}

#[test]
fn what_is_refused_before_any_rule_has_none() {
    let enforcer =
        crate::store::Enforcer::new(crate::store::Target::ByHost, vec!["shop".parse().unwrap()]);
    let explanation = get(&Trial(enforcer), "/");
    assert_eq!((explanation.status, explanation.reason), (503, "NoRuleset"));
    let text = explanation.to_string();
    assert_eq!(
        text,
        "denied: 503 NoRuleset: no ruleset is in force\n  request  GET orders.example.com/\n  token    none verified"
    );
}

#[test]
fn a_role_s_entries_stand_under_its_name() {
    let role = json!({"role": "AccessRole/order-admin"});
    let mut rules = crate::trial::rules(
        &json!([policy(
            "orders",
            &json!([rule("r", "Allow", role, &json!({}))])
        )]),
        &json!([]),
    );
    let members = json!([
        okta(&json!([{"groups": ["order-admin"]}])),
        okta(&json!([{"subjects": ["bo"]}]))
    ]);
    let id = "AccessRole/order-admin".parse().unwrap();
    rules
        .roles
        .insert(id, serde_json::from_value(members).unwrap());
    let text = by(&Trial::ruling(&rules, vec![provider()]), "/", &claims()).to_string();
    let expected = "
  ✗ from
    ✗ AccessRole/order-admin
      ✗ entry
        ✓ provider: ClusterTrustProvider/okta
        ✗ groups: expected order-admin, got [order-support, staff]
      ✗ entry
        ✓ provider: ClusterTrustProvider/okta
        ✗ subjects: expected bo, got ana";
    assert!(text.contains(expected), "{text}");
}
