//! One GET: no redirect, no more bytes than may be, no address that may not be.

use super::address::{is_link_local, is_loopback, is_public};
use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_rustls::ConfigBuilderExt;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The most bytes of an answer.
pub(super) const MAX_BYTES: usize = 256 << 10;

/// What may be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Nothing but the public internet.
    pub(super) public_only: bool,
    /// This machine over plain http, too.
    pub(super) http_on_loopback: bool,
}

/// Why there is no answer that counts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The URL is not one that may be asked.
    #[error("expected an https URL with a host and nothing before it")]
    NotHttps,
    /// Plain http, to another machine or without the flag.
    #[error(
        "expected https, got http: it is taken only from this machine, and only with \
         --danger-allow-http-issuers"
    )]
    Http,
    /// There is nobody to vouch for the server.
    #[error("expected `caBundle` to be certificates in PEM")]
    Ca,
    /// A way that is not gone here.
    #[error("`proxyURL` is not followed by this command: write the keys in `keys.inline`")]
    Proxy,
    /// The address may not be connected to.
    #[error("{0} may not be connected to for this provider")]
    Forbidden(String),
    /// The connection failed.
    #[error("no connection: {0}")]
    Io(#[from] io::Error),
    /// The exchange failed.
    #[error("no answer: {0}")]
    Http1(#[from] hyper::Error),
    /// Another status; a redirect is one.
    #[error("expected the status 200, got {0}")]
    Status(StatusCode),
    /// The body is too large, or broke off.
    #[error("expected at most {MAX_BYTES} bytes, got more, or the answer broke off")]
    Body,
}

/// A client that takes servers' names on the word of some CAs.
pub(super) struct Client {
    tls: TlsConnector,
}

impl Client {
    /// On the word of the web's CAs, or of the one that is named, in PEM.
    pub(super) fn new(ca: Option<&str>) -> Result<Self, Unread> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Unread::Ca)?;
        let builder = match ca {
            None => builder.with_webpki_roots(),
            Some(pem) => builder.with_root_certificates(roots(pem)?),
        };
        let config = builder.with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The body of the answer.
    pub(super) async fn get(&self, url: &str, reach: Reach) -> Result<Bytes, Unread> {
        let uri: Uri = url.parse().map_err(|_| Unread::NotHttps)?;
        let authority = uri
            .authority()
            .filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or(Unread::NotHttps)?;
        let plain = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => false,
            Some(scheme) if *scheme == Scheme::HTTP && reach.http_on_loopback => true,
            Some(scheme) if *scheme == Scheme::HTTP => return Err(Unread::Http),
            _ => return Err(Unread::NotHttps),
        };
        let port = authority.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let stream = connect(host, port, plain, reach).await?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path)
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/json")
            .header(
                USER_AGENT,
                concat!("countersign/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::<Bytes>::new())
            .map_err(|_| Unread::NotHttps)?;
        if plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Unread::NotHttps)?;
        exchange(self.tls.connect(name, stream).await?, request).await
    }
}

fn roots(pem: &str) -> Result<RootCertStore, Unread> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| Unread::Ca)?;
        roots.add(certificate).map_err(|_| Unread::Ca)?;
    }
    if roots.is_empty() {
        Err(Unread::Ca)
    } else {
        Ok(roots)
    }
}

/// Connects to the first address that may be and can be.
async fn connect(host: &str, port: u16, plain: bool, reach: Reach) -> Result<TcpStream, Unread> {
    let addresses = tokio::net::lookup_host((host, port)).await?;
    let mut refused = Unread::Forbidden(host.to_owned());
    for address in addresses {
        if !may_be(address, plain, reach) {
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = Unread::Io(error),
        }
    }
    Err(refused)
}

fn may_be(address: SocketAddr, plain: bool, reach: Reach) -> bool {
    let ip = address.ip();
    if plain {
        return is_loopback(ip);
    }
    !is_link_local(ip) && (!reach.public_only || is_public(ip))
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Bytes, Unread>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What becomes of the connection is seen by the request on it.
    let driving = tokio::spawn(async move { drop(connection.await) });
    let answer = answer(&mut sender, request).await;
    driving.abort();
    answer
}

async fn answer(
    sender: &mut http1::SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> Result<Bytes, Unread> {
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(Unread::Status(response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await;
    Ok(body.map_err(|_| Unread::Body)?.to_bytes())
}
