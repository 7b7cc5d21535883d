//! What sort of value a part of a condition is, as far as that can be told before a request comes.

use std::fmt;

/// The sort of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// An address.
    Address,
    /// Whatever a token says.
    Any,
    /// A whole number.
    Integer,
    /// A list of these.
    List(Item),
    /// A text.
    Text,
    /// True, false or unknown.
    Truth,
}

/// The sort of a list's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// Whatever a token says, or different ones.
    Any,
    /// Whole numbers.
    Integer,
    /// Texts.
    Text,
    /// Truth values.
    Truth,
}

impl Sort {
    /// Whether a value of this sort may be one of that.
    pub(super) fn may_be(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(a), Self::List(b)) => a == b || a == Item::Any || b == Item::Any,
            (a, b) => a == b,
        }
    }

    /// As the member of a list.
    pub(super) const fn item(self) -> Item {
        match self {
            Self::Integer => Item::Integer,
            Self::Text => Item::Text,
            Self::Truth => Item::Truth,
            Self::Address | Self::Any | Self::List(_) => Item::Any,
        }
    }
}

impl Item {
    /// As a value by itself.
    pub(super) const fn sort(self) -> Sort {
        match self {
            Self::Any => Sort::Any,
            Self::Integer => Sort::Integer,
            Self::Text => Sort::Text,
            Self::Truth => Sort::Truth,
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an address",
            Self::Any => "a claim",
            Self::Integer => "a number",
            Self::List(Item::Any) => "a list",
            Self::List(Item::Integer) => "a list of numbers",
            Self::List(Item::Text) => "a list of texts",
            Self::List(Item::Truth) => "a list of true and false",
            Self::Text => "a text",
            Self::Truth => "true or false",
        })
    }
}
