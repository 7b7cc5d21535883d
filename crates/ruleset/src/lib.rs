//! What the controller promises the edge: the rules, their one byte form, the signed envelope, the trust documents.
//!
//! It is pure: no clock, no file, no socket, no runtime. Time and bytes come in as arguments.
//!
//! ```text
//! rules, keys ── to_bytes ──► blobs ◄── digest ── manifest ◄── signature ── trust document
//!                                                    │                           │
//!                             verifier: accept ◄─────┴───────── carrier ─────────┘
//! ```

pub mod condition;
pub mod digest;
pub mod envelope;
#[cfg(test)]
mod golden;
pub mod host;
pub mod json;
pub mod key;
pub mod kleene;
pub mod manifest;
pub mod names;
pub mod path;
pub mod provider;
pub mod refusal;
pub mod rules;
#[cfg(any(test, feature = "sign"))]
pub mod sign;
pub mod time;
pub mod trust;
pub mod verifier;
