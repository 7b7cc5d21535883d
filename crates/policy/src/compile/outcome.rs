//! What became of a resource: its conditions, without their times.

use crate::diagnostic::{Code, Diagnostic, Severity};

/// What became of one resource; a status without its times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The audiences that count.
    pub audiences: Vec<String>,
    /// The hosts that are covered.
    pub hosts: Vec<String>,
    /// Each type once, in order of type.
    pub conditions: Vec<Condition>,
}

/// A condition, as Gateway API has them, without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it speaks of.
    pub kind: ConditionType,
    /// Whether it holds.
    pub holds: bool,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, for a person.
    pub message: String,
}

/// What a condition speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// It means what it says.
    Accepted,
    /// All that it refers to is there.
    ResolvedRefs,
}

/// Why a condition holds, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// All of it holds.
    Accepted,
    /// The target has no URL of its own, and no audience is said.
    AudienceRequired,
    /// Another resource says something else of the same matter.
    Conflicted,
    /// Nothing of it can give access.
    Invalid,
    /// A namespaced kind is referred to by a cluster kind.
    NotFromCluster,
    /// A part of it gives no access.
    PartiallyInvalid,
    /// A provider is not there, or cannot be used.
    ProviderNotFound,
    /// All that it refers to is there.
    ResolvedRefs,
    /// A role is not there.
    RoleNotFound,
    /// A target is not there.
    TargetNotFound,
}

impl ConditionType {
    /// The name in a status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
        }
    }
}

impl Reason {
    /// The word in a status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::AudienceRequired => "AudienceRequired",
            Self::Conflicted => "Conflicted",
            Self::Invalid => "Invalid",
            Self::NotFromCluster => "NotFromCluster",
            Self::PartiallyInvalid => "PartiallyInvalid",
            Self::ProviderNotFound => "ProviderNotFound",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::RoleNotFound => "RoleNotFound",
            Self::TargetNotFound => "TargetNotFound",
        }
    }
}

/// What a resource that does something can still lack, the worst first.
const ACCEPTED: [(Code, Reason); 4] = [
    (Code::TargetNotFound, Reason::TargetNotFound),
    (Code::Conflicted, Reason::Conflicted),
    (Code::AudienceRequired, Reason::AudienceRequired),
    (Code::ProviderNotFound, Reason::ProviderNotFound),
];

/// What it can refer to in vain.
const RESOLVED: [(Code, Reason); 4] = [
    (Code::TargetNotFound, Reason::TargetNotFound),
    (Code::ProviderNotFound, Reason::ProviderNotFound),
    (Code::RoleNotFound, Reason::RoleNotFound),
    (Code::NotFromCluster, Reason::NotFromCluster),
];

/// The conditions that follow from what was found; `void` says that nothing of it is used.
pub fn conditions(found: &[Diagnostic], void: bool) -> Vec<Condition> {
    vec![accepted(found, void), resolved(found)]
}

fn accepted(found: &[Diagnostic], void: bool) -> Condition {
    let kind = ConditionType::Accepted;
    if let Some((diagnostic, reason)) = first(found, &ACCEPTED) {
        return Condition {
            kind,
            holds: false,
            reason,
            message: text(diagnostic),
        };
    }
    match found.iter().find(|it| it.severity == Severity::Error) {
        None => Condition {
            kind,
            holds: true,
            reason: Reason::Accepted,
            message: String::new(),
        },
        Some(error) => {
            let reason = if void {
                Reason::Invalid
            } else {
                Reason::PartiallyInvalid
            };
            Condition {
                kind,
                holds: !void,
                reason,
                message: text(error),
            }
        }
    }
}

fn resolved(found: &[Diagnostic]) -> Condition {
    let kind = ConditionType::ResolvedRefs;
    let Some((diagnostic, reason)) = first(found, &RESOLVED) else {
        let (reason, message) = (Reason::ResolvedRefs, String::new());
        return Condition {
            kind,
            holds: true,
            reason,
            message,
        };
    };
    Condition {
        kind,
        holds: false,
        reason,
        message: text(diagnostic),
    }
}

fn first<'d>(
    found: &'d [Diagnostic],
    among: &[(Code, Reason)],
) -> Option<(&'d Diagnostic, Reason)> {
    among.iter().find_map(|(code, reason)| {
        let of_code = |it: &&Diagnostic| it.code == *code && it.severity == Severity::Error;
        found
            .iter()
            .find(of_code)
            .map(|diagnostic| (diagnostic, *reason))
    })
}

fn text(diagnostic: &Diagnostic) -> String {
    format!("{}: {}", diagnostic.path, diagnostic.message)
}
