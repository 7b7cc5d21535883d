//! Matchers and clues: one says whether a rule holds, the other finds it.

use super::{
    Claims, Clue, Effect, False, Kind, Kleene, Matcher, Provider, ProviderId, ServiceAccount, True,
    Unknown, mint, read, read_by, texts,
};
use crate::token::mint::{ES256, NOW, claims_with};
use crate::token::{Compact, verify};
use countersign_ruleset::provider::TokenForm;
use serde_json::{Value, json};

fn matches(changes: &Value, matcher: &Matcher) -> Kleene {
    read(changes).matches(matcher)
}

fn named(values: &[&str], matcher: fn(Vec<String>) -> Matcher) -> Matcher {
    matcher(texts(values))
}

#[test]
fn a_group_matches_exactly() {
    let staff = named(&["staff", "other"], Matcher::Groups);
    assert_eq!(matches(&json!({}), &staff), True);
    for near in ["Staff", "staff ", "staf", "staffs", "st\u{430}ff"] {
        assert_eq!(matches(&json!({"groups": [near]}), &staff), False, "{near}");
    }
    assert_eq!(matches(&json!({"groups": []}), &staff), False);
    assert_eq!(matches(&json!({"groups": null}), &staff), Unknown);
    assert_eq!(matches(&json!({"groups": ["staff", 1]}), &staff), Unknown);
    assert_eq!(matches(&json!({"hasgroups": true}), &staff), Unknown);
}

#[test]
fn an_address_matches_in_any_case_if_it_is_verified() {
    let ana = named(&["ana@example.com"], Matcher::Emails);
    assert_eq!(matches(&json!({}), &ana), True);
    assert_eq!(matches(&json!({"email": "bo@example.com"}), &ana), False);
    assert_eq!(matches(&json!({"email_verified": false}), &ana), Unknown);
    assert_eq!(
        matches(&json!({"email": "ana@example.com@example.com"}), &ana),
        Unknown
    );
    assert_eq!(matches(&json!({"email": null}), &ana), Unknown);
}

#[test]
fn a_domain_matches_the_address_and_the_domain_claim_where_there_is_one() {
    let example = named(&["example.com"], Matcher::EmailDomains);
    assert_eq!(matches(&json!({}), &example), True);
    for other in [
        "ana@sub.example.com",
        "ana@notexample.com",
        "ana@example.com.evil.com",
    ] {
        assert_eq!(
            matches(&json!({ "email": other }), &example),
            False,
            "{other}"
        );
    }
    let hosted = |changes: Value| {
        let map = |claims: &mut super::ClaimPaths| {
            claims.email.as_mut().unwrap().domain = Some(texts(&["hd"]));
        };
        read_by(map, &changes).matches(&example)
    };
    assert_eq!(hosted(json!({"hd": "Example.com"})), True);
    assert_eq!(hosted(json!({"hd": "evil.com"})), False);
    assert_eq!(
        hosted(json!({})),
        Unknown,
        "a consumer's account with a company's address"
    );
    assert_eq!(
        hosted(json!({"hd": "example.com", "email": "ana@evil.com"})),
        False
    );
    assert_eq!(
        hosted(json!({"hd": "example.com", "email_verified": false})),
        Unknown
    );
    assert_eq!(
        hosted(json!({"hd": "evil.com", "email_verified": false})),
        False
    );
}

#[test]
fn subjects_and_clients_match_exactly() {
    assert_eq!(
        matches(&json!({}), &named(&["ana"], Matcher::Subjects)),
        True
    );
    assert_eq!(
        matches(&json!({}), &named(&["Ana", "an"], Matcher::Subjects)),
        False
    );
    let client = named(&["dashboards"], Matcher::Clients);
    assert_eq!(matches(&json!({}), &client), True);
    assert_eq!(matches(&json!({"azp": "other"}), &client), False);
    assert_eq!(matches(&json!({"azp": null}), &client), Unknown);
}

