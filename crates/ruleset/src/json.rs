//! The strict gate for JSON from outside: sizes first, then no duplicate member, no depth, no excess.
//!
//! Two readers that disagree on a document are an attack (RFC 8259 §4 leaves duplicate names open,
//! and §6 leaves large numbers open), so nothing that they could disagree on is let through.

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The largest integer that every JSON reader holds exactly (RFC 8259 §6): 2^53 - 1.
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// What a document may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes.
    pub bytes: usize,
    /// How deep arrays and objects may stand inside each other.
    pub depth: usize,
    /// Whether an integer beyond [`MAX_INTEGER`] is refused.
    pub exact_integers: bool,
}

impl Limits {
    /// A rules or keys blob.
    pub const BLOB: Self = Self {
        bytes: 64 << 20,
        depth: 24,
        exact_integers: true,
    };
    /// An envelope (DSSE), whose payload is opened by itself.
    pub const ENVELOPE: Self = Self {
        bytes: 16 << 10,
        depth: 8,
        exact_integers: true,
    };
    /// A manifest or a trust document.
    pub const PAYLOAD: Self = Self {
        bytes: 16 << 10,
        depth: 16,
        exact_integers: true,
    };
    /// A token's header or claims.
    pub const TOKEN: Self = Self {
        bytes: 16 << 10,
        depth: 16,
        exact_integers: false,
    };
}

/// Why a document is refused. It never holds the document's own text: that may be a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is longer than may be read.
    #[error("expected at most {most} bytes, got {got}")]
    TooLong {
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// It is not UTF-8 (RFC 8259 §8.1).
    #[error("expected UTF-8, got another byte at {at}")]
    NotUtf8 {
        /// The offset.
        at: usize,
    },
    /// An object has one name twice.
    #[error("expected each member once, got one twice at line {line}, column {column}")]
    DuplicateMember {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member's name is one that `serde_json` acts on instead of reading it.
    #[error(
        "expected no member named `$serde_json::private::…`, got one at line {line}, column {column}"
    )]
    ReservedMember {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is nested too deep.
    #[error("expected at most {most} levels, got more at line {line}, column {column}")]
    TooDeep {
        /// The limit.
        most: usize,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An integer is larger than every reader holds exactly.
    #[error("expected integers up to 2^53 - 1, got a larger one at line {line}, column {column}")]
    IntegerTooLarge {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is not JSON.
    #[error("expected JSON, got another text at line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is JSON of another shape: a member is missing, unknown or of another type.
    #[error("expected another shape: {reason}")]
    Shape {
        /// What serde says of it, without the document's values.
        reason: String,
    },
}

/// Reads a `T`. Unknown members are refused if the type says so (`deny_unknown_fields`).
pub fn strict<T: for<'de> Deserialize<'de>>(bytes: &[u8], limits: Limits) -> Result<T, Malformed> {
    inspect(bytes, limits)?;
    serde_json::from_slice(bytes).map_err(|error| Malformed::Shape {
        reason: reason(&error),
    })
}

/// Reads an object, each name once at every depth.
pub fn object(
    bytes: &[u8],
    limits: Limits,
) -> Result<serde_json::Map<String, serde_json::Value>, Malformed> {
    strict(bytes, limits)
}

/// `serde_json` quotes an unexpected value in its message; a place and a kind are enough.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        let expected = text.split(", expected ").nth(1).unwrap_or("another value");
        let expected = expected.split(" at line ").next().unwrap_or(expected);
        return format!("expected {expected} at {place}");
    }
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("{text} at {place}")
}

/// Goes through a document once, keeping nothing but the names of the objects that are open.
fn inspect(bytes: &[u8], limits: Limits) -> Result<(), Malformed> {
    if bytes.len() > limits.bytes {
        return Err(Malformed::TooLong {
            most: limits.bytes,
            got: bytes.len(),
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Malformed::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    let mut refusal = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let gate = Gate {
        depth: limits.depth,
        limits,
        refusal: &mut refusal,
    };
    let read = gate.deserialize(&mut reader).and_then(|()| reader.end());
    let Err(error) = read else {
        return Ok(());
    };
    let (line, column) = (error.line(), error.column());
    Err(match refusal {
        Some(Excess::Duplicate) => Malformed::DuplicateMember { line, column },
        Some(Excess::Depth) => Malformed::TooDeep {
            most: limits.depth,
            line,
            column,
        },
        Some(Excess::Reserved) => Malformed::ReservedMember { line, column },
        Some(Excess::Integer) => Malformed::IntegerTooLarge { line, column },
        None => Malformed::NotJson { line, column },
    })
}

enum Excess {
    Depth,
    Duplicate,
    Integer,
    Reserved,
}

struct Gate<'r> {
    depth: usize,
    limits: Limits,
    refusal: &'r mut Option<Excess>,
}

impl Gate<'_> {
    fn deeper(&mut self) -> Gate<'_> {
        let depth = self.depth.saturating_sub(1);
        Gate {
            depth,
            limits: self.limits,
            refusal: self.refusal,
        }
    }

    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        if self.depth == 0 {
            self.refuse(Excess::Depth)
        } else {
            Ok(())
        }
    }

    fn refuse<E: de::Error>(&mut self, excess: Excess) -> Result<(), E> {
        *self.refusal = Some(excess);
        Err(E::custom("refused"))
    }
}

impl<'de> DeserializeSeed<'de> for Gate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Gate<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(mut self, value: i64) -> Result<(), E> {
        if self.limits.exact_integers && value.unsigned_abs() > MAX_INTEGER {
            return self.refuse(Excess::Integer);
        }
        Ok(())
    }

    fn visit_u64<E: de::Error>(mut self, value: u64) -> Result<(), E> {
        if self.limits.exact_integers && value > MAX_INTEGER {
            return self.refuse(Excess::Integer);
        }
        Ok(())
    }

    /// An integer beyond 64 bits arrives as a float: with exact integers, so do all that are not.
    fn visit_f64<E: de::Error>(mut self, _: f64) -> Result<(), E> {
        if self.limits.exact_integers {
            return self.refuse(Excess::Integer);
        }
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.enter()?;
        while items.next_element_seed(self.deeper())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.enter()?;
        let mut names = Names::default();
        while let Some(name) = members.next_key::<Name<'de>>()? {
            // with some features of serde_json, its value is parsed anew, past this gate
            if name.0.starts_with("$serde_json::private::") {
                return self.refuse(Excess::Reserved);
            }
            if !names.insert(name.0) {
                return self.refuse(Excess::Duplicate);
            }
            members.next_value_seed(self.deeper())?;
        }
        Ok(())
    }
}

/// A member's name, borrowed unless it is written with escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// The names seen in one object: a short list is compared, a long one hashed, so that an object of
/// a million members costs no more than its length.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if self.many.is_empty() {
            if self.few.contains(&name) {
                return false;
            }
            self.few.push(name);
            if self.few.len() > 16 {
                self.many = self.few.drain(..).collect();
            }
            return true;
        }
        self.many.insert(name)
    }
}

#[cfg(test)]
mod tests;
