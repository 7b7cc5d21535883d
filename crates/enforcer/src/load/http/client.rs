//! The client of one server: its connections, whoever vouches for it, and the token it is told.

use ::http::HeaderValue;
use bytes::Bytes;
use http_body_util::Empty;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// The most bytes of a token.
const MAX_TOKEN: usize = 16 << 10;

/// The most bytes of certificates.
const MAX_CA: usize = 1 << 20;

pub(super) type Connections = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// A request has no body.
pub(super) const fn nothing() -> Empty<Bytes> {
    Empty::new()
}

/// The client, and the certificates that it was made with: others make another one.
pub(super) struct Clients {
    plain: bool,
    made: Mutex<Option<(Option<Vec<u8>>, Connections)>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

impl Clients {
    pub(super) const fn new(plain: bool) -> Self {
        let made = Mutex::new(None);
        Self { plain, made }
    }

    /// The client on the word of who stands in the file now, for authorities are replaced while an
    /// edge runs.
    pub(super) fn current(&self, ca: Option<&Path>) -> Result<Connections, String> {
        let pem = ca.map(|file| bounded(file, MAX_CA)).transpose()?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((with, client)) = &*made
            && *with == pem
        {
            return Ok(client.clone());
        }
        let client = connections(self.plain, pem.as_deref())?;
        *made = Some((pem, client.clone()));
        Ok(client)
    }
}

/// The token as it stands in the file now: the kubelet writes another one before it expires.
pub(super) fn bearer(file: &Path) -> Result<HeaderValue, String> {
    let bytes = bounded(file, MAX_TOKEN)?;
    let token = bytes.trim_ascii();
    if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
        return Err(format!("{}: expected a token", file.display()));
    }
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", token].concat())
        .map_err(|_| format!("{}: expected a token", file.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn bounded(path: &Path, cap: usize) -> Result<Vec<u8>, String> {
    let failed = |error| format!("{}: {error}", path.display());
    let most = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > cap {
        return Err(format!("{}: expected at most {cap} bytes", path.display()));
    }
    Ok(bytes)
}

fn connections(plain: bool, pem: Option<&[u8]>) -> Result<Connections, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match pem {
        None => builder.with_webpki_roots(),
        Some(pem) => builder.with_root_certificates(roots(pem)?),
    };
    let tls = builder.with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls);
    let https = if plain {
        https.https_or_http()
    } else {
        https.https_only()
    };
    let connector = https.enable_all_versions().wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http1_max_buf_size(64 << 10)
        .http2_max_header_list_size(64 << 10)
        // a server that is gone without a word is noticed, also while it is waited for
        .http2_keep_alive_interval(Duration::from_secs(15))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build(connector))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let bad = || "--rulesets-ca: expected certificates in PEM".to_owned();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| bad())?;
        roots.add(certificate).map_err(|_| bad())?;
    }
    if roots.is_empty() {
        Err(bad())
    } else {
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TOKEN, bearer};
    use std::fs;

    #[test]
    fn a_token_is_read_anew_and_shown_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "first\n").unwrap();
        assert_eq!(bearer(&file).unwrap().as_bytes(), b"Bearer first");
        fs::write(&file, "second").unwrap();
        let second = bearer(&file).unwrap();
        assert_eq!(second.as_bytes(), b"Bearer second");
        assert_eq!(format!("{second:?}"), "Sensitive");
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for bad in ["", " \n", "a b", "a\nb", "é", &"a".repeat(MAX_TOKEN + 1)] {
            fs::write(&file, bad).unwrap();
            let said = bearer(&file).unwrap_err();
            assert!(said.contains("expected"), "{said}");
            assert!(bad.trim().is_empty() || !said.contains(bad), "{said}");
        }
        fs::remove_file(&file).unwrap();
        assert!(bearer(&file).is_err());
    }
}
