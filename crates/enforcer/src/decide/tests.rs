//! Decisions by a whole enforcer: each answer with its reason, and beside it the same let in.

mod answer;
mod calls;
mod cost;
mod observe;
mod order;
mod rule;
mod scan;
