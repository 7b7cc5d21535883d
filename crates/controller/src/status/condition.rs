//! Which conditions follow from what is known of a resource, and when one of them has changed.

use countersign_policy::compile::{self, ConditionType, Outcome, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The most characters of a message.
const MESSAGE: usize = 1024;

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows.
    Unknown,
}

/// A condition without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// What it speaks of.
    pub(crate) kind: &'static str,
    /// Whether it holds.
    pub(crate) truth: Truth,
    /// Why, in one word.
    pub(crate) reason: &'static str,
    /// Why, for a person.
    pub(crate) message: String,
}

/// Whether what a policy means is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Programmed {
    /// It is.
    Yes,
    /// A root key has to vouch for the key that signs.
    AwaitingTrust(String),
    /// Something cannot be read that may have been a Deny: what was published before goes on.
    Unreadable(String),
    /// It could not be published: what was published before goes on.
    NotPublished(String),
}

/// Whether edges have it in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InForce {
    /// All that are expected.
    Everywhere,
    /// Some do not yet.
    Waiting,
    /// Some have a later one than is published, and take no earlier one.
    Ahead,
    /// None is expected.
    NoEdges,
    /// Some say nothing.
    NotReporting,
}

impl Truth {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The conditions of a policy. `of_namespace` says whether edges put it in force: one of the cluster
/// is a part of every namespace's ruleset, and has none of its own.
pub(crate) fn of_policy(
    outcome: &Outcome,
    programmed: &Programmed,
    in_force: Option<InForce>,
) -> Vec<Said> {
    let mut all = compiled(&outcome.conditions);
    all.push(of_programmed(programmed));
    all.extend(in_force.map(of_in_force));
    all.push(ready(&all, "Programmed"));
    all.extend(stalled(&all));
    all
}

/// The conditions of what policies refer to: it is not published by itself. `keys` says why a
/// provider's cannot be had.
pub(crate) fn of_referred(outcome: &Outcome, keys: Option<&str>) -> Vec<Said> {
    let mut all = compiled(&outcome.conditions);
    if let (Some(why), Some(refs)) = (keys, all.iter_mut().find(|it| it.kind == RESOLVED_REFS))
        && refs.truth == Truth::True
    {
        refs.truth = Truth::False;
        refs.reason = "KeysUnavailable";
        refs.message = cut(why);
    }
    all.push(ready(&all, "Accepted"));
    all.extend(stalled(&all));
    all
}

/// The conditions of a resource that cannot be read. Of whether it resolves nothing is known.
pub(crate) fn of_unreadable(why: &str) -> Vec<Said> {
    let accepted = Said {
        kind: "Accepted",
        truth: Truth::False,
        reason: "Unreadable",
        message: cut(why),
    };
    let ready = Said {
        kind: READY,
        ..accepted.clone()
    };
    let mut all = vec![accepted, ready];
    all.extend(stalled(&all));
    all
}

/// The conditions of a namespace's ruleset.
pub(crate) fn of_ruleset(
    programmed: &Programmed,
    in_force: InForce,
    mirrors: Option<&[String]>,
) -> Vec<Said> {
    let mut all = vec![of_programmed(programmed), of_in_force(in_force)];
    all.push(ready(&all, "Programmed"));
    // other places hold up nothing: who reads from one that fails has what was there before
    all.extend(mirrors.map(of_mirrors));
    all
}

fn of_mirrors(failing: &[String]) -> Said {
    let (truth, reason) = match failing {
        [] => (Truth::True, "Mirrored"),
        [_, ..] => (Truth::False, "MirrorFailing"),
    };
    Said {
        kind: "Mirrored",
        truth,
        reason,
        message: cut(&failing.join("; ")),
    }
}

const RESOLVED_REFS: &str = ConditionType::ResolvedRefs.as_str();
const READY: &str = "Ready";
/// There only where it is true: who does not know it reads what is not there as false.
pub(crate) const STALLED: &str = "Stalled";

/// What the compiler says.
pub(crate) fn compiled(conditions: &[compile::Condition]) -> Vec<Said> {
    let said = conditions.iter().map(|it| Said {
        kind: it.kind.as_str(),
        truth: if it.holds { Truth::True } else { Truth::False },
        reason: it.reason.as_str(),
        message: cut(&it.message),
    });
    said.collect()
}

fn of_programmed(programmed: &Programmed) -> Said {
    let (truth, reason, message) = match programmed {
        Programmed::Yes => (Truth::True, "Programmed", "it is signed and published"),
        Programmed::AwaitingTrust(why) => (Truth::False, "AwaitingTrust", why.as_str()),
        Programmed::Unreadable(why) => (Truth::False, "Unreadable", why.as_str()),
        Programmed::NotPublished(why) => (Truth::False, "NotPublished", why.as_str()),
    };
    Said {
        kind: "Programmed",
        truth,
        reason,
        message: cut(message),
    }
}

/// Numbers stand in the Ruleset alone: here they would change with every edge, in every policy.
fn of_in_force(in_force: InForce) -> Said {
    let (truth, reason, message) = match in_force {
        InForce::Everywhere => (Truth::True, "InForce", "all edges have it in force"),
        InForce::Waiting => (
            Truth::False,
            "Waiting",
            "not all edges have it in force: the Ruleset of the namespace has the numbers",
        ),
        InForce::Ahead => (
            Truth::False,
            "EdgesAhead",
            "edges have a later ruleset in force than is published, and take no earlier one: the cluster, its trust documents or its clock were put back",
        ),
        InForce::NoEdges => (Truth::Unknown, "NoEdges", "no edge is known"),
        InForce::NotReporting => (
            Truth::Unknown,
            "NotReporting",
            "not all edges report: the Ruleset of the namespace has the numbers",
        ),
    };
    Said {
        kind: "InForce",
        truth,
        reason,
        message: message.to_owned(),
    }
}

/// Ready is what nothing holds back: what is false does, and what gives only a part of what was
/// written. What nobody knows does not.
fn ready(all: &[Said], otherwise: &'static str) -> Said {
    let partial = Reason::PartiallyInvalid.as_str();
    let holds_back = |it: &&Said| it.truth == Truth::False || it.reason == partial;
    let best = all
        .iter()
        .rev()
        .find(|it| it.kind == "InForce" && it.truth == Truth::True);
    match all.iter().find(holds_back) {
        Some(why) => Said {
            kind: READY,
            truth: Truth::False,
            ..why.clone()
        },
        None => Said {
            kind: READY,
            truth: Truth::True,
            reason: best.map_or(otherwise, |it| it.reason),
            message: String::new(),
        },
    }
}

/// Stalled is what no other resource and no time mends, as kstatus has it: of what is not ready it
/// otherwise takes that it goes on by itself, and waits. Where something is missing that the next
/// manifest may bring, it does go on.
fn stalled(all: &[Said]) -> Option<Said> {
    let refers = all.iter().find(|it| it.kind == RESOLVED_REFS);
    if refers.is_some_and(|it| it.truth == Truth::False) {
        return None;
    }
    let own = ["Invalid", "PartiallyInvalid", "Unreadable"];
    let why = all
        .iter()
        .find(|it| it.kind == "Accepted" && own.contains(&it.reason))?;
    Some(Said {
        kind: STALLED,
        truth: Truth::True,
        ..why.clone()
    })
}

/// What is written, with its times: that of the last transition stays where the truth does.
pub(crate) fn dated(
    before: &[Condition],
    said: &[Said],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let one = |it: &Said| {
        let before = before.iter().find(|before| before.type_ == it.kind);
        let same = before.filter(|before| before.status == it.truth.as_str());
        Condition {
            last_transition_time: same.map_or(Time(now), |it| it.last_transition_time.clone()),
            message: it.message.clone(),
            observed_generation: Some(generation),
            reason: it.reason.to_owned(),
            status: it.truth.as_str().to_owned(),
            type_: it.kind.to_owned(),
        }
    };
    said.iter().map(one).collect()
}

/// A text within the limit of a message.
pub(crate) fn cut(text: &str) -> String {
    if text.chars().count() <= MESSAGE {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MESSAGE.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests;
