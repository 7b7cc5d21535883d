//! What is lowered to what, and what is refused where.

use super::{Beside, lower};
use crate::cel::MAX_TEXT;
use crate::diagnostic::{FieldPath, ResourceId, Severity};
use crate::lower::Sink;
use crate::lower::place::{Place, World};
use crate::lower::provider::Lowered;
use countersign_ruleset::condition::Condition;
use countersign_ruleset::json::{Limits, strict};
use countersign_ruleset::rules::{Effect, To};
use proptest::prelude::{any, prop, proptest};
use serde_json::json;
use std::sync::LazyLock;

mod refused;

/// Where conditions stand: in the namespace `shop`, or in the cluster.
fn place(namespace: Option<&'static str>) -> Place<'static> {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let id = |(kind, namespace, name): (&str, &str, &str)| ResourceId {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        let there = [
            ("ClusterTrustProvider", "", "a"),
            ("ClusterTrustProvider", "", "okta"),
            ("TrustProvider", "bank", "vault"),
            ("TrustProvider", "shop", "a"),
            ("TrustProvider", "shop", "b"),
            ("TrustProvider", "shop", "own"),
        ];
        World {
            providers: there.map(|it| (id(it), Lowered::default())).into(),
            ..World::default()
        }
    });
    Place {
        world: &WORLD,
        namespace,
    }
}

/// Lowers a condition in a rule for `/t/{tenant}/**`; what was found, as `CODE "stretch": message; help`.
fn read_beside(text: &str, beside: Beside<'_>) -> (Option<Condition>, Vec<String>) {
    let mut sink = Sink::new(ResourceId {
        kind: "AccessPolicy".into(),
        namespace: "shop".into(),
        name: "orders".into(),
    });
    let condition = lower(&FieldPath::default(), text, beside, &mut sink);
    let found = sink.into_diagnostics().into_iter().map(|it| {
        let span = it.span.expect("a place in the text");
        let stretch = text.get(span.start..span.end).unwrap();
        let warning = if it.severity == Severity::Warning {
            "warning "
        } else {
            ""
        };
        let help = it.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!(
            "{warning}{} <{stretch}> {}{help}",
            it.code.as_str(),
            it.message
        )
    });
    (condition, found.collect())
}

fn to(paths: &[&str]) -> Vec<To> {
    let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
    vec![To {
        paths: Some(paths),
        ..To::default()
    }]
}

fn read(text: &str) -> (Option<Condition>, Vec<String>) {
    let to = to(&["/t/{tenant}/**"]);
    let beside = Beside {
        effect: Effect::Allow,
        anyone: false,
        to: &to,
        place: place(Some("shop")),
    };
    read_beside(text, beside)
}

fn nodes(text: &str) -> serde_json::Value {
    let (condition, found) = read(text);
    assert_eq!(found, [""; 0], "{text}");
    serde_json::to_value(condition.expect("it is lowered")).unwrap()
}

#[test]
fn a_comparison_is_three_nodes() {
    assert_eq!(
        nodes("caller.claims.tenant == path.tenant // one's own"),
        json!([
            {"claim": ["tenant"]},
            {"capture": "tenant"},
            {"compare": {"operator": "equal", "left": 0, "right": 1}},
        ])
    );
}

#[test]
fn what_is_said_twice_is_one_node() {
    assert_eq!(
        nodes("has(caller.email) && (caller.email in [\"a\", 'a'] || has(caller.email))"),
        json!([
            {"caller": "email"},
            {"has": 0},
            {"literal": {"text": "a"}},
            {"list": [2, 2]},
            {"in": {"item": 0, "list": 3}},
            {"any": [4, 1]},
            {"all": [1, 5]},
        ])
    );
    // the result stands last, also where it is shared
    assert_eq!(nodes("caller.claims.a"), json!([{"claim": ["a"]}]));
}

#[test]
fn elements_are_bound_from_the_inside() {
    assert_eq!(
        nodes("caller.groups.exists(g, caller.claims.a.exists(x, x.b == g))"),
        json!([
            {"caller": "groups"},
            {"exists": {"list": 0, "body": [
                {"claim": ["a"]},
                {"exists": {"list": 0, "body": [
                    {"bound": 0},
                    {"select": {"of": 0, "member": "b"}},
                    {"bound": 1},
                    {"compare": {"operator": "equal", "left": 1, "right": 2}},
                ]}},
            ]}},
        ])
    );
    assert_eq!(
        nodes("caller.groups.exists(x, caller.claims.a.exists(x, x == 1))")[1]["exists"]["body"][1]
            ["exists"]["body"][0],
        json!({"bound": 0})
    );
}

