//! Targets do not cascade: what is said where a Deny seems to stand at two doors, and stands at one.

use super::application::{Named, Subject};
use super::route::Routes;
use super::{Reports, sink};
use crate::diagnostic::{Code, FieldPath};
use crate::resources::route::RouteRule;
use countersign_ruleset::names::ApplicationId;
use countersign_ruleset::rules::{Effect, Mode};
use std::collections::{BTreeMap, BTreeSet};

/// The most rules that are looked at for what is only a hint: nobody's policies make others wait.
const STEPS: usize = 1 << 18;

/// Says where a route and a Service behind it both have policies, and a Deny of the one is not one
/// of the other; and where a target has nothing that decides.
pub(super) fn warn(
    subjects: &BTreeMap<&ApplicationId, Subject<'_>>,
    routes: &Routes<'_>,
    reports: &mut Reports,
) {
    let mut steps = STEPS;
    for (id, subject) in subjects {
        if subject.members.iter().all(|it| !it.decides()) {
            observed(subject, reports);
        }
        for (service, names) in sent_to(routes.rules(id)) {
            let behind = format!("Service/{service}").parse::<ApplicationId>();
            let Some(behind) = behind.ok().and_then(|id| subjects.get(&id)) else {
                continue;
            };
            let here = subject.members.iter();
            let here = here.filter(|it| it.section.is_none() || names.contains(&it.section));
            let message = format!(
                "the edge of {}, to which {id} sends, does not enforce this",
                behind.id
            );
            denies(here, behind, &message, (&mut steps, reports));
            let message = format!(
                "the edge of {id}, which sends to {}, does not enforce this",
                behind.id
            );
            denies(
                behind.members.iter(),
                subject,
                &message,
                (&mut steps, reports),
            );
        }
    }
}

/// The Services that rules send to, and the names of those that do.
fn sent_to(rules: &[RouteRule]) -> BTreeMap<&str, BTreeSet<Option<&str>>> {
    let mut sent: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for rule in rules {
        for service in &rule.services {
            let names = sent.entry(service.as_str()).or_default();
            names.insert(rule.name.as_deref());
        }
    }
    sent
}

fn observed(subject: &Subject<'_>, reports: &mut Reports) {
    for named in &subject.members {
        let message = format!(
            "nothing but Observe names {}: everything is denied there",
            subject.id
        );
        let help = "to begin in front of a live service, say that it is open: an `anyone` rule with `expiresAt`";
        let path = FieldPath::spec().name("mode");
        sink(reports, named.member.id).warning(
            &path,
            Code::ObservedOnly,
            message,
            Some(help.into()),
        );
    }
}

/// The Denies of policies that do not name the other target too.
fn denies<'m>(
    members: impl Iterator<Item = &'m Named<'m>>,
    other: &Subject<'_>,
    message: &str,
    (steps, reports): (&mut usize, &mut Reports),
) {
    let whole = other.members.iter().filter(|it| it.section.is_none());
    let whole: BTreeSet<_> = whole.map(|it| it.member.id).collect();
    *steps = steps.saturating_sub(whole.len());
    for named in members.filter(|it| it.decides() && !whole.contains(it.member.id)) {
        let rules = named.member.policy.rules.iter();
        *steps = steps.saturating_sub(rules.len().saturating_add(1));
        if *steps == 0 {
            return;
        }
        for placed in rules.filter(|it| it.rule.effect == Effect::Deny) {
            let help = format!("deny it in a policy of {} too", other.id);
            let sink = sink(reports, named.member.id);
            sink.warning(&placed.path, Code::NotCascading, message, Some(help));
        }
    }
}

impl Named<'_> {
    fn decides(&self) -> bool {
        self.member.policy.mode == Mode::Enforce
    }
}
