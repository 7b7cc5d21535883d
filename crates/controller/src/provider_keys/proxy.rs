//! A proxy on the way to a provider: a tunnel, through which the provider is spoken to as ever.

use super::busy::Busy;
use super::get::{Reach, Unread, bare, connect};
use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A proxy. Only an operator of the cluster can name one, so its own address may be a private one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    host: String,
    port: u16,
    secure: bool,
}

impl Proxy {
    /// Reads a URL. One with a password in it is refused: a resource is no place for it.
    pub(super) fn parse(url: &str) -> Result<Self, Unread> {
        let uri: Uri = url.parse().map_err(|_| Unread::Proxy)?;
        let authority = uri.authority().ok_or(Unread::Proxy)?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(Unread::Proxy),
        };
        if authority.as_str().contains('@') {
            return Err(Unread::Proxy);
        }
        Ok(Self {
            host: bare(authority.host()).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            secure,
        })
    }

    /// A tunnel to a host (RFC 9110 §9.3.6). What goes through it is TLS, which ends at the provider.
    pub(super) async fn tunnel(
        &self,
        tls: &TlsConnector,
        host: &str,
        port: u16,
        busy: &Busy,
    ) -> Result<Box<dyn Stream>, Unread> {
        let reach = Reach {
            public_only: false,
            http_on_loopback: false,
            allowed: &[],
            busy,
        };
        let stream = connect(&self.host, self.port, false, reach).await?;
        let stream: Box<dyn Stream> = if self.secure {
            let name = ServerName::try_from(self.host.clone()).map_err(|_| Unread::Proxy)?;
            Box::new(tls.connect(name, stream).await?)
        } else {
            Box::new(stream)
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        let place = format!("{host}:{port}");
        let request = Request::connect(&place)
            .header(HOST, &place)
            .body(Empty::<Bytes>::new())
            .map_err(|_| Unread::NotHttps)?;
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(Unread::ProxyStatus(response.status()));
        }
        let tunnel = hyper::upgrade::on(response).await?;
        Ok(Box::new(TokioIo::new(tunnel)))
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn reads_the_place_of_a_proxy_and_no_password() {
        let proxy = |url| {
            Proxy::parse(url)
                .ok()
                .map(|it| (it.host, it.port, it.secure))
        };
        let expected = |host: &str, port, secure| Some((host.to_owned(), port, secure));
        assert_eq!(proxy("http://proxy:3128"), expected("proxy", 3128, false));
        assert_eq!(proxy("https://proxy"), expected("proxy", 443, true));
        assert_eq!(proxy("http://[::1]:80"), expected("::1", 80, false));
        for refused in [
            "proxy:3128",
            "socks5://proxy",
            "http://me:secret@proxy",
            "",
            "/",
        ] {
            assert_eq!(proxy(refused), None, "{refused}");
        }
    }
}
