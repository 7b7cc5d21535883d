//! Absence never widens: whatever field is spoilt, nobody gets more than before.

use super::order::world;
use super::{Compilation, compiled};
use countersign_ruleset::names::{ApplicationId, Scope};
use countersign_ruleset::rules::{
    Disclose, Effect, Entry, Matcher, Mode, Rule, Rules, ServiceAccount, To,
};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is given: where, to whom by which audience, for what, until when.
type Gift = (Scope, String, Vec<String>, Entry, To, Option<UnixTime>);

/// Whatever an Allow or a boundary could let in.
fn gifts(compilation: &Compilation) -> BTreeSet<Gift> {
    let mut gifts = BTreeSet::new();
    for (scope, compiled) in &compilation.rulesets {
        let rules = &compiled.rules;
        for application in &rules.applications {
            let enforced = application
                .policies
                .iter()
                .filter(|it| it.mode == Mode::Enforce);
            for policy in enforced {
                let section = policy.section.as_deref().unwrap_or("");
                let place = format!("{} {section}", application.id);
                for rule in policy
                    .rules
                    .iter()
                    .filter(|rule| rule.effect == Effect::Allow)
                {
                    take(
                        &mut gifts,
                        (scope, &place, Some(&policy.audiences)),
                        rules,
                        rule,
                    );
                }
            }
        }
        for guardrail in &rules.guardrails {
            for rule in guardrail.boundary.iter().flatten() {
                take(
                    &mut gifts,
                    (scope, guardrail.policy.as_str(), None),
                    rules,
                    rule,
                );
            }
        }
    }
    gifts
}

fn take(
    gifts: &mut BTreeSet<Gift>,
    (scope, place, audiences): (&Scope, &str, Option<&Vec<String>>),
    rules: &Rules,
    rule: &Rule,
) {
    let members = |entry: &Entry| match entry {
        Entry::Role(role) => rules.roles[role].clone(),
        other => vec![other.clone()],
    };
    let entries = rule.from.iter().flat_map(members).flat_map(singles);
    for entry in entries.filter(can_hold) {
        let for_anyone = entry == Entry::Anyone;
        if audiences.is_some_and(Vec::is_empty) && !for_anyone {
            continue;
        }
        let audiences = audiences
            .filter(|_| !for_anyone)
            .cloned()
            .unwrap_or_default();
        for to in rule.to.iter().filter(|to| !to.unknown) {
            let gift = (
                scope.clone(),
                place.to_owned(),
                audiences.clone(),
                entry.clone(),
                to.clone(),
                rule.expires_at,
            );
            gifts.insert(gift);
        }
    }
}

/// One entry for each service account, known beside unknown ones or not.
fn singles(entry: Entry) -> Vec<Entry> {
    let Entry::Identity { provider, all } = &entry else {
        return vec![entry];
    };
    let known = match all.as_slice() {
        [Matcher::AnyOf(alternatives)] => alternatives[0].as_slice(),
        all => all,
    };
    let [Matcher::ServiceAccounts(accounts)] = known else {
        return vec![entry];
    };
    let single = |account: &ServiceAccount| Entry::Identity {
        provider: provider.clone(),
        all: vec![Matcher::ServiceAccounts(vec![account.clone()])],
    };
    accounts.iter().map(single).collect()
}

fn can_hold(entry: &Entry) -> bool {
    match entry {
        Entry::Anyone => true,
        Entry::Identity { all, .. } => !all.contains(&Matcher::Unknown),
        Entry::Missing(_) | Entry::Role(_) | Entry::Unknown => false,
    }
}

/// What takes away: Denies at each application, denies and boundaries of the cluster.
fn takes(compilation: &Compilation) -> Takes {
    let rules = compilation
        .rulesets
        .values()
        .map(|compiled| &compiled.rules);
    let rules: Vec<&Rules> = rules.collect();
    let applications = rules.iter().flat_map(|rules| &rules.applications);
    let denies = applications.flat_map(|application| {
        let named = application.sections.iter().map(|it| it.name.as_deref());
        let parts: BTreeSet<Option<&str>> = named.chain([None]).collect();
        let denying = |part: Option<&str>| {
            let enforced = application.policies.iter();
            let enforced = enforced.filter(|it| it.mode == Mode::Enforce);
            // a Deny of the whole is one of each section
            let here = enforced.filter(|it| it.section.is_none() || it.section.as_deref() == part);
            let denies = here.flat_map(|it| it.rules.iter().map(move |rule| (&it.id, rule)));
            let denies = denies.filter(|(_, rule)| rule.effect == Effect::Deny);
            let denies: BTreeSet<_> = denies.map(|(id, rule)| (id, &rule.name)).collect();
            denies.len()
        };
        let parts = parts.into_iter();
        let counted = parts.map(|part| {
            let section = part.unwrap_or("").to_owned();
            ((application.id.clone(), section), denying(part))
        });
        counted.collect::<Vec<_>>()
    });
    let guardrails = rules.iter().flat_map(|rules| &rules.guardrails);
    let guardrails: Vec<_> = guardrails.filter(|it| it.mode == Mode::Enforce).collect();
    let boundaries = guardrails.iter().filter(|it| it.boundary.is_some()).count();
    // what cannot be read is a boundary that admits nothing: it stands for every deny
    let shut = guardrails
        .iter()
        .any(|it| it.boundary.as_ref().is_some_and(Vec::is_empty));
    let deny = if shut {
        usize::MAX
    } else {
        guardrails.iter().map(|it| it.deny.len()).sum()
    };
    (denies.collect(), boundaries, deny)
}

