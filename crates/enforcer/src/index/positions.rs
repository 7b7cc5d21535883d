//! Which rules a look-up met, each once and in order.

/// As many as are held without an allocation.
const INLINE: usize = 1_024;

/// A set of positions, as one bit each.
pub(super) struct Positions {
    first: [u64; INLINE / 64],
    more: Vec<u64>,
}

impl Positions {
    /// Of so many rules.
    pub(super) fn of(rules: usize) -> Self {
        Self {
            first: [0; INLINE / 64],
            more: vec![0; rules.saturating_sub(INLINE).div_ceil(64)],
        }
    }

    pub(super) fn insert(&mut self, at: usize) {
        let word = at / 64;
        let word = match word.checked_sub(self.first.len()) {
            None => self.first.get_mut(word),
            Some(word) => self.more.get_mut(word),
        };
        if let Some(word) = word {
            *word |= 1 << (at % 64);
        }
    }

    /// From the first to the last.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.first.iter().chain(&self.more).enumerate();
        words.flat_map(|(n, &word)| {
            let next = |rest: &u64| Some(rest & rest.wrapping_sub(1)).filter(|&rest| rest != 0);
            let rests = std::iter::successors(Some(word).filter(|&word| word != 0), next);
            rests.map(move |rest| {
                let bit = usize::try_from(rest.trailing_zeros()).unwrap_or(usize::MAX);
                n.saturating_mul(64).saturating_add(bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{INLINE, Positions};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
           #[test]
           fn each_position_comes_once_and_in_order(
               rules in prop::sample::select(vec![1, 63, 64, 65, INLINE, INLINE + 1, 3 * INLINE]),
               inserted in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
           ) {
               let inserted: Vec<usize> = inserted.iter().map(|at| at.index(rules)).collect();
               let mut positions = Positions::of(rules);
               for &at in inserted.iter().chain(&inserted) {
    positions.insert(at);
    }
               let expected: BTreeSet<usize> = inserted.into_iter().collect();
               prop_assert!(positions.iter().eq(expected));
           }
       }
}
