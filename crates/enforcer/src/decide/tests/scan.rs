//! The index finds what going through every rule would find: held against just that.

use super::super::matching::{Setting, holds};
use super::super::{Found, denying, find};
use crate::claims::Claims;
use crate::condition::Budget;
use crate::index::{Held, RuleIndex};
use crate::request::Request;
use crate::token::mint::{ES256, NOW, claims_with, provider, trusted};
use crate::token::{Compact, verify};
use countersign_ruleset::condition::Condition;
use countersign_ruleset::path::CanonicalPath;
use countersign_ruleset::rules::{Effect, Entry, Matcher, Mode, Rule, To};
use http::{HeaderMap, HeaderValue, Method, Uri};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

fn texts() -> impl Strategy<Value = Vec<String>> {
    let text = prop::sample::select(vec!["staff", "guests", "ana", "x"]);
    prop::collection::vec(text.prop_map(ToOwned::to_owned), 1..3)
}

fn matcher() -> impl Strategy<Value = Matcher> {
    prop_oneof![
        texts().prop_map(Matcher::Actors),
        texts().prop_map(Matcher::Clients),
        texts().prop_map(Matcher::Emails),
        texts().prop_map(Matcher::Groups),
        texts().prop_map(Matcher::Subjects),
        texts().prop_map(|any_of| Matcher::Claim {
            path: vec!["tier".into()],
            any_of
        }),
        texts().prop_map(|any_of| Matcher::AnyOf(vec![vec![Matcher::Groups(any_of)]])),
        Just(Matcher::Unknown),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let of = prop::sample::select(vec!["ClusterTrustProvider/okta", "TrustProvider/other"]);
    prop_oneof![
        1 => Just(Entry::Anyone),
        1 => Just(Entry::Unknown),
        1 => Just(Entry::Missing("AccessRole/gone".into())),
        6 => (of, prop::collection::vec(matcher(), 0..3)).prop_map(|(provider, all)| {
            let provider = provider.parse().unwrap();
            Entry::Identity { provider, all }
        }),
    ]
}

fn to() -> impl Strategy<Value = To> {
    let path = prop::sample::select(vec!["/", "/a", "/a/", "/a/*", "/a/**", "/*/b", "/**"]);
    let paths = prop::option::of(prop::collection::vec(path, 1..3));
    (paths, any::<bool>()).prop_map(|(paths, unknown)| To {
        paths: paths.map(|paths| paths.iter().map(|path| path.parse().unwrap()).collect()),
        unknown,
        ..To::default()
    })
}

fn rule(effect: Effect) -> impl Strategy<Value = Rule> {
    let from = prop::collection::vec(entry(), 0..3);
    let to = prop::collection::vec(to(), 0..3);
    let when = json!([{"claim": ["tier"]}, {"literal": {"text": "x"}},
        {"compare": {"operator": "equal", "left": 0, "right": 1}}]);
    let when: Condition = serde_json::from_value(when).unwrap();
    let when = prop::option::weighted(0.3, Just(when));
    (from, to, when).prop_map(move |(from, to, when)| Rule {
        name: "r".parse().unwrap(),
        effect,
        from,
        to,
        when,
        require: None,
        expires_at: None,
    })
}

pub(super) fn held(rules: &[Rule]) -> Vec<Held> {
    let hold = |(n, rule): (usize, &Rule)| Held {
        id: crate::decision::RuleRef {
            policy: "AccessPolicy/p".parse().unwrap(),
            rule: format!("r{n}").parse().unwrap(),
        },
        rule: rule.clone(),
        from: rule.from.clone(),
        mode: Mode::Enforce,
        audiences: Arc::from(["https://orders.example.com".to_owned()]),
        unasked: crate::index::Unasked::of(rule),
        cluster: false,
        section: None,
    };
    rules.iter().enumerate().map(hold).collect()
}

/// Callers of whom something is known, absent or unknown.
fn caller() -> impl Strategy<Value = Option<Value>> {
    let facts = (
        prop::sample::select(vec![
            json!(["staff"]),
            json!(["guests", "x"]),
            json!(7),
            json!(null),
        ]),
        prop::sample::select(vec![json!("x"), json!(["staff"]), json!({}), json!(null)]),
        prop::sample::select(vec![json!({"sub": "x"}), json!(1), json!(null)]),
        prop::sample::select(vec![json!("x"), json!(3), json!(null)]),
        prop::sample::select(vec!["ana", "x"]),
    );
    let claims = facts.prop_map(|(groups, tier, act, azp, sub)| {
        json!({"groups": groups, "tier": tier, "act": act, "azp": azp, "sub": sub})
    });
    prop::option::of(claims)
}

pub(super) fn verified(changes: &Value) -> Claims {
    let trusted = trusted(provider(), &[]);
    let token = ES256.token(&claims_with(changes));
    verify(Compact::new(&token), |_| Some(&trusted), NOW).unwrap()
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["/", "/a", "/a/", "/a/b", "/a/b/", "/c/b", "/c"])
}

