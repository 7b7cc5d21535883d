//! The name of one decision: in the answer, in the audit line, and in the upstream's log.

use http::{HeaderName, HeaderValue};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where an answer, and a request that is sent on, carries it.
pub(crate) const DECISION: HeaderName = HeaderName::from_static("x-countersign-decision");

/// 128 bits that nobody outside can guess: who knows the id of a decision was told it.
///
/// Nothing is decided by them, so they come from keyed hashes of a counter and not from the generator
/// of the crypto library, whose first use costs tens of milliseconds: an edge's first answer would wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionId(u128);

/// The keys are random, from the operating system, and of this process alone.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl DecisionId {
    /// A new one.
    pub(crate) fn random() -> Self {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let [high, low] = &*KEYS;
        let half = |key: &RandomState| u128::from(key.hash_one(count));
        Self(half(high) << 64 | half(low))
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
