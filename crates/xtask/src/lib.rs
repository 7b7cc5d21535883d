//! What the developer commands are made of: the generators, which the tests
//! call too, a real Kubernetes for them, and what runs cargo.

use std::path::{Path, PathBuf};

pub mod cluster;
pub mod generated;
pub mod image;
pub mod run;

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Bytes as text.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}
