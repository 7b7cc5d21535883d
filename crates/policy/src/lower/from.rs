//! `from`: who is meant, each entry by the word of one provider.

use super::place::{Found, Named, Place};
use super::workload::{self, Whose};
use super::{Said, Sink, matcher};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::v1alpha1::From;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::rules::{Effect, Entry, Matcher};
use std::collections::BTreeSet;

const ENTRY: [&str; 12] = [
    "actors",
    "anyone",
    "claims",
    "clients",
    "emailDomains",
    "emails",
    "groups",
    "providerRef",
    "roleRefs",
    "serviceAccounts",
    "subjects",
    "workloads",
];

/// What a list of entries belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A rule of this effect.
    Rule(Effect),
    /// A role, which is used by rules of both effects.
    Role,
}

/// The entries of a list, of which one must hold. What cannot be read is unknown for everyone.
pub(super) fn entries(
    place: Place<'_>,
    of: Of,
    path: &FieldPath,
    written: &Field<List<Field<From>>>,
    sink: &mut Sink,
) -> Vec<Entry> {
    let Some(members) = sink.required(path, written) else {
        return vec![Entry::Unknown];
    };
    let mut all = BTreeSet::new();
    for (n, member) in members.iter().enumerate() {
        let path = path.index(n);
        match sink.required(&path, member) {
            Some(entry) => all.extend(
                Reader {
                    place,
                    of,
                    path: &path,
                    entry,
                }
                .read(sink),
            ),
            None => drop(all.insert(Entry::Unknown)),
        }
    }
    all.into_iter().collect()
}

/// Whether an entry speaks of `anyone`, be it well or not.
pub(super) fn says_anyone(written: &Field<List<Field<From>>>) -> bool {
    let members = written.known().into_iter().flatten();
    members
        .filter_map(Field::known)
        .any(|entry| !entry.anyone.is_absent())
}

/// Entries with something beside them that cannot be read: unknown for everyone. Their providers
/// are named all the same, so that their callers are answered 403, and not as if nobody knew them.
pub(super) fn spoilt(place: Place<'_>, entries: &[Entry]) -> Vec<Entry> {
    let mut named: BTreeSet<ProviderId> = BTreeSet::new();
    for entry in entries {
        let members = match entry {
            Entry::Role(role) => place.entries_of(role),
            _ => std::slice::from_ref(entry),
        };
        named.extend(members.iter().filter_map(Entry::provider).cloned());
    }
    let unknown = |provider| Entry::Identity {
        provider,
        all: vec![Matcher::Unknown],
    };
    std::iter::once(Entry::Unknown)
        .chain(named.into_iter().map(unknown))
        .collect()
}

/// One entry, as it is read.
struct Reader<'e> {
    place: Place<'e>,
    of: Of,
    path: &'e FieldPath,
    entry: &'e From,
}

