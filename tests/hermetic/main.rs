//! The hermetic tier: no network beyond loopback, no cluster.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod architecture;
mod generated;
mod tidy;
