//! How much one decision may cost, so that neither a caller's token nor a policy makes it slow.

use std::cell::Cell;

/// The steps of one decision, over all its rules and calls: each node of a condition, each element of a
/// list that it has at hand or asks, each path pattern, and what the looking up of rules takes.
pub(super) const STEPS: usize = 500_000;

/// What is left of them; `None` once too many were asked for.
#[derive(Debug)]
pub(crate) struct Budget(Cell<Option<usize>>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(Some(STEPS)))
    }
}

impl Budget {
    pub(crate) fn spend(&self, steps: usize) {
        let left = self.0.get().and_then(|left| left.checked_sub(steps));
        self.0.set(left);
    }

    /// Spends on what is quick: sixteen of it are a step.
    pub(crate) fn spend_on(&self, quick: usize) {
        self.spend((quick / 16).saturating_add(1));
    }

    #[cfg(test)]
    pub(crate) const fn of(steps: usize) -> Self {
        Self(Cell::new(Some(steps)))
    }

    /// As many steps as a decision has; none if there are none left of this one. An explanation asks
    /// more than once what a decision asked once.
    pub(crate) fn anew(&self) -> Self {
        if self.is_spent() {
            Self(Cell::new(None))
        } else {
            Self::default()
        }
    }

    /// Whether nothing that was found counts any more.
    pub(crate) const fn is_spent(&self) -> bool {
        self.0.get().is_none()
    }
}
