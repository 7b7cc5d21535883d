//! Puts an enforcer in front of traffic.
//!
//! ```text
//! caller ─► listener ─► exchange ─┬─ denied ─► answer    401, 403, 400, 503
//!                          │      └─ Permit ─► proxy ─► upstream
//!                          ├─► audit     one line a decision, off the request's path
//!                          └─► metrics
//! admin ──► /healthz /readyz /metrics       and, on a unix socket, /ruleset /decisions
//! ```
//!
//! The binary `countersign-edge` is this library with flags; `countersign dev` runs the same edge in
//! its own process:
//!
//! ```no_run
//! # use countersign_edge::{Config, Edge};
//! # use countersign_enforcer::load::{Loader, Sources, watch};
//! # use countersign_enforcer::store::Enforcer;
//! # use countersign_ruleset::time::UnixTime;
//! # use std::{sync::Arc, time::Duration};
//! # async fn run(enforcer: Arc<Enforcer>, sources: Sources, clock: fn() -> UnixTime) -> anyhow::Result<()> {
//! let config = Config::new("127.0.0.1:0".parse()?, "http://127.0.0.1:9000".parse()?);
//! let edge = Edge::bind(config, Arc::clone(&enforcer), clock, std::io::stdout()).await?;
//! let loader = Loader::start(sources, enforcer, edge.observer(), clock())?;
//! let _watch = watch(loader, clock, Duration::from_secs(2))?;
//! edge.run(async { /* until then */ }).await;
//! # Ok(()) }
//! ```

mod admin;
mod answer;
pub mod args;
mod audit;
mod body;
mod config;
mod connection;
mod edge;
mod exchange;
mod headers;
mod id;
mod metrics;
mod news;
mod proxy;
mod source;
mod tunnel;
mod upstream;

pub use config::{Clock, Config, Limits};
pub use edge::{Edge, Stopped, Unbound};
pub use source::{NotNetworks, TrustedProxies};
pub use upstream::{NotAnUpstream, Upstream};

#[cfg(test)]
mod tests;
