//! What an edge is told at its start, and the limits of what its callers can make it hold.

use crate::source::TrustedProxies;
use crate::upstream::Upstream;
use countersign_ruleset::time::UnixTime;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Says what time it is.
pub type Clock = fn() -> UnixTime;

/// Where an edge listens, what it stands in front of, and what it takes for granted.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where callers are served; port 0 is any that is free.
    pub listen: SocketAddr,
    /// What it stands in front of.
    pub upstream: Upstream,
    /// Where health and metrics are told; `None` is nowhere.
    pub admin_listen: Option<SocketAddr>,
    /// The unix socket on which the ruleset and recent decisions are told, too; `None` is nowhere.
    pub admin_socket: Option<PathBuf>,
    /// Whose word on a caller's address counts.
    pub trusted_proxies: TrustedProxies,
    /// How long a stop waits for what is in flight.
    pub grace: Duration,
    /// What its callers can make it hold.
    pub limits: Limits,
}

impl Config {
    /// An edge without an admin port, that trusts no proxy.
    pub fn new(listen: SocketAddr, upstream: Upstream) -> Self {
        Self {
            listen,
            upstream,
            admin_listen: None,
            admin_socket: None,
            trusted_proxies: TrustedProxies::Unknown,
            grace: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// The limits of what callers can make an edge hold, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections at a time; a further one is closed at once.
    pub connections: usize,
    /// The most fields in a request's head: above, 431.
    pub header_count: usize,
    /// The most bytes in a request's head: above, 431. A token may have 16 KiB of them.
    pub header_bytes: u32,
    /// How long a begun head may take. A connection is closed between one and two of these, so
    /// that thousands which trickle cost no timer for every byte.
    pub header_time: Duration,
    /// How long a connection may lie idle. Longer than load balancers keep theirs (the longest known
    /// is 600 s), for a request that is sent while this end closes is lost.
    pub idle_time: Duration,
    /// The most requests at a time on one HTTP/2 connection.
    pub streams: u32,
    /// How long the upstream may take to accept a connection: above, 504.
    pub connect_time: Duration,
    /// How long the upstream may take to begin its answer, counted from the last of the request's
    /// body: above, 504.
    pub answer_time: Duration,
    /// The most decisions that wait to be written: above, they are dropped and counted.
    pub audit_queue: usize,
    /// The most decisions that the admin socket can tell of.
    pub recent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_count: 100,
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(620),
            streams: 128,
            connect_time: Duration::from_secs(5),
            answer_time: Duration::from_mins(5),
            audit_queue: 8_192,
            recent: 256,
        }
    }
}
