//! Calls of the Model Context Protocol: each is decided by itself, and every one must be let in.

use crate::mcp::Calls;
use crate::request::Request;
use crate::token::mint::{ES256, NOW, claims, claims_with};
use crate::trial::{Trial, okta, rule, told};
use http::{HeaderMap, HeaderName, Method, Uri};
use serde_json::{Value, json};

fn call(tool: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}})
}

/// `search` for everyone, `delete` for whoever has the scope, nobody `drop`.
fn trial() -> Trial {
    let tool = |name: &str| json!([{"paths": ["/mcp"], "mcp": {"tools": [name]}}]);
    let delete = json!({"to": tool("delete"), "require": {"scopes": ["tools:delete"], "acrValues": [],
        "amr": [], "proofOfPossession": false, "unknown": false}});
    Trial::of(&json!([
        rule(
            "search",
            "Allow",
            json!("anyone"),
            &json!({"to": tool("search")})
        ),
        rule("delete", "Allow", okta(&json!([])), &delete),
        rule(
            "open",
            "Allow",
            json!("anyone"),
            &json!({"to": [{"paths": ["/open"]}]})
        ),
        rule(
            "drop",
            "Deny",
            json!("anyone"),
            &json!({"to": [{"mcp": {"tools": ["drop"]}}]})
        ),
    ]))
}

struct Sent<'a> {
    path: &'a str,
    token: Option<&'a Value>,
    fields: &'a [(&'static str, &'static str)],
    body: Option<&'a [u8]>,
}

fn decision(trial: &Trial, sent: &Sent<'_>) -> (u16, &'static str, Vec<String>) {
    let mut headers = HeaderMap::new();
    headers.insert("host", "orders.example.com".parse().unwrap());
    for (name, value) in sent.fields {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    if let Some(claims) = sent.token {
        let token = format!("Bearer {}", ES256.token(claims));
        headers.insert("authorization", token.parse().unwrap());
    }
    let uri: Uri = sent.path.parse().unwrap();
    let mut request = Request::new(&Method::POST, &uri, &headers, None).unwrap();
    if let Some(body) = sent.body {
        request = request.with_body(body);
    }
    let decision = trial.0.decide(&request, NOW);
    let (status, reason, rules) = told(&decision);
    (
        status,
        reason,
        rules.into_iter().map(str::to_owned).collect(),
    )
}

fn of(body: &Value, token: Option<&Value>) -> (u16, &'static str, Vec<String>) {
    let body = body.to_string();
    let sent = Sent {
        path: "/mcp",
        token,
        fields: &[],
        body: Some(body.as_bytes()),
    };
    decision(&trial(), &sent)
}

fn allowed(rules: &[&str]) -> (u16, &'static str, Vec<String>) {
    (
        200,
        "Allowed",
        rules.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn a_tool_is_let_in_by_its_rule() {
    let reader = claims();
    let deleter = claims_with(&json!({"scope": "tools:delete"}));
    assert_eq!(of(&call("search"), None), allowed(&["search"]));
    assert_eq!(of(&call("delete"), Some(&deleter)), allowed(&["delete"]));
    assert_eq!(
        of(&call("delete"), Some(&reader)),
        (403, "InsufficientScope", vec![])
    );
    assert_eq!(of(&call("delete"), None), (401, "NoToken", vec![]));
    assert_eq!(
        of(&call("Search"), Some(&reader)),
        (403, "NoRuleMatched", vec![])
    );
    assert_eq!(
        of(&call("drop"), None),
        (403, "DeniedByRule", vec!["drop".into()])
    );
}

/// The first that fails gives the reason, and all that let a call in are named.
#[test]
fn a_batch_is_let_in_if_every_call_is() {
    let deleter = claims_with(&json!({"scope": "tools:delete"}));
    let of = |tools: &[&str], token| of(&tools.iter().map(|it| call(it)).collect(), token);
    assert_eq!(of(&["search", "search"], None), allowed(&["search"]));
    let both = of(&["search", "delete", "search"], Some(&deleter));
    assert_eq!(both, allowed(&["search", "delete"]));
    assert_eq!(of(&["search", "delete"], None), (401, "NoToken", vec![]));
    let dropped = (403, "DeniedByRule", vec!["drop".into()]);
    assert_eq!(of(&["search", "drop"], None), dropped);
    assert_eq!(of(&["drop", "delete"], None), dropped);
    assert_eq!(of(&["delete", "drop"], None), (401, "NoToken", vec![]));
}

#[test]
fn a_response_calls_nothing_and_a_body_unread_may_call_anything() {
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(
        of(&answer, None),
        (401, "NoToken", vec![]),
        "`mcp` is false of it"
    );
    let unread = |path, body| {
        let sent = Sent {
            path,
            token: None,
            fields: &[],
            body,
        };
        decision(&trial(), &sent)
    };
    let dropped = (403, "DeniedByRule", vec!["drop".to_owned()]);
    assert_eq!(
        unread("/open", None),
        dropped,
        "a Deny acts on what is unknown"
    );
    assert_eq!(unread("/open", Some(b"[]")), dropped);
    assert_eq!(
        unread("/open", Some(b"")),
        allowed(&["open"]),
        "there is no body"
    );
    let answer = answer.to_string();
    assert_eq!(unread("/open", Some(answer.as_bytes())), allowed(&["open"]));
}

/// An Allow that does not speak of calls lets any in, as it does without a body.
#[test]
fn an_allow_without_mcp_matches_whatever_is_called() {
    let body = json!([call("search"), call("anything")]).to_string();
    let sent = Sent {
        path: "/open",
        token: None,
        fields: &[],
        body: Some(body.as_bytes()),
    };
    assert_eq!(decision(&trial(), &sent), allowed(&["open"]));
}

#[test]
fn what_could_be_decoded_in_another_way_stays_unread() {
    let body = call("search").to_string();
    let with = |fields: &'static [(&'static str, &'static str)]| {
        let body = Some(body.as_bytes());
        decision(
            &trial(),
            &Sent {
                path: "/mcp",
                token: None,
                fields,
                body,
            },
        )
        .1
    };
    for plain in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "Application/JSON; charset=\"UTF-8\"")],
        &[("content-encoding", "identity")],
    ] {
        assert_eq!(with(plain), "Allowed", "{plain:?}");
    }
    for other in [
        &[("content-encoding", "gzip")][..],
        &[
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
        ],
        &[("content-type", "application/json; charset=utf-7")],
        &[("content-type", "text/plain")],
        &[
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ],
    ] {
        assert_eq!(with(other), "DeniedByRule", "{other:?}");
    }
}

