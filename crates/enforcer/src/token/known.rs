//! Which signatures were verified before, so that a token that comes again costs no verification.
//!
//! What is remembered never becomes false: this key made this signature over these octets. So nothing
//! has to be taken back when keys are withdrawn, tokens revoked or rulesets swapped; all of that, and
//! the time, is asked anew at every request. No octet of a token is kept.

use crate::keys::Thumbprint;
use aws_lc_rs::digest::{Context, SHA256};
use countersign_ruleset::provider::Algorithm;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many are remembered: 128 KiB.
const PLACES: usize = 4_096;

/// The signatures that were verified last, each in the one place that its name gives it. Neither
/// reading nor writing waits.
///
/// INVARIANT: a name is in its place only after the signature was verified. A reader may see halves of
/// two names that are written at once; that they make up a third one takes a collision of SHA-256 in
/// 128 bits at least.
pub(crate) struct Known(Box<[[AtomicU64; 4]]>);

/// SHA-256 of key, algorithm, octets and signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name([u64; 4]);

impl Name {
    pub(super) fn of(
        key: &Thumbprint,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Self {
        let mut context = Context::new(&SHA256);
        // a zero octet stands in none of the first three
        for part in [
            key.as_str().as_bytes(),
            algorithm.as_str().as_bytes(),
            signed,
        ] {
            context.update(part);
            context.update(&[0]);
        }
        context.update(signature);
        let digest = context.finish();
        let mut words = [0; 4];
        for (word, octets) in words.iter_mut().zip(digest.as_ref().chunks_exact(8)) {
            *word = octets
                .iter()
                .fold(0, |word, &octet| word << 8 | u64::from(octet));
        }
        Self(words)
    }
}

impl Known {
    pub(super) fn holds(&self, name: Name) -> bool {
        self.place(name).is_some_and(|place| {
            let words = place.iter().zip(name.0);
            words.fold(true, |same, (held, word)| {
                same & (held.load(Relaxed) == word)
            })
        })
    }

    /// To be called only with the name of a signature that was verified just now.
    pub(super) fn remember(&self, name: Name) {
        for (held, word) in self.place(name).into_iter().flatten().zip(name.0) {
            held.store(word, Relaxed);
        }
    }

    fn place(&self, name: Name) -> Option<&[AtomicU64; 4]> {
        let [first, ..] = name.0;
        let places = u64::try_from(self.0.len()).ok()?;
        self.0
            .get(usize::try_from(first.checked_rem(places)?).ok()?)
    }
}

impl Default for Known {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Default::default()).collect())
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} places)", self.0.len())
    }
}