/// Asks with so many steps for all of it.
pub(super) fn asked<T>(
    path: &str,
    caller: Option<&Value>,
    steps: &Budget,
    ask: impl FnOnce(&Setting<'_>) -> T,
) -> T {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("orders.example.com"));
    let uri: Uri = path.parse().unwrap();
    let request = Request::new(&Method::GET, &uri, &headers, None).unwrap();
    let claims = caller.map(verified);
    ask(&Setting::new(&request, claims.as_ref(), false, NOW, steps))
}

proptest! {
    /// And of several rules that hold it finds the first, wherever they are filed.
    #[test]
    fn the_index_finds_what_a_scan_finds(
        allows in prop::collection::vec(rule(Effect::Allow), 0..8),
        denies in prop::collection::vec(rule(Effect::Deny), 0..8),
        caller in caller(),
        path in path(),
    ) {
        let (allows, denies) = (held(&allows), held(&denies));
        let (scanned, found) = asked(path, caller.as_ref(), &Budget::default(), |setting| {
            let lets_in = allows.iter().find(|held| holds(held, setting).allows());
            let keeps_out = denies.iter().find(|held| holds(held, setting).denies());
            let scanned = [lets_in, keeps_out].map(|it| it.map(|held| held.id.clone()));
            let lets_in = match find(&RuleIndex::new(allows), setting, true) {
                Found::Rule(rule) => Some(rule),
                _ => None,
            };
            let index = RuleIndex::new(denies);
            let keeps_out = denying(&index, setting).map(|held| held.id.clone());
            (scanned, [lets_in, keeps_out])
        });
        prop_assert_eq!(found, scanned);
    }

    /// No number of steps lets in whom enough of them keep out.
    #[test]
    fn a_spent_budget_lets_nobody_in(
        allows in prop::collection::vec(rule(Effect::Allow), 0..6),
        denies in prop::collection::vec(rule(Effect::Deny), 0..6),
        caller in caller(),
        path in path(),
        few in 0_usize..40,
    ) {
        let [allows, denies] = [allows, denies].map(|rules| RuleIndex::new(held(&rules)));
        let lets_in = |steps: Budget| asked(path, caller.as_ref(), &steps, |setting| {
            denying(&denies, setting).is_none()
                && matches!(find(&allows, setting, true), Found::Rule(_))
        });
        prop_assert!(lets_in(Budget::default()) || !lets_in(Budget::of(few)));
    }
}

/// How many rules are tried for a request, of so many that speak of other paths or of other groups.
fn tried(rules: usize, path: fn(usize) -> String, group: fn(usize) -> String) -> usize {
    let rule = |n| {
        let from = json!([{"identity": {"provider": "ClusterTrustProvider/okta", "all": [{"groups": [group(n)]}]}}]);
        let to = json!([{"paths": [path(n)]}]);
        let rule = json!({"name": "r", "effect": "Allow", "from": from, "to": to});
        serde_json::from_value(rule).unwrap()
    };
    let index = RuleIndex::new(held(&(0..rules).map(rule).collect::<Vec<_>>()));
    let claims = verified(&json!({"groups": ["g7", "g8"]}));
    let path = CanonicalPath::parse(b"/p7/x").unwrap();
    let mut tried = 0_usize;
    let caller = index.caller(Some(&claims));
    index.candidates(&path, &caller, Effect::Allow, &Budget::default(), |_| {
        tried = tried.saturating_add(1);
        false
    });
    tried
}

#[test]
fn what_is_tried_does_not_grow_with_what_is_written() {
    for rules in [10, 1_000] {
        let by_path = tried(rules, |n| format!("/p{n}/**"), |_| "g7".into());
        let by_group = tried(rules, |_| "/**".into(), |n| format!("g{n}"));
        assert_eq!((by_path, by_group), (1, 2), "{rules}");
    }
}
