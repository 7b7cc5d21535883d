//! One rule: its effect, who, what, and until when.

use super::from::{self, Of};
use super::name::{self, Draft, Nameless, Placed};
use super::place::Place;
use super::time::timestamp;
use super::{Said, Sink, require, short, to, when};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List, Unread, nearest};
use crate::v1alpha1::{ClusterRule, From, RequireSpec, Rule, To};
use countersign_ruleset::condition::Condition;
use countersign_ruleset::rules::{Effect, Entry, Require};
use countersign_ruleset::time::UnixTime;

const RULE: [&str; 8] = [
    "action",
    "description",
    "expiresAt",
    "from",
    "name",
    "require",
    "to",
    "when",
];
const CLUSTER_RULE: [&str; 6] = ["description", "from", "name", "require", "to", "when"];

/// The rules of an AccessPolicy. If it may have held others, that cannot be read, one of them may
/// have been a Deny of everything.
pub(super) fn rules(
    place: Place<'_>,
    path: &FieldPath,
    (written, whole): (Option<&List<Field<Rule>>>, bool),
    sink: &mut Sink,
) -> Vec<Placed> {
    let mut drafts = Vec::new();
    if !whole {
        drafts.push(unreadable(path));
    }
    for (n, member) in written.into_iter().flatten().enumerate() {
        let path = path.index(n);
        drafts.push(match sink.required(&path, member) {
            Some(rule) => own(place, &path, rule, sink),
            None => unreadable(&path),
        });
    }
    name::assign(drafts, sink)
}

/// The rules of one list of a ClusterAccessPolicy.
pub(super) fn cluster_rules(
    place: Place<'_>,
    path: &FieldPath,
    effect: Effect,
    written: &[Field<ClusterRule>],
    sink: &mut Sink,
) -> Vec<Placed> {
    let mut drafts = Vec::new();
    for (n, member) in written.iter().enumerate() {
        let path = path.index(n);
        let draft = match sink.required(&path, member) {
            Some(rule) => Parts::of_cluster(effect, rule).lower(place, &path, sink),
            None => unreadable(&path),
        };
        drafts.push(Draft {
            rule: Nameless {
                effect,
                ..draft.rule
            },
            ..draft
        });
    }
    name::assign(drafts, sink)
}

/// What may have been any rule, and so may have been a Deny of everything.
fn unreadable(path: &FieldPath) -> Draft {
    let rule = Nameless {
        effect: Effect::Deny,
        from: vec![Entry::Unknown],
        to: vec![to::unknown()],
        when: None,
        require: None,
        expires_at: None,
    };
    Draft {
        path: path.clone(),
        name: None,
        rule,
    }
}

/// A rule of which something cannot be read: an Allow gives nothing, a Deny acts within what can.
fn make_unknown(rule: &mut Nameless) {
    rule.to.iter_mut().for_each(|to| to.unknown = true);
}

/// What is not open to everyone after all: the entries beside it stay.
fn make_anyone_unknown(from: &mut Vec<Entry>) {
    from.iter_mut()
        .filter(|entry| **entry == Entry::Anyone)
        .for_each(|entry| *entry = Entry::Unknown);
    from.sort();
    from.dedup();
}

fn own(place: Place<'_>, path: &FieldPath, rule: &Rule, sink: &mut Sink) -> Draft {
    let effect = effect(path, rule, sink);
    let mut draft = Parts::of_policy(effect, rule).lower(place, path, sink);
    if !rule.expires_at.is_absent() {
        let path = path.name("expiresAt");
        if effect == Effect::Deny {
            let message = "a Deny does not end by itself";
            let help = "remove the rule when it is no longer needed".to_owned();
            sink.error(&path, Code::Exclusive, message, Some(help));
        } else {
            match expiry(&path, &rule.expires_at, sink) {
                Some(at) => draft.rule.expires_at = Some(at),
                None => make_unknown(&mut draft.rule),
            }
        }
    }
    draft
}

/// A misspelt Deny stays a Deny: whatever is written for the action but `Allow` is one, and so is a
/// field that is misspelt and was likely meant to say it.
fn effect(path: &FieldPath, rule: &Rule, sink: &mut Sink) -> Effect {
    let path = path.name("action");
    let said = match sink.field(&path, &rule.action) {
        Said::Absent => Effect::Allow,
        Said::Unknown => Effect::Deny,
        Said::Known(action) => match action.as_str() {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => {
                let message = format!("expected `Allow` or `Deny`, got `{}`", short(other));
                let help = nearest(other, ["Allow", "Deny"]);
                let help = help.map(|near| format!("did you mean `{near}`? It is taken as a Deny"));
                sink.error(&path, Code::InvalidValue, message, help);
                Effect::Deny
            }
        },
    };
    let is_deny = |(name, value): (&String, &serde_json::Value)| {
        value
            .as_str()
            .is_some_and(|value| value.eq_ignore_ascii_case("deny"))
            || nearest(name, RULE) == Some("action")
    };
    if rule.unread.iter().any(is_deny) {
        Effect::Deny
    } else {
        said
    }
}

