//! What a user sees: conditions on every resource, a Ruleset in every namespace, Events on a change.

pub(crate) mod condition;
pub(crate) mod edges;
pub(crate) mod in_use;
pub(crate) mod object;
pub(crate) mod ruleset;
pub(crate) mod writer;
