//! Applications: each target, with every policy that names it.

use super::lost::Lost;
use super::route::Routes;
use super::{Member, Reports, cascade, report, sink};
use crate::diagnostic::{Code, FieldPath};
use crate::lower::target::Target;
use crate::lower::{Said, short};
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::names::ApplicationId;
use countersign_ruleset::rules::{Application, Effect, Mode, Policy, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// A target and what is said of it.
#[derive(Debug)]
pub(super) struct Subject<'m> {
    pub(super) id: &'m ApplicationId,
    pub(super) target: &'m Target,
    /// The policies that name it; one that names the whole and a section is there for each.
    pub(super) members: Vec<Named<'m>>,
    /// Its hosts for which another target answers too.
    shared: BTreeSet<&'m HostPattern>,
}

/// A policy that names a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'m> {
    pub(super) member: &'m Member<'m>,
    /// The one section that it names; `None` is the whole.
    pub(super) section: Option<&'m str>,
    /// Whether its Allows count.
    usable: bool,
}

/// What the applications of one namespace have around them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within<'w> {
    pub(super) routes: &'w Routes<'w>,
    /// What browsers log in as: never the audience of a token that a request bears.
    pub(super) clients: &'w BTreeSet<&'w str>,
}

/// The applications of one namespace; or what would be more than an edge reads.
pub(super) fn applications(
    members: &[Member<'_>],
    within: Within<'_>,
    reports: &mut Reports,
) -> Result<Vec<Application>, String> {
    let routes = within.routes;
    let subjects = subjects(members);
    let lost = Lost::of(members);
    let beside = routes.beside(&subjects);
    if let Some(excess) = lost.excess(&subjects, beside.len()) {
        return Err(excess);
    }
    routes.warn(&subjects, reports);
    cascade::warn(&subjects, routes, reports);
    let said = subjects
        .values()
        .map(|subject| application(subject, (&lost, within), reports));
    let mut applications: Vec<Application> = said.collect();
    for mut other in beside {
        other.policies = lost.at(&[]);
        applications.push(other);
    }
    Ok(applications)
}

fn subjects<'m>(members: &'m [Member<'m>]) -> BTreeMap<&'m ApplicationId, Subject<'m>> {
    let mut subjects = BTreeMap::new();
    let mut claimed: BTreeMap<&HostPattern, BTreeSet<&ApplicationId>> = BTreeMap::new();
    for member in members {
        for (part, target) in &member.policy.targets.these {
            let id = &part.application;
            let new = || Subject {
                id,
                target,
                members: Vec::new(),
                shared: BTreeSet::new(),
            };
            let subject: &mut Subject<'m> = subjects.entry(id).or_insert_with(new);
            subject.members.push(Named {
                member,
                section: part.section.as_deref(),
                usable: target.usable,
            });
            for host in &target.hosts {
                claimed.entry(host).or_default().insert(id);
            }
        }
    }
    for subject in subjects.values_mut() {
        let is_shared = |host: &&HostPattern| claimed.get(host).is_some_and(|ids| ids.len() > 1);
        let hosts = subject.target.hosts.iter();
        subject.shared = hosts.filter(is_shared).collect();
    }
    subjects
}

fn application<'m>(
    subject: &Subject<'m>,
    (lost, within): (&Lost<'m>, Within<'_>),
    reports: &mut Reports,
) -> Application {
    let mut policies = Vec::new();
    for named in &subject.members {
        let mut audiences = audiences(subject, *named, reports);
        audiences.retain(|it| !is_of_a_client(it, within, named.member, reports));
        let outcome = &mut report(reports, named.member.id).outcome;
        let hosts = subject
            .target
            .hosts
            .iter()
            .map(|host| host.as_str().to_owned());
        outcome.hosts.extend(hosts);
        outcome.audiences.extend(audiences.iter().cloned());
        let rules = named.member.policy.rules.iter();
        let rules = rules
            .map(|placed| counting(&placed.rule, named.usable))
            .collect();
        policies.push(policy(named.member, named.section, audiences, rules));
    }
    policies.extend(lost.at(&subject.members));
    let of = (subject, lost);
    let login = agreed(of, "login", |it| &it.policy.login, reports);
    let forward = agreed(of, "forward", |it| &it.policy.forward, reports);
    let disclose = agreed(of, "disclose", |it| &it.policy.disclose, reports);
    Application {
        id: subject.id.clone(),
        hosts: subject.target.hosts.clone(),
        accepted: subject.target.accepted,
        pending: within.routes.pending(subject.id),
        sections: within.routes.sections(subject.id),
        policies,
        login,
        forward: forward.unwrap_or_default().into_iter().collect(),
        disclose: disclose.unwrap_or_default(),
    }
}