/// When an Allow ends.
fn expiry(path: &FieldPath, written: &Field<String>, sink: &mut Sink) -> Option<UnixTime> {
    let Said::Known(text) = sink.field(path, written) else {
        return None;
    };
    match timestamp(text) {
        Ok(at) => Some(at),
        Err(message) => {
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}

/// What the rules of both kinds of policy have in common.
struct Parts<'r> {
    effect: Effect,
    name: &'r Field<String>,
    description: &'r Field<String>,
    from: &'r Field<List<Field<From>>>,
    to: &'r Field<List<Field<To>>>,
    when: &'r Field<String>,
    require: &'r Field<RequireSpec>,
    unread: &'r Unread,
    known: &'static [&'static str],
}

impl<'r> Parts<'r> {
    const fn of_policy(effect: Effect, rule: &'r Rule) -> Self {
        let Rule {
            name,
            description,
            from,
            to,
            when,
            require,
            unread,
            ..
        } = rule;
        Self {
            effect,
            name,
            description,
            from,
            to,
            when,
            require,
            unread,
            known: &RULE,
        }
    }

    const fn of_cluster(effect: Effect, rule: &'r ClusterRule) -> Self {
        let ClusterRule {
            name,
            description,
            from,
            to,
            when,
            require,
            unread,
        } = rule;
        Self {
            effect,
            name,
            description,
            from,
            to,
            when,
            require,
            unread,
            known: &CLUSTER_RULE,
        }
    }

    fn lower(&self, place: Place<'_>, path: &FieldPath, sink: &mut Sink) -> Draft {
        let misspelt = sink.unread(path, self.unread, self.known);
        let name = name::read(path, self.name, sink);
        if let Field::Unknown(expected) = self.description {
            sink.warning(
                &path.name("description"),
                Code::UnreadableValue,
                expected,
                None,
            );
        }
        let of = Of::Rule(self.effect);
        let mut from = from::entries(place, of, &path.name("from"), self.from, sink);
        let to = self.to(path, sink);
        if self.effect == Effect::Allow && self.to.is_absent() {
            // only that entry is unknown: if the rule was, to misspell `anyone` would widen it
            make_anyone_unknown(&mut from);
        }
        let when = self.when(place, path, &to, sink);
        let require = self.require(path, sink);
        if require.is_some() && from.contains(&Entry::Anyone) && !self.names_whose_word() {
            let message = "under `anyone`, nothing says by whose word `require` is met";
            let help = "name the provider in `from`, or in `when`: `caller.provider == \"ClusterTrustProvider/NAME\"`";
            let path = path.name("require");
            sink.error(&path, Code::AnyonesWord, message, Some(help.to_owned()));
            make_anyone_unknown(&mut from);
        }
        let mut rule = Nameless {
            effect: self.effect,
            from,
            to,
            when: None,
            require,
            expires_at: None,
        };
        match when {
            Said::Absent => {}
            Said::Known(condition) => rule.when = Some(condition),
            Said::Unknown => make_unknown(&mut rule),
        }
        if misspelt {
            make_unknown(&mut rule);
        }
        rule.to.sort();
        rule.to.dedup();
        Draft {
            path: path.clone(),
            name,
            rule,
        }
    }

    /// Whether `when` holds only by the word of providers that it names.
    fn names_whose_word(&self) -> bool {
        self.when
            .known()
            .is_some_and(|text| when::names_whose_word(text))
    }

    /// What must hold beside, seen from what it stands beside.
    fn when(
        &self,
        place: Place<'_>,
        path: &FieldPath,
        to: &[countersign_ruleset::rules::To],
        sink: &mut Sink,
    ) -> Said<Condition> {
        let path = path.name("when");
        match sink.field(&path, self.when) {
            Said::Absent => Said::Absent,
            Said::Unknown => Said::Unknown,
            Said::Known(text) => {
                let beside = when::Beside {
                    effect: self.effect,
                    anyone: from::says_anyone(self.from),
                    to,
                    place,
                };
                when::lower(&path, text, beside, sink).map_or(Said::Unknown, Said::Known)
            }
        }
    }

    /// What a caller that matches must have done beside. What cannot be read is never met.
    fn require(&self, path: &FieldPath, sink: &mut Sink) -> Option<Require> {
        let path = path.name("require");
        if self.require.is_absent() {
            return None;
        }
        if self.effect == Effect::Deny {
            let message = "a Deny asks nothing of the caller";
            let help = "it acts as if `require` were not there".to_owned();
            sink.error(&path, Code::Exclusive, message, Some(help));
            return None;
        }
        Some(match sink.field(&path, self.require) {
            Said::Known(written) => require::lower(&path, written, sink),
            Said::Absent | Said::Unknown => require::unknown(),
        })
    }

    /// Nothing said is everything, but what is open to anyone says so for what.
    fn to(&self, path: &FieldPath, sink: &mut Sink) -> Vec<countersign_ruleset::rules::To> {
        let path = path.name("to");
        match sink.field(&path, self.to) {
            Said::Known(members) => to::entries(&path, members, sink),
            Said::Unknown => vec![to::unknown()],
            Said::Absent => {
                if self.effect == Effect::Allow && from::says_anyone(self.from) {
                    let message = "an Allow for anyone says for what";
                    let help = "to open everything: `to: [{paths: [/**]}]`".to_owned();
                    sink.error(&path, Code::Missing, message, Some(help));
                }
                vec![countersign_ruleset::rules::To::default()]
            }
        }
    }
}
