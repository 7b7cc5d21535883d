//! An explanation cannot say anything but what was decided: what its rules came to implies the answer.

use super::{Sent, explained};
use crate::explain::{Explanation, Join, Kind, Part, RuleView};
use crate::token::mint::{ES256, claims_with, provider};
use crate::trial::{Trial, okta, policy, rule};
use countersign_ruleset::kleene::Kleene;
use proptest::prelude::*;
use serde_json::{Value, json};

fn one<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = T> {
    prop::sample::select(of)
}

fn from() -> impl Strategy<Value = Value> {
    one(vec![
        json!("anyone"),
        json!("unknown"),
        json!({"missing": "AccessRole/gone"}),
        okta(&json!([])),
        okta(&json!([{"groups": ["staff"]}])),
        okta(&json!([{"groups": ["staff"]}, {"emailDomains": ["example.com"]}])),
        okta(
            &json!([{"actors": ["bot"]}, {"claim": {"path": ["tenant"], "anyOf": ["acme", "beta"]}}]),
        ),
        okta(
            &json!([{"anyOf": [[{"subjects": ["ana"]}], [{"clients": ["cli"]}, {"groups": ["wide"]}]]}]),
        ),
        json!({"identity": {"provider": "ClusterTrustProvider/other", "all": ["unknown"]}}),
    ])
}

fn to() -> impl Strategy<Value = Value> {
    one(vec![
        json!({}),
        json!({"methods": ["GET"]}),
        json!({"hosts": ["orders.example.com"], "paths": ["/a/**"]}),
        json!({"paths": ["/t/{tenant}/**", "/{tenant}/{x}", "/b"]}),
        json!({"mcp": {"tools": ["search"]}}),
        json!({"paths": ["/b"], "mcp": {"methods": ["ping"]}}),
        json!({"unknown": true}),
        json!({"corsPreflight": true}),
    ])
}

fn when() -> impl Strategy<Value = Value> {
    let compare = json!([{"claim": ["tenant"]}, {"capture": "tenant"},
        {"compare": {"operator": "equal", "left": 0, "right": 1}}]);
    let mut more = compare.as_array().unwrap().clone();
    more.extend([
        json!({"caller": "groups"}),
        json!({"literal": {"text": "staff"}}),
        json!({"in": {"item": 4, "list": 3}}),
        json!({"not": 5}),
        json!({"has": 0}),
        json!({"any": [2, 6]}),
        json!({"all": [7, 8]}),
    ]);
    one(vec![Value::Null, Value::Null, compare, more.into()])
}

fn require() -> impl Strategy<Value = Value> {
    let of = |scopes: Value, amr: Value, unknown: bool| json!({"scopes": scopes, "acrValues": [], "amr": amr, "proofOfPossession": false, "unknown": unknown});
    one(vec![
        Value::Null,
        Value::Null,
        of(json!(["x"]), json!([]), false),
        of(json!(["openid"]), json!(["mfa"]), false),
        of(json!([]), json!([]), true),
    ])
}

fn rules(effect: &'static str, most: usize) -> impl Strategy<Value = Value> {
    let entries = prop::collection::vec(from(), 0..3);
    let one = (
        entries,
        prop::collection::vec(to(), 0..3),
        when(),
        require(),
    );
    prop::collection::vec(one, 0..most).prop_map(move |all| {
        let each = all
            .into_iter()
            .enumerate()
            .map(|(n, (from, to, when, require))| {
                let mut more = json!({"from": from, "to": to});
                if !when.is_null() {
                    more["when"] = when;
                }
                if !require.is_null() && effect == "Allow" {
                    more["require"] = require;
                }
                rule(
                    &format!("{}{n}", effect.to_lowercase()),
                    effect,
                    Value::Null,
                    &more,
                )
            });
        each.collect()
    })
}

