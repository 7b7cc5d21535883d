//! Keeps the published rulesets equal to what a cluster's resources mean.
//!
//! ```text
//! watch ─► reconcile ─► publication ─► stores, edges
//!              │             ▲
//!              ▼             signing
//!           status
//! ```
//!
//! Of several replicas one leads: it publishes and writes statuses. All of them serve.

use countersign_ruleset::time::UnixTime;
use std::time::Instant;

mod admin;
pub mod args;
mod connect;
pub mod endpoint;
mod lease;
pub mod metrics;
mod places;
pub mod provider_keys;
pub mod publication;
mod reconcile;
pub mod run;
pub mod signing;
mod status;
pub mod watch;

pub use connect::{NotConnected, connect};
pub use kube::Client;

/// What time it is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// In whole seconds, by the clock on the wall.
    pub now: fn() -> UnixTime,
    /// In milliseconds, by the same; serials are made of it.
    pub milliseconds: fn() -> u64,
    /// By a clock that is never set back.
    pub monotonic: fn() -> Instant,
}
