//! What the developer commands are made of: the generators, which the tests call too, and what runs cargo.

use std::path::{Path, PathBuf};

pub mod generated;
pub mod run;

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
