//! Line 22: one section of a route, what it takes, and what cannot be told of it.

use super::route::{API, RULES, SHOP, allows, application, names, policies, route, shop};
use super::{Reason, applications, compiled_yaml, found, reason};
use crate::diagnostic::Code;

#[test]
fn a_section_and_the_whole_are_named_each_for_itself() {
    let one = names("one", &[API, SHOP], RULES);
    let two = names("two", &[API], RULES);
    let compilation = compiled_yaml(&format!("{}{one}{two}", shop("{}")));
    let shop = application(&compilation, "shop");
    let api = Some("api");
    assert_eq!(
        policies(shop),
        [
            ("AccessPolicy/one", None),
            ("AccessPolicy/one", api),
            ("AccessPolicy/two", api)
        ]
    );
    assert!(shop.policies.iter().all(allows));
    assert_eq!(found(&compilation), Vec::<String>::new());
    let sections: Vec<_> = shop
        .sections
        .iter()
        .map(|it| (it.name.as_deref(), it.matches.len()))
        .collect();
    assert_eq!(sections, [(None, 1), (Some("api"), 1), (Some("site"), 1)]);
    let bytes = super::rules(&compilation).to_bytes().unwrap();
    assert!(countersign_ruleset::rules::Rules::from_bytes(&bytes).is_ok());
}

#[test]
fn a_section_that_is_not_there_denies_and_does_not_allow() {
    let of = |reference: &str| {
        let reference = API.replace("sectionName: api", reference);
        compiled_yaml(&format!(
            "{}{}",
            shop("{}"),
            names("p", &[&reference], RULES)
        ))
    };
    for (reference, section, code) in [
        (
            "sectionName: apj",
            Some("apj"),
            "TargetNotFound spec.targetRefs[0].sectionName",
        ),
        (
            "sectionName: null",
            None,
            "UnreadableValue spec.targetRefs[0].sectionName",
        ),
        (
            "sectionName: ''",
            None,
            "UnreadableValue spec.targetRefs[0].sectionName",
        ),
        (
            "sectionName: 7",
            None,
            "UnreadableValue spec.targetRefs[0].sectionName",
        ),
        (
            "sectionNmae: api",
            None,
            "UnknownField spec.targetRefs[0].sectionNmae",
        ),
    ] {
        let compilation = of(reference);
        let shop = application(&compilation, "shop");
        assert_eq!(policies(shop), [("AccessPolicy/p", section)], "{reference}");
        assert!(!allows(&shop.policies[0]), "{reference}");
        assert_eq!(shop.policies[0].rules.len(), 2, "a Deny is never lost");
        assert_eq!(found(&compilation), [code], "{reference}");
    }
    let missing = of("sectionName: apj");
    assert_eq!(
        reason(&missing, "AccessPolicy", "p"),
        (false, Reason::TargetNotFound)
    );
    assert_eq!(
        super::help(&missing, Code::TargetNotFound),
        Some("did you mean `api`?")
    );
    let twice = shop("{}").replace("name: site", "name: api");
    let compilation = compiled_yaml(&format!("{twice}{}", names("p", &[API], RULES)));
    assert!(!allows(&application(&compilation, "shop").policies[0]));
    assert_eq!(
        found(&compilation),
        ["Conflicted spec.targetRefs[0].sectionName"]
    );
    let service =
        "\n---\n{apiVersion: v1, kind: Service, metadata: {name: ledger, namespace: shop}}\n";
    let reference = "{group: '', kind: Service, name: ledger, sectionName: api}";
    let policy = names("p", &[reference], &format!("audiences: [a], {RULES}"));
    let compilation = compiled_yaml(&format!("{service}{policy}"));
    assert_eq!(
        found(&compilation),
        ["InvalidValue spec.targetRefs[0].sectionName"]
    );
    assert!(!allows(&applications(&compilation)[0].policies[0]));
}

#[test]
fn it_is_said_where_another_route_may_take_a_section() {
    let with = |other: &str| {
        let compilation = compiled_yaml(&format!(
            "{}{other}{}",
            shop("{}"),
            names("p", &[API], RULES)
        ));
        found(&compilation)
    };
    let warned = ["warning SectionUnclear spec.targetRefs"];
    let other = |hostnames: &str| route("other", hostnames, "{}");
    assert_eq!(
        with(&other("hostnames: [shop.example.com], ")),
        warned,
        "the same path"
    );
    let elsewhere = other("hostnames: [shop.example.com], ")
        .replace("/v1", "/v2")
        .replace("name: site", "name: site, matches: [{path: {value: /v3}}]");
    assert_eq!(with(&elsewhere), Vec::<String>::new());
    assert_eq!(
        with(&elsewhere.replace("hostnames: [shop.example.com], ", "")),
        Vec::<String>::new()
    );
    assert_eq!(with(&other("")), warned, "it may be for any host");
    assert_eq!(
        with(&elsewhere.replace("namespace: shop", "namespace: ops")),
        warned,
        "not looked at"
    );
    let mut header = shop("{}");
    header = header.replace(
        "{value: /old}",
        "{value: /v1/beta}, headers: [{name: x, value: y}]",
    );
    let compilation = compiled_yaml(&format!("{header}{}", names("p", &[API], RULES)));
    assert_eq!(
        found(&compilation),
        ["warning SectionUnclear spec.targetRefs[0].sectionName"]
    );
}

/// One namespace changes nothing of another's rules.
#[test]
fn a_route_of_another_namespace_changes_no_rule() {
    let own = format!("{}{}", shop("{}"), names("p", &[API], RULES));
    let other = shop("{}").replace("namespace: shop", "namespace: ops");
    let (alone, with) = (compiled_yaml(&own), compiled_yaml(&format!("{own}{other}")));
    assert_eq!(super::rules(&alone), super::rules(&with));
}

/// What the upstream of one section is told is not for those of the others.
#[test]
fn of_one_section_it_is_not_said_what_is_told_on() {
    let spec = format!("forward: [User], disclose: Reason, {RULES}");
    let compilation = compiled_yaml(&format!("{}{}", shop("{}"), names("p", &[API], &spec)));
    let shop_of = application(&compilation, "shop");
    assert!(shop_of.forward.is_empty());
    assert_eq!(
        found(&compilation),
        ["Exclusive spec.disclose", "Exclusive spec.forward"]
    );
    assert!(allows(&shop_of.policies[0]));
    let whole = names("q", &[SHOP], &spec);
    let compilation = compiled_yaml(&format!(
        "{}{}{whole}",
        shop("{}"),
        names("p", &[API], RULES)
    ));
    assert_eq!(application(&compilation, "shop").forward.len(), 1);
}

#[test]
fn what_may_be_any_target_denies_the_whole_where_it_names_a_section() {
    let policy = names("p", &[API, "null"], RULES);
    let beside = route("other", "hostnames: [shop.example.com], ", "{}").replace("/v1", "/v2");
    let compilation = compiled_yaml(&format!("{}{beside}{policy}", shop("{}")));
    let whole = &application(&compilation, "shop").policies[0];
    assert_eq!((whole.section.as_deref(), whole.rules.len()), (None, 1));
    assert_eq!(
        application(&compilation, "other").policies[0].rules.len(),
        1
    );
}