fn caller() -> impl Strategy<Value = Option<Value>> {
    let changes = (
        one(vec![
            json!(["staff"]),
            json!(["wide"]),
            json!(7),
            Value::Null,
        ]),
        one(vec![json!("acme"), json!(["beta"]), Value::Null]),
        one(vec![
            json!({"sub": "bot"}),
            json!({}),
            Value::Null,
            Value::Null,
        ]),
        one(vec![
            json!("https://orders.example.com"),
            json!("https://x.example.com"),
        ]),
    );
    prop::option::weighted(0.8, changes).prop_map(|caller| {
        caller.map(|(groups, tenant, act, aud)| {
            claims_with(&json!({"groups": groups, "tenant": tenant, "act": act, "aud": aud, "amr": ["mfa"]}))
        })
    })
}

fn body() -> impl Strategy<Value = Option<&'static str>> {
    one(vec![
        None,
        Some(""),
        Some(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#),
        Some(r#"[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","id":1,"method":"x"}]"#),
    ])
}

/// What a part came to is what its own parts make of it.
fn whole(part: &Part) -> bool {
    let mut each = part.parts.iter().map(|part| part.truth);
    let truth = match part.join {
        None => part.truth,
        Some(Join::All) => Kleene::all(&mut each),
        Some(Join::Any) => Kleene::any(&mut each),
    };
    truth == part.truth && part.parts.iter().all(whole)
}

/// Those that say whether a rule holds, and those that an Allow asks beside.
fn sound(rule: &RuleView) -> bool {
    let beside = |part: &&Part| ["audience", "require"].contains(&part.name.as_str());
    let own = rule.parts.iter().filter(|part| !beside(part));
    let held = Kleene::all(own.map(|part| part.truth));
    let beside = Kleene::all(rule.parts.iter().filter(beside).map(|part| part.truth));
    let acts = match rule.kind {
        Kind::Deny => held.denies(),
        Kind::Allow | Kind::Boundary => held.allows() && beside.allows(),
    };
    held == rule.truth && acts == rule.acts && rule.parts.iter().all(whole)
}

/// What the rules that decide imply, by the order in which they are asked.
fn implied(explanation: &Explanation, boundaries: &[&str]) -> bool {
    let acting = |kind: Kind| {
        let rules = explanation.rules.iter();
        rules.filter(move |rule| rule.enforced && rule.kind == kind && rule.acts)
    };
    acting(Kind::Deny).next().is_none()
        && acting(Kind::Allow).next().is_some()
        && boundaries
            .iter()
            .all(|policy| acting(Kind::Boundary).any(|rule| rule.policy == *policy))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn what_the_rules_came_to_implies_the_decision(
        (allows, denies) in (rules("Allow", 5), rules("Deny", 2)),
        boundary in prop::option::of(rules("Allow", 3)),
        caller in caller(),
        body in body(),
        target in one(vec!["/", "/a/x", "/b", "/b/", "/t/acme/x", "/acme/y"]),
    ) {
        let mut own = allows;
        own.as_array_mut().unwrap().extend(denies.as_array().unwrap().iter().cloned());
        let mut guardrails = json!([]);
        if let Some(boundary) = &boundary {
            guardrails = json!([{"policy": "ClusterAccessPolicy/g", "mode": "Enforce",
                "boundary": boundary, "deny": []}]);
        }
        let mut other = provider();
        other.id = "ClusterTrustProvider/other".parse().unwrap();
        other.issuers = vec!["https://other.example.com".into()];
        let trial = Trial::with(&json!([policy("orders", &own)]), &guardrails, vec![provider(), other]);
        let token = caller.as_ref().map(|claims| ES256.token(claims));
        let sent = Sent { method: "GET", target, token: token.as_deref(), fields: &[], body: body.map(str::as_bytes) };
        let explanation = explained(&trial, &sent);
        for rule in &explanation.rules {
            prop_assert!(sound(rule), "{rule:#?}");
        }
        let asked = explanation.reason != "UnknownIssuer" && explanation.reason != "IssuerNotAdmitted";
        prop_assume!(asked || explanation.rules.is_empty());
        let boundaries = if boundary.is_some() { &["ClusterAccessPolicy/g"][..] } else { &[] };
        prop_assert_eq!(explanation.allowed, implied(&explanation, boundaries), "{}", explanation);
        for name in &explanation.decided_by {
            let rule = explanation.rules.iter().find(|rule| rule.rule == *name);
            prop_assert!(rule.is_some_and(|rule| rule.acts), "{}: {}", name, explanation);
        }
    }
}
