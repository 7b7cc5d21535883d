//! Lines 18 to 20: which requests are meant, and the names of rules.

use super::{compiled_yaml, found, help, only, paths, policy, texts, to_of};
use crate::diagnostic::Code;
use countersign_ruleset::rules::To;

fn methods(methods: &[&str]) -> To {
    To {
        methods: Some(texts(methods)),
        ..To::default()
    }
}

#[test]
fn an_entry_is_the_and_of_its_fields() {
    let (to, found) = to_of(
        "{hosts: ['*.example.com'], methods: [POST, GET], paths: [/b, /a/*, '/t/{x}/**'], corsPreflight: true}",
    );
    let expected = To {
        hosts: Some(vec!["*.example.com".parse().unwrap()]),
        methods: Some(texts(&["GET", "POST"])),
        paths: Some(paths(&["/a/*", "/b", "/t/{x}/**"])),
        cors_preflight: true,
        ..To::default()
    };
    assert_eq!((to, found), (vec![expected], vec![]));
}

#[test]
fn a_path_is_compared_in_its_canonical_spelling() {
    for (written, canonical) in [
        ("/v1/orders%3Acancel", "/v1/orders:cancel"),
        ("/%61/{x}/%7e", "/a/{x}/~"),
        ("/é", "/%C3%A9"),
        ("/a b", "/a%20b"),
        ("/%c3%a9/**", "/%C3%A9/**"),
    ] {
        let (to, found) = to_of(&format!("{{paths: ['{written}']}}"));
        assert_eq!(
            to,
            [To {
                paths: Some(paths(&[canonical])),
                ..To::default()
            }],
            "{written}"
        );
        assert_eq!(
            found,
            ["warning PathNotCanonical spec.rules[0].to[0].paths[0]"]
        );
        let spec = format!(
            "rules: [{{name: a, action: Deny, from: [{{anyone: true}}], to: [{{paths: ['{written}']}}]}}]"
        );
        let compilation = compiled_yaml(&policy(&spec));
        let expected = format!("write `{canonical}`, which is what is compared");
        assert_eq!(
            help(&compilation, Code::PathNotCanonical),
            Some(expected.as_str())
        );
    }
    assert_eq!(
        to_of("{paths: ['/v1/orders:cancel', /%C3%A9]}").1,
        Vec::<String>::new()
    );
}

#[test]
fn a_pattern_that_no_request_could_have_is_unknown() {
    for bad in [
        "/foo*", "/a//b", "a", "/**/a", "/{x}/{x}", "/a%2fb", "/a;b", "/a?b", "/a#b", "/%zz", "",
    ] {
        let (to, found) = to_of(&format!("{{methods: [GET], paths: ['{bad}']}}"));
        assert_eq!(
            to,
            [To {
                unknown: true,
                ..methods(&["GET"])
            }],
            "{bad}"
        );
        assert_eq!(
            found,
            ["InvalidValue spec.rules[0].to[0].paths[0]"],
            "{bad}"
        );
    }
}

#[test]
fn a_bad_member_leaves_the_good_ones_and_an_unknown_beside() {
    let (to, _) = to_of("{methods: [GET], paths: [/a, 'b*']}");
    let good = To {
        paths: Some(paths(&["/a"])),
        ..methods(&["GET"])
    };
    assert_eq!(
        to,
        [
            To {
                unknown: true,
                ..methods(&["GET"])
            },
            good
        ]
    );
}

#[test]
fn a_misspelt_field_leaves_what_can_be_read() {
    let (to, found) = to_of("{method: [GET], paths: [/a]}");
    assert_eq!(
        to,
        [To {
            paths: Some(paths(&["/a"])),
            unknown: true,
            ..To::default()
        }]
    );
    assert_eq!(found, ["UnknownField spec.rules[0].to[0].method"]);
    let (to, _) = to_of("{methods: null, paths: [/a]}");
    assert_eq!(
        to,
        [To {
            paths: Some(paths(&["/a"])),
            unknown: true,
            ..To::default()
        }]
    );
}

#[test]
fn methods_are_compared_exactly() {
    for (bad, hint) in [
        ("get", "write `GET`"),
        ("'*'", "leave `methods` out to mean every method"),
    ] {
        let spec = format!(
            "rules: [{{name: a, action: Deny, from: [{{anyone: true}}], to: [{{methods: [{bad}]}}]}}]"
        );
        let compilation = compiled_yaml(&policy(&spec));
        assert_eq!(only(&compilation).rules[0].to, [super::unknown()], "{bad}");
        assert_eq!(help(&compilation, Code::InvalidValue), Some(hint));
    }
    assert_eq!(to_of("{methods: [PROPFIND]}").0, [methods(&["PROPFIND"])]);
    assert_eq!(to_of("{methods: ['A B']}").0, [super::unknown()]);
}

#[test]
fn hosts_are_exact_or_a_wildcard_and_told_how_to_be_written() {
    for (bad, hint) in [
        ("Orders.example.com", Some("write `orders.example.com`")),
        ("'*.Example.com:80'", Some("write `*.example.com`")),
        ("'*'", None),
    ] {
        let spec = format!(
            "rules: [{{name: a, action: Deny, from: [{{anyone: true}}], to: [{{hosts: [{bad}]}}]}}]"
        );
        let compilation = compiled_yaml(&policy(&spec));
        assert_eq!(only(&compilation).rules[0].to, [super::unknown()], "{bad}");
        assert_eq!(help(&compilation, Code::InvalidValue), hint, "{bad}");
    }
}

#[test]
fn a_preflight_is_asked_for_or_not_spoken_of() {
    for bad in ["false", "null", "'yes'"] {
        let (to, found) = to_of(&format!("{{corsPreflight: {bad}, paths: [/a]}}"));
        assert_eq!(
            to,
            [To {
                paths: Some(paths(&["/a"])),
                unknown: true,
                ..To::default()
            }],
            "{bad}"
        );
        assert_eq!(found.len(), 1, "{bad}");
    }
}

#[test]
fn rules_without_a_name_of_their_own_get_one_by_what_they_say() {
    let a = "{from: [{providerRef: {name: okta}}], to: [{paths: [/a]}]}";
    let b = "{from: [{providerRef: {name: okta}}], to: [{paths: [/b]}]}";
    let same = "{name: same, from: [{providerRef: {name: okta}}], to: [{paths: [/c]}]}";
    let other = "{name: same, from: [{providerRef: {name: okta}}], to: [{paths: [/d]}]}";
    let bad = "{name: 'a#0', from: [{providerRef: {name: okta}}], to: [{paths: [/e]}]}";
    let all = |rules: &[&str]| compiled_yaml(&policy(&format!("rules: [{}]", rules.join(", "))));
    let one = all(&[a, b, same, other, bad]);
    let names: Vec<_> = only(&one)
        .rules
        .iter()
        .map(|rule| rule.name.to_string())
        .collect();
    assert_eq!(names, ["#0", "#1", "#2", "same#0", "same#1"]);
    assert_eq!(
        found(&one),
        (0..5)
            .map(|n| format!("RuleName spec.rules[{n}].name"))
            .collect::<Vec<_>>()
    );
    let turned = all(&[other, bad, b, same, a]);
    assert_eq!(
        one.rulesets, turned.rulesets,
        "the order of rules changes nothing"
    );
}
