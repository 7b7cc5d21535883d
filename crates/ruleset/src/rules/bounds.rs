//! What a ruleset may hold beside its form: how many of each, and whose word a guardrail takes.

use super::{Application, Entry, Guardrail, Invalid, Matcher, Rule, Rules, To, at_most};
use crate::condition::{Condition, MAX_NODES, Node};
use crate::names::RoleId;

/// The most members of any list that an operator writes: a hundred times what a resource allows.
pub const MAX_LIST: usize = 10_000;

/// The most applications, guardrails, roles or revocations of one ruleset.
pub const MAX_OBJECTS: usize = 100_000;

impl Rules {
    /// 9 counts within limits
    pub(super) fn count(&self) -> Result<(), Invalid> {
        at_most("applications", MAX_OBJECTS, self.applications.len())?;
        at_most("guardrails", MAX_OBJECTS, self.guardrails.len())?;
        at_most("roles", MAX_OBJECTS, self.roles.len())?;
        at_most("revocations", MAX_OBJECTS, self.revocations.len())?;
        self.applications.iter().try_for_each(application)?;
        for entries in self.roles.values() {
            at_most("members of a role", MAX_LIST, entries.len())?;
            entries.iter().try_for_each(entry)?;
        }
        self.audit
            .values()
            .try_for_each(|claims| at_most("audited claims", MAX_LIST, claims.len()))?;
        self.rules().try_for_each(rule)
    }

    /// What a tenant may change cannot speak in the cluster's name.
    pub(super) fn cluster_only(&self) -> Result<(), Invalid> {
        for guardrail in &self.guardrails {
            let entries = guardrail.rules().flat_map(|rule| &rule.from);
            of_the_cluster(guardrail.policy.as_str(), entries)?;
        }
        let roles = self.roles.iter();
        let mut roles = roles.filter(|(id, _)| id.as_str().starts_with("ClusterAccessRole/"));
        roles.try_for_each(|(id, entries)| of_the_cluster(RoleId::as_str(id), entries.iter()))
    }
}

impl Guardrail {
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.boundary.iter().flatten().chain(&self.deny)
    }
}

fn of_the_cluster<'e>(
    of: &str,
    mut entries: impl Iterator<Item = &'e Entry>,
) -> Result<(), Invalid> {
    entries.try_for_each(|entry| {
        let named = match entry {
            Entry::Identity { provider, .. } => provider.as_str(),
            Entry::Role(role) => role.as_str(),
            Entry::Anyone | Entry::Missing(_) | Entry::Unknown => return Ok(()),
        };
        if named.starts_with("Cluster") {
            return Ok(());
        }
        let (of, named) = (of.to_owned(), named.to_owned());
        Err(Invalid::NotOfTheCluster { of, named })
    })
}

fn application(application: &Application) -> Result<(), Invalid> {
    at_most("hosts", MAX_LIST, application.hosts.len())?;
    at_most("sections", MAX_LIST, application.sections.len())?;
    at_most("policies", MAX_LIST, application.policies.len())?;
    for section in &application.sections {
        at_most("matches of a section", MAX_LIST, section.matches.len())?;
    }
    for policy in &application.policies {
        at_most("audiences", MAX_LIST, policy.audiences.len())?;
    }
    Ok(())
}

fn rule(rule: &Rule) -> Result<(), Invalid> {
    at_most("entries of `from`", MAX_LIST, rule.from.len())?;
    rule.from.iter().try_for_each(entry)?;
    at_most("entries of `to`", MAX_LIST, rule.to.len())?;
    rule.to.iter().try_for_each(to)?;
    rule.when.as_ref().map_or(Ok(()), condition)?;
    let Some(require) = &rule.require else {
        return Ok(());
    };
    at_most("scopes", MAX_LIST, require.scopes.len())?;
    at_most("acrValues", MAX_LIST, require.acr_values.len())?;
    at_most("amr", MAX_LIST, require.amr.len())
}

/// A node that names one place a million times would be looked at a million times.
fn condition(when: &Condition) -> Result<(), Invalid> {
    when.nodes().iter().try_for_each(|node| match node {
        Node::All(places) | Node::Any(places) | Node::List(places) => {
            at_most("places of a node", MAX_NODES, places.len())
        }
        Node::Every { body, .. } | Node::Exists { body, .. } => condition(body),
        _ => Ok(()),
    })
}

fn to(to: &To) -> Result<(), Invalid> {
    at_most("hosts", MAX_LIST, to.hosts.as_ref().map_or(0, Vec::len))?;
    at_most("methods", MAX_LIST, to.methods.as_ref().map_or(0, Vec::len))?;
    at_most("paths", MAX_LIST, to.paths.as_ref().map_or(0, Vec::len))?;
    to.mcp.as_ref().map_or(Ok(()), |mcp| {
        at_most("tools", MAX_LIST, mcp.tools.as_ref().map_or(0, Vec::len))?;
        at_most(
            "methods",
            MAX_LIST,
            mcp.methods.as_ref().map_or(0, Vec::len),
        )
    })
}

fn entry(entry: &Entry) -> Result<(), Invalid> {
    match entry {
        Entry::Identity { all, .. } => matchers(all),
        Entry::Anyone | Entry::Missing(_) | Entry::Role(_) | Entry::Unknown => Ok(()),
    }
}

/// The depth is that of the JSON, which is bounded before.
fn matchers(all: &[Matcher]) -> Result<(), Invalid> {
    at_most("matchers", MAX_LIST, all.len())?;
    all.iter().try_for_each(|matcher| match matcher {
        Matcher::Actors(values)
        | Matcher::Clients(values)
        | Matcher::EmailDomains(values)
        | Matcher::Emails(values)
        | Matcher::Groups(values)
        | Matcher::Subjects(values) => at_most("values of a matcher", MAX_LIST, values.len()),
        Matcher::Claim { path, any_of } => {
            at_most("keys of a claim", MAX_LIST, path.len())?;
            at_most("values of a matcher", MAX_LIST, any_of.len())
        }
        Matcher::ServiceAccounts(accounts) => {
            at_most("values of a matcher", MAX_LIST, accounts.len())
        }
        Matcher::AnyOf(alternatives) => {
            at_most("alternatives", MAX_LIST, alternatives.len())?;
            alternatives.iter().try_for_each(|all| matchers(all))
        }
        Matcher::Unknown => Ok(()),
    })
}

#[cfg(test)]
mod tests;
