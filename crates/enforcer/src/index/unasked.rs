//! Whom an Allow lets in whatever the audience of his token.

use crate::claims::Claims;
use countersign_ruleset::rules::{Entry, Rule};

/// Who is not asked for whom his token was made out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// Nobody: it names its callers.
    Nobody,
    /// Who has no token. What else it lets in by it lets in by what a token says, and the token that
    /// another service is shown, or one for which anybody may ask, must not open this one.
    Tokenless,
    /// Everyone: it lets in by nothing that a token says.
    Everyone,
}

impl Unasked {
    pub(crate) fn of(rule: &Rule) -> Self {
        match (rule.from.contains(&Entry::Anyone), rule.asks_of_token()) {
            (false, _) => Self::Nobody,
            (true, true) => Self::Tokenless,
            (true, false) => Self::Everyone,
        }
    }

    /// Whether this caller is one of them.
    pub(crate) const fn holds(self, claims: Option<&Claims>) -> bool {
        match self {
            Self::Nobody => false,
            Self::Tokenless => claims.is_none(),
            Self::Everyone => true,
        }
    }
}
