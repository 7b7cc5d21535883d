//! Random conditions: what people write in `when`, and what they write wrong.

use super::pool::{CLIENTS, EMAILS, GROUPS, HOST, METHODS, PROVIDERS, REALM_ROLES, SUBJECTS};
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::{Value, json};

/// A condition, mostly one that can be read.
pub(crate) fn condition() -> impl Strategy<Value = Value> {
    prop_oneof![
        18 => expression().prop_map(|text| json!(text)),
        1 => select(&BROKEN[..]).prop_map(|text| json!(text)),
        1 => select(vec![json!(null), json!(""), json!(7), json!([])]),
    ]
}

/// What this language has not, or what no CEL is.
const BROKEN: [&str; 28] = [
    "caller.subject ==",
    "caller.subject = 'ana'",
    "caller.subjct == 'ana'",
    "caller.subject.matches('a.*')",
    "request.time > 0",
    "path",
    "caller",
    "subject == 'ana'",
    "size(caller.groups) + 1 > 1",
    "caller.claims.tenant == null",
    "caller.groups.map(g, g) == ['staff']",
    "caller.groups.exists_one(g, g == 'staff')",
    "caller.groups.filter(g, g == 'staff') == []",
    "true ? true : false",
    "inCIDR(request.source, '10.0.0.0')",
    "inCIDR(request.source, request.host)",
    "caller.subject == 5",
    "caller.subject",
    "!caller.subject",
    "has(caller.subject == 'ana')",
    "caller.subject in 'ana'",
    "1 < 'a'",
    "caller.provider != caller.claims.tenant",
    "['ClusterTrustProvider/okta'].all(p, p != caller.provider)",
    "!caller.provider.endsWith('/okta')",
    "request.method != 'get'",
    "request.host != 'Orders.example.com'",
    "request.path != '/a/./b'",
];

/// A condition that can be read. Types that cannot fit are looked for in whole conditions only.
pub(crate) fn expression() -> BoxedStrategy<String> {
    let leaf = prop_oneof![6 => of_caller(), 4 => of_request(), 2 => of_path(), 1 => Just("true".to_owned()), 1 => Just("false".to_owned())];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|one| format!("!({one})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && ({b})")),
            3 => (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || {b}")),
        ]
    })
    .boxed()
}

/// One of these texts, in either kind of quotes.
fn one(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    (select(of), select(vec!['\'', '"'])).prop_map(|(text, quote)| format!("{quote}{text}{quote}"))
}

fn operator() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "!=", "<", "<=", ">", ">="])
}

fn of_caller() -> impl Strategy<Value = String> {
    let fact = select(vec![
        "subject",
        "email",
        "client",
        "actor",
        "groups",
        "provider",
        "claims.tenant",
        "claims.realm_access",
        "claims.realm_access.roles",
        "claims[\"realm_access\"].roles",
    ]);
    let list = select(vec![
        "caller.groups",
        "caller.claims.realm_access.roles",
        "caller.claims.amr",
        "caller.claims.tenant",
    ]);
    prop_oneof![
        2 => lists(),
        2 => fact.prop_map(|fact| format!("has(caller.{})", fact.replace("[\"realm_access\"]", ".realm_access"))),
        2 => (operator(), one(&SUBJECTS)).prop_map(|(is, text)| format!("caller.subject {is} {text}")),
        1 => one(&EMAILS).prop_map(|text| format!("caller.email == {text}")),
        1 => select(vec!["caller.email.endsWith('@example.com')", "caller.subject.startsWith('sys')", "caller.client.contains('e')", "caller.claims.tenant.startsWith('a')"]).prop_map(str::to_owned),
        1 => one(&CLIENTS).prop_map(|text| format!("{text} == caller.client")),
        2 => one(&GROUPS).prop_map(|text| format!("{text} in caller.groups")),
        2 => (list.clone(), one(&REALM_ROLES)).prop_map(|(list, text)| format!("{text} in {list}")),
        1 => (list.clone(), one(&GROUPS)).prop_map(|(list, text)| format!("{list}.exists(x, x == {text})")),
        1 => (list.clone(), one(&GROUPS)).prop_map(|(list, text)| format!("{list}.all(x, x != {text} && x.startsWith('s'))")),
        1 => (list, operator(), 0..3_u8).prop_map(|(list, is, number)| format!("size({list}) {is} {number}")),
        2 => (operator(), 0..3_u8).prop_map(|(is, number)| format!("caller.claims.level {is} {number}")),
        1 => select(vec!["caller.claims.trusted", "caller.claims.trusted == true", "caller.claims.tenant == caller.claims.other", "caller.claims.tenant in ['a', 'b']", "caller.groups.exists(g, g in caller.claims.realm_access.roles)"]).prop_map(str::to_owned),
        1 => select(&PROVIDERS[..]).prop_map(|id| format!("caller.provider == '{id}'")),
        1 => (select(&PROVIDERS[..]), select(&PROVIDERS[..])).prop_map(|(a, b)| format!("caller.provider in ['{a}', '{b}']")),
        1 => select(&PROVIDERS[..]).prop_map(|id| format!("'{id}' != caller.provider")),
    ]
}

/// Whether lists are equal: of one length or not, and of what may be absent.
fn lists() -> impl Strategy<Value = String> {
    let side = || {
        select(vec![
            "caller.groups",
            "caller.claims.realm_access.roles",
            "caller.claims.amr",
            "caller.claims.tenant",
            "[caller.claims.tenant]",
            "[caller.claims.tenant, caller.claims.other]",
            "[caller.subject]",
            "['ana']",
            "['a']",
            "['a', 'viewer']",
            "['staff']",
            "['pwd']",
            "['admin', 'viewer']",
            "[]",
        ])
    };
    prop_oneof![
        5 => (side(), select(vec!["==", "!="]), side()).prop_map(|(a, is, b)| format!("{a} {is} {b}")),
        1 => side().prop_map(|list| format!("'a' in {list}")),
        1 => side().prop_map(|list| format!("size({list}) == 1")),
        1 => (side(), side()).prop_map(|(a, b)| format!("{a} in [{b}, ['a']]")),
    ]
}

fn of_request() -> impl Strategy<Value = String> {
    let header = select(vec![
        "request.headers['x-tier']",
        "request.headers.tier",
        "request.headers[\"x-tier\"]",
    ]);
    let network = select(vec![
        "10.0.0.0/8",
        "192.0.2.7/32",
        "2001:db8::/32",
        "0.0.0.0/0",
    ]);
    prop_oneof![
        2 => one(&METHODS).prop_map(|text| format!("request.method == {text}")),
        1 => select(vec!["request.path.startsWith('/a')", "size(request.path) < 4", "request.path == '/a/b'"]).prop_map(str::to_owned),
        1 => Just(format!("request.host == '{HOST}'")),
        3 => network.prop_map(|network| format!("inCIDR(request.source, '{network}')")),
        2 => (header, select(vec!["gold", "silver"])).prop_map(|(header, text)| format!("{header} == '{text}'")),
        1 => select(vec!["has(request.headers.tier)", "has(request.source)"]).prop_map(str::to_owned),
    ]
}

fn of_path() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["b", "a b", "c", "a"]).prop_map(|text| format!("path.x == '{text}'")),
        2 => Just("caller.claims.tenant == path.x".to_owned()),
        1 => Just("path.y in ['b', 'c']".to_owned()),
        1 => Just("path.x in caller.groups".to_owned()),
        1 => Just("size(path.x) > 1".to_owned()),
    ]
}
