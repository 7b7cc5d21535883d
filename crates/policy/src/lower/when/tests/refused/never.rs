//! What is compared with a spelling that the fact never has is refused, with the right one.

use super::read;

fn said(text: &str) -> String {
    let (condition, found) = read(text);
    assert_eq!(condition.is_none(), !found.is_empty(), "{text}: {found:?}");
    found.join(" | ")
}

const NEVER: &[(&str, &str)] = &[
    (
        "request.method == 'get'",
        "<'get'> `request.method` never is `get`; write \"GET\"",
    ),
    (
        "'Put' != request.method",
        "<'Put'> `request.method` never is `Put`; write \"PUT\"",
    ),
    (
        "request.method in ['GET', 'a b']",
        "<'a b'> `request.method` never is `a b`",
    ),
    ("request.method == ''", "<''> `request.method` never is ``"),
    (
        "request.method.startsWith(' ')",
        "<' '> `request.method` never starts with ` `",
    ),
    (
        "request.host == 'Orders.Example.com'",
        "<'Orders.Example.com'> `request.host`, which is canonical, never is `Orders.Example.com`; write \"orders.example.com\"",
    ),
    (
        "request.host == 'a.example.com:8443'",
        "<'a.example.com:8443'> `request.host`, which is canonical, never is `a.example.com:8443`; write \"a.example.com\"",
    ),
    (
        "request.host == '*.a'",
        "<'*.a'> `request.host`, which is canonical, never is `*.a`",
    ),
    (
        "request.host.endsWith('.Com')",
        "<'.Com'> `request.host`, which is canonical, never ends with `.Com`; write \".com\"",
    ),
    (
        "request.host.endsWith(':80')",
        "<':80'> `request.host`, which is canonical, never ends with `:80`",
    ),
    (
        "request.host.startsWith('.a')",
        "<'.a'> `request.host`, which is canonical, never starts with `.a`",
    ),
    (
        "request.path.startsWith('/café')",
        "<'/café'> `request.path`, which is canonical, never starts with `/café`; write \"/caf%C3%A9\"",
    ),
    (
        "request.path == '/a b'",
        "<'/a b'> `request.path`, which is canonical, never is `/a b`; write \"/a%20b\"",
    ),
    (
        "request.path == '/a/../b'",
        "<'/a/../b'> `request.path`, which is canonical, never is `/a/../b`; write \"/b\"",
    ),
    (
        "request.path.startsWith('v1')",
        "<'v1'> `request.path`, which is canonical, never starts with `v1`; write \"/v1\"",
    ),
    (
        "request.path.endsWith('%2fa')",
        "<'%2fa'> `request.path`, which is canonical, never ends with `%2fa`",
    ),
    (
        "request.path.endsWith('%7Ea')",
        "<'%7Ea'> `request.path`, which is canonical, never ends with `%7Ea`; write \"~a\"",
    ),
    (
        "request.path.contains('//')",
        "<'//'> `request.path`, which is canonical, never contains `//`",
    ),
    (
        "request.path.contains('?a')",
        "<'?a'> `request.path`, which is canonical, never contains `?a`",
    ),
    (
        "request.path in ['/a', 'b']",
        "<'b'> `request.path`, which is canonical, never is `b`; write \"/b\"",
    ),
    (
        "caller.email == 'Ana@example.com'",
        "<'Ana@example.com'> `caller.email`, in lower case, never is `Ana@example.com`; write \"ana@example.com\"",
    ),
    (
        "!caller.email.endsWith('@Example.com')",
        "<'@Example.com'> `caller.email`, in lower case, never ends with `@Example.com`; write \"@example.com\"",
    ),
    (
        "[1].exists(n, caller.email != 'A@a')",
        "<'A@a'> `caller.email`, in lower case, never is `A@a`; write \"a@a\"",
    ),
];

#[test]
fn what_never_holds_is_refused() {
    for (text, expected) in NEVER {
        assert_eq!(said(text), format!("Condition {expected}"), "{text}");
    }
}

#[test]
fn what_may_hold_is_not() {
    for text in [
        "request.method in ['GET', 'PURGE', 'purge'] || request.method.startsWith('P')",
        "request.host == 'a.example.com' || request.host == '[2001:db8::1]' || request.host == '10.0.0.1'",
        "request.host.endsWith('.example.com') || request.host.startsWith('a-') || request.host.contains(':db8:')",
        "request.path == '/' || request.path == '/caf%C3%A9/' || request.path.startsWith('/.well-known/')",
        "request.path.startsWith('') || request.path.startsWith('/a%2') || request.path.endsWith('.pdf')",
        "request.path.contains('..') || request.path.contains('%') || request.path.contains('%20b')",
        "request.path.endsWith('/') || request.path.endsWith('0b') || request.path.contains(caller.subject)",
        "caller.email.endsWith('@a.example') || caller.subject == 'Ana' || request.headers['x-a'] == 'A'",
    ] {
        assert_eq!(said(text), "", "{text}");
    }
}
