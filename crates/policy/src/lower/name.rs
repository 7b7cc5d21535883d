//! Names of rules: each unique in its list, whatever was written.

use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::Field;
use countersign_ruleset::condition::Condition;
use countersign_ruleset::names::RuleName;
use countersign_ruleset::rules::{Effect, Entry, Require, Rule, To};
use countersign_ruleset::time::UnixTime;
use std::collections::BTreeMap;

/// The longest name that may be written: a number can be put after it.
const MOST: usize = 63;

/// A rule without its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nameless {
    pub(super) effect: Effect,
    pub(super) from: Vec<Entry>,
    pub(super) to: Vec<To>,
    pub(super) when: Option<Condition>,
    pub(super) require: Option<Require>,
    pub(super) expires_at: Option<UnixTime>,
}

/// A rule, and what was written for its name; nothing, if that is no name.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) path: FieldPath,
    pub(super) name: Option<String>,
    pub(super) rule: Nameless,
}

/// A rule and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) path: FieldPath,
    pub(crate) rule: Rule,
}

/// Reads a name. A rule without one holds all the same: a name restricts nothing.
pub(super) fn read(path: &FieldPath, written: &Field<String>, sink: &mut Sink) -> Option<String> {
    let path = path.name("name");
    let name = match sink.field(&path, written) {
        Said::Known(name) => name,
        Said::Unknown => return None,
        Said::Absent => {
            let message = "a rule has a name, which stands in answers and audit lines";
            sink.error(&path, Code::RuleName, message, None);
            return None;
        }
    };
    let is_name = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    if (1..=MOST).contains(&name.len()) && name.bytes().all(is_name) {
        return Some(name.clone());
    }
    let message = format!(
        "expected 1 to {MOST} of A-Z a-z 0-9 . _ -, got `{}`",
        short(name)
    );
    sink.error(&path, Code::RuleName, message, None);
    None
}

/// Gives every rule its name. What has none, or shares one, is numbered by what it says and not by
/// where it stands, so that the order of rules changes nothing.
pub(super) fn assign(drafts: Vec<Draft>, sink: &mut Sink) -> Vec<Placed> {
    let mut by_name: BTreeMap<Option<String>, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_name.entry(draft.name.clone()).or_default().push(draft);
    }
    let mut placed = Vec::new();
    for (name, mut drafts) in by_name {
        let unique = name.is_some() && drafts.len() == 1;
        let name = name.unwrap_or_default();
        if !unique && !name.is_empty() {
            for draft in &drafts {
                let message = format!(
                    "expected each name once, got `{name}` {}",
                    times(drafts.len())
                );
                sink.error(&draft.path.name("name"), Code::RuleName, message, None);
            }
        }
        drafts.sort_by(|a, b| a.rule.cmp(&b.rule));
        for (number, draft) in drafts.into_iter().enumerate() {
            let name = if unique {
                name.clone()
            } else {
                format!("{name}#{number}")
            };
            // INVARIANT: what `read` lets through, with a number after it, is a rule's name
            let Ok(name) = name.parse::<RuleName>() else {
                continue;
            };
            let Nameless {
                effect,
                from,
                to,
                when,
                require,
                expires_at,
            } = draft.rule;
            let rule = Rule {
                name,
                effect,
                from,
                to,
                when,
                require,
                expires_at,
            };
            placed.push(Placed {
                path: draft.path,
                rule,
            });
        }
    }
    placed
}

fn times(count: usize) -> String {
    if count == 2 {
        "twice".into()
    } else {
        format!("{count} times")
    }
}
