//! What each form of a match takes, and what is never known of one.

use super::of;
use serde_json::{Value, json};

/// Each match as `METHOD PATH`, `?` after it if what it takes is not known, and why.
fn read(kind: &str, rule: &Value) -> Vec<String> {
    let matches = of(kind, rule).into_iter().map(|found| {
        let takes = found.takes;
        let path = takes.path.as_ref().map_or("-", |path| path.as_str());
        let method = takes.method.as_deref().unwrap_or("*");
        let (mark, slash) = (
            if takes.unknown { "?" } else { "" },
            if found.slash { " slash" } else { "" },
        );
        let why = found
            .unclear
            .map(|why| format!(" {why}"))
            .unwrap_or_default();
        format!("{method} {path}{mark}{slash}{why}")
    });
    matches.collect()
}

fn http(found: &Value) -> String {
    let mut read = read("HTTPRoute", &json!({"matches": [found]}));
    assert_eq!(read.len(), 1);
    read.remove(0)
}

#[test]
fn a_path_is_exact_or_of_whole_segments() {
    for (path, expected) in [
        (json!({}), "* /**"),
        (json!({"value": "/"}), "* /**"),
        (json!({"value": "/v1"}), "* /v1/**"),
        (
            json!({"type": "PathPrefix", "value": "/v1/"}),
            "* /v1/** slash",
        ),
        (json!({"type": "PathPrefix", "value": "/a/b"}), "* /a/b/**"),
        (json!({"type": "Exact", "value": "/v1"}), "* /v1"),
        (json!({"type": "Exact", "value": "/v1/"}), "* /v1/"),
        (json!({"type": "Exact", "value": "/"}), "* /"),
    ] {
        assert_eq!(http(&json!({ "path": path })), expected, "{path}");
    }
    let both = json!({"path": {"type": "Exact", "value": "/v1"}, "method": "DELETE"});
    assert_eq!(http(&both), "DELETE /v1");
    assert_eq!(http(&json!({"method": "GET"})), "GET /**");
}

#[test]
fn what_cannot_be_read_of_a_path_may_be_any() {
    for value in [
        "v1", "", "/%61", "/a//b", "/a/../b", "/a;b", "/a/*", "/a/**", "/{x}", "/a b", "/a?b",
        "/%2f",
    ] {
        for kind in ["Exact", "PathPrefix"] {
            let path = json!({"type": kind, "value": value});
            let expected = "GET -? has a path that is not canonical";
            assert_eq!(
                http(&json!({"path": path, "method": "GET"})),
                expected,
                "{path}"
            );
        }
    }
    let long = format!("/{}", "a".repeat(600));
    assert_eq!(
        http(&json!({"path": {"value": long}})),
        "* -? has a path that is not canonical"
    );
    for path in [
        json!(null),
        json!("/a"),
        json!([]),
        json!({"value": 7}),
        json!({"value": null}),
        json!({"type": "Glob"}),
        json!({"type": null}),
        json!({"vaule": "/a"}),
    ] {
        assert_eq!(
            http(&json!({ "path": path })),
            "* -? has a path that cannot be read",
            "{path}"
        );
    }
    let regex = json!({"path": {"type": "RegularExpression", "value": "/a.*"}, "method": "GET"});
    assert_eq!(http(&regex), "GET -? has a regular expression");
}

#[test]
fn what_is_asked_beside_takes_no_more_than_its_path() {
    let header = json!([{"name": "x-canary", "value": "1"}]);
    for (found, expected) in [
        (json!({"headers": header}), "* /**? asks for a header"),
        (
            json!({"queryParams": header, "path": {"value": "/a"}}),
            "* /a/**? asks for a query parameter",
        ),
        (json!({"headers": [], "queryParams": []}), "* /**"),
        (json!({"headers": null}), "* /**? asks for a header"),
        (
            json!({"method": "BREW"}),
            "* -? has a method that there is not",
        ),
        (
            json!({"method": "get"}),
            "* -? has a method that there is not",
        ),
        (
            json!({"method": null}),
            "* -? has a method that there is not",
        ),
        (
            json!({"cookies": []}),
            "* -? has a field that is not known, `cookies`",
        ),
        (json!(null), "* -? is no object"),
        (json!([]), "* -? is no object"),
    ] {
        assert_eq!(http(&found), expected, "{found}");
    }
}

#[test]
fn a_rule_that_does_not_say_takes_all() {
    for rule in [
        json!({}),
        json!({"matches": []}),
        json!({"name": "a", "backendRefs": [], "filters": []}),
    ] {
        assert_eq!(read("HTTPRoute", &rule), ["* /**"], "{rule}");
        assert_eq!(read("GRPCRoute", &rule), ["POST /*/*", "* /**?"], "{rule}");
    }
    let slip = json!({"macthes": [{"path": {"value": "/a"}}]});
    assert_eq!(
        read("HTTPRoute", &slip),
        ["* -? has a field that is not known, and no `matches`"]
    );
    assert_eq!(
        read("HTTPRoute", &json!({"matches": null})),
        ["* -? has `matches` that are no list"]
    );
    assert_eq!(
        read("GRPCRoute", &json!({"matches": 7})),
        ["* -? has `matches` that are no list"]
    );
    assert_eq!(read("HTTPRoute", &json!("a")), ["* -? is no object"]);
    let two = json!({"matches": [{"path": {"value": "/a"}}, {"path": {"value": "/b"}}]});
    assert_eq!(read("HTTPRoute", &two), ["* /a/**", "* /b/**"]);
}

/// A call is `POST /SERVICE/METHOD`; whether anything else is taken is nowhere said.
#[test]
fn of_grpc_a_service_is_one_segment_and_a_method_another() {
    let grpc = |method: Value| read("GRPCRoute", &json!({"matches": [{ "method": method }]}));
    let call = json!({"service": "shop.v1.Orders", "method": "Get"});
    assert_eq!(
        grpc(call),
        ["POST /shop.v1.Orders/Get", "* /shop.v1.Orders/Get?"]
    );
    let service = json!({"type": "Exact", "service": "shop.v1.Orders"});
    assert_eq!(
        grpc(service),
        ["POST /shop.v1.Orders/*", "* /shop.v1.Orders/**?"]
    );
    assert_eq!(grpc(json!({"method": "Get"})), ["POST /*/Get", "* /*/Get?"]);
    for unread in [
        json!({}),
        json!(null),
        json!({"service": ""}),
        json!({"service": "a/b"}),
        json!({"service": "*"}),
        json!({"service": "a..b"}),
        json!({"method": null}),
        json!({"service": 7}),
        json!({"type": "Prefix", "service": "a"}),
        json!({"servise": "a", "method": "b"}),
    ] {
        assert_eq!(
            grpc(unread.clone()),
            ["* -? has a method that cannot be read"],
            "{unread}"
        );
    }
    let regex = json!({"type": "RegularExpression", "service": "shop.*"});
    assert_eq!(grpc(regex), ["* -? has a regular expression"]);
    let header = json!({"matches": [{"method": {"service": "a", "method": "B"}, "headers": [{"name": "x", "value": "y"}]}]});
    assert_eq!(
        read("GRPCRoute", &header),
        ["POST /a/B? asks for a header", "* /a/B?"]
    );
    let path = json!({"matches": [{"path": {"value": "/a"}}]});
    assert_eq!(
        read("GRPCRoute", &path),
        ["* -? has a field that is not known, `path`"]
    );
}
