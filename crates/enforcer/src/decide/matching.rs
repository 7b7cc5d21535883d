//! Whether one rule holds of one request: `from`, `to` and `when`, each true, false or unknown.

use crate::claims::{Claims, Fact};
use crate::condition::{self, Facts, Value};
use crate::index::Held;
use crate::request::Request;
use countersign_ruleset::condition::{CallerFact, RequestFact};
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::path::PathPattern;
use countersign_ruleset::rules::{Effect, Entry, To};
use countersign_ruleset::time::UnixTime;
use std::borrow::Cow;

/// What a rule is held against.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) claims: Option<&'a Claims>,
    /// The authority is none of the application's hosts.
    pub(super) foreign: bool,
    pub(super) now: UnixTime,
}

impl<'a> Setting<'a> {
    pub(super) const fn new(
        request: &'a Request<'a>,
        claims: Option<&'a Claims>,
        foreign: bool,
        now: UnixTime,
    ) -> Self {
        Self {
            request,
            claims,
            foreign,
            now,
        }
    }
}

/// Whether a rule holds.
pub(super) fn holds(held: &Held, setting: &Setting<'_>) -> Kleene {
    if held.rule.expires_at.is_some_and(|end| setting.now >= end) {
        return Kleene::False;
    }
    let request = setting.request;
    let section = held
        .section
        .as_ref()
        .map_or(Kleene::True, |(sections, name)| {
            sections.takes(name, request.method(), request.path())
        });
    let from = || {
        Kleene::any(
            held.from
                .iter()
                .map(|e| entry(e, held.rule.effect, setting)),
        )
    };
    let to = || Kleene::any(held.rule.to.iter().map(|to| reaches(to, held, setting)));
    match section.and(from()) {
        Kleene::False => Kleene::False,
        from => from.and(to()),
    }
}

fn entry(entry: &Entry, effect: Effect, setting: &Setting<'_>) -> Kleene {
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

/// One entry of `to`, and `when` for each of its paths: each is an alternative with captures of its
/// own.
fn reaches(to: &To, held: &Held, setting: &Setting<'_>) -> Kleene {
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
    let methods = to.methods.as_ref().map_or(Kleene::True, |methods| {
        methods
            .iter()
            .any(|method| method == request.method().as_str())
            .into()
    });
    let preflight = Kleene::from(!to.cors_preflight || request.is_cors_preflight());
    // the body is not seen here, so that no call can be told from another
    let body = if to.mcp.is_some() {
        Kleene::Unknown
    } else {
        Kleene::True
    };
    let read = if to.unknown {
        Kleene::Unknown
    } else {
        Kleene::True
    };
    let head = Kleene::all([hosts, methods, preflight, body, read]);
    if head == Kleene::False {
        return head;
    }
    let alternatives = match &to.paths {
        None => when(held, None, setting),
        Some(patterns) => Kleene::any(patterns.iter().map(|pattern| {
            match covering(pattern, held.rule.effect, request) {
                None => Kleene::False,
                Some(path) => when(held, Some((pattern, path)), setting),
            }
        })),
    };
    head.and(alternatives)
}

/// The path that the pattern covers: in a Deny one trailing slash is ignored.
fn covering<'r>(
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

fn when(held: &Held, path: Option<(&PathPattern, &str)>, setting: &Setting<'_>) -> Kleene {
    let Some(condition) = &held.rule.when else {
        return Kleene::True;
    };
    condition::evaluate(
        condition,
        &At {
            held,
            path,
            setting,
        },
    )
}

/// What a condition may ask, at one alternative.
struct At<'s> {
    held: &'s Held,
    path: Option<(&'s PathPattern, &'s str)>,
    setting: &'s Setting<'s>,
}

impl<'s> At<'s> {
    /// The claims of which a rule may speak: none for the anonymous, and of a namespaced provider
    /// nothing in a cluster's rule.
    fn claims(&self) -> Result<&'s Claims, Value<'s>> {
        let claims = self.setting.claims.ok_or(Value::Absent)?;
        if self.held.trusts(claims) {
            Ok(claims)
        } else {
            Err(Value::UNKNOWN)
        }
    }
}

fn text<'a>(fact: Fact<&'a str>) -> Value<'a> {
    match fact {
        Fact::Absent => Value::Absent,
        Fact::Known(text) => Value::Text(Cow::Borrowed(text)),
        Fact::Unknown(_) => Value::UNKNOWN,
    }
}

impl<'s> Facts<'s> for At<'s> {
    fn caller(&self, fact: CallerFact) -> Value<'s> {
        let claims = match self.claims() {
            Ok(claims) => claims,
            Err(value) => return value,
        };
        match fact {
            CallerFact::Actor => text(claims.actor()),
            CallerFact::Client => text(claims.client()),
            CallerFact::Email => text(claims.email().map(crate::claims::Email::address)),
            CallerFact::Groups => match claims.groups() {
                Fact::Absent => Value::Absent,
                Fact::Unknown(_) => Value::UNKNOWN,
                Fact::Known(groups) => Value::List(
                    groups
                        .iter()
                        .map(|group| Value::Text(Cow::Borrowed(group)))
                        .collect(),
                ),
            },
            CallerFact::Provider => text(Fact::Known(claims.provider().as_str())),
            CallerFact::Subject => text(Fact::Known(claims.subject())),
        }
    }

    fn claim(&self, path: &[String]) -> Value<'s> {
        let claims = match self.claims() {
            Ok(claims) => claims,
            Err(value) => return value,
        };
        match claims.claim(path) {
            Fact::Absent => Value::Absent,
            Fact::Known(value) => Value::of_json(value),
            Fact::Unknown(_) => Value::UNKNOWN,
        }
    }

    fn capture(&self, name: &str) -> Value<'s> {
        let captured = self
            .path
            .and_then(|(pattern, path)| pattern.capture(path, name));
        captured.map_or(Value::UNKNOWN, |text| Value::Text(Cow::Owned(text)))
    }

    fn request(&self, fact: &RequestFact) -> Value<'s> {
        let request = self.setting.request;
        match fact {
            RequestFact::Header(name) => match request.header(name) {
                Ok(None) => Value::Absent,
                Ok(Some(value)) => Value::Text(Cow::Borrowed(value)),
                Err(()) => Value::UNKNOWN,
            },
            RequestFact::Host => Value::Text(Cow::Borrowed(request.host().as_str())),
            RequestFact::Method => Value::Text(Cow::Borrowed(request.method().as_str())),
            RequestFact::Path => Value::Text(Cow::Borrowed(request.path().as_str())),
            RequestFact::Source => request.source().map_or(Value::UNKNOWN, Value::Address),
        }
    }
}
