//! Shows that the oracle sees: rules that have lost something between compiler and edge answer otherwise.

use super::play::{ask, compiled, is_same, trial};
use super::pool::{AUDIENCES, NAMESPACE};
use super::properties::{Scene, scene};
use countersign_policy::Compilation;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::rules::{
    Application, Effect, Entry, Matcher, Mode, Policy, Rule, Rules, SectionMatch, To,
};
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// What is done to a namespace's rules.
type Sabotage = (&'static str, fn(&mut Rules));

/// Each loses one thing that somebody may have written.
const SABOTAGES: [Sabotage; 34] = [
    ("every Deny of a team", |rules| {
        each_policy(rules, |policy| policy.rules.retain(is_allow));
    }),
    ("every Allow", |rules| {
        each_policy(rules, |policy| policy.rules.retain(|rule| !is_allow(rule)));
    }),
    ("every Deny of the cluster", |rules| {
        rules.guardrails.iter_mut().for_each(|one| one.deny.clear());
    }),
    ("every boundary", |rules| {
        rules
            .guardrails
            .iter_mut()
            .for_each(|one| one.boundary = None);
    }),
    ("that a policy only observes", |rules| {
        each_policy(rules, |policy| policy.mode = Mode::Enforce);
    }),
    ("which audience is heard", |rules| {
        each_policy(rules, |policy| {
            policy.audiences = vec![AUDIENCES[2].to_owned()];
        });
    }),
    ("what cannot be read of `to`", |rules| {
        each_to(rules, |to| to.unknown = false);
    }),
    ("what cannot be read of `from`", |rules| {
        each_from(rules, |from| from.retain(|entry| *entry != Entry::Unknown));
    }),
    ("what is missing", |rules| {
        each_from(rules, |from| {
            from.retain(|entry| !matches!(entry, Entry::Missing(_)));
        });
    }),
    ("which methods", |rules| {
        each_to(rules, |to| to.methods = None);
    }),
    ("which hosts", |rules| each_to(rules, |to| to.hosts = None)),
    ("which paths", |rules| each_to(rules, |to| to.paths = None)),
    ("when an Allow ends", |rules| {
        each_rule(rules, |rule| rule.expires_at = None);
    }),
    ("which groups", |rules| {
        without(rules, |one| matches!(one, Matcher::Groups(_)));
    }),
    ("which actors", |rules| {
        without(rules, |one| matches!(one, Matcher::Actors(_)));
    }),
    ("which tokens are revoked", |rules| {
        rules.revocations.clear();
    }),
    ("when", |rules| each_rule(rules, |rule| rule.when = None)),
    ("what is asked beside", |rules| {
        each_rule(rules, |rule| rule.require = None);
    }),
    ("which calls", |rules| each_to(rules, |to| to.mcp = None)),
    ("that it is a preflight", |rules| {
        each_to(rules, |to| to.cors_preflight = false);
    }),
    ("which section", |rules| {
        each_policy(rules, |policy| policy.section = None);
    }),
    ("which hosts are its own", |rules| {
        each_application(rules, |one| one.hosts.clear());
    }),
    ("which routes stand beside", |rules| {
        rules.applications.retain(|one| !one.policies.is_empty());
    }),
    ("what waits for its Gateway", |rules| {
        each_application(rules, |one| one.pending = None);
    }),
    ("which paths a route takes", |rules| {
        each_match(rules, |one| one.path = "/**".parse().ok());
    }),
    ("what of a route is not known", |rules| {
        each_match(rules, |one| one.unknown &= one.path.is_none());
    }),
    ("which clients", |rules| {
        without(rules, |one| matches!(one, Matcher::Clients(_)));
    }),
    ("which subjects", |rules| {
        without(rules, |one| matches!(one, Matcher::Subjects(_)));
    }),
    ("which addresses", |rules| {
        without(rules, |one| matches!(one, Matcher::Emails(_)));
    }),
    ("which domains", |rules| {
        without(rules, |one| matches!(one, Matcher::EmailDomains(_)));
    }),
    ("where browsers log in", |rules| {
        each_application(rules, |one| one.login = None);
    }),
    ("that two say different logins", |rules| {
        let named = rules.providers();
        let is_okta = |one: &&&ProviderId| one.as_str() == "ClusterTrustProvider/okta";
        let okta = named.iter().find(is_okta).copied().cloned();
        each_application(rules, |one| {
            one.login = one.login.take().or_else(|| okta.clone());
        });
    }),
    ("which workloads", |rules| {
        without(rules, |one| matches!(one, Matcher::AnyOf(_)));
    }),
    ("which claims", |rules| {
        without(rules, |one| matches!(one, Matcher::Claim { .. }));
    }),
];

#[test]
fn whatever_is_lost_on_the_way_is_found_out() {
    let (mut runner, scenes) = (TestRunner::deterministic(), scene());
    let mut left = SABOTAGES.to_vec();
    for _ in 0..8_192 {
        let scene: Scene = scenes.new_tree(&mut runner).expect("a scene").current();
        left.retain(|(_, sabotage)| !is_found_out(&scene, *sabotage));
        if left.is_empty() {
            return;
        }
    }
    let left: Vec<_> = left.iter().map(|(what, _)| what).collect();
    panic!("nobody missed {left:?}");
}

/// Whether the oracle answers otherwise than an edge that has the rules as they are now.
fn is_found_out((world, asked): &Scene, sabotage: fn(&mut Rules)) -> bool {
    let mut compilation = compiled(world);
    if !spoil(&mut compilation, sabotage) {
        return false;
    }
    let trial = trial(world, &compilation);
    asked
        .iter()
        .any(|asked| !is_same(&world.decide(asked), &ask(&trial, asked)))
}

/// Whether there was something to lose.
fn spoil(compilation: &mut Compilation, sabotage: fn(&mut Rules)) -> bool {
    let scope = NAMESPACE.parse().expect("a scope");
    let Some(compiled) = compilation.rulesets.get_mut(&scope) else {
        return false;
    };
    let before = compiled.rules.clone();
    sabotage(&mut compiled.rules);
    compiled.rules.sort();
    compiled.rules != before
}

fn is_allow(rule: &Rule) -> bool {
    rule.effect == Effect::Allow
}

fn each_match(rules: &mut Rules, change: impl Fn(&mut SectionMatch)) {
    let sections = rules
        .applications
        .iter_mut()
        .flat_map(|one| &mut one.sections);
    sections.flat_map(|it| &mut it.matches).for_each(change);
}

fn each_application(rules: &mut Rules, change: impl Fn(&mut Application)) {
    rules.applications.iter_mut().for_each(change);
}

fn each_policy(rules: &mut Rules, change: impl Fn(&mut Policy)) {
    let applications = rules.applications.iter_mut();
    applications
        .flat_map(|one| &mut one.policies)
        .for_each(change);
}

fn each_rule(rules: &mut Rules, change: impl Fn(&mut Rule)) {
    each_policy(rules, |policy| policy.rules.iter_mut().for_each(&change));
    for guardrail in &mut rules.guardrails {
        let boundary = guardrail.boundary.iter_mut().flatten();
        boundary.chain(&mut guardrail.deny).for_each(&change);
    }
}

fn each_to(rules: &mut Rules, change: fn(&mut To)) {
    each_rule(rules, |rule| rule.to.iter_mut().for_each(change));
}

fn each_from(rules: &mut Rules, change: impl Fn(&mut Vec<Entry>)) {
    each_rule(rules, |rule| change(&mut rule.from));
    rules.roles.values_mut().for_each(change);
}

fn without(rules: &mut Rules, is_lost: fn(&Matcher) -> bool) {
    each_from(rules, |from| {
        for entry in from {
            if let Entry::Identity { all, .. } = entry {
                all.retain(|one| !is_lost(one));
            }
        }
    });
}
