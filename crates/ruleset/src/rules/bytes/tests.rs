//! The rules blob's bytes depend on the meaning alone, and nothing else than them is read.

use crate::json;
use crate::names::RoleId;
use crate::rules::{
    Application, Disclose, Effect, Entry, Guardrail, Invalid, Matcher, Mode, Policy, Require, Rule,
    Rules, To,
};
use crate::time::UnixTime;

fn identity(all: Vec<Matcher>) -> Entry {
    Entry::Identity {
        provider: "ClusterTrustProvider/okta".parse().unwrap(),
        all,
    }
}

fn groups(names: &[&str]) -> Matcher {
    Matcher::Groups(names.iter().map(|&n| n.to_owned()).collect())
}

fn rule(name: &str, from: Vec<Entry>) -> Rule {
    Rule {
        name: name.parse().unwrap(),
        effect: Effect::Allow,
        from,
        to: vec![To::default()],
        when: None,
        require: None,
        expires_at: None,
    }
}

fn rules(list: Vec<Rule>) -> Rules {
    let mut rules = Rules::empty("shop".parse().unwrap());
    rules.applications.push(Application {
        id: "Service/orders".parse().unwrap(),
        hosts: vec![],
        accepted: false,
        pending: None,
        sections: vec![],
        policies: vec![Policy {
            id: "AccessPolicy/orders".parse().unwrap(),
            mode: Mode::Enforce,
            section: None,
            audiences: vec!["https://orders.example.com".into()],
            rules: list,
        }],
        login: None,
        forward: vec![],
        disclose: Disclose::Code,
    });
    rules
}

#[test]
fn order_and_repetition_mean_nothing() {
    let staff = || {
        identity(vec![
            groups(&["b", "a", "b"]),
            Matcher::Subjects(vec!["x".into()]),
        ])
    };
    let turned = || {
        identity(vec![
            Matcher::Subjects(vec!["x".into()]),
            groups(&["a", "b"]),
        ])
    };
    let one = rules(vec![
        rule("r1", vec![Entry::Anyone, staff()]),
        rule("r0", vec![staff()]),
    ]);
    let two = rules(vec![
        rule("r0", vec![turned(), turned()]),
        rule("r1", vec![turned(), Entry::Anyone]),
    ]);
    assert_eq!(one.to_bytes().unwrap(), two.to_bytes().unwrap());
}

#[test]
fn reads_what_it_wrote() {
    let mut written = rules(vec![rule("r", vec![identity(vec![groups(&["a"])])])]);
    written
        .roles
        .insert("AccessRole/admin".parse().unwrap(), vec![identity(vec![])]);
    let bytes = written.to_bytes().unwrap();
    assert_eq!(Rules::from_bytes(&bytes).unwrap(), written);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"{"scope":"shop","applications":[{"id":"Service/orders","hosts":[],"sections":[],"policies":[{"id":"AccessPolicy/orders","mode":"Enforce","audiences":["https://orders.example.com"],"rules":[{"name":"r","effect":"Allow","from":[{"identity":{"provider":"ClusterTrustProvider/okta","all":[{"groups":["a"]}]}}],"to":[{}]}]}],"forward":[],"disclose":"Code"}],"guardrails":[],"roles":{"AccessRole/admin":[{"identity":{"provider":"ClusterTrustProvider/okta","all":[]}}]},"revocations":[],"audit":{}}"#
    );
}

#[test]
fn a_missing_restriction_is_refused_and_not_taken_for_anything() {
    for member in [
        r#","to":[{}]"#,
        r#""from":["anyone"],"#,
        r#""effect":"Allow","#,
    ] {
        let text = String::from_utf8(
            rules(vec![rule("r", vec![Entry::Anyone])])
                .to_bytes()
                .unwrap(),
        );
        let text = text.unwrap();
        assert!(text.contains(member), "{member} in {text}");
        let refusal = Rules::from_bytes(text.replace(member, "").as_bytes()).unwrap_err();
        assert!(matches!(refusal, Invalid::Malformed(_)), "{refusal:?}");
    }
}

