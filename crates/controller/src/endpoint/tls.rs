//! The endpoint's certificate, from files that are replaced while it runs.

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often the files are looked at. A kubelet takes about a minute to write a Secret that changed,
/// and certificates are renewed days before they end.
const EVERY: Duration = Duration::from_secs(10);

/// The two files of a Secret of the type `kubernetes.io/tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those after it, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// They are not a certificate with its key.
    #[error("{path}: expected a certificate in PEM and the key that it is of: {because}")]
    Unfit {
        /// Which.
        path: String,
        /// Why not.
        because: String,
    },
}

/// The certificate that is shown. Its key cannot be printed.
pub struct Certificates {
    files: Files,
    provider: Arc<CryptoProvider>,
    shown: RwLock<(Vec<u8>, Arc<CertifiedKey>)>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Certificates {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// If they cannot be read, or do not belong together.
    pub fn read(files: Files) -> Result<Self, NoCertificate> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (pem, key) = load(&files, &provider)?;
        Ok(Self {
            files,
            provider,
            shown: RwLock::new((pem, Arc::new(key))),
        })
    }

    /// Reads them again; says whether others are shown from now on.
    ///
    /// # Errors
    /// If they cannot be read, or do not belong together: then the last ones are shown on.
    pub fn reread(&self) -> Result<bool, NoCertificate> {
        let (pem, key) = load(&self.files, &self.provider)?;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if shown.0 == pem {
            return Ok(false);
        }
        *shown = (pem, Arc::new(key));
        Ok(true)
    }

    /// Reads them now and then, as long as it is driven.
    pub(super) async fn follow(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            told(&self.reread());
        }
    }

    /// How connections are secured.
    pub(super) fn config(self: &Arc<Self>) -> Result<ServerConfig, NoCertificate> {
        let unfit = |error: rustls::Error| NoCertificate::Unfit {
            path: self.files.certificate.display().to_string(),
            because: error.to_string(),
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(unfit)?;
        let shown: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = builder.with_no_client_auth().with_cert_resolver(shown);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn told(reread: &Result<bool, NoCertificate>) {
    if let Err(error) = reread {
        tracing::warn!(%error, "the certificate cannot be read; the last one is shown on");
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&shown.1))
    }
}

fn load(
    files: &Files,
    provider: &CryptoProvider,
) -> Result<(Vec<u8>, CertifiedKey), NoCertificate> {
    let read = |path: &PathBuf| {
        fs::read(path).map_err(|error| NoCertificate::Unreadable {
            path: path.display().to_string(),
            error,
        })
    };
    let unfit = |path: &PathBuf, because: String| NoCertificate::Unfit {
        path: path.display().to_string(),
        because,
    };
    let pem = read(&files.certificate)?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unfit(&files.certificate, error.to_string()))?;
    let key = zeroize::Zeroizing::new(read(&files.key)?);
    // what is wrong with a key is not said: the words could hold some of it
    let bad = |_| unfit(&files.key, "no private key".to_owned());
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(bad)?;
    let key = CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| unfit(&files.certificate, error.to_string()))?;
    Ok((pem, key))
}
