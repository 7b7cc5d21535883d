//! What a condition may ask of a request, at one alternative of a rule.

use super::matching::{Alternative, Setting};
use crate::claims::{Claims, Fact};
use crate::condition::{Facts, Value};
use crate::index::Held;
use countersign_ruleset::condition::{CallerFact, RequestFact};
use std::borrow::Cow;

/// The alternative, and what is at hand there.
pub(crate) struct At<'s> {
    pub(crate) held: &'s Held,
    pub(crate) path: Alternative<'s>,
    pub(crate) setting: &'s Setting<'s>,
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
        let captured = self.path.and_then(|(pattern, path)| {
            self.setting.budget.spend_on(pattern.segments().len());
            pattern.capture(path, name)
        });
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
            // the caller chooses it: as in `to`, it says nothing where it is none of the target's
            RequestFact::Host if self.setting.foreign => Value::UNKNOWN,
            RequestFact::Host => Value::Text(Cow::Borrowed(request.host().as_str())),
            RequestFact::Method => Value::Text(Cow::Borrowed(request.method().as_str())),
            RequestFact::Path => Value::Text(Cow::Borrowed(request.path().as_str())),
            RequestFact::Source => request.source().map_or(Value::UNKNOWN, Value::Address),
        }
    }
}
