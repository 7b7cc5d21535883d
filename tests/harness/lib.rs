//! What several tests share: the workspace's files, keys and tokens, real programs.

pub mod files;
pub mod issuer;
pub mod publish;