#[test]
fn a_claim_matches_as_a_text_or_in_a_list() {
    let admin = Matcher::Claim {
        path: texts(&["realm_access", "roles"]),
        any_of: texts(&["admin", "root"]),
    };
    let roles = |roles: Value| matches(&json!({"realm_access": {"roles": roles}}), &admin);
    assert_eq!(roles(json!("admin")), True);
    assert_eq!(roles(json!(["user", "root"])), True);
    assert_eq!(roles(json!(["user"])), False);
    assert_eq!(roles(json!([])), False);
    for odd in [
        json!(["admin", 1]),
        json!(true),
        json!({"admin": true}),
        json!(null),
        json!(1),
    ] {
        assert_eq!(roles(odd.clone()), Unknown, "{odd}");
    }
    assert_eq!(matches(&json!({}), &admin), Unknown);
    assert_eq!(
        matches(&json!({"realm_access": ["admin"]}), &admin),
        Unknown
    );
}

#[test]
fn a_service_account_is_read_from_the_subject() {
    let account = |namespace: Option<&str>, name: Option<&str>| {
        Matcher::ServiceAccounts(vec![ServiceAccount {
            namespace: namespace.map(Into::into),
            name: name.map(Into::into),
        }])
    };
    let sub = |sub: &str, matcher: &Matcher| matches(&json!({ "sub": sub }), matcher);
    let checkout = "system:serviceaccount:shop:checkout";
    for good in [
        account(Some("shop"), Some("checkout")),
        account(None, Some("checkout")),
        account(Some("shop"), None),
        account(None, None),
    ] {
        assert_eq!(sub(checkout, &good), True);
        assert_eq!(sub("system:node:a", &good), False);
        assert_eq!(sub("system:serviceaccounts:shop:checkout", &good), False);
        for odd in [
            "system:serviceaccount:shop",
            "system:serviceaccount:shop:a:b",
            "system:serviceaccount::a",
            "system:serviceaccount:SHOP:a",
            "system:serviceaccount:shop:",
        ] {
            assert_eq!(sub(odd, &good), Unknown, "{odd}");
        }
    }
    assert_eq!(sub(checkout, &account(Some("web"), None)), False);
    assert_eq!(
        sub(checkout, &account(Some("*"), Some("*"))),
        False,
        "`*` is spelt `None` here"
    );
    assert_eq!(sub(checkout, &account(Some("shop"), Some("check"))), False);
}

#[test]
fn alternatives_and_what_cannot_be_read() {
    let (yes, no) = (
        named(&["ana"], Matcher::Subjects),
        named(&["bo"], Matcher::Subjects),
    );
    let any = |alternatives: &[&[&Matcher]]| {
        let all = |all: &&[&Matcher]| all.iter().map(|&matcher| matcher.clone()).collect();
        matches(
            &json!({}),
            &Matcher::AnyOf(alternatives.iter().map(all).collect()),
        )
    };
    assert_eq!(any(&[&[&no], &[&yes, &yes]]), True);
    assert_eq!(any(&[&[&yes, &no], &[&no]]), False);
    assert_eq!(any(&[&[&yes, &Matcher::Unknown], &[&no]]), Unknown);
    assert_eq!(any(&[]), False);
    assert_eq!(matches(&json!({}), &Matcher::Unknown), Unknown);
}

/// An agent inherits nothing by silence, and escapes nothing by it.
#[test]
fn an_actor_holds_an_allow_only_where_actors_are_named() {
    let okta: ProviderId = "ClusterTrustProvider/okta".parse().unwrap();
    let staff = named(&["staff"], Matcher::Groups);
    let agent = named(&["agent"], Matcher::Actors);
    let meets = |act: Value, all: &[Matcher], effect| {
        read(&json!({ "act": act })).meets(&okta, all, effect)
    };
    let (alone, by_agent, odd) = (json!(null), json!({"sub": "agent"}), json!("agent"));
    for all in [&[][..], std::slice::from_ref(&staff)] {
        assert_eq!(meets(alone.clone(), all, Effect::Allow), True);
        assert_eq!(meets(by_agent.clone(), all, Effect::Allow), False);
        assert_eq!(meets(odd.clone(), all, Effect::Allow), Unknown);
        assert_eq!(meets(by_agent.clone(), all, Effect::Deny), True);
        assert_eq!(meets(odd.clone(), all, Effect::Deny), True);
    }
    let both = [staff, agent];
    assert_eq!(meets(by_agent.clone(), &both, Effect::Allow), True);
    assert_eq!(
        meets(alone.clone(), &both, Effect::Allow),
        False,
        "no actor is none of these"
    );
    assert_eq!(meets(alone, &both, Effect::Deny), False);
    assert_eq!(meets(json!({"sub": "other"}), &both, Effect::Allow), False);
    assert_eq!(meets(odd.clone(), &both, Effect::Allow), Unknown);
    assert_eq!(meets(odd, &both, Effect::Deny), Unknown);
}

