//! What the edge does: verify a token, decide a request, hold what is in force.

pub mod claims;
pub mod keys;
pub mod token;
