//! Whether one rule holds of one request: `from`, `to` and `when`, each true, false or unknown.
//!
//! Each part has its one function here. A decision asks them until it knows; an explanation asks
//! them all ([`crate::explain`]).

use super::facts::At;
use crate::claims::Claims;
use crate::condition::{self, Budget};
use crate::index::{Asked, Held};
use crate::mcp::AtHand;
use crate::request::Request;
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::path::PathPattern;
use countersign_ruleset::rules::{Effect, Entry, To};
use countersign_ruleset::time::UnixTime;

/// What a rule is held against.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) claims: Option<&'a Claims>,
    /// The authority is none of the application's hosts.
    pub(crate) foreign: bool,
    pub(crate) now: UnixTime,
    /// The one message of the body that is decided on.
    pub(crate) at_hand: AtHand<'a>,
    /// What is left of the steps of this decision.
    pub(crate) budget: &'a Budget,
}

impl<'a> Setting<'a> {
    pub(crate) const fn new(
        request: &'a Request<'a>,
        claims: Option<&'a Claims>,
        foreign: bool,
        now: UnixTime,
        budget: &'a Budget,
    ) -> Self {
        Self {
            request,
            claims,
            foreign,
            now,
            at_hand: AtHand::Unseen,
            budget,
        }
    }
}

/// Whether a rule holds.
pub(crate) fn holds(held: &Held, setting: &Setting<'_>) -> Kleene {
    let lasting = lasts(held, setting).and(section(held, setting));
    if lasting == Kleene::False {
        return lasting;
    }
    let effect = held.rule.effect;
    let from = Kleene::any(held.from.iter().map(|e| entry(e, effect, setting)));
    match lasting.and(from) {
        Kleene::False => Kleene::False,
        known => known.and(Kleene::any(
            held.rule.to.iter().map(|to| reaches(to, held, setting)),
        )),
    }
}

/// Whether it still counts.
pub(crate) fn lasts(held: &Held, setting: &Setting<'_>) -> Kleene {
    held.rule
        .expires_at
        .is_none_or(|end| setting.now < end)
        .into()
}

/// Whether the request is sent to the section that it covers.
pub(crate) fn section(held: &Held, setting: &Setting<'_>) -> Kleene {
    let request = setting.request;
    held.section
        .as_ref()
        .map_or(Kleene::True, |(sections, name)| {
            sections.takes(Some(name), Asked::of(request, setting.foreign))
        })
}

/// One entry of `from`.
pub(crate) fn entry(entry: &Entry, effect: Effect, setting: &Setting<'_>) -> Kleene {
    match entry {
        Entry::Anyone => Kleene::True,
        Entry::Identity { provider, all } => setting
            .claims
            .map_or(Kleene::False, |claims| claims.meets(provider, all, effect)),
        // what does not exist is false for the anonymous, and unknown for any verified caller
        Entry::Missing(_) => {
            if setting.claims.is_some() {
                Kleene::Unknown
            } else {
                Kleene::False
            }
        }
        // roles have been put in place; one that has not cannot be told
        Entry::Role(_) | Entry::Unknown => Kleene::Unknown,
    }
}

/// What one entry of `to` asks beside the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) hosts: Kleene,
    pub(crate) methods: Kleene,
    pub(crate) preflight: Kleene,
    pub(crate) mcp: Kleene,
    /// Unknown if something is asked that could not be read.
    pub(crate) read: Kleene,
}

impl Head {
    pub(crate) fn of(to: &To, setting: &Setting<'_>) -> Self {
        let request = setting.request;
        let hosts = to.hosts.as_ref().map_or(Kleene::True, |hosts| {
            if setting.foreign {
                return Kleene::Unknown;
            }
            hosts
                .iter()
                .any(|pattern| pattern.matches(request.host()))
                .into()
        });
        let methods = to.methods.as_ref().is_none_or(|methods| {
            methods
                .iter()
                .any(|method| method == request.method().as_str())
        });
        Self {
            hosts,
            methods: methods.into(),
            preflight: (!to.cors_preflight || request.is_cors_preflight()).into(),
            mcp: to
                .mcp
                .as_ref()
                .map_or(Kleene::True, |wanted| setting.at_hand.meets(wanted)),
            read: if to.unknown {
                Kleene::Unknown
            } else {
                Kleene::True
            },
        }
    }

    pub(crate) fn holds(self) -> Kleene {
        Kleene::all([
            self.hosts,
            self.methods,
            self.preflight,
            self.mcp,
            self.read,
        ])
    }
}

/// A pattern and the path that it covers; `None` where no path is asked for.
pub(crate) type Alternative<'s> = Option<(&'s PathPattern, &'s str)>;

/// One entry of `to`, and `when` for each of its paths: each is an alternative with captures of its
/// own. What is asked after the steps are spent is unknown.
pub(crate) fn reaches(to: &To, held: &Held, setting: &Setting<'_>) -> Kleene {
    let head = Head::of(to, setting).holds();
    if head == Kleene::False {
        return head;
    }
    let alternatives = match &to.paths {
        None => when(held, None, setting),
        Some(patterns) => Kleene::any(patterns.iter().map(|pattern| {
            setting.budget.spend_on(pattern.segments().len());
            if setting.budget.is_spent() {
                return Kleene::Unknown;
            }
            match covering(pattern, held.rule.effect, setting.request) {
                None => Kleene::False,
                Some(path) => when(held, Some((pattern, path)), setting),
            }
        })),
    };
    head.and(alternatives)
}

/// The path that the pattern covers: in a Deny one trailing slash is ignored.
pub(crate) fn covering<'r>(
    pattern: &PathPattern,
    effect: Effect,
    request: &'r Request<'_>,
) -> Option<&'r str> {
    let path = request.path();
    let shorter = path
        .without_trailing_slash()
        .filter(|_| effect == Effect::Deny);
    [Some(path.as_str()), shorter]
        .into_iter()
        .flatten()
        .find(|path| pattern.matches_str(path))
}

/// `when`, at one alternative.
pub(crate) fn when(held: &Held, path: Alternative<'_>, setting: &Setting<'_>) -> Kleene {
    let Some(condition) = &held.rule.when else {
        return Kleene::True;
    };
    let at = At {
        held,
        path,
        setting,
    };
    condition::evaluate(condition, &at, setting.budget)
}
