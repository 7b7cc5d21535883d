//! Conditions against another reader: whatever both define means the same at the edge and in the `cel` crate.
//!
//! Nothing here is absent or unknown: every fact is there, and every type fits.

use cel::{Context, Program, Value as Cel};
use http::{HeaderMap, Method, Uri};
use proptest::prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, prop, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::HashMap;
use tests::trial::Trial;

/// What a header and a part of the path are.
const TEXTS: [&str; 6] = ["", "a", "b", "ab", "äé", "A"];
/// The largest number that a ruleset carries.
const MOST: i64 = 9_007_199_254_740_991;
const HOST: &str = "orders.example.com";

/// A text, written in one of the ways of CEL.
fn quoted() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        3 => select(&TEXTS[..]).prop_map(str::to_owned),
        1 => "[ -~äé\n\t]{0,6}",
    ];
    (text, 0..5_u8).prop_map(|(text, way)| {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\'', "\\'")
            .replace('\n', "\\n")
            .replace('\t', "\\t");
        match way {
            0 => format!("'{escaped}'"),
            1 => format!("'''{escaped}'''"),
            2 if !text.contains(['"', '\n']) => format!("r\"{text}\""),
            3 => {
                let codes = text.chars().map(|c| format!("\\u{:04x}", u32::from(c)));
                format!("\"{}\"", codes.collect::<String>())
            }
            _ => format!("\"{escaped}\""),
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => quoted(),
        1 => select(vec!["path.x", "request.headers[\"x-a\"]", "request.headers.b"]).prop_map(str::to_owned),
    ]
}

/// What has one spelling only, compared with texts that are spelt so, and with facts.
fn spelt() -> impl Strategy<Value = String> {
    let call = select(vec!["startsWith", "endsWith", "contains"]);
    let with = |texts: &[&'static str]| {
        let facts = ["path.x", "request.path", "request.headers[\"x-a\"]"];
        select([texts, &facts[..]].concat())
    };
    let fact = prop_oneof![
        (
            Just("request.method"),
            with(&["'GET'", "\"POST\"", "'A'", "request.method"])
        ),
        (
            Just("request.host"),
            with(&["'orders.example.com'", "'a'", "request.host"])
        ),
        (Just("request.path"), with(&["'/'", "'/r1/a'", "'/r7/A'"])),
    ];
    prop_oneof![
        2 => (fact.clone(), operator()).prop_map(|((fact, with), is)| format!("{fact} {is} {with}")),
        1 => fact.clone().prop_map(|(fact, with)| format!("{fact} in [path.x, {with}]")),
        1 => (fact.clone(), call).prop_map(|((fact, with), call)| format!("{fact}.{call}({with})")),
        1 => fact.prop_map(|(fact, _)| format!("size({fact}) > 3")),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(text(), 1..4).prop_map(|all| format!("[{}]", all.join(", ")))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => (-3..4_i64).prop_map(|number| number.to_string()),
        1 => (-MOST..MOST).prop_map(|number| number.to_string()),
        1 => (0..300_u32).prop_map(|number| format!("0x{number:X}")),
        2 => text().prop_map(|text| format!("size({text})")),
        1 => texts().prop_map(|list| format!("size({list})")),
        1 => text().prop_map(|text| format!("{text}.size()")),
    ]
}

fn operator() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "!=", "<", "<=", ">", ">="])
}

/// A condition whose types fit.
fn condition() -> BoxedStrategy<String> {
    let call = select(vec!["startsWith", "endsWith", "contains"]);
    let leaf = prop_oneof![
        1 => select(vec!["true", "false"]).prop_map(str::to_owned),
        3 => (text(), operator(), text()).prop_map(|(a, is, b)| format!("{a} {is} {b}")),
        2 => spelt(),
        3 => (number(), operator(), number()).prop_map(|(a, is, b)| format!("{a}{is}{b}")),
        2 => (text(), call, text()).prop_map(|(a, call, b)| format!("{a}.{call}({b})")),
        2 => (text(), texts()).prop_map(|(a, list)| format!("{a} in {list}")),
        1 => (texts(), texts()).prop_map(|(a, b)| format!("{a} == {b}")),
        1 => (texts(), select(vec!["exists", "all"]), text(), operator()).prop_map(
            |(list, each, text, is)| format!("{list}.{each}(x, x {is} {text})")
        ),
        1 => (texts(), texts(), select(vec!["x", "y"])).prop_map(
            |(a, b, inner)| format!("{a}.exists(x, {b}.all({inner}, x <= {inner}))")
        ),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|one| format!("!({one})")),
            1 => inner.clone().prop_map(|one| format!("( // so\n {one})")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && {b}")),
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || ({b})")),
            2 => (inner.clone(), inner).prop_map(|(a, b)| format!("{a} && {b} || {b}")),
        ]
    })
    .prop_filter("it may be at most so long", |text| text.len() <= 1_024)
    .boxed()
}

/// An edge with a rule for each condition.
fn edge(conditions: &[String]) -> Trial {
    let rule = |(n, when): (usize, &String)| {
        json!({
            "name": format!("r{n}"),
            "from": [{"anyone": true}],
            "to": [{"paths": [format!("/r{n}/{{x}}")]}],
            "when": when,
        })
    };
    let rules: Vec<Value> = conditions.iter().enumerate().map(rule).collect();
    let policy = json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "AccessPolicy",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"hosts": [HOST], "rules": rules},
    });
    Trial::of(&[policy], "shop", &format!("Host/{HOST}"))
}

/// What the other reader makes of it, of the same facts.
fn other(condition: &str, path: &str, part: &str, header: &str) -> Option<bool> {
    let program = Program::compile(condition).ok()?;
    let mut context = Context::default();
    let headers = HashMap::from([("x-a", header), ("b", "b")]);
    let headers = Cel::from(headers);
    let request = HashMap::from([
        ("method", Cel::from("GET")),
        ("host", Cel::from(HOST)),
        ("path", Cel::from(path)),
        ("headers", headers),
    ]);
    context.add_variable_from_value("request", request);
    context.add_variable_from_value("path", HashMap::from([("x", part)]));
    match program.execute(&context) {
        Ok(Cel::Bool(value)) => Some(value),
        _ => None,
    }
}

#[test]
fn what_both_define_means_the_same() {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    let header = select(vec!["a", "ab", "A b"]);
    let part = select(vec!["a", "b", "A"]);
    let conditions = prop::collection::vec(condition(), 32);
    let counts = Cell::new((0_usize, 0_usize));
    runner
        .run(&(conditions, part, header), |(all, part, header)| {
            let edge = edge(&all);
            let mut headers = HeaderMap::new();
            headers.insert("x-a", header.parse().expect("a header"));
            headers.insert("b", "b".parse().expect("a header"));
            for (n, when) in all.iter().enumerate() {
                let path = format!("/r{n}/{part}");
                let uri: Uri = format!("https://{HOST}{path}").parse().expect("a URL");
                let Some(expected) = other(when, &path, part, header) else {
                    continue;
                };
                let reason = edge.decide(&Method::GET, &uri, &headers).reason;
                let wanted = if expected { "Allowed" } else { "NoToken" };
                assert_eq!(reason, wanted, "{when}");
                let (compared, let_in) = counts.get();
                counts.set((compared + 1, let_in + usize::from(expected)));
            }
            Ok(())
        })
        .expect("both mean the same");
    let (compared, let_in) = counts.get();
    assert!(compared > 1_500, "only {compared} were compared");
    assert!(
        let_in > 400 && compared - let_in > 400,
        "{let_in} of {compared}"
    );
}
