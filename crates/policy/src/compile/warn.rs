//! What works, and probably not as it was meant.

use super::{Member, Reports, sink};
use crate::diagnostic::Code;
use countersign_ruleset::names::{ApplicationId, ProviderId};
use countersign_ruleset::rules::{Effect, Entry, Mode, Rule};
use std::collections::BTreeSet;

/// Whom some entries of `from` mean. Roles are passed over: their members take the word of several.
struct Meant<'r> {
    anyone: bool,
    providers: BTreeSet<&'r ProviderId>,
}

/// A Deny that names a provider is false for all others' callers, and for those without a token. Who
/// is meant to be kept out need only come in by another door.
pub(super) fn of_denies_by_identity(
    application: &ApplicationId,
    members: &[&Member<'_>],
    reports: &mut Reports,
) {
    let decide = members
        .iter()
        .filter(|member| member.policy.mode == Mode::Enforce);
    let rules: Vec<_> = decide
        .flat_map(|member| member.policy.rules.iter().map(|placed| (*member, placed)))
        .collect();
    let allows = rules
        .iter()
        .filter(|(_, placed)| placed.rule.effect == Effect::Allow);
    let allowed = meant(allows.map(|(_, placed)| &placed.rule));
    for (member, placed) in &rules {
        let (rule, path) = (&placed.rule, &placed.path);
        let denied = meant([rule]);
        let by_identity = rule.effect == Effect::Deny
            && !denied.providers.is_empty()
            && rule.from.iter().all(|entry| entry.provider().is_some());
        if !by_identity {
            continue;
        }
        let past = allowed.providers.difference(&denied.providers);
        let mut past: Vec<String> = past.map(|id| format!("callers of {id}")).collect();
        if allowed.anyone {
            past.push("callers without a token".to_owned());
        }
        if !past.is_empty() {
            let past = past.join(" and ");
            let message =
                format!("at {application} an Allow admits {past}: this denies none of them");
            let help = "name their providers too, or deny `anyone`".to_owned();
            let path = path.name("from");
            sink(reports, member.id).warning(&path, Code::DenyByIdentity, message, Some(help));
        }
    }
}

fn meant<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Meant<'r> {
    let entries = rules.into_iter().flat_map(|rule| &rule.from);
    let mut meant = Meant {
        anyone: false,
        providers: BTreeSet::new(),
    };
    for entry in entries {
        meant.anyone |= *entry == Entry::Anyone;
        meant.providers.extend(entry.provider());
    }
    meant
}
