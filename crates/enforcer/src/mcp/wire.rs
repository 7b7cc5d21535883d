//! One message as it is on the wire (JSON-RPC 2.0 §4, §5), with no member beside those it may have.

use super::{Call, Message, TOOLS_CALL, Unreadable};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A request, a notification or a response. A member that is not one of these could be one to a
/// reader that folds case, so it is refused; `null` is a value, and of most the wrong one.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub(super) struct Wire {
    jsonrpc: String,
    #[serde(default, deserialize_with = "there")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "there")]
    method: Option<String>,
    #[serde(default, deserialize_with = "there")]
    params: Option<Params>,
    #[serde(default, deserialize_with = "there")]
    result: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "there")]
    error: Option<IgnoredAny>,
}

/// From an object only. Serde takes the members of a struct in a row, too; a service that flattens
/// batches would see other messages in such an array.
impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Wire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Wire, A::Error> {
                Wire::deserialize(MapAccessDeserializer::new(members))
            }
        }
        from.deserialize_map(Reader)
    }
}

fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Wire {
    pub(super) fn message(self) -> Result<Message, Unreadable> {
        if self.jsonrpc != "2.0" {
            return Err(Unreadable::Version);
        }
        let outcomes = [&self.result, &self.error].into_iter().flatten().count();
        match (self.method, outcomes) {
            (Some(method), 0) => call(method, self.params).map(Message::Call),
            (None, 1) if self.id.is_some() && self.params.is_none() => Ok(Message::Response),
            _ => Err(Unreadable::Form),
        }
    }
}

fn call(method: String, params: Option<Params>) -> Result<Call, Unreadable> {
    let tool = if method == TOOLS_CALL {
        match params {
            Some(Params::Named {
                name: Some(name),
                twin: false,
            }) => Some(name),
            _ => return Err(Unreadable::Tool),
        }
    } else {
        None
    };
    Ok(Call { method, tool })
}

/// A text, a number or null.
struct Id;

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, _: &str) -> Result<Id, E> {
                Ok(Id)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Id, E> {
                Ok(Id)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Id, E> {
                Ok(Id)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Id, E> {
                Ok(Id)
            }

            fn visit_unit<E>(self) -> Result<Id, E> {
                Ok(Id)
            }
        }
        from.deserialize_any(Reader)
    }
}

/// What a call is given. Nothing is kept of it but the name.
enum Params {
    Named {
        /// `name`.
        name: Option<String>,
        /// Whether a member is `name` but for the case of its letters.
        twin: bool,
    },
    Listed,
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Params;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Params, A::Error> {
                let (mut name, mut twin) = (None, false);
                while let Some(member) = members.next_key::<String>()? {
                    if member == "name" {
                        name = Some(members.next_value::<String>()?);
                    } else {
                        twin |= member.eq_ignore_ascii_case("name");
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Params::Named { name, twin })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Params, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Params::Listed)
            }
        }
        from.deserialize_any(Reader)
    }
}
