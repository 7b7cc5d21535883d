//! Why Google's KMS gave nothing that counts, in words that may be read by whoever reads a policy's status.

use super::KmsKeyName;
use std::io;

/// Why there is no key, or no signature.
#[derive(Debug, thiserror::Error)]
pub enum NotByKms {
    /// The machine has no account that could ask.
    #[error("no access token from the metadata server: {0}")]
    NoToken(Box<Self>),
    /// There was no connection.
    #[error("no connection to {host}: {why}")]
    Unreachable {
        /// To whom.
        host: String,
        /// Why.
        why: io::Error,
    },
    /// The exchange failed.
    #[error("no answer from {host}: {why}")]
    Broken {
        /// From whom.
        host: String,
        /// Why.
        why: hyper::Error,
    },
    /// There was no answer in time.
    #[error("expected an answer within {0} ms, got none")]
    Late(u128),
    /// It was refused.
    #[error("expected the status 200, got {status}{}", hint(*status))]
    Status {
        /// As what.
        status: u16,
    },
    /// It is not what the interface says.
    #[error("expected {0}, got something else")]
    Malformed(&'static str),
    /// It was damaged on its way, there or back.
    #[error("{0} was damaged on its way")]
    Checksum(&'static str),
    /// Another key has answered.
    #[error("expected an answer of {expected}, got one of another key")]
    OtherName {
        /// Who was asked.
        expected: KmsKeyName,
    },
    /// It signs in another way.
    #[error(
        "expected a key for EC_SIGN_P256_SHA256 or EC_SIGN_ED25519, got one for another purpose"
    )]
    Algorithm,
    /// The signature is not by the key.
    #[error("what was signed is not by the key {0}")]
    OtherKey(String),
    /// There is nobody to vouch for the server.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl NotByKms {
    /// Whether to ask again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Late(_) | Self::Checksum(_) => {
                true
            }
            Self::Status { status } => matches!(status, 401 | 408 | 429 | 500 | 502 | 503 | 504),
            Self::NoToken(why) => why.is_passing(),
            Self::Malformed(_)
            | Self::OtherName { .. }
            | Self::Algorithm
            | Self::OtherKey(_)
            | Self::Tls(_) => false,
        }
    }
}

/// What most often stands behind a status.
const fn hint(status: u16) -> &'static str {
    match status {
        403 => {
            ": the controller's service account needs cloudkms.cryptoKeyVersions.useToSign and \
             .viewPublicKey, as the role roles/cloudkms.signerVerifier has them"
        }
        404 => ": there is no such version of a key",
        _ => "",
    }
}
