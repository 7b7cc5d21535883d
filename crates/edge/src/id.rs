//! The name of one decision: in the answer, in the audit line, and in the upstream's log.

use http::{HeaderName, HeaderValue};
use std::fmt;

/// Where an answer, and a request that is sent on, carries it.
pub(crate) const DECISION: HeaderName = HeaderName::from_static("x-countersign-decision");

/// 128 random bits. Who knows the id of a decision was told it, and cannot guess another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionId(u128);

impl DecisionId {
    /// A new one.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 16];
        // Without randomness, ids are all zero and no less safe: nothing is decided by them.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<DecisionId> for HeaderValue {
    fn from(id: DecisionId) -> Self {
        Self::try_from(id.to_string()).unwrap_or(Self::from_static("0"))
    }
}

#[cfg(test)]
mod tests {
    use super::DecisionId;
    use http::HeaderValue;

    #[test]
    fn is_32_hexadecimal_digits_and_never_the_same() {
        let (a, b) = (DecisionId::random(), DecisionId::random());
        assert_ne!(a, b);
        for id in [a, b, DecisionId(1)] {
            let text = id.to_string();
            assert_eq!(text.len(), 32);
            assert!(text.bytes().all(|c| c.is_ascii_hexdigit()));
            assert_eq!(HeaderValue::from(id), text);
        }
    }
}
