//! How much one evaluation may cost, so that no caller's token makes a decision slow.

use std::cell::Cell;

/// The steps of one evaluation: each node, and each element of a list that it has at hand or asks.
pub(super) const STEPS: usize = 100_000;

/// What is left of them; `None` once too many were asked for.
#[derive(Debug)]
pub(super) struct Budget(Cell<Option<usize>>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(Some(STEPS)))
    }
}

impl Budget {
    pub(super) fn spend(&self, steps: usize) {
        let left = self.0.get().and_then(|left| left.checked_sub(steps));
        self.0.set(left);
    }

    /// Whether nothing that was found counts any more.
    pub(super) const fn is_spent(&self) -> bool {
        self.0.get().is_none()
    }
}
