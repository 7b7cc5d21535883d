//! What is known of a caller in one respect: a value, that there is none, or that nobody can tell.

use countersign_ruleset::kleene::Kleene;

/// One fact about a caller.
///
/// The difference between [`Fact::Absent`] and [`Fact::Unknown`] matters to `has()` alone, which is
/// false for plain absence only. A matcher is unknown for both: what is not there can take access
/// away and never give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    /// The token says nothing of it.
    Absent,
    /// The token says this.
    Known(T),
    /// The token says something, and it does not settle the question.
    Unknown(Why),
}

/// Why a fact is not known though the token speaks of it, or could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It belongs to another issuer, for whom the provider does not speak.
    Foreign,
    /// It is no e-mail address that could be compared: not ASCII, or without exactly one `@`.
    NotAnAddress,
    /// The provider has no such claim.
    NotMapped,
    /// Nothing shows that the address was verified.
    NotVerified,
    /// There are too many to be listed in a token.
    Overage,
    /// The claim, or one on the way to it, is of another type; `null` is.
    WrongType,
}

impl<T> Fact<T> {
    /// Whether there is one: false for plain absence only.
    pub const fn has(&self) -> Kleene {
        match self {
            Self::Absent => Kleene::False,
            Self::Known(_) => Kleene::True,
            Self::Unknown(_) => Kleene::Unknown,
        }
    }

    /// The value, if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    /// The same fact, borrowed.
    pub const fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Absent => Fact::Absent,
            Self::Known(value) => Fact::Known(value),
            Self::Unknown(why) => Fact::Unknown(*why),
        }
    }

    /// The same fact, read in another way.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Fact<U> {
        self.and_then(|value| Fact::Known(read(value)))
    }

    /// The same fact, if the value can be read so.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Absent => Fact::Absent,
            Self::Known(value) => read(value),
            Self::Unknown(why) => Fact::Unknown(why),
        }
    }

    /// Whether `holds` is true of the value; unknown if there is none to ask about.
    pub fn test(self, holds: impl FnOnce(T) -> bool) -> Kleene {
        self.known()
            .map_or(Kleene::Unknown, |value| holds(value).into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fact, Why};
    use countersign_ruleset::kleene::Kleene;

    #[test]
    fn only_plain_absence_is_the_lack_of_a_fact() {
        assert_eq!(Fact::Known(1).has(), Kleene::True);
        assert_eq!(Fact::<u8>::Absent.has(), Kleene::False);
        assert_eq!(Fact::<u8>::Unknown(Why::Overage).has(), Kleene::Unknown);
    }

    #[test]
    fn a_test_of_what_is_not_known_is_unknown() {
        assert_eq!(Fact::Known(1).test(|n| n == 1), Kleene::True);
        assert_eq!(Fact::Known(1).test(|n| n == 2), Kleene::False);
        assert_eq!(Fact::<u8>::Absent.test(|_| true), Kleene::Unknown);
        assert_eq!(
            Fact::<u8>::Unknown(Why::WrongType).test(|_| true),
            Kleene::Unknown
        );
    }
}
