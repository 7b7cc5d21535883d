//! What the controller promises the edge: the rules, their one byte form, the signed envelope, the trust documents.

pub mod condition;
pub mod host;
pub mod json;
pub mod kleene;
pub mod names;
pub mod path;
pub mod provider;
pub mod rules;
pub mod time;
