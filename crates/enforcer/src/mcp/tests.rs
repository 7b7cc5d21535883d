//! Bodies: what is read of them, and what is not read.

use super::{AtHand, Call, Calls, MAX_BATCH, MAX_BODY, Message, Unreadable, read};
use countersign_ruleset::json::Malformed;
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use countersign_ruleset::rules::Mcp;
use serde_json::{Value, json};

fn call(method: &str, tool: Option<&str>) -> Message {
    Message::Call(Call {
        method: method.into(),
        tool: tool.map(Into::into),
    })
}

fn of(body: &Value) -> Result<Vec<Message>, Unreadable> {
    read(body.to_string().as_bytes())
}

fn search() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "search", "arguments": {"q": [1.5, {"name": 7}]}, "_meta": {}}})
}

#[test]
fn reads_a_call_and_its_tool() {
    assert_eq!(of(&search()), Ok(vec![call("tools/call", Some("search"))]));
    let list = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/list"});
    assert_eq!(of(&list), Ok(vec![call("tools/list", None)]));
    let positional = json!({"jsonrpc": "2.0", "id": null, "method": "ping", "params": [1]});
    assert_eq!(of(&positional), Ok(vec![call("ping", None)]));
    let prompt =
        json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "search"}});
    assert_eq!(of(&prompt), Ok(vec![call("prompts/get", None)]), "no tool");
}

/// A service may well act on a call that wants no answer.
#[test]
fn a_notification_is_a_call_and_a_response_is_none() {
    let mut quiet = search();
    quiet.as_object_mut().unwrap().remove("id");
    assert_eq!(of(&quiet), Ok(vec![call("tools/call", Some("search"))]));
    for response in [
        json!({"jsonrpc": "2.0", "id": 1, "result": null}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -1, "message": "no"}}),
    ] {
        assert_eq!(of(&response), Ok(vec![Message::Response]));
    }
}

#[test]
fn reads_a_batch_whole_or_not_at_all() {
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let both = of(&json!([search(), list]));
    let expected = vec![call("tools/call", Some("search")), call("tools/list", None)];
    assert_eq!(both, Ok(expected));
    assert_eq!(of(&json!([])), Err(Unreadable::EmptyBatch));
    assert_eq!(
        of(&Value::Array(vec![list.clone(); MAX_BATCH]))
            .unwrap()
            .len(),
        MAX_BATCH
    );
    let many = Value::Array(vec![list.clone(); MAX_BATCH + 1]);
    assert_eq!(of(&many), Err(Unreadable::TooMany(MAX_BATCH + 1)));
    for broken in [json!([[list]]), json!([list, 7]), json!([list, null])] {
        let refused = of(&broken);
        assert!(
            matches!(refused, Err(Unreadable::Json(Malformed::Shape { .. }))),
            "{broken}"
        );
    }
}

/// A service that flattens batches would see a call inside of it.
#[test]
fn a_message_is_an_object_and_no_list_of_its_members() {
    let inner =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete"}});
    for listed in [
        json!(["2.0", 1, "ping"]),
        json!(["2.0", 1, "tools/list", inner, null, null]),
        json!([["2.0", 1, "ping"]]),
        json!([["2.0", 1, "tools/list", inner]]),
        json!([search(), ["2.0", 1, "ping", {}]]),
    ] {
        let refused = of(&listed);
        assert!(
            matches!(refused, Err(Unreadable::Json(Malformed::Shape { .. }))),
            "{listed}"
        );
    }
    assert_eq!(of(&json!([search()])), of(&search()));
}

#[test]
fn another_form_is_neither_a_call_nor_a_response() {
    let message = |more: &Value| {
        let mut message = json!({"jsonrpc": "2.0", "id": 1});
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        of(&message)
    };
    for (more, expected) in [
        (json!({}), Unreadable::Form),
        (json!({"method": "ping", "result": 1}), Unreadable::Form),
        (json!({"error": {}, "result": 1}), Unreadable::Form),
        (json!({"result": 1, "params": {}}), Unreadable::Form),
        (
            json!({"jsonrpc": "1.0", "method": "ping"}),
            Unreadable::Version,
        ),
        (json!({"method": "tools/call"}), Unreadable::Tool),
        (
            json!({"method": "tools/call", "params": ["search"]}),
            Unreadable::Tool,
        ),
        (
            json!({"method": "tools/call", "params": {}}),
            Unreadable::Tool,
        ),
    ] {
        assert_eq!(message(&more), Err(expected), "{more}");
    }
    for more in [
        json!({"method": null}),
        json!({"method": 7}),
        json!({"method": "ping", "params": null}),
        json!({"method": "ping", "params": "x"}),
        json!({"method": "ping", "id": [1]}),
        json!({"method": "ping", "id": true}),
        json!({"method": "tools/call", "params": {"name": 7}}),
        json!({"jsonrpc": 2.0, "method": "ping"}),
    ] {
        let refused = message(&more);
        assert!(
            matches!(refused, Err(Unreadable::Json(Malformed::Shape { .. }))),
            "{more}"
        );
    }
}

