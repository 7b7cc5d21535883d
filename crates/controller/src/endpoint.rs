//! Serves what is published to edges over HTTP: long poll on the manifest, blobs by their digest.
//!
//! ```text
//! edge ─► connection ─► readers: our own enforcer, by a policy of our own ─► request ─► Source
//!            TLS             │                                                 │
//!                            └─ pod, namespace ─► acknowledgements ◄── Countersign-In-Force
//!                                                        ▲
//!                              what other replicas heard ┘
//! ```
//!
//! Integrity needs none of this, for what is served is signed; privacy does: rules hold e-mail
//! addresses and groups, so a namespace's ruleset is read by the pods of that namespace alone.

use bytes::Bytes;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use std::fmt::Debug;

mod acknowledgements;
mod answer;
pub mod args;
mod connection;
pub(crate) mod heard;
mod issuer;
mod poll;
mod readers;
mod request;
mod server;
mod shelf;
#[cfg(test)]
mod tests;
mod tls;

pub(crate) use acknowledgements::differing;
pub use acknowledgements::{Acknowledgement, Acknowledgements, Heard, Pod, Words};
pub use issuer::{Issuer, follow as follow_issuer};
pub use readers::{AUDIENCE, Readers, Unprepared};
pub use server::{Bound, Config, Limits, NotServing, Parts};
pub use tls::{Certificates, Files, NoCertificate};

/// What is served: a copy that was verified, so that every replica can serve it.
pub trait Source: Debug + Send + Sync + 'static {
    /// The envelope of a scope's manifest.
    fn manifest(&self, scope: &Scope) -> Option<Bytes>;
    /// The envelope of a trust document.
    fn trust(&self, version: u64) -> Option<Bytes>;
    /// A blob, of the manifest or of the one before.
    fn blob(&self, scope: &Scope, digest: &Digest) -> Option<Bytes>;
    /// Is over as soon as the scope's manifest is another one than `known`.
    fn changed<'s>(&'s self, scope: &'s Scope, known: Option<Bytes>) -> BoxFuture<'s, ()>;
}
