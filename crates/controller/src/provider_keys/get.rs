//! One GET: no redirect, no more bytes than may be, no address that may not be.

use super::address::{is_link_local, is_loopback, is_public};
use super::busy::{Busy, resolved};
use super::proxy::{Proxy, Stream};
use bytes::Bytes;
use http::header::{ACCEPT, AGE, CACHE_CONTROL, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_rustls::ConfigBuilderExt;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
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
pub(super) struct Reach<'r> {
    /// Nothing but the public internet, and there the port of https alone.
    pub(super) public_only: bool,
    /// This machine over plain http, too.
    pub(super) http_on_loopback: bool,
    /// Networks that may be reached though they are not public.
    pub(super) allowed: &'r [IpNet],
    /// Held by what goes on when nobody waits for it.
    pub(super) busy: &'r Busy,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// The body.
    pub(super) body: Bytes,
    /// For how many seconds it says that it may be kept (RFC 9111 §4.2.1).
    pub(super) max_age: Option<u64>,
}

/// Why there is no answer that counts.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
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
    /// The proxy is none that can be used.
    #[error("expected `proxyURL` to be an http or https URL with a host and nothing before it")]
    Proxy,
    /// The proxy would not connect.
    #[error("expected the proxy to connect with status 200, got {0}")]
    ProxyStatus(StatusCode),
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
    proxy: Option<Proxy>,
}

impl Client {
    /// On the word of the web's CAs, or of the one that is named, in PEM; by a proxy, or straight.
    pub(super) fn new(ca: Option<&str>, proxy: Option<&str>) -> Result<Self, Unread> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Unread::Ca)?;
        let builder = match ca {
            None => builder.with_webpki_roots(),
            Some(pem) => builder.with_root_certificates(roots(pem)?),
        };
        let tls = TlsConnector::from(Arc::new(builder.with_no_client_auth()));
        let proxy = proxy.map(Proxy::parse).transpose()?;
        Ok(Self { tls, proxy })
    }

    /// The answer to a GET.
    pub(super) async fn get(&self, url: &str, reach: Reach<'_>) -> Result<Answer, Unread> {
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
        let host = bare(authority.host());
        let stream: Box<dyn Stream> = match &self.proxy {
            Some(proxy) if !plain => {
                let host = authority.host();
                proxy.tunnel(&self.tls, host, port, reach.busy).await?
            }
            _ => Box::new(connect(host, port, plain, reach).await?),
        };
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

/// A host without the brackets of IPv6.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
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
pub(super) async fn connect(
    host: &str,
    port: u16,
    plain: bool,
    reach: Reach<'_>,
) -> Result<TcpStream, Unread> {
    let addresses = resolved(host, port, reach.busy).await?;
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

fn may_be(address: SocketAddr, plain: bool, reach: Reach<'_>) -> bool {
    let ip = address.ip().to_canonical();
    if plain {
        return is_loopback(ip);
    }
    if is_link_local(ip) {
        return false;
    }
    let is_allowed = || reach.allowed.iter().any(|network| network.contains(&ip));
    !reach.public_only || (address.port() == 443 && is_public(ip)) || is_allowed()
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Answer, Unread>
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
) -> Result<Answer, Unread> {
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(Unread::Status(response.status()));
    }
    let max_age = max_age(response.headers());
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await;
    let body = body.map_err(|_| Unread::Body)?.to_bytes();
    Ok(Answer { body, max_age })
}

/// The time for which an answer may be kept: none where it may not be, unknown where nothing is said.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let fields = headers.get_all(CACHE_CONTROL).into_iter();
    let said = fields.filter_map(|field| field.to_str().ok());
    let mut kept = None;
    for directive in said.flat_map(|field| field.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(0),
            "max-age" => kept = value.trim().trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| age.to_str().ok()?.parse().ok());
    kept.map(|kept: u64| kept.saturating_sub(age.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::max_age;
    use http::header::{AGE, CACHE_CONTROL};
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn reads_for_how_long_an_answer_may_be_kept() {
        for (control, age, expected) in [
            (
                &["public, max-age=600, must-revalidate"][..],
                None,
                Some(600),
            ),
            (&["Max-Age=\"60\""], None, Some(60)),
            (&["max-age=600"], Some("100"), Some(500)),
            (&["max-age=600"], Some("700"), Some(0)),
            (&["max-age=600", "no-store"], None, Some(0)),
            (&["max-age=soon"], None, None),
            (&["public"], None, None),
            (&[], Some("7"), None),
        ] {
            let mut headers = HeaderMap::new();
            for field in control {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(field));
            }
            headers.extend(age.map(|age| (AGE, HeaderValue::from_static(age))));
            assert_eq!(max_age(&headers), expected, "{control:?} {age:?}");
        }
    }
}
