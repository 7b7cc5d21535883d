//! `to.mcp`: which calls are meant, in three states.

use super::{texts, to_of, unknown};
use countersign_ruleset::rules::{Mcp, To};

fn calls(tools: Option<&[&str]>, methods: Option<&[&str]>) -> To {
    To {
        mcp: Some(Mcp {
            tools: tools.map(texts),
            methods: methods.map(texts),
        }),
        ..To::default()
    }
}

fn read(mcp: &str) -> (Vec<To>, Vec<String>) {
    let (to, found) = to_of(&format!("{{mcp: {mcp}}}"));
    let short = |text: &String| text.replace("spec.rules[0].to[0].mcp", "");
    (to, found.iter().map(short).collect())
}

#[test]
fn tools_and_methods_are_lowered_as_they_read() {
    for (mcp, expected) in [
        (
            "{tools: [search, delete]}",
            calls(Some(&["delete", "search"]), None),
        ),
        (
            "{methods: [tools/list]}",
            calls(None, Some(&["tools/list"])),
        ),
        (
            "{tools: [a], methods: [tools/call, tools/list]}",
            calls(Some(&["a"]), Some(&["tools/call", "tools/list"])),
        ),
    ] {
        assert_eq!(read(mcp), (vec![expected], Vec::new()), "{mcp}");
    }
}

#[test]
fn what_cannot_be_read_may_be_any_call_or_none() {
    for (mcp, expected) in [
        ("null", "UnreadableValue "),
        ("{}", "UnreadableValue "),
        ("[search]", "UnreadableValue "),
        ("{tool: [a]}", "UnknownField .tool"),
        ("{tools: null}", "UnreadableValue .tools"),
        ("{tools: []}", "UnreadableValue .tools"),
        ("{tools: ['']}", "InvalidValue .tools[0]"),
        ("{tools: ['*']}", "InvalidValue .tools[0]"),
        ("{methods: [tools/*]}", "InvalidValue .methods[0]"),
        ("{tools: [a], methods: [tools/list]}", "Exclusive .methods"),
    ] {
        let (to, found) = read(mcp);
        assert_eq!(to, [unknown()], "{mcp}");
        assert_eq!(found, [expected], "{mcp}");
    }
}

#[test]
fn a_member_that_cannot_be_read_leaves_the_others() {
    let (to, _) = read("{tools: [search, '']}");
    assert_eq!(to, [unknown(), calls(Some(&["search"]), None)]);
    let (to, _) = read("{tools: [search, ''], methods: [tools/call]}");
    let rest = To {
        unknown: true,
        ..calls(None, Some(&["tools/call"]))
    };
    assert_eq!(to, [rest, calls(Some(&["search"]), Some(&["tools/call"]))]);
    let (to, _) = read("{tools: [search], methds: [a]}");
    let spoilt = To {
        unknown: true,
        ..calls(Some(&["search"]), None)
    };
    assert_eq!(to, [spoilt]);
}

#[test]
fn calls_stand_beside_what_else_is_asked() {
    let (to, found) = to_of("{methods: [POST], paths: [/mcp], mcp: {tools: [search]}}");
    let expected = To {
        methods: Some(texts(&["POST"])),
        paths: Some(super::paths(&["/mcp"])),
        ..calls(Some(&["search"]), None)
    };
    assert_eq!((to, found.len()), (vec![expected], 0));
}
