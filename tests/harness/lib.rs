//! What several tests share: the workspace's files, keys and tokens, the whole path, real programs.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    reason = "a test fails by panicking"
)]

pub mod case;
pub mod cast;
pub mod cluster;
pub mod controller;
pub mod files;
pub mod ground;
pub mod issuer;
pub mod kms;
pub mod program;
pub mod publish;
pub mod s3;
pub mod skip;
pub mod trial;
pub mod upstream;
pub mod wire;