/// The ways to every member of an object below, but for labels, whose names are no fields.
fn fields(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, one) in object {
                let path = format!("{path}/{}", name.replace('/', "~1"));
                if name != "matchLabels" {
                    fields(one, &path, found);
                }
                found.push(path);
            }
        }
        Value::Array(list) => {
            for (n, one) in list.iter().enumerate() {
                fields(one, &format!("{path}/{n}"), found);
            }
        }
        _ => {}
    }
}

fn spoil(manifest: &mut Value, path: &str, mistake: Option<&Value>) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = manifest
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    let taken = parent.remove(name).unwrap();
    match mistake {
        Some(value) => parent.insert(name.to_owned(), value.clone()),
        None => parent.insert(format!("{name}z"), taken),
    };
}

#[test]
fn no_mistake_in_any_field_gives_anybody_more() {
    let world = world();
    let (before, taken) = (compiled(&world), takes(&compiled(&world)));
    let given = gifts(&before);
    assert!(given.len() > 20, "{given:?}");
    let mistakes = [
        Some(json!(null)),
        Some(json!([])),
        Some(json!({})),
        Some(json!(7)),
        None,
    ];
    let mut tried = 0;
    for at in 0..world.len() {
        let kind = world[at]["kind"].as_str().unwrap();
        if ![
            "AccessPolicy",
            "AccessRole",
            "ClusterAccessPolicy",
            "ClusterAccessRole",
        ]
        .contains(&kind)
        {
            continue;
        }
        let mut paths = Vec::new();
        fields(&world[at]["spec"], "/spec", &mut paths);
        for path in &paths {
            for mistake in &mistakes {
                // `{}` selects every namespace, and so means something
                if path.ends_with("namespaceSelector") && *mistake == Some(json!({})) {
                    continue;
                }
                let mut spoilt = world.clone();
                spoil(&mut spoilt[at], path, mistake.as_ref());
                let after = compiled(&spoilt);
                let why = format!("{kind} {path} as {mistake:?}");
                let more: Vec<_> = gifts(&after).difference(&given).cloned().collect();
                assert!(more.is_empty(), "{why} gives {more:?}");
                assert_takes(&taken, &takes(&after), &why);
                assert_tells_less(&before, &after, &why);
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

/// The Denies of each section of each application, the boundaries, and the Denies of the cluster.
type Takes = (Vec<((ApplicationId, String), usize)>, usize, usize);

fn assert_takes(before: &Takes, after: &Takes, why: &str) {
    for (part, denies) in &after.0 {
        let mut had = before.0.iter().filter(|(id, _)| id == part);
        let had = had.next().map_or(0, |(_, n)| *n);
        assert!(*denies >= had, "{why} loses a Deny at {part:?}");
    }
    assert!(after.1 >= before.1, "{why} loses a boundary");
    assert!(after.2 >= before.2, "{why} loses a deny of the cluster");
}

fn assert_tells_less(before: &Compilation, after: &Compilation, why: &str) {
    let applications = |compilation: &Compilation| {
        let rules = compilation
            .rulesets
            .values()
            .map(|compiled| compiled.rules.clone());
        rules
            .flat_map(|rules| rules.applications)
            .collect::<Vec<_>>()
    };
    for now in applications(after) {
        let was = applications(before)
            .into_iter()
            .find(|was| was.id == now.id);
        let (forward, disclose, login) = was.map_or_else(Default::default, |was| {
            (was.forward, was.disclose, was.login)
        });
        assert!(
            now.login.is_none() || now.login == login,
            "{why} sends browsers elsewhere"
        );
        assert!(
            now.forward.iter().all(|one| forward.contains(one)),
            "{why} forwards more"
        );
        assert!(
            now.disclose <= disclose || now.disclose == Disclose::Code,
            "{why} discloses more"
        );
    }
}
