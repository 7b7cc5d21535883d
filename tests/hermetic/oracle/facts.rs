//! The oracle's reading of a token: what its provider says of the caller, what it does not say, and
//! what cannot be told.

use super::preset::Provider;
use serde_json::{Value, json};

/// A caller whose token was verified.
pub(crate) struct Caller<'a> {
    pub(crate) provider: Provider,
    pub(crate) claims: &'a Value,
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
        let mut facts = places.map(|path| self.claim(path));
        let found = facts.find(|fact| *fact != Fact::Absent);
        found.unwrap_or(Fact::Absent)
    }

    /// Overage: the list did not fit into the token.
    fn groups(&self) -> Fact {
        let mapped = &self.provider.spec["claims"]["groups"];
        let left_out = self.claims["_claim_names"].get("groups").is_some();
        let overage =
            self.provider.spec["type"] == "Entra" && self.claims.get("hasgroups").is_some();
        if left_out || overage || mapped.get("path").is_none() {
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
        let verified = self.claim(&mapped["verifiedBy"]["path"]);
        match self.first("email") {
            Fact::Said(Value::String(text)) if verified == Fact::Said(Value::Bool(true)) => {
                let plain = text.is_ascii() && text.matches('@').count() == 1;
                let text = Fact::Said(json!(text.to_ascii_lowercase()));
                if plain { text } else { Fact::Unknown }
            }
            Fact::Said(_) => Fact::Unknown,
            absent => absent,
        }
    }

    fn actor(&self) -> Fact {
        match self.claims.get("act") {
            None => Fact::Absent,
            Some(_) => match self.first("actor") {
                Fact::Said(Value::String(actor)) => Fact::Said(json!(actor)),
                Fact::Said(_) | Fact::Absent | Fact::Unknown => Fact::Unknown,
            },
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
