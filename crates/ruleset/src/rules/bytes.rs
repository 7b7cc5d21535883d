//! The rules blob's bytes: one encoder, which depends on the meaning only, and one strict decoder.

use super::{
    Application, Effect, Entry, Guardrail, Matcher, Pending, Policy, Require, Rule, Rules, To,
};
use crate::json;
use crate::names::{ProviderId, RoleId};
use std::collections::BTreeSet;

/// The most rules that one ruleset may hold, guardrails included.
pub const MAX_RULES: usize = 250_000;

/// Why a rules or keys blob is refused, though its digest is the one that was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is not the JSON that was promised.
    #[error(transparent)]
    Malformed(#[from] json::Malformed),
    /// It means what it says, and would be written otherwise: then one meaning had two digests.
    #[error("expected the one form in which it is written, got another of the same meaning")]
    NotCanonical,
    /// A list that must be in order, each once, is not.
    #[error("expected {list} in order and each once, got `{second}` after `{first}`")]
    Disordered {
        /// The list.
        list: &'static str,
        /// The one before.
        first: String,
        /// The one that may not follow it.
        second: String,
    },
    /// There are too many.
    #[error("expected at most {most} {list}, got {got}")]
    TooMany {
        /// The list.
        list: &'static str,
        /// The limit.
        most: usize,
        /// The count.
        got: usize,
    },
    /// An entry names a role that the blob does not define.
    #[error("an entry names the role `{0}`, which the rules do not define")]
    RoleUndefined(RoleId),
    /// A role's member names a role.
    #[error("the role `{0}` names a role: roles do not nest")]
    RoleNested(RoleId),
    /// A Deny has a part that could make it act less.
    #[error("the Deny `{0}` has `require` or `expiresAt`, which only an Allow may have")]
    DenyWithAllowParts(String),
    /// A guardrail's list holds a rule of the other effect.
    #[error("the guardrail `{0}` holds a rule of the wrong effect")]
    Effect(String),
    /// A tenant would speak in the cluster's name.
    #[error("`{of}` is the cluster's, and names `{named}`, which is a namespace's")]
    NotOfTheCluster {
        /// The guardrail or role.
        of: String,
        /// What it names.
        named: String,
    },
    /// Browsers would log in as nobody.
    #[error("the client of `{0}` has no id")]
    ClientWithoutId(ProviderId),
    /// A condition refers to a node that does not come before.
    #[error("the condition of `{rule}` is not well formed: {reason}")]
    Condition {
        /// The rule.
        rule: String,
        /// What is wrong.
        reason: String,
    },
}

impl Rules {
    /// Rules that allow nothing, for a namespace that has none.
    pub const fn empty(scope: crate::names::Scope) -> Self {
        Self {
            scope,
            applications: Vec::new(),
            guardrails: Vec::new(),
            roles: std::collections::BTreeMap::new(),
            revocations: Vec::new(),
            audit: std::collections::BTreeMap::new(),
        }
    }

    /// The bytes that are digested and signed. Order and repetition inside lists mean nothing, so
    /// two sets of resources that mean the same have the same bytes.
    ///
    /// # Errors
    /// None in practice: the types hold nothing that JSON cannot.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut canonical = self.clone();
        canonical.sort();
        serde_json::to_vec(&canonical)
    }

    /// Reads what [`Rules::to_bytes`] wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let rules: Self = json::strict(bytes, json::Limits::BLOB)?;
        rules.inspect()?;
        canonical(bytes, rules.to_bytes())?;
        Ok(rules)
    }

    /// Puts every list into the one order, each member once.
    pub fn sort(&mut self) {
        self.applications.iter_mut().for_each(sort_application);
        sort(&mut self.applications);
        self.guardrails.iter_mut().for_each(sort_guardrail);
        sort(&mut self.guardrails);
        for entries in self.roles.values_mut() {
            sort_entries(entries);
        }
        sort(&mut self.revocations);
    }

    /// Every provider that the rules name: each must be in the keys blob.
    pub fn providers(&self) -> BTreeSet<&ProviderId> {
        let entries = self.rules().flat_map(|rule| &rule.from);
        let entries = entries.chain(self.roles.values().flatten());
        let mut named: BTreeSet<_> = entries.filter_map(Entry::provider).collect();
        named.extend(self.applications.iter().filter_map(|a| a.login.as_ref()));
        named.extend(self.revocations.iter().map(|r| &r.provider));
        named.extend(self.audit.keys());
        named
    }

    /// Every rule: of each application's policies, then of the guardrails.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let own = self
            .applications
            .iter()
            .flat_map(|a| &a.policies)
            .flat_map(|p| &p.rules);
        own.chain(self.guardrails.iter().flat_map(Guardrail::rules))
    }

    fn inspect(&self) -> Result<(), Invalid> {
        at_most("rules", MAX_RULES, self.rules().count())?;
        self.count()?;
        self.cluster_only()?;
        ordered(
            "applications",
            self.applications.iter().map(|a| a.id.as_str()),
        )?;
        ordered(
            "guardrails",
            self.guardrails.iter().map(|g| g.policy.as_str()),
        )?;
        for application in &self.applications {
            for policy in &application.policies {
                ordered("rules", policy.rules.iter().map(|r| r.name.as_str()))?;
            }
        }
        for guardrail in &self.guardrails {
            ordered("deny", guardrail.deny.iter().map(|r| r.name.as_str()))?;
            let boundary = guardrail.boundary.iter().flatten();
            ordered("boundary", boundary.clone().map(|r| r.name.as_str()))?;
            let denies = guardrail.deny.iter().all(|r| r.effect == Effect::Deny);
            if !denies || boundary.clone().any(|r| r.effect != Effect::Allow) {
                return Err(Invalid::Effect(guardrail.policy.to_string()));
            }
        }
        for entry in self.roles.values().flatten() {
            if let Entry::Role(role) = entry {
                return Err(Invalid::RoleNested(role.clone()));
            }
        }
        self.rules().try_for_each(|rule| self.inspect_rule(rule))
    }

    fn inspect_rule(&self, rule: &Rule) -> Result<(), Invalid> {
        let allow_parts = rule.require.is_some() || rule.expires_at.is_some();
        if rule.effect == Effect::Deny && allow_parts {
            return Err(Invalid::DenyWithAllowParts(rule.name.to_string()));
        }
        for entry in &rule.from {
            if let Entry::Role(role) = entry
                && !self.roles.contains_key(role)
            {
                return Err(Invalid::RoleUndefined(role.clone()));
            }
        }
        rule.when.as_ref().map_or(Ok(()), |condition| {
            condition.inspect().map_err(|reason| Invalid::Condition {
                rule: rule.name.to_string(),
                reason,
            })
        })
    }
}

