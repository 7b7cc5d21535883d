//! What the controller promises the edge: the rules, their one byte form, the signed envelope, the trust documents.
pub mod condition;
pub mod kleene;
pub mod names;
pub mod provider;
pub mod rules;
pub mod time;