#[test]
fn calls_are_unseen_unless_they_are_given() {
    let headers = HeaderMap::from_iter([(http::header::HOST, "a.example".parse().unwrap())]);
    let uri: Uri = "/".parse().unwrap();
    let request = Request::new(&Method::POST, &uri, &headers, None).unwrap();
    assert_eq!(request.calls(), &Calls::Unseen);
    let request = request.with_calls(Calls::Seen(Vec::new()));
    assert_eq!(request.calls(), &Calls::Seen(Vec::new()));
}

/// What one caller's token costs is counted over all rules: the last is not asked after the end.
#[test]
fn conditions_share_the_steps_of_a_decision() {
    let each =
        |list: &str, body: Value| json!([{"claim": [list]}, {"exists": {"list": 0, "body": body}}]);
    let never = json!([{"bound": 0}, {"bound": 1}, {"compare": {"operator": "notEqual", "left": 0, "right": 1}}]);
    let costly = json!({"when": each("a", each("a", never)), "to": [{"paths": ["/costly"]}]});
    let mut plain = costly.clone();
    plain["when"] = json!([{"claim": ["sub"]}, {"has": 0}]);
    let mut rules: Vec<Value> = (0..40)
        .map(|n| rule(&format!("a{n:02}"), "Allow", okta(&json!([])), &costly))
        .collect();
    let last = rule("z", "Allow", okta(&json!([])), &plain);
    rules.push(last.clone());
    let trial = Trial::of(&rules.into());
    let list = |count: usize| claims_with(&json!({"a": vec!["x"; count]}));
    assert_eq!(
        told(&trial.by("/costly", &list(2))),
        (200, "Allowed", vec!["z"])
    );
    let alone = Trial::of(&json!([
        rule("a", "Allow", okta(&json!([])), &costly),
        last
    ]));
    assert_eq!(
        told(&alone.by("/costly", &list(150))),
        (200, "Allowed", vec!["z"])
    );
    assert_eq!(
        told(&trial.by("/costly", &list(150))),
        (403, "NoRuleMatched", vec![])
    );
}