#[test]
fn nothing_said_by_one_provider_is_taken_as_said_by_another() {
    let other: ProviderId = "TrustProvider/okta".parse().unwrap();
    for effect in [Effect::Allow, Effect::Deny] {
        for all in [
            &[][..],
            &[named(&["staff"], Matcher::Groups)],
            &[Matcher::Unknown],
        ] {
            assert_eq!(read(&json!({})).meets(&other, all, effect), False);
        }
    }
}

/// Every caller of the tests above, and some more.
fn callers() -> Vec<Claims> {
    let mut provider = mint::provider();
    provider.claims.email.as_mut().unwrap().domain = Some(texts(&["hd"]));
    provider.forms = vec![TokenForm {
        absent: vec![],
        ..provider.forms[0].clone()
    }];
    let trusted = mint::trusted(Provider { ..provider }, &[]);
    [
        json!({}),
        json!({"hd": "example.com", "role": ["admin", "user"]}),
        json!({"hd": 1, "role": "admin", "act": {"sub": "agent"}}),
        json!({"groups": null, "email": null, "azp": null, "role": 1}),
        json!({"hasgroups": true, "email_verified": false, "act": "odd", "azp": 1}),
        json!({"sub": "system:serviceaccount:shop:checkout", "groups": []}),
        json!({"sub": "system:serviceaccount:shop:", "groups": "staff"}),
    ]
    .iter()
    .map(|changes| {
        let token = ES256.token(&claims_with(changes));
        verify(Compact::new(&token), |_| Some(&trusted), NOW).unwrap()
    })
    .collect()
}

/// What an index relies on: a matcher that is not false is found by a clue.
#[test]
fn every_matcher_that_is_not_false_is_found_by_a_clue() {
    let account = |namespace: Option<&str>, name: Option<&str>| ServiceAccount {
        namespace: namespace.map(Into::into),
        name: name.map(Into::into),
    };
    let role = texts(&["role"]);
    let matchers = [
        named(&["agent", "x"], Matcher::Actors),
        Matcher::Claim {
            path: role.clone(),
            any_of: texts(&["admin"]),
        },
        Matcher::Claim {
            path: role.clone(),
            any_of: texts(&["x"]),
        },
        named(&["dashboards"], Matcher::Clients),
        named(&["x"], Matcher::Clients),
        named(&["example.com"], Matcher::EmailDomains),
        named(&["ana@example.com"], Matcher::Emails),
        named(&["x", "staff"], Matcher::Groups),
        named(&["x"], Matcher::Groups),
        named(&["ana"], Matcher::Subjects),
        Matcher::ServiceAccounts(vec![account(None, None)]),
        Matcher::ServiceAccounts(vec![account(Some("shop"), None), account(None, Some("x"))]),
        Matcher::ServiceAccounts(vec![account(Some("shop"), Some("checkout"))]),
    ];
    let mut kinds_of_outcome = [0; 3];
    for caller in callers() {
        let clues = caller.clues([role.as_slice()]);
        for matcher in &matchers {
            let (filed, unsettled) = Clue::of(matcher).unwrap();
            let outcome = caller.matches(matcher);
            kinds_of_outcome[usize::from(outcome == True) + 2 * usize::from(outcome == False)] += 1;
            let found = filed.iter().any(|clue| clues.contains(clue));
            let doubted = unsettled.is_some_and(|kind| clues.contains(&Clue::Unsettled(kind)));
            match outcome {
                True => assert!(found, "{matcher:?} {clues:?}"),
                Unknown => assert!(found || doubted, "{matcher:?} {clues:?}"),
                False => {}
            }
        }
    }
    assert!(
        kinds_of_outcome.iter().all(|count| *count > 5),
        "{kinds_of_outcome:?}"
    );
    assert_eq!(Clue::of(&Matcher::Unknown), None);
    assert_eq!(Clue::of(&Matcher::AnyOf(vec![])), None);
}

#[test]
fn a_caller_without_an_actor_gives_no_clue_of_one() {
    let settled = read(&json!({}));
    let clues = settled.clues([]);
    assert!(!clues.contains(&Clue::Unsettled(Kind::Actors)));
    let odd = read(&json!({"act": 1}));
    assert!(odd.clues([]).contains(&Clue::Unsettled(Kind::Actors)));
}