#[test]
fn an_unknown_member_is_refused() {
    let text = String::from_utf8(rules(vec![]).to_bytes().unwrap()).unwrap();
    let with = text.replacen('{', r#"{"more":1,"#, 1);
    assert!(matches!(
        Rules::from_bytes(with.as_bytes()),
        Err(Invalid::Malformed(_))
    ));
}

#[test]
fn names_are_in_order_and_each_once() {
    let mut twice = rules(vec![]);
    let application = twice.applications[0].clone();
    twice.applications.push(application);
    let bytes = serde_json::to_vec(&twice).unwrap();
    assert_eq!(
        Rules::from_bytes(&bytes).unwrap_err().to_string(),
        "expected applications in order and each once, got `Service/orders` after `Service/orders`"
    );
    let swapped = rules(vec![rule("b", vec![]), rule("a", vec![])]);
    let refusal = Rules::from_bytes(&serde_json::to_vec(&swapped).unwrap()).unwrap_err();
    let (first, second) = ("b".into(), "a".into());
    assert_eq!(
        refusal,
        Invalid::Disordered {
            list: "rules",
            first,
            second
        }
    );
}

/// One meaning has one digest: what would be written otherwise is refused.
#[test]
fn refuses_another_spelling_of_the_same_meaning() {
    let text = String::from_utf8(rules(vec![]).to_bytes().unwrap()).unwrap();
    for other in [
        text.replacen(':', ": ", 1),
        format!("{text}\n"),
        text.replace(r#""forward":[]"#, r#""login":null,"forward":[]"#),
        text.replace("shop", "sh\\u006fp"),
        text.replace(r#""hosts":[]"#, r#""hosts":["b.example","a.example"]"#),
    ] {
        assert_ne!(other, text);
        let refusal = Rules::from_bytes(other.as_bytes()).unwrap_err();
        assert_eq!(refusal, Invalid::NotCanonical, "{other}");
    }
}

#[test]
fn a_guardrail_holds_each_effect_in_its_place() {
    let mut deny = rule("no", vec![Entry::Anyone]);
    deny.effect = Effect::Deny;
    let allow = rule("yes", vec![Entry::Anyone]);
    let read = |boundary: &Rule, denied: &Rule| {
        let mut set = rules(vec![]);
        set.guardrails.push(Guardrail {
            policy: "ClusterAccessPolicy/base".parse().unwrap(),
            mode: Mode::Enforce,
            boundary: Some(vec![boundary.clone()]),
            deny: vec![denied.clone()],
        });
        Rules::from_bytes(&set.to_bytes().unwrap())
    };
    assert!(read(&allow, &deny).is_ok());
    let refusal = Invalid::Effect("ClusterAccessPolicy/base".into());
    assert_eq!(read(&deny, &deny), Err(refusal.clone()));
    assert_eq!(read(&allow, &allow), Err(refusal));
}

#[test]
fn a_condition_is_looked_at_before_it_is_run() {
    let mut ahead = rule("r", vec![Entry::Anyone]);
    ahead.when = serde_json::from_str(r#"[{"not":0}]"#).unwrap();
    let refusal = Rules::from_bytes(&rules(vec![ahead]).to_bytes().unwrap()).unwrap_err();
    let (rule, reason) = (
        "r".into(),
        "node 0 refers to node 0, not an earlier one".into(),
    );
    assert_eq!(refusal, Invalid::Condition { rule, reason });
}

#[test]
fn there_are_so_many_rules_and_no_more() {
    let most = super::MAX_RULES;
    assert_eq!(super::at_most("rules", most, most), Ok(()));
    let (list, got) = ("rules", most + 1);
    let refusal = Invalid::TooMany { list, most, got };
    assert_eq!(super::at_most(list, most, got), Err(refusal));
}

#[test]
fn a_role_is_defined_and_names_no_role() {
    let admin: RoleId = "AccessRole/admin".parse().unwrap();
    let mut set = rules(vec![rule("r", vec![Entry::Role(admin.clone())])]);
    let refusal = Rules::from_bytes(&set.to_bytes().unwrap()).unwrap_err();
    assert_eq!(refusal, Invalid::RoleUndefined(admin.clone()));
    set.roles
        .insert(admin.clone(), vec![Entry::Role(admin.clone())]);
    let refusal = Rules::from_bytes(&set.to_bytes().unwrap()).unwrap_err();
    assert_eq!(refusal, Invalid::RoleNested(admin));
}

#[test]
fn a_deny_cannot_expire_or_require() {
    let mut deny = rule("r", vec![Entry::Anyone]);
    deny.effect = Effect::Deny;
    assert!(Rules::from_bytes(&rules(vec![deny.clone()]).to_bytes().unwrap()).is_ok());
    let (mut requires, mut expires) = (deny.clone(), deny);
    requires.require = Some(Require::default());
    expires.expires_at = Some(UnixTime(1));
    for deny in [requires, expires] {
        let refusal = Rules::from_bytes(&rules(vec![deny]).to_bytes().unwrap()).unwrap_err();
        assert_eq!(refusal, Invalid::DenyWithAllowParts("r".into()));
    }
}

#[test]
fn the_deepest_rule_that_can_be_written_can_be_read() {
    let claim = Matcher::Claim {
        path: vec!["a".into()],
        any_of: vec!["b".into()],
    };
    let set = rules(vec![rule(
        "r",
        vec![identity(vec![Matcher::AnyOf(vec![vec![claim]])])],
    )]);
    assert!(Rules::from_bytes(&set.to_bytes().unwrap()).is_ok());
    const { assert!(json::Limits::BLOB.depth >= 18) };
}