impl Entry {
    /// The provider whose word the entry takes, if it names one itself.
    pub const fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Identity { provider, .. } => Some(provider),
            Self::Anyone | Self::Missing(_) | Self::Role(_) | Self::Unknown => None,
        }
    }
}

/// Refuses what would be written otherwise: a list out of order, a blank, a member that says nothing.
pub(crate) fn canonical(
    bytes: &[u8],
    written: Result<Vec<u8>, serde_json::Error>,
) -> Result<(), Invalid> {
    match written {
        Ok(written) if written == bytes => Ok(()),
        _ => Err(Invalid::NotCanonical),
    }
}

pub(crate) fn at_most(list: &'static str, most: usize, got: usize) -> Result<(), Invalid> {
    if got > most {
        Err(Invalid::TooMany { list, most, got })
    } else {
        Ok(())
    }
}

/// Refuses a name that does not come after the one before it: twice, or out of order.
pub(crate) fn ordered<'a>(
    list: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), Invalid> {
    let mut before: Option<&str> = None;
    for name in names {
        if let Some(first) = before
            && first >= name
        {
            return Err(Invalid::Disordered {
                list,
                first: first.into(),
                second: name.into(),
            });
        }
        before = Some(name);
    }
    Ok(())
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

fn sort_application(application: &mut Application) {
    sort(&mut application.hosts);
    if let Some(Pending::Hosts(hosts)) = &mut application.pending {
        sort(hosts);
    }
    sort(&mut application.forward);
    application
        .sections
        .iter_mut()
        .for_each(|section| sort(&mut section.matches));
    sort(&mut application.sections);
    application.policies.iter_mut().for_each(sort_policy);
    sort(&mut application.policies);
}

fn sort_policy(policy: &mut Policy) {
    sort(&mut policy.audiences);
    sort_rules(&mut policy.rules);
}

fn sort_guardrail(guardrail: &mut Guardrail) {
    sort_rules(&mut guardrail.deny);
    if let Some(boundary) = &mut guardrail.boundary {
        sort_rules(boundary);
    }
}

fn sort_rules(rules: &mut Vec<Rule>) {
    for rule in rules.iter_mut() {
        sort_entries(&mut rule.from);
        rule.to.iter_mut().for_each(sort_to);
        sort(&mut rule.to);
        if let Some(Require {
            scopes,
            acr_values,
            amr,
            ..
        }) = &mut rule.require
        {
            [scopes, acr_values, amr].into_iter().for_each(sort);
        }
    }
    sort(rules);
}

fn sort_to(to: &mut To) {
    if let Some(hosts) = &mut to.hosts {
        sort(hosts);
    }
    if let Some(methods) = &mut to.methods {
        sort(methods);
    }
    if let Some(paths) = &mut to.paths {
        sort(paths);
    }
    if let Some(mcp) = &mut to.mcp {
        [&mut mcp.tools, &mut mcp.methods]
            .into_iter()
            .flatten()
            .for_each(sort);
    }
}

fn sort_entries(entries: &mut Vec<Entry>) {
    for entry in entries.iter_mut() {
        if let Entry::Identity { all, .. } = entry {
            sort_matchers(all);
        }
    }
    sort(entries);
}

fn sort_matchers(matchers: &mut Vec<Matcher>) {
    for matcher in matchers.iter_mut() {
        match matcher {
            Matcher::Actors(values)
            | Matcher::Clients(values)
            | Matcher::Claim { any_of: values, .. }
            | Matcher::EmailDomains(values)
            | Matcher::Emails(values)
            | Matcher::Groups(values)
            | Matcher::Subjects(values) => sort(values),
            Matcher::AnyOf(alternatives) => {
                alternatives.iter_mut().for_each(sort_matchers);
                sort(alternatives);
            }
            Matcher::ServiceAccounts(accounts) => sort(accounts),
            Matcher::Unknown => {}
        }
    }
    sort(matchers);
}

#[cfg(test)]
mod tests;
