//! The parts of a rule, as they are shown: conditions, demands, calls.

use super::{Sent, by, explained};
use crate::token::mint::{ES256, NOW, claims, claims_with};
use crate::trial::{Trial, okta, rule};
use countersign_ruleset::kleene::Kleene;
use serde_json::{Value, json};

#[test]
fn shows_a_condition_by_its_parts() {
    let when = json!([{"claim": ["tenant"]}, {"capture": "tenant"},
        {"compare": {"operator": "equal", "left": 0, "right": 1}},
        {"request": {"header": "x-break-glass"}}, {"has": 3}, {"any": [2, 4]}]);
    let to = json!([{"paths": ["/t/{tenant}/**"]}]);
    let trial = Trial::of(&json!([rule(
        "own",
        "Allow",
        okta(&json!([])),
        &json!({"to": to, "when": when})
    )]));
    let explanation = by(
        &trial,
        "/t/beta/x",
        &claims_with(&json!({"tenant": "acme"})),
    );
    let text = explanation.to_string();
    let expected = "
    ✗ when: caller.claims.tenant == path.tenant || has(request.headers[\"x-break-glass\"])
      ✗ caller.claims.tenant == path.tenant: caller.claims.tenant is \"acme\", path.tenant is \"beta\"
      ✗ has(request.headers[\"x-break-glass\"]): request.headers[\"x-break-glass\"] is absent";
    assert!(text.contains(expected), "{text}");
    let explanation = by(&trial, "/t/acme", &claims_with(&json!({"tenant": null})));
    let text = explanation.to_string();
    assert!(
        text.contains("? caller.claims.tenant == path.tenant: caller.claims.tenant is absent"),
        "{text}"
    );
}

/// What the caller chose to call himself is not shown as what the condition was held against.
#[test]
fn shows_that_a_foreign_host_is_unknown() {
    let when = json!([{"request": "host"}, {"literal": {"text": "evil.example"}},
        {"compare": {"operator": "equal", "left": 0, "right": 1}}]);
    let trial = Trial::of(&json!([rule(
        "own",
        "Allow",
        json!("anyone"),
        &json!({"when": when})
    )]));
    for (fields, expected) in [
        (&[][..], "got request.host is \"orders.example.com\""),
        (
            &[("host", "evil.example")][..],
            "got request.host is unknown: it is none of the target's",
        ),
    ] {
        let sent = Sent {
            method: "GET",
            target: "/",
            fields,
            ..Sent::default()
        };
        let text = explained(&trial, &sent).to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn shows_what_a_step_up_asks_for() {
    let require = json!({"scopes": ["orders:write"], "acrValues": ["phr"], "amr": ["mfa"],
        "maxAuthAge": 900, "proofOfPossession": false, "unknown": false});
    let trial = Trial::of(&json!([rule(
        "r",
        "Allow",
        okta(&json!([])),
        &json!({"require": require})
    )]));
    let token = claims_with(&json!({"acr": "phr", "auth_time": NOW.0 - 1_000}));
    let explanation = by(&trial, "/", &token);
    assert_eq!(explanation.reason, "InsufficientUserAuthentication");
    let text = explanation.to_string();
    let expected = "
  ✗ require
    ✓ acrValues: phr
    ✗ amr: expected mfa, got nothing: the token does not say
    ✗ maxAuthAge: expected at most 900 s, got 1000 s
    ✗ scopes: expected orders:write, got [openid, orders:read]";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn shows_the_call_that_gives_the_reason() {
    let tool = json!([{"mcp": {"tools": ["search"]}}]);
    let trial = Trial::of(&json!([rule(
        "search",
        "Allow",
        json!("anyone"),
        &json!({"to": tool})
    )]));
    let call = |tool: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
    let of = |body: Option<Value>| {
        let body = body.map(|body| body.to_string());
        let body = body.as_ref().map(String::as_bytes);
        let explanation = explained(
            &trial,
            &Sent {
                method: "POST",
                target: "/mcp",
                body,
                ..Sent::default()
            },
        );
        let part = explanation.rules[0]
            .failing()
            .next()
            .map(|part| part.got.clone().unwrap());
        (explanation.request.unwrap().call, part)
    };
    let batch = json!([call("search"), call("delete"), call("drop")]);
    let (said, part) = of(Some(batch));
    assert_eq!(
        (said.as_deref(), part.as_deref()),
        (Some("the tool delete, 2 of 3"), Some("the tool delete"))
    );
    assert_eq!(
        of(Some(call("search"))),
        (Some("the tool search".into()), None)
    );
    let unread = "unknown: the body was not read, or can be read in more than one way";
    assert_eq!(of(None), (None, Some(unread.into())));
}

/// Whoever may read an explanation may not thereby become the caller.
#[test]
fn never_holds_a_credential_or_a_query() {
    let header = |name: &str| json!([{"request": {"header": name}}, {"has": 0}]);
    let when = ["authorization", "cookie", "x-copied"].map(|name| {
        rule(
            name,
            "Allow",
            okta(&json!([])),
            &json!({"when": header(name)}),
        )
    });
    let trial = Trial::of(&json!(when));
    let token = ES256.token(&claims());
    let fields = [("cookie", "session=c00kie")];
    let mut sent = Sent {
        method: "GET",
        target: "/?query=qu3ry",
        token: Some(&token),
        fields: &fields,
        body: None,
    };
    let copied: &'static str = format!("Token {token}").leak();
    let fields = [("cookie", "session=c00kie"), ("x-copied", copied)];
    sent.fields = &fields;
    let explanation = explained(&trial, &sent);
    assert!(explanation.allowed);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, signature] = [parts[0], parts[2]];
    let texts = [
        explanation.to_string(),
        format!("{explanation:?}"),
        serde_json::to_string(&explanation).unwrap(),
    ];
    for text in texts {
        for secret in [header, signature, "c00kie", "qu3ry"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("not shown"), "{text}");
        assert!(!text.contains("order-support"), "no rule asks for groups");
    }
}

/// What a decision did not know any more, its explanation does not know either.
#[test]
fn says_that_the_conditions_took_too_many_steps() {
    let each = |body: Value| json!([{"claim": ["a"]}, {"exists": {"list": 0, "body": body}}]);
    let never = json!([{"bound": 0}, {"bound": 1}, {"compare": {"operator": "notEqual", "left": 0, "right": 1}}]);
    let costly = json!({"when": each(each(never))});
    let trial = Trial::of(&json!([
        rule("costly", "Deny", okta(&json!([])), &costly),
        rule("open", "Allow", okta(&json!([])), &json!({})),
    ]));
    let list = |count: usize| claims_with(&json!({"a": vec!["x"; count]}));
    assert!(by(&trial, "/", &list(10)).allowed);
    let explanation = by(&trial, "/", &list(1_000));
    assert_eq!(explanation.reason, "DeniedByRule");
    assert_eq!(explanation.rules[0].truth, Kleene::Unknown);
    let help = "the conditions took too many steps: what was asked after that is unknown";
    assert_eq!(explanation.help[0], help);
}
