//! Roles, put in the place where rules name them.

use countersign_ruleset::rules::{Entry, Rule, Rules};

/// `from`, with the members of each role in its place. A role that is not there cannot be: the
/// rules would have been refused.
pub(super) fn expanded(rules: &Rules, rule: &Rule) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(rule.from.len());
    for entry in &rule.from {
        match entry {
            Entry::Role(role) => {
                entries.extend(rules.roles.get(role).into_iter().flatten().cloned());
            }
            other => entries.push(other.clone()),
        }
    }
    entries
}
