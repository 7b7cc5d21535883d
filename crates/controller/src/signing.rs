//! Who signs: a key in memory, or a service that never shows its key.

mod evaluation;
mod keyring;
pub mod kms;
pub mod secret;
pub mod shown;
pub mod succession;

pub use evaluation::evaluation_trust;
pub use keyring::Keyring;

use countersign_ruleset::key::PublicKey;
use countersign_ruleset::sign::{Signer, SigningKey};
use futures::future::BoxFuture;
use std::fmt::Debug;
use std::future::ready;

/// Something that signs and may take its time: a KMS is asked over the network.
///
/// What it signs is whole when it is asked: nothing is read or fetched between the question and the
/// answer, and what was signed and could not be published is forgotten.
pub trait SigningService: Debug + Send + Sync {
    /// The public key.
    fn public_key(&self) -> &PublicKey;
    /// A signature over the message, as the key's algorithm defines it, or why there is none.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// A key in memory answers at once.
impl SigningService for SigningKey {
    fn public_key(&self) -> &PublicKey {
        Signer::public_key(self)
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(ready(Signer::sign(self, message)))
    }
}
