//! Random rules of routes, of both kinds, with what their authors get wrong.

use super::pool::METHODS;
use super::spoil::spoilt;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::{Value, json};

/// The names of rules, by which policies mean them.
pub(crate) const SECTIONS: [&str; 3] = ["api", "site", "put"];

/// The rules of a route of that kind.
pub(crate) fn rules(kind: &str) -> BoxedStrategy<Value> {
    let one = if kind == "GRPCRoute" {
        one_call().boxed()
    } else {
        one_match().boxed()
    };
    let rules = vec(spoilt(rule(one)), 1..4).prop_map(Value::Array);
    prop_oneof![40 => rules, 1 => select(vec![json!(null), json!("all"), json!({})])].boxed()
}

fn rule(one: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![1 => Just(None), 6 => select(&SECTIONS[..]).prop_map(Some)];
    let matches = prop_oneof![
        2 => Just(None),
        20 => vec(one, 1..4).prop_map(|all| Some(Value::Array(all))),
        1 => select(vec![json!([]), json!(null), json!({}), json!([7])]).prop_map(Some),
    ];
    (name, matches).prop_map(|(name, matches)| {
        let mut rule = json!({});
        if let Some(name) = name {
            rule["name"] = json!(name);
        }
        if let Some(matches) = matches {
            rule["matches"] = matches;
        }
        rule
    })
}

/// A match of an HTTPRoute.
fn one_match() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![2 => Just(None), 8 => Just(Some("PathPrefix")), 4 => Just(Some("Exact")), 1 => Just(Some("RegularExpression"))];
    let value = prop_oneof![
        24 => select(vec!["/", "/a", "/a/b", "/b"]),
        2 => select(vec!["/a/", "/b/"]),
        1 => select(vec!["/a//b", "a", "/a/*", "/%61", "", "/b?q"]),
    ];
    let path = spoilt((kind, value).prop_map(|(kind, value)| {
        let mut path = json!({"value": value});
        if let Some(kind) = kind {
            path["type"] = json!(kind);
        }
        path
    }));
    let method = prop_oneof![30 => select(&METHODS[..]), 1 => select(vec!["get", "FETCH"])];
    let one = (weighted(0.9, path), weighted(0.3, method), asked()).prop_map(
        |(path, method, (name, asked))| {
            let mut one = json!({});
            if let Some(path) = path {
                one["path"] = path;
            }
            if let Some(method) = method {
                one["method"] = json!(method);
            }
            if let Some(name) = name {
                one[name] = asked;
            }
            one
        },
    );
    spoilt(one)
}

/// A match of a GRPCRoute.
fn one_call() -> impl Strategy<Value = Value> {
    let name = |names: Vec<&'static str>| {
        let odd = select(vec![json!(""), json!(7), json!("a/b"), json!("*")]);
        prop_oneof![20 => select(names).prop_map(|name| json!(name)), 1 => odd]
    };
    let kind = select(vec![
        json!("Exact"),
        json!("Exact"),
        json!("RegularExpression"),
    ]);
    let method = (
        weighted(0.7, name(vec!["a", "a", "b", "shop.v1.Orders"])),
        weighted(0.6, name(vec!["b", "b", "c"])),
        weighted(0.15, kind),
    );
    let method = spoilt(method.prop_map(|(service, method, kind)| {
        let fields = [("service", service), ("method", method), ("type", kind)];
        let fields = fields.into_iter();
        let there = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        there.collect()
    }));
    let one = (weighted(0.85, method), asked()).prop_map(|(method, (name, asked))| {
        let mut one = json!({});
        if let Some(method) = method {
            one["method"] = method;
        }
        if let Some(name) = name.filter(|name| *name == "headers") {
            one[name] = asked;
        }
        one
    });
    spoilt(one)
}

/// What a match asks for beside.
fn asked() -> impl Strategy<Value = (Option<&'static str>, Value)> {
    let asked = json!([{"name": "x-tier", "value": "gold"}]);
    let name =
        prop_oneof![10 => Just(None), 1 => Just(Some("headers")), 1 => Just(Some("queryParams"))];
    let what = prop_oneof![8 => Just(asked), 1 => Just(json!([])), 1 => Just(json!(null))];
    (name, what)
}
