//! What the edge does: verify a token, decide a request, hold what is in force.
//!
//! ```text
//! Request ─► credential ─► token::verify ─► Claims ─► decide ─► Decision (Permit, login or denial)
//!                              ▲                        ▲
//!              providers, keys ┘                        └ rules: the ruleset in force, swapped whole
//! ```
//!
//! The core is pure: time comes in as an argument, decisions go out as values. It knows nothing of
//! Kubernetes, and without the feature `load` it has no runtime.

#[cfg(test)]
mod attacks;
pub mod claims;
mod condition;
mod decide;
pub mod decision;
pub mod explain;
mod index;
pub mod keys;
#[cfg(feature = "load")]
pub mod load;
pub mod mcp;
pub mod request;
pub mod session;
pub mod store;
pub mod token;
#[cfg(test)]
mod trial;
