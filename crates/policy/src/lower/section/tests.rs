//! What the order of a route's rules settles, and what it leaves open.

use super::{sections, unclear};
use crate::resources::Resources;
use crate::resources::route::Route;
use serde_json::{Value, json};

fn route(rules: &Value) -> Route {
    let manifest = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "r"}, "spec": {"rules": rules}});
    let resources = Resources::read(&[manifest]).unwrap();
    resources.routes.into_values().next().unwrap()
}

/// A rule of those prefixes, each perhaps after a method.
fn rule(name: &str, prefixes: &[&str]) -> Value {
    let matches = prefixes.iter().map(|prefix| match prefix.split_once(' ') {
        Some((method, path)) => json!({"method": method, "path": {"value": path}}),
        None => json!({"path": {"value": prefix}}),
    });
    let mut rule = json!({"matches": matches.collect::<Vec<_>>()});
    if !name.is_empty() {
        rule["name"] = json!(name);
    }
    rule
}

/// Each section as `NAME: METHOD PATH, ...`, with a `?` after what is unknown.
fn told(rules: &Value) -> Vec<String> {
    let told = sections(&route(rules)).into_iter().map(|section| {
        let matches = section.matches.iter().map(|it| {
            let method = it
                .method
                .as_deref()
                .map(|it| format!("{it} "))
                .unwrap_or_default();
            let path = it.path.as_ref().map_or("-", |path| path.as_str());
            format!("{method}{path}{}", if it.unknown { "?" } else { "" })
        });
        let name = section.name.as_deref().unwrap_or("-");
        format!("{name}: {}", matches.collect::<Vec<_>>().join(", "))
    });
    told.collect()
}

#[test]
fn of_two_that_are_alike_the_first_rule_takes_it() {
    let rules = [
        rule("a", &["/v1", "GET /v2"]),
        rule("b", &["/v1", "/v2", "GET /v2", "/v3"]),
        rule("", &["/v3", "/v4"]),
    ];
    let expected = ["-: /v4/**", "a: /v1/**, GET /v2/**", "b: /v2/**, /v3/**"];
    assert_eq!(told(&json!(rules)), expected);
    let turned = [rules[1].clone(), rules[0].clone(), rules[2].clone()];
    let expected = ["-: /v4/**", "a: ", "b: /v1/**, /v2/**, GET /v2/**, /v3/**"];
    assert_eq!(told(&json!(turned)), expected);
}

#[test]
fn what_perhaps_takes_it_leaves_it_to_the_next() {
    let mut canary = rule("canary", &["/v1"]);
    canary["matches"][0]["headers"] = json!([{"name": "x", "value": "y"}]);
    let rules = json!([canary, rule("stable", &["/v1"])]);
    assert_eq!(told(&rules), ["canary: /v1/**?", "stable: /v1/**"]);
}

/// "The longest prefix": with its slash, or without?
#[test]
fn a_slash_at_the_end_that_some_count_leaves_it_open() {
    let rules = json!([rule("a", &["/v1/"]), rule("b", &["/v1", "/v2"])]);
    assert_eq!(told(&rules), ["a: /v1/**?", "b: /v1/**?, /v2/**"]);
    let same = json!([rule("a", &["/v1/"]), rule("b", &["/v1/", "/v2"])]);
    assert_eq!(told(&same), ["a: /v1/**", "b: /v2/**"]);
    let one = json!([rule("a", &["/v1/", "/v1"]), rule("b", &["/v2"])]);
    assert_eq!(told(&one), ["a: /v1/**, /v1/**", "b: /v2/**"]);
}

#[test]
fn a_route_that_does_not_say_or_cannot_be_read_may_take_anything() {
    let silent = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "r"}, "spec": {}});
    let resources = Resources::read(&[silent]).unwrap();
    let all = sections(&resources.routes.into_values().next().unwrap());
    assert_eq!(all[0].matches[0].path.as_ref().unwrap().as_str(), "/**");
    assert!(!all[0].matches[0].unknown);
    for rules in [json!(null), json!({}), json!("a")] {
        assert_eq!(told(&rules), ["-: -?"], "{rules}");
    }
    let many = |rules: usize, matches: usize| {
        let paths: Vec<String> = (0..matches).map(|n| format!("/p{n}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let rules: Vec<Value> = (0..rules).map(|n| rule(&format!("r{n}"), &paths)).collect();
        route(&json!(rules)).rules.is_ok()
    };
    assert!(many(64, 16) && !many(65, 1) && !many(2, 513));
}

#[test]
fn it_is_said_what_makes_a_section_unclear() {
    let mut canary = rule("canary", &["/v1/beta"]);
    canary["matches"][0]["queryParams"] = json!([{"name": "x", "value": "y"}]);
    let mut regex = rule("", &["/"]);
    regex["matches"][0]["path"]["type"] = json!("RegularExpression");
    regex["matches"][0]["method"] = json!("PUT");
    let rules = [
        rule("all", &["GET /"]),
        rule("v1", &["GET /v1"]),
        rule("v2", &["POST /v2"]),
        canary,
    ];
    let of = |rules: &[Value], name: &str| unclear(&route(&json!(rules)), name).map(str::to_owned);
    let asks = Some("rules[3].matches[0] asks for a query parameter".to_owned());
    assert_eq!(of(&rules, "canary"), asks);
    assert_eq!(of(&rules, "v1"), asks, "it is below");
    assert_eq!(of(&rules, "all"), asks);
    assert_eq!(of(&rules, "v2"), None);
    let with = [&rules[..3], &[regex, rule("v3", &["/v3"])]].concat();
    assert_eq!(of(&with, "v2"), None, "another method");
    assert_eq!(
        of(&with, "v3"),
        Some("rules[3].matches[0] has a regular expression".to_owned())
    );
    let slashes = [rule("a", &["/v1/"]), rule("b", &["/v1"])];
    let expected = "rules[0].matches[0] is a prefix that another rule writes with another end";
    assert_eq!(of(&slashes, "a").as_deref(), Some(expected));
}