/// Two readers of one body: some take the first of two members, some the last, some fold case.
#[test]
fn a_second_reading_leaves_the_body_unread() {
    let twice = br#"{"jsonrpc":"2.0","method":"tools/list","method":"tools/call"}"#;
    let escaped = br#"{"jsonrpc":"2.0","method":"tools/list","m\u0065thod":"tools/call"}"#;
    for body in [twice.as_slice(), escaped] {
        let refused = read(body);
        assert!(matches!(
            refused,
            Err(Unreadable::Json(Malformed::DuplicateMember { .. }))
        ));
    }
    for twin in ["Method", "METHOD", "param\u{17f}", "extra"] {
        let body = json!({"jsonrpc": "2.0", "method": "tools/list", twin: "tools/call"});
        let refused = of(&body);
        assert!(
            matches!(refused, Err(Unreadable::Json(Malformed::Shape { .. }))),
            "{twin}"
        );
    }
    let mut tool = search();
    tool["params"]["Name"] = json!("delete");
    assert_eq!(of(&tool), Err(Unreadable::Tool));
}

#[test]
fn what_is_not_whole_plain_json_within_limits_is_not_read() {
    let body = search().to_string();
    for bytes in [
        &body.as_bytes()[..body.len() - 1],
        b"",
        b"\x1f\x8b\x08",
        b"\xef\xbb\xbf{}",
    ] {
        let refused = read(bytes);
        assert!(matches!(
            refused,
            Err(Unreadable::Json(
                Malformed::NotJson { .. } | Malformed::NotUtf8 { .. }
            ))
        ));
    }
    let twice = format!("{body}{body}");
    assert!(matches!(
        read(twice.as_bytes()),
        Err(Unreadable::Json(Malformed::NotJson { .. }))
    ));
    let long = format!("{body}{}", " ".repeat(MAX_BODY - body.len()));
    assert!(read(long.as_bytes()).is_ok());
    let long = format!("{long} ");
    let too_long = Malformed::TooLong {
        most: MAX_BODY,
        got: MAX_BODY + 1,
    };
    assert_eq!(read(long.as_bytes()), Err(Unreadable::Json(too_long)));
    let deep = body.replace("[1.5", &format!("[{}{}", "[".repeat(70), "]".repeat(70)));
    assert!(matches!(
        read(deep.as_bytes()),
        Err(Unreadable::Json(Malformed::TooDeep { .. }))
    ));
}

fn meets(calls: &Calls, tools: &[&str], methods: &[&str]) -> Vec<Kleene> {
    let list = |names: &[&str]| {
        (!names.is_empty()).then(|| names.iter().map(ToString::to_string).collect())
    };
    let wanted = Mcp {
        tools: list(tools),
        methods: list(methods),
    };
    calls.each().map(|at_hand| at_hand.meets(&wanted)).collect()
}

#[test]
fn a_tool_and_a_method_are_compared_exactly() {
    let calls = |message: Message| Calls::Seen(vec![message]);
    let search = calls(call("tools/call", Some("search")));
    for (tools, methods, expected) in [
        (&["search"][..], &[][..], True),
        (&["delete", "search"], &[], True),
        (&["Search"], &[], False),
        (&["search "], &[], False),
        (&[], &["tools/call"], True),
        (&[], &["tools/Call"], False),
        (&["search"], &["tools/call"], True),
        (&["search"], &["tools/list"], False),
    ] {
        assert_eq!(
            meets(&search, tools, methods),
            [expected],
            "{tools:?} {methods:?}"
        );
    }
    let list = calls(call("tools/list", None));
    assert_eq!(meets(&list, &["search"], &[]), [False], "it calls no tool");
}

#[test]
fn what_is_unseen_is_unknown_and_what_is_no_call_is_false() {
    assert_eq!(meets(&Calls::Unseen, &["search"], &[]), [Unknown]);
    assert_eq!(meets(&Calls::Seen(Vec::new()), &["search"], &[]), [False]);
    let mixed = Calls::Seen(vec![Message::Response, call("ping", None)]);
    assert_eq!(meets(&mixed, &[], &["ping"]), [False, True]);
    assert_eq!(Calls::default().each().next(), Some(AtHand::Unseen));
}
