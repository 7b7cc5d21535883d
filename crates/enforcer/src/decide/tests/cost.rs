//! What a look-up costs: each rule is asked once, and an end of the steps is the end.

use crate::claims::Claims;
use crate::condition::Budget;
use crate::index::RuleIndex;
use crate::token::mint::{claims_with, provider};
use crate::trial::{Trial, okta, policy, rule, told};
use countersign_ruleset::path::CanonicalPath;
use countersign_ruleset::rules::Effect;
use serde_json::{Value, json};

use super::super::denying;
use super::scan::{asked, held, verified};

fn index(rules: &Value) -> RuleIndex {
    let rules: Vec<_> = serde_json::from_value(rules.clone()).unwrap();
    RuleIndex::new(held(&rules))
}

/// The positions of the rules that are asked, as they are asked; each takes so many steps.
fn tried(
    index: &RuleIndex,
    effect: Effect,
    claims: Option<&Claims>,
    budget: &Budget,
    steps: usize,
) -> Vec<String> {
    let path = CanonicalPath::parse(b"/x/").unwrap();
    let mut tried = Vec::new();
    let caller = index.caller(claims);
    index.candidates(&path, &caller, effect, budget, |held| {
        tried.push(held.id.rule.to_string());
        budget.spend(steps);
        false
    });
    tried
}

/// Many paths that cover one request, each of many entries, and many entries of `from` that one caller
/// meets: a rule of 13 KB would be asked a million times.
#[test]
fn a_rule_is_asked_once_however_often_it_is_filed() {
    let captures: Vec<String> = (0..64).map(|n| format!("/{{a{n}}}/**")).collect();
    let to = json!([{"paths": captures}, {"paths": ["/x/**", "/*/", "/**", "/x", "/x/"]}, {}]);
    let groups: Vec<Value> = (0..32)
        .map(|n| okta(&json!([{"groups": [format!("g{n}")]}])))
        .collect();
    let more = json!({"to": to, "from": groups});
    let groups: Vec<String> = (0..32).map(|n| format!("g{n}")).collect();
    for (effect, claims) in [
        ("Allow", json!({"groups": groups})),
        ("Deny", json!({"groups": groups})),
        ("Deny", json!({"groups": 7})),
    ] {
        let one = |name| rule(name, effect, json!("anyone"), &more);
        let everyone = rule("r", effect, json!("anyone"), &json!({"to": to}));
        let index = index(&json!([one("r"), everyone, one("r")]));
        let effect = if effect == "Deny" {
            Effect::Deny
        } else {
            Effect::Allow
        };
        let claims = verified(&claims);
        let known = tried(&index, effect, Some(&claims), &Budget::default(), 0);
        assert_eq!(known, ["r0", "r1", "r2"]);
        let anonymous = tried(&index, effect, None, &Budget::default(), 0);
        assert_eq!(anonymous, ["r1"]);
    }
}

#[test]
fn after_the_last_step_no_rule_is_asked() {
    let one = rule("r", "Deny", json!("anyone"), &json!({}));
    let index = index(&json!([one, one, one]));
    let each = |steps, one| tried(&index, Effect::Deny, None, &Budget::of(steps), one);
    assert_eq!(each(1_000, 100), ["r0", "r1", "r2"]);
    assert_eq!(each(1_000, 2_000), ["r0"]);
    let spent = Budget::of(0);
    spent.spend(1);
    assert!(tried(&index, Effect::Deny, None, &spent, 0).is_empty());
}

/// Where the looking up took the last of them, it is not known whether the Deny holds.
#[test]
fn a_deny_acts_at_once_when_the_steps_are_spent() {
    let posts = json!({"to": [{"methods": ["POST"]}]});
    let index = index(&json!([rule("r", "Deny", json!("anyone"), &posts)]));
    let denies = |steps| {
        asked("/x", None, &Budget::of(steps), |setting| {
            denying(&index, setting).is_some()
        })
    };
    assert!(denies(0));
    assert!(!denies(1_000));
}

/// So many rules of so many paths which all cover `/x`, and a condition that does not hold of a GET.
fn costly(rules: usize, effect: &str, from: &Value) -> Vec<Value> {
    let to: Vec<Value> = (0..16)
        .map(|n| json!({"paths": (0..64).map(|m| format!("/{{a{n}_{m}}}")).collect::<Vec<_>>()}))
        .collect();
    let mut when = vec![
        json!({"request": "method"}),
        json!({"literal": {"text": "POST"}}),
        json!({"compare": {"operator": "equal", "left": 0, "right": 1}}),
    ];
    when.extend((2..62).map(|n| json!({"not": n})));
    let more = json!({"to": to, "when": when});
    (0..rules)
        .map(|n| rule(&format!("r{n}"), effect, from.clone(), &more))
        .collect()
}

/// What one caller can make a policy cost has an end, and at the end he is out.
#[test]
fn a_policy_that_takes_too_many_steps_lets_nobody_in() {
    let anyone = json!("anyone");
    let open = rule("z-open", "Allow", anyone.clone(), &json!({}));
    let with = |mut rules: Vec<Value>| {
        rules.push(open.clone());
        Trial::of(&json!(rules))
    };
    let few = with(costly(2, "Allow", &anyone));
    assert_eq!(told(&few.get("/x")), (200, "Allowed", vec!["z-open"]));
    let many = with(costly(10, "Allow", &anyone));
    assert_eq!(told(&many.get("/x")), (401, "NoToken", vec![]));
    assert_eq!(told(&many.get("/y/z")), (200, "Allowed", vec!["z-open"]));
    let few = with(costly(2, "Deny", &anyone));
    assert_eq!(told(&few.get("/x")), (200, "Allowed", vec!["z-open"]));
    let many = with(costly(10, "Deny", &anyone));
    let decision = many.get("/x");
    let (status, reason, rules) = told(&decision);
    assert_eq!((status, reason, rules.len()), (403, "DeniedByRule", 1));
    assert_eq!(told(&many.get("/y/z")), (200, "Allowed", vec!["z-open"]));
}

/// A boundary that is not come to is not met.
#[test]
fn a_boundary_is_not_met_once_the_steps_are_spent() {
    let boundary = |rules: usize| {
        let mut rules = costly(rules, "Allow", &okta(&json!([])));
        rules.push(rule("z-all", "Allow", okta(&json!([])), &json!({})));
        json!([{"policy": "ClusterAccessPolicy/base", "mode": "Enforce", "deny": [], "boundary": rules}])
    };
    let all = json!([policy(
        "orders",
        &json!([rule("all", "Allow", okta(&json!([])), &json!({}))])
    )]);
    for (rules, expected) in [(2, (200, "Allowed")), (10, (403, "BoundaryNotMet"))] {
        let trial = Trial::with(&all, &boundary(rules), vec![provider()]);
        let decision = trial.by("/x", &claims_with(&json!({})));
        let (status, reason, _) = told(&decision);
        assert_eq!((status, reason), expected, "{rules}");
    }
}
