//! Three-valued logic: what is unknown can take access away and never give it.

use std::ops::Not;

/// A truth value of Kleene's strong logic of indeterminacy.
///
/// A part of a rule is `Unknown` when it is misspelt, unresolved, asks for a claim that is absent
/// or of another type, or for a fact that was not established. The compiler and the enforcer share
/// this one type, so that they cannot come to different tables.
///
/// The order is `False < Unknown < True`: conjunction is the minimum, disjunction the maximum.
///
/// ```
/// use countersign_ruleset::kleene::Kleene::{False, True, Unknown};
/// assert_eq!(Unknown.and(False), False);
/// assert_eq!(Unknown.or(True), True);
/// assert_eq!(!Unknown, Unknown);
/// assert!(!Unknown.allows() && Unknown.denies());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kleene {
    /// Known not to hold.
    False,
    /// Not known to hold, and not known not to.
    Unknown,
    /// Known to hold.
    True,
}

impl Kleene {
    /// Conjunction: the lesser of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Disjunction: the greater of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether an Allow or a boundary may act on it: only on what is known to hold.
    pub const fn allows(self) -> bool {
        matches!(self, Self::True)
    }

    /// Whether a Deny acts on it: on all that is not known not to hold.
    pub const fn denies(self) -> bool {
        !matches!(self, Self::False)
    }

    /// The conjunction of all; `True` of none.
    pub fn all(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for value in values {
            result = result.and(value);
            if result == Self::False {
                break;
            }
        }
        result
    }

    /// The disjunction of all; `False` of none.
    pub fn any(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for value in values {
            result = result.or(value);
            if result == Self::True {
                break;
            }
        }
        result
    }
}

impl Not for Kleene {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Kleene {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Kleene::{self, False, True, Unknown};

    const VALUES: [Kleene; 3] = [False, Unknown, True];

    #[test]
    fn agrees_with_kleenes_tables() {
        let and = [
            [False; 3],
            [False, Unknown, Unknown],
            [False, Unknown, True],
        ];
        let or = [[False, Unknown, True], [Unknown, Unknown, True], [True; 3]];
        for (i, a) in VALUES.into_iter().enumerate() {
            for (j, b) in VALUES.into_iter().enumerate() {
                assert_eq!(a.and(b), and[i][j], "{a:?} and {b:?}");
                assert_eq!(a.or(b), or[i][j], "{a:?} or {b:?}");
                assert_eq!(!(a.and(b)), (!a).or(!b), "de morgan, {a:?} {b:?}");
                assert_eq!(Kleene::all([a, b]), a.and(b));
                assert_eq!(Kleene::any([a, b]), a.or(b));
            }
        }
    }

    #[test]
    fn unknown_never_allows_and_always_denies() {
        assert_eq!(VALUES.map(Kleene::allows), [false, false, true]);
        assert_eq!(VALUES.map(Kleene::denies), [false, true, true]);
    }

    #[test]
    fn nothing_is_all_true_and_not_any() {
        assert_eq!(Kleene::all([]), True);
        assert_eq!(Kleene::any([]), False);
    }
}