impl Reader<'_> {
    fn read(&self, sink: &mut Sink) -> Vec<Entry> {
        let misspelt = sink.unread(self.path, &self.entry.unread, &ENTRY);
        let parts: Vec<Vec<Entry>> = [
            self.anyone(sink),
            self.roles(sink),
            self.accounts(sink),
            self.identity(sink),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (parts.len(), misspelt) {
            (0, false) => {
                let message = "expected whom it means, got an empty entry";
                let help = "to mean everyone, say `anyone: true`".to_owned();
                sink.error(self.path, Code::UnreadableValue, message, Some(help));
            }
            (2.., _) => {
                let message = "`anyone`, `roleRefs` and `serviceAccounts` each stand alone";
                let help = "write an entry for each; one of them suffices".to_owned();
                sink.error(self.path, Code::Exclusive, message, Some(help));
            }
            _ => {}
        }
        let alone = parts.len() == 1;
        let entries: Vec<Entry> = parts.into_iter().flatten().collect();
        if alone && !misspelt {
            entries
        } else {
            spoilt(self.place, &entries)
        }
    }

    fn anyone(&self, sink: &mut Sink) -> Option<Vec<Entry>> {
        let path = self.path.name("anyone");
        let said = match sink.field(&path, &self.entry.anyone) {
            Said::Absent => return None,
            Said::Unknown => false,
            Said::Known(true) => true,
            Said::Known(false) => {
                let help = "leave the entry out to mean nobody by it".to_owned();
                let message = "expected `true`, got `false`";
                sink.error(&path, Code::InvalidValue, message, Some(help));
                false
            }
        };
        if said && self.of == Of::Role {
            let message = "a role that anyone holds is none";
            let help = "say `anyone: true` in the rule".to_owned();
            sink.error(&path, Code::InvalidValue, message, Some(help));
            return Some(vec![Entry::Unknown]);
        }
        Some(vec![if said { Entry::Anyone } else { Entry::Unknown }])
    }

    fn roles(&self, sink: &mut Sink) -> Option<Vec<Entry>> {
        let path = self.path.name("roleRefs");
        let references = match sink.field(&path, &self.entry.role_refs) {
            Said::Absent => return None,
            Said::Unknown => return Some(vec![Entry::Unknown]),
            Said::Known(references) => references,
        };
        if self.of == Of::Role {
            let message = "a role's members name no roles";
            sink.error(&path, Code::InvalidValue, message, None);
            return Some(vec![Entry::Unknown]);
        }
        let mut roles = Vec::new();
        for (n, reference) in references.iter().enumerate() {
            let path = path.index(n);
            let found = sink
                .required(&path, reference)
                .map_or(Found::Unread, |reference| {
                    self.place.role(&path, reference, sink)
                });
            roles.push(match found {
                Found::This(role) => Entry::Role(role),
                Found::Missing(name) => Entry::Missing(name),
                Found::Unread => Entry::Unknown,
            });
        }
        Some(roles)
    }

    fn accounts(&self, sink: &mut Sink) -> Option<Vec<Entry>> {
        let path = self.path.name("serviceAccounts");
        let said = sink.field(&path, &self.entry.service_accounts);
        if said == Said::Absent {
            return None;
        }
        let accounts = match said {
            Said::Known(accounts) => Some(matcher::accounts(&path, accounts, sink)),
            Said::Absent | Said::Unknown => None,
        };
        Some(match (self.place.kubernetes(&path, sink), accounts) {
            (Found::This(provider), Some(accounts)) => {
                vec![Entry::Identity {
                    provider: provider.id,
                    all: vec![accounts],
                }]
            }
            // what is null may have meant anything, but its word would have been the cluster's
            (Found::This(provider), None) => {
                let all = vec![Matcher::Unknown];
                vec![
                    Entry::Unknown,
                    Entry::Identity {
                        provider: provider.id,
                        all,
                    },
                ]
            }
            (Found::Missing(name), Some(_)) => vec![Entry::Missing(name)],
            (Found::Missing(_) | Found::Unread, _) => vec![Entry::Unknown],
        })
    }

    fn identity(&self, sink: &mut Sink) -> Option<Vec<Entry>> {
        if !self.says_identity() {
            return None;
        }
        let path = self.path.name("providerRef");
        let found = match sink.field(&path, &self.entry.provider_ref) {
            Said::Known(reference) => self.place.provider(&path, reference, sink),
            Said::Unknown => Found::Unread,
            Said::Absent => {
                let message = "it must say whose word it takes";
                let help = "name the provider: `providerRef: {name: …}`".to_owned();
                sink.error(&path, Code::Missing, message, Some(help));
                Found::Unread
            }
        };
        let mut all = matcher::matchers(self.path, self.entry, sink);
        let whose = self.whose(&found);
        let path = self.path.name("workloads");
        all.extend(workload::matchers(
            &path,
            &self.entry.workloads,
            whose,
            sink,
        ));
        if whose.open && self.entry.workloads.is_absent() {
            self.report_shared(whose, sink);
            all.push(Matcher::Unknown);
        }
        Some(vec![match found {
            Found::Missing(name) => Entry::Missing(name),
            Found::Unread => Entry::Unknown,
            Found::This(provider) => Entry::Identity {
                provider: provider.id,
                all,
            },
        }])
    }

    /// Whose word it takes. A Deny that means all callers of an issuer means what it says.
    fn whose<'f>(&self, found: &'f Found<Named<'_>>) -> Whose<'f> {
        let Found::This(Named { id, lowered }) = found else {
            return Whose {
                provider: None,
                open: false,
            };
        };
        let says_who = self.says_who(lowered.domain_mapped);
        Whose {
            provider: Some((id, lowered.platform)),
            open: lowered.shared && !says_who && self.of != Of::Rule(Effect::Deny),
        }
    }

    const fn says_identity(&self) -> bool {
        let From {
            provider_ref,
            groups,
            emails,
            email_domains,
            ..
        } = self.entry;
        let From {
            subjects,
            clients,
            actors,
            claims,
            workloads,
            ..
        } = self.entry;
        !(provider_ref.is_absent()
            && groups.is_absent()
            && emails.is_absent()
            && email_domains.is_absent()
            && subjects.is_absent()
            && clients.is_absent()
            && actors.is_absent()
            && claims.is_absent()
            && workloads.is_absent())
    }

    /// Whether it says whom it means among all the customers of an issuer. An issuer that serves
    /// everybody lets everybody choose the other claims. Each workload says it for itself.
    const fn says_who(&self, domain_mapped: bool) -> bool {
        let From {
            subjects,
            emails,
            email_domains,
            ..
        } = self.entry;
        !subjects.is_absent()
            || !emails.is_absent()
            || (domain_mapped && !email_domains.is_absent())
    }

    fn report_shared(&self, whose: Whose<'_>, sink: &mut Sink) {
        let provider = whose.id();
        let message = format!("{provider} serves everybody, and this does not say whose callers");
        let help = "say `tenants` in the provider, or `subjects`, `emails` or `workloads` here";
        sink.error(self.path, Code::SharedIssuer, message, Some(help.into()));
    }
}
