//! The hermetic tier: no network beyond loopback, no cluster.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod architecture;
mod cases;
mod conditions;
mod end_to_end;
mod generated;
mod kms;
mod oracle;
mod presets;
mod quickstart;
mod routes;
mod semantics;
mod sidecar;
mod tidy;
