//! The oracle's reading of a token: what its provider says of the caller, what it does not say, and
//! what cannot be told.

use super::provider::Provider;
use serde_json::{Value, json};
use std::rc::Rc;

/// A caller whose token was verified.
pub(crate) struct Caller<'a> {
    pub(crate) provider: Rc<Provider>,
    pub(crate) claims: &'a Value,
    /// 45: whether they come of a session, which is for the application at hand.
    pub(crate) logged_in: bool,
}

/// What is said of something. Only plain absence is absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    Said(Value),
    Absent,
    Unknown,
}

impl Fact {
    /// As one text.
    pub(crate) fn text(self) -> Option<Vec<String>> {
        match self {
            Self::Said(Value::String(text)) => Some(vec![text]),
            Self::Said(_) | Self::Absent | Self::Unknown => None,
        }
    }

    /// As a list of texts.
    pub(crate) fn texts(self) -> Option<Vec<String>> {
        match self {
            Self::Said(Value::Array(many)) => {
                let mut texts = many.iter().map(|one| one.as_str().map(str::to_owned));
                texts.by_ref().collect()
            }
            Self::Said(_) | Self::Absent | Self::Unknown => None,
        }
    }

    /// A text or a list of texts alike.
    pub(crate) fn one_or_more(self) -> Option<Vec<String>> {
        self.clone().text().or_else(|| self.texts())
    }
}

impl Caller<'_> {
    /// What a `caller.` names.
    pub(crate) fn fact(&self, name: &str) -> Fact {
        match name {
            "provider" => Fact::Said(json!(self.provider.id)),
            "subject" => self.claim(&json!(["sub"])),
            "email" => self.email(),
            "groups" => self.groups(),
            "client" => typed(self.first("client"), Value::is_string),
            "actor" => self.actor(),
            _ => Fact::Unknown,
        }
    }

    /// A claim, by its path of keys.
    pub(crate) fn claim(&self, path: &Value) -> Fact {
        let mut claim = self.claims;
        let Some(path) = path.as_array() else {
            return Fact::Unknown;
        };
        for key in path.iter().map(Value::as_str) {
            match (claim.as_object(), key) {
                (Some(members), Some(key)) => match members.get(key) {
                    Some(member) => claim = member,
                    None => return Fact::Absent,
                },
                _ => return Fact::Unknown,
            }
        }
        Fact::Said(claim.clone())
    }

    /// What the provider maps: the first of several places where it is.
    pub(crate) fn first(&self, name: &str) -> Fact {
        let mapped = &self.provider.spec["claims"][name];
        let one = mapped.get("path").into_iter();
        let places = one.chain(mapped["first"].as_array().into_iter().flatten());
        let mut facts = places.map(|path| self.claim(path)).peekable();
        // Of what is nowhere nothing is said, and not that it is not there.
        if facts.peek().is_none() {
            return Fact::Unknown;
        }
        let found = facts.find(|fact| *fact != Fact::Absent);
        found.unwrap_or(Fact::Absent)
    }

    /// Overage: the list did not fit into the token.
    fn groups(&self) -> Fact {
        let mapped = &self.provider.spec["claims"]["groups"];
        let elsewhere = json!(["_claim_names", mapped["path"][0]]);
        let too_many = self.provider.spec["overage"].as_str();
        let overage = too_many.is_some_and(|name| self.claims.get(name).is_some());
        if mapped.get("path").is_none() || overage || self.claim(&elsewhere) != Fact::Absent {
            return Fact::Unknown;
        }
        match self.first("groups") {
            Fact::Absent if mapped["whenAbsent"] == "Empty" => Fact::Said(json!([])),
            found => typed(found, |value| {
                let list = value.as_array();
                list.is_some_and(|list| list.iter().all(Value::is_string))
            }),
        }
    }

    /// 13, 16: an address that is not verified is unknown; ASCII, one `@`, in lower case.
    fn email(&self) -> Fact {
        let mapped = &self.provider.spec["claims"]["email"];
        match self.first("email") {
            Fact::Said(Value::String(text)) if self.is_verified(mapped) => {
                let plain = text.is_ascii() && text.matches('@').count() == 1;
                // 13: `:` is of no address that is not in quotes.
                let plain = plain && !text.contains([':', '"', ' ']);
                let text = Fact::Said(json!(text.to_ascii_lowercase()));
                if plain { text } else { Fact::Unknown }
            }
            Fact::Said(_) => Fact::Unknown,
            absent => absent,
        }
    }

    /// 38: by a claim, or, of Google's proxy, by whose subject it is.
    fn is_verified(&self, mapped: &Value) -> bool {
        if let Some(claim) = mapped.get("verifiedBy") {
            return self.claim(&claim["path"]) == Fact::Said(Value::Bool(true));
        }
        let (subject, of) = (&self.claims["sub"], &mapped["verifiedSubjects"]);
        let texts = subject.as_str().zip(of.as_str());
        texts.is_some_and(|(subject, of)| subject.starts_with(of))
    }

    /// 7: whatever speaks of an actor makes one, be it not known who.
    fn actor(&self) -> Fact {
        let place = &self.provider.spec["claims"]["actor"]["path"][0];
        let mut begun = ["act"].into_iter().chain(place.as_str());
        if !begun.any(|name| self.claims.get(name).is_some()) {
            return Fact::Absent;
        }
        match self.first("actor") {
            Fact::Said(Value::String(actor)) => Fact::Said(json!(actor)),
            Fact::Said(_) | Fact::Absent | Fact::Unknown => Fact::Unknown,
        }
    }
}

/// What is of another type is unknown.
fn typed(fact: Fact, fits: impl Fn(&Value) -> bool) -> Fact {
    match fact {
        Fact::Said(value) if !fits(&value) => Fact::Unknown,
        fact => fact,
    }
}
