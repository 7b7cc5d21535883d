//! Publishes rulesets: signed in memory first, then written to a store, manifest last.
//!
//! ```text
//! Compiled ─► Publisher ─► draft ─► SigningService ─► blobs, then the manifest ─► primary Store
//!               ▲  reads back what is published,            │ on the condition that it is what was read
//!               └──────── through the one verifier ◄────────┤
//!                                                           ├─► Mirrors: other stores, each failing alone
//!                                                           └─► Shelf: the copy that every replica serves
//! ```
//!
//! A store needs no trust, and a publisher none in another: what cannot be verified is neither
//! followed nor overwritten, and of two that publish at once one is told so by the store.

#[cfg(test)]
mod apiserver;
mod authority;
mod chain;
mod config_maps;
#[cfg(test)]
mod conformance;
mod directory;
mod keep;
mod known;
pub mod mirrors;
mod mounted;
mod objects;
mod published;
mod publisher;
pub mod shelf;
mod store;
mod sweep;

pub use authority::{Authority, ClockRule, Document, Terms, Unfit};
pub use chain::{Chain, Last, Whole};
pub use config_maps::ConfigMaps;
pub(crate) use config_maps::said;
pub use directory::Directory;
pub use keep::keep;
pub use mirrors::{Copied, Mirror, MirrorState, Mirrors, StoreMirror};
pub use mounted::Mounted;
pub use objects::{NoPlace, Objects, mirror_at};
pub use published::{Kind, NotPublished, Published};
pub use publisher::{Moment, Publisher, Seen};
pub use shelf::{OnShelf, Shelf};
pub use store::{Expected, Key, Store, StoreError, Stored, Thrift, Version, WriteError};
