//! Three states of what is written: absent, known, or unknown. Absence never widens.
//!
//! An empty value of a template must not turn "this group" into "anyone", and a misspelt restriction
//! must not vanish. So a restricting part is never read into an `Option`: `null`, an empty list, a
//! value of another type are [`Field::Unknown`], and what no field is named for is kept in
//! [`Unread`].

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A part of a resource, in one of three states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// It is not written.
    #[default]
    Absent,
    /// It is written and can be read.
    Known(T),
    /// It is written and cannot be read; the text says what was expected.
    Unknown(String),
}

impl<T> Field<T> {
    /// Whether it is not written.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if it can be read.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Unknown("expected a value, got null".into()));
        }
        Ok(match T::deserialize(&value) {
            Ok(known) => Self::Known(known),
            Err(error) => Self::Unknown(mismatch(&error.to_string(), &value)),
        })
    }
}

/// What was expected and of what type it is instead, without the value: it may be a secret that was
/// written in the wrong place.
fn mismatch(error: &str, value: &Value) -> String {
    let Some((_, expected)) = error.rsplit_once(", expected ") else {
        return match value {
            Value::Array(list) if list.is_empty() => error.into(),
            other => format!("expected another value than {}", described(other)),
        };
    };
    // what is wrong stands inside, unless the type that was met is that of the whole
    let whole = if value.is_array() { "sequence" } else { "map" };
    let is_inside = |error: &str| !error.starts_with(&format!("invalid type: {whole},"));
    let expected = match expected {
        "a boolean" => "true or false",
        "a map" => "an object",
        "a sequence" => "a list",
        "a string" => "a text",
        text if text.starts_with("struct ") => "an object",
        _ => "a value of another type",
    };
    match value {
        Value::Array(_) if is_inside(error) => format!("expected {expected} in each place"),
        Value::Object(_) if is_inside(error) => format!("expected {expected} by each name"),
        other => format!("expected {expected}, got {}", described(other)),
    }
}

/// What type a value is of, for a message: never the value itself.
pub(crate) const fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known().serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A list with something in it: an empty one is no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    /// The members, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Vec::deserialize(deserializer)?;
        if members.is_empty() {
            return Err(serde::de::Error::custom(
                "expected at least one member, got an empty list",
            ));
        }
        Ok(Self(members))
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<T>::json_schema(generator);
        schema.insert("minItems".into(), 1.into());
        schema
    }
}

/// What is written beside the fields that there are, by name.
pub type Unread = BTreeMap<String, Value>;

/// The name among `known` that `written` was most likely meant to be.
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = written.to_ascii_lowercase();
    let distance = |name: &str| strsim::osa_distance(&lower, &name.to_ascii_lowercase());
    let most = written.len().div_ceil(3).max(1);
    let near = known
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(d, _)| *d <= most);
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
