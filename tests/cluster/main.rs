//! The cluster tier: whatever only a real API server, a real etcd and a real node can show.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod admission;
mod chart;
mod controller;
mod examples;
mod faults;
mod gitops;
mod keys;
mod node;
mod publication;
mod replicas;
mod sidecar;
