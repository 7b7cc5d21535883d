//! Keys of Google Cloud KMS: they sign there, and never leave it.

#[cfg(feature = "gcp-kms")]
mod access;
#[cfg(feature = "gcp-kms")]
mod ask;
#[cfg(feature = "gcp-kms")]
mod crc32c;
#[cfg(feature = "gcp-kms")]
mod google;
mod name;
#[cfg(feature = "gcp-kms")]
mod unsigned;

#[cfg(feature = "gcp-kms")]
pub use google::{Google, KmsKey, KmsKeys, Patience};
pub use name::{KmsEndpoint, KmsKeyName, NotAName, NotAnEndpoint};
#[cfg(feature = "gcp-kms")]
pub use unsigned::NotByKms;