pub(super) fn policy(
    member: &Member<'_>,
    section: Option<&str>,
    audiences: Vec<String>,
    rules: Vec<Rule>,
) -> Policy {
    let (id, mode) = (member.policy.id.clone(), member.policy.mode);
    Policy {
        id,
        mode,
        section: section.map(str::to_owned),
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
fn audiences(subject: &Subject<'_>, named: Named<'_>, reports: &mut Reports) -> Vec<String> {
    match &named.member.policy.audiences {
        Said::Known(audiences) => return audiences.clone(),
        Said::Unknown => return Vec::new(),
        Said::Absent => {}
    }
    let urls = subject.target.urls.iter();
    let (shared, own): (Vec<_>, Vec<_>) = urls.partition(|(host, _)| subject.shared.contains(host));
    if named.usable && named.member.policy.asks_for_a_token() {
        let path = FieldPath::spec().name("audiences");
        let help = Some("say which audience a token must be for: `audiences: [https://…]`".into());
        let sink = sink(reports, named.member.id);
        let id = subject.id;
        match (shared.first(), own.is_empty()) {
            (None, false) => {}
            (None, true) => {
                let message = format!("{id} has no https URL of its own");
                sink.error(&path, Code::AudienceRequired, message, help);
            }
            (Some(_), true) => {
                let message = format!("another target answers for the host of {id} too");
                sink.error(&path, Code::AudienceRequired, message, help);
            }
            (Some((host, _)), false) => {
                let message =
                    format!("another target answers for {host} too: at {id} it is no audience");
                sink.warning(&path, Code::AudienceRequired, message, help);
            }
        }
    }
    own.into_iter().map(|(_, url)| url.clone()).collect()
}

/// An ID token is for the client that it logs in at (OpenID Connect Core §2), and whoever gets hold of
/// it would else be let in by it, without having logged in.
fn is_of_a_client(
    audience: &str,
    within: Within<'_>,
    member: &Member<'_>,
    reports: &mut Reports,
) -> bool {
    let is = within.clients.contains(audience);
    if is {
        let path = FieldPath::spec().name("audiences");
        let message = format!(
            "`{}` is what browsers log in as: it is no audience",
            short(audience)
        );
        let help = "name what tokens for this service are issued for: `audiences: [https://…]`";
        sink(reports, member.id).error(&path, Code::InvalidValue, message, Some(help.to_owned()));
    }
    is
}

/// What the policies that decide say alike. What two say differently, neither says; and nor does
/// anyone where one cannot be read, or its targets cannot, for it may have said otherwise.
fn agreed<'m, T: Clone + Ord + 'm>(
    (subject, lost): (&Subject<'m>, &Lost<'m>),
    field: &str,
    said: impl Fn(&'m Member<'m>) -> &'m Said<T>,
    reports: &mut Reports,
) -> Option<T> {
    let mut values: BTreeMap<&T, Vec<&Member<'_>>> = BTreeMap::new();
    let mut whole = true;
    for Named {
        member,
        section,
        usable,
    } in &subject.members
    {
        if member.policy.mode == Mode::Observe {
            continue;
        }
        if section.is_some() {
            // what one section asks for, or its upstream is told, is not for the others
            if *said(member) != Said::Absent {
                let message = format!(
                    "this is for a whole route: of one section of {} it is not said",
                    subject.id
                );
                let help = "say it in a policy that names the route without `sectionName`";
                let path = FieldPath::spec().name(field);
                sink(reports, member.id).error(&path, Code::Exclusive, message, Some(help.into()));
            }
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
    // what may be for any target may be for this one, and say otherwise
    let mut lost = lost.deciding(&subject.members);
    whole &= lost.all(|member| match said(member) {
        _ if !member.policy.whole => false,
        Said::Absent => true,
        Said::Known(value) => values.keys().all(|other| *other == value),
        Said::Unknown => false,
    });
    let agreed = whole && values.len() == 1;
    values.into_keys().next().filter(|_| agreed).cloned()
}