#[test]
fn texts_and_numbers_are_read_as_cel_has_them() {
    for (written, value) in [
        (r#""a\n\t\\\"\'\`\?""#, "a\n\t\\\"'`?"),
        (r"'\x41\101\u00e4\U0001F600'", "AAä😀"),
        (r#"r"\n""#, r"\n"),
        ("R'a\"'", "a\""),
        ("'''a\n'b'\n'''", "a\n'b'\n"),
        (r#""""a"b""""#, "a\"b"),
        ("''", ""),
    ] {
        let read = nodes(&format!("caller.subject == {written}"));
        assert_eq!(read[1], json!({"literal": {"text": value}}), "{written}");
    }
    for (written, value) in [
        ("0", 0_i64),
        ("-7", -7),
        ("0x1F", 31),
        ("-0xf", -15),
        ("9007199254740991", 9_007_199_254_740_991),
        ("-0x1fffffffffffff", -9_007_199_254_740_991),
    ] {
        let read = nodes(&format!("caller.claims.n > {written}"));
        assert_eq!(read[1], json!({"literal": {"integer": value}}), "{written}");
    }
}

#[test]
fn the_name_of_a_header_is_lowered_in_lower_case() {
    let small = nodes("has(request.headers[\"x-app\"])");
    assert_eq!(nodes("has(request.headers['X-App'])"), small);
    assert_eq!(small[0], json!({"request": {"header": "x-app"}}));
}

#[test]
fn a_long_chain_is_one_node() {
    let text = vec!["true"; 128].join("&&");
    assert_eq!(
        nodes_of_constant(&text)[1]["all"].as_array().unwrap().len(),
        128
    );
}

fn nodes_of_constant(text: &str) -> serde_json::Value {
    let (condition, found) = read(text);
    assert_eq!(found.len(), 1, "{found:?}");
    serde_json::to_value(condition.expect("it is lowered")).unwrap()
}

/// Whatever is lowered is a condition that the edge takes.
fn holds_the_bounds(text: &str) {
    let (condition, found) = read(text);
    match condition {
        Some(condition) => {
            assert!(Condition::new(condition.nodes().to_vec()).is_ok(), "{text}");
            let signed = serde_json::to_vec(&condition).unwrap();
            assert!(strict::<Condition>(&signed, Limits::BLOB).is_ok(), "{text}");
        }
        None => assert!(!found.is_empty(), "{text}"),
    }
}

const VALID: [&str; 5] = [
    "caller.claims.tenant == path.tenant && !inCIDR(request.source, '10.0.0.0/8')",
    "caller.groups.exists(g, g in ['a', r\"b\"]) || size(caller.claims.x) >= -0x1f // c",
    "caller.claims['https://a/b'].c.all(x, has(x.y) && x.y.startsWith(\"\\u00e4\"))",
    "request.headers[\"x-app\"].contains('''a'b''') != (request.method == 'GET')",
    "caller.provider in ['ClusterTrustProvider/okta'] && caller.email.endsWith('@a')",
];

proptest! {
    #[test]
    fn no_text_is_too_much(text in any::<String>()) {
        holds_the_bounds(&text);
    }

    #[test]
    fn no_words_are_too_much(words in prop::collection::vec(prop::sample::select(&[
        "caller", "request", "path", ".", "claims", "groups", "[", "]", "(", ")", "'a'", "\"", "\\", "1", "0x", "-",
        "&&", "||", "!", "==", "in", "has", "size", "exists", "all", ",", "x", "{", "?", " ", "\n", "//", "ä", "null",
    ][..]), 0..300)) {
        holds_the_bounds(&words.concat());
    }

    #[test]
    fn no_change_is_too_much(which in 0..VALID.len(), at in 0_usize..80, cut in 0_usize..4, put in "[ -~ä]{0,3}") {
        let text: Vec<char> = VALID[which].chars().collect();
        let at = at.min(text.len());
        let rest = at.saturating_add(cut).min(text.len());
        let changed: String = text[..at].iter().copied().chain(put.chars()).chain(text[rest..].iter().copied()).collect();
        holds_the_bounds(&changed);
    }
}

#[test]
fn what_is_valid_is_lowered() {
    for text in VALID {
        assert!(read(text).0.is_some(), "{text}: {:?}", read(text).1);
    }
    let deep = format!("{}true{}", "(".repeat(500), ")".repeat(500));
    for text in [
        deep,
        "!".repeat(MAX_TEXT),
        "[".repeat(MAX_TEXT),
        "a.".repeat(500),
        "-".repeat(MAX_TEXT),
    ] {
        assert!(read(&text).0.is_none());
        holds_the_bounds(&text);
    }
}
