//! Applications: each target, with every policy that names it.

use super::{Member, Reports, report, sink, warn};
use crate::diagnostic::{Code, FieldPath};
use crate::lower::Said;
use crate::lower::target::Target;
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::names::ApplicationId;
use countersign_ruleset::rules::{Application, Effect, Mode, Policy, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// A target and what is said of it.
struct Subject<'m> {
    id: &'m ApplicationId,
    target: &'m Target,
    /// The policies that name it, and whether their Allows count.
    members: Vec<(&'m Member<'m>, bool)>,
    /// Whether another target answers for one of its hosts too.
    shared: bool,
}

/// The applications of one namespace.
pub(super) fn applications(members: &[Member<'_>], reports: &mut Reports) -> Vec<Application> {
    let subjects = subjects(members);
    subjects
        .values()
        .map(|subject| application(subject, members, reports))
        .collect()
}

fn subjects<'m>(members: &'m [Member<'m>]) -> BTreeMap<&'m ApplicationId, Subject<'m>> {
    let mut subjects = BTreeMap::new();
    let mut claimed: BTreeMap<&HostPattern, BTreeSet<&ApplicationId>> = BTreeMap::new();
    for member in members {
        for (id, target) in &member.policy.targets.these {
            let new = || Subject {
                id,
                target,
                members: Vec::new(),
                shared: false,
            };
            let subject: &mut Subject<'m> = subjects.entry(id).or_insert_with(new);
            subject.members.push((member, target.usable));
            for host in &target.hosts {
                claimed.entry(host).or_default().insert(id);
            }
        }
    }
    for subject in subjects.values_mut() {
        let is_shared = |host| claimed.get(host).is_some_and(|ids| ids.len() > 1);
        subject.shared = subject.target.hosts.iter().any(is_shared);
    }
    subjects
}

fn application(
    subject: &Subject<'_>,
    members: &[Member<'_>],
    reports: &mut Reports,
) -> Application {
    let mut policies = Vec::new();
    for (member, usable) in &subject.members {
        let audiences = audiences(subject, (member, *usable), reports);
        let outcome = &mut report(reports, member.id).outcome;
        let hosts = subject
            .target
            .hosts
            .iter()
            .map(|host| host.as_str().to_owned());
        outcome.hosts.extend(hosts);
        outcome.audiences.extend(audiences.iter().cloned());
        let rules = member.policy.rules.iter();
        let rules = rules
            .map(|placed| counting(&placed.rule, *usable))
            .collect();
        policies.push(policy(member, audiences, rules));
    }
    // what may have been any target may have been this one: a Deny acts, an Allow does not
    for member in members
        .iter()
        .filter(|member| member.policy.targets.unknown)
    {
        let names = subject
            .members
            .iter()
            .any(|(named, _)| named.id == member.id);
        let denies = member.policy.rules.iter().map(|placed| &placed.rule);
        let denies: Vec<Rule> = denies
            .filter(|rule| rule.effect == Effect::Deny)
            .cloned()
            .collect();
        if !names && !denies.is_empty() {
            policies.push(policy(member, Vec::new(), denies));
        }
    }
    let named: Vec<_> = subject.members.iter().map(|(member, _)| *member).collect();
    warn::of_denies_by_identity(subject.id, &named, reports);
    let forward = agreed(subject, "forward", |it| &it.policy.forward, reports);
    let disclose = agreed(subject, "disclose", |it| &it.policy.disclose, reports);
    Application {
        id: subject.id.clone(),
        hosts: subject.target.hosts.clone(),
        sections: Vec::new(),
        policies,
        login: None,
        forward: forward.unwrap_or_default().into_iter().collect(),
        disclose: disclose.unwrap_or_default(),
    }
}

fn policy(member: &Member<'_>, audiences: Vec<String>, rules: Vec<Rule>) -> Policy {
    let (id, mode) = (member.policy.id.clone(), member.policy.mode);
    Policy {
        id,
        mode,
        section: None,
        audiences,
        rules,
    }
}

/// An Allow at a target at which it may not count is unknown there.
fn counting(rule: &Rule, usable: bool) -> Rule {
    let mut rule = rule.clone();
    if !usable && rule.effect == Effect::Allow {
        rule.to.iter_mut().for_each(|to| to.unknown = true);
    }
    rule
}

/// The audiences that a policy hears at a target. Of a host that two targets answer for, a token
/// for one would be good at the other; so there is none unless it is said.
fn audiences(
    subject: &Subject<'_>,
    (member, usable): (&Member<'_>, bool),
    reports: &mut Reports,
) -> Vec<String> {
    match &member.policy.audiences {
        Said::Known(audiences) => return audiences.clone(),
        Said::Unknown => return Vec::new(),
        Said::Absent => {}
    }
    match &subject.target.url {
        Some(url) if !subject.shared => vec![url.clone()],
        url => {
            if usable && member.policy.asks_for_a_token() {
                let message = if url.is_some() {
                    format!("another target answers for the host of {} too", subject.id)
                } else {
                    format!("{} has no https URL of its own", subject.id)
                };
                let help = "say which audience a token must be for: `audiences: [https://…]`";
                let path = FieldPath::spec().name("audiences");
                let sink = sink(reports, member.id);
                sink.error(&path, Code::AudienceRequired, message, Some(help.into()));
            }
            Vec::new()
        }
    }
}

/// What the policies that decide say alike. What two say differently, neither says; and nor does
/// anyone where one cannot be read, for it may have said otherwise.
fn agreed<'m, T: Clone + Ord + 'm>(
    subject: &Subject<'m>,
    field: &str,
    said: impl Fn(&'m Member<'m>) -> &'m Said<T>,
    reports: &mut Reports,
) -> Option<T> {
    let mut values: BTreeMap<&T, Vec<&Member<'_>>> = BTreeMap::new();
    let mut whole = true;
    for (member, usable) in &subject.members {
        if member.policy.mode == Mode::Observe {
            continue;
        }
        whole &= usable;
        match said(member) {
            Said::Absent => {}
            Said::Known(value) => values.entry(value).or_default().push(member),
            Said::Unknown => whole = false,
        }
    }
    if values.len() > 1 {
        for member in values.values().flatten() {
            let id = subject.id;
            let message = format!("another policy says something else for {id}: neither holds");
            let path = FieldPath::spec().name(field);
            sink(reports, member.id).error(&path, Code::Conflicted, message, None);
        }
    }
    let agreed = whole && values.len() == 1;
    values.into_keys().next().filter(|_| agreed).cloned()
}
