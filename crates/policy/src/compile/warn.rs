//! What works, and probably not as it was meant.

use super::{Member, Reports, sink};
use crate::diagnostic::{Code, FieldPath};
use crate::lower::Said;
use countersign_ruleset::names::{PolicyId, ProviderId};
use countersign_ruleset::rules::{Application, Effect, Entry, Mode, Rule, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// The most providers that a warning names.
const MOST_NAMED: usize = 4;

/// Whom some entries of `from` mean, those of their roles' members too.
struct Meant<'r> {
    anyone: bool,
    /// Whether each means the callers of a provider.
    by_identity: bool,
    providers: BTreeSet<&'r ProviderId>,
}

/// A Deny that names a provider is false for all others' callers, and for those without a token. Who
/// is meant to be kept out need only come in by another door.
pub(super) fn of_denies_by_identity(rules: &Rules, members: &[Member<'_>], reports: &mut Reports) {
    let by_id = by_id(members);
    for application in &rules.applications {
        let policies = application.policies.iter();
        let named: BTreeSet<_> = policies
            .filter(|policy| policy.mode == Mode::Enforce)
            .map(|policy| &policy.id)
            .collect();
        let deciding = named.into_iter().filter_map(|id| by_id.get(id));
        let deciding: Vec<_> = deciding.copied().collect();
        at(application, rules, &deciding, reports);
    }
}

/// Who logs in at a provider that no Allow names is a caller whose tokens do not count.
pub(super) fn of_logins_in_vain(rules: &Rules, members: &[Member<'_>], reports: &mut Reports) {
    let by_id = by_id(members);
    for application in &rules.applications {
        let Some(login) = &application.login else {
            continue;
        };
        let enforced = application
            .policies
            .iter()
            .filter(|policy| policy.mode == Mode::Enforce);
        let allows = enforced
            .clone()
            .flat_map(|policy| &policy.rules)
            .filter(|rule| rule.effect == Effect::Allow);
        if meant(rules, allows).providers.contains(login) {
            continue;
        }
        let whole = enforced.filter(|policy| policy.section.is_none());
        let named: BTreeSet<_> = whole.map(|policy| &policy.id).collect();
        let saying = named.into_iter().filter_map(|id| by_id.get(id));
        let saying = saying.filter(|member| member.policy.login == Said::Known(login.clone()));
        for member in saying {
            let id = &application.id;
            let message =
                format!("at {id} no Allow admits callers of {login}: who logs in gets in nowhere");
            let help = "name it in an Allow, or log in at a provider that one names".to_owned();
            let path = FieldPath::spec().name("login");
            sink(reports, member.id).warning(&path, Code::LoginInVain, message, Some(help));
        }
    }
}

fn by_id<'m>(members: &'m [Member<'m>]) -> BTreeMap<&'m PolicyId, &'m Member<'m>> {
    let by_id = members.iter().map(|member| (&member.policy.id, member));
    by_id.collect()
}

fn at(application: &Application, rules: &Rules, members: &[&Member<'_>], reports: &mut Reports) {
    let each = members
        .iter()
        .flat_map(|member| member.policy.rules.iter().map(|placed| (*member, placed)));
    let (allows, denies): (Vec<_>, Vec<_>) =
        each.partition(|(_, placed)| placed.rule.effect == Effect::Allow);
    let allowed = meant(rules, allows.iter().map(|(_, placed)| &placed.rule));
    for (member, placed) in denies {
        let denied = meant(rules, [&placed.rule]);
        if !denied.by_identity || denied.providers.is_empty() {
            continue;
        }
        let past = || allowed.providers.difference(&denied.providers);
        let first = past().take(MOST_NAMED);
        let mut past: Vec<String> = match past().count().checked_sub(MOST_NAMED) {
            None | Some(0) => first.map(|id| format!("callers of {id}")).collect(),
            Some(more) => first
                .map(|id| format!("callers of {id}"))
                .chain([format!("of {more} more providers")])
                .collect(),
        };
        if allowed.anyone {
            past.push("callers without a token".to_owned());
        }
        if !past.is_empty() {
            let (past, id) = (past.join(" and "), &application.id);
            let message = format!("at {id} an Allow admits {past}: this denies none of them");
            let help = "name their providers too, or deny `anyone`".to_owned();
            let path = placed.path.name("from");
            sink(reports, member.id).warning(&path, Code::DenyByIdentity, message, Some(help));
        }
    }
}

fn meant<'r>(rules: &'r Rules, these: impl IntoIterator<Item = &'r Rule>) -> Meant<'r> {
    let mut meant = Meant {
        anyone: false,
        by_identity: true,
        providers: BTreeSet::new(),
    };
    for entry in these.into_iter().flat_map(|rule| &rule.from) {
        let members = match entry {
            Entry::Role(role) => rules.roles.get(role).map_or(&[][..], Vec::as_slice),
            _ => std::slice::from_ref(entry),
        };
        for entry in members {
            meant.anyone |= *entry == Entry::Anyone;
            meant.by_identity &= entry.provider().is_some();
            meant.providers.extend(entry.provider());
        }
    }
    meant
}
