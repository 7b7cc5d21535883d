//! One question to one of Google's services: bounded in size and time, and with no redirect.

use super::NotByKms;
use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_rustls::ConfigBuilderExt;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The most bytes of an answer; a signature is 72, a public key 200.
const MAX_BYTES: usize = 64 << 10;

/// A service.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) plain: bool,
}

impl Place {
    fn authority(&self) -> String {
        let usual = if self.plain { 80 } else { 443 };
        if self.port == usual {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A client that takes servers' names on the word of the web's CAs.
pub(super) struct Client(TlsConnector);

impl Client {
    pub(super) fn new() -> Result<Self, NotByKms> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions()?;
        let config = config.with_webpki_roots().with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// The answer, if its status is 200.
    pub(super) async fn ask(
        &self,
        place: &Place,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, NotByKms> {
        let host = HeaderValue::try_from(place.authority());
        let host = host.map_err(|_| NotByKms::Malformed("a host"))?;
        let agent = concat!("countersign/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(HOST, host);
        let agent = HeaderValue::from_static(agent);
        request.headers_mut().insert(USER_AGENT, agent);
        let unreachable = |why| NotByKms::Unreachable {
            host: place.host.clone(),
            why,
        };
        let stream = TcpStream::connect((&*place.host, place.port)).await;
        let stream = stream.map_err(unreachable)?;
        if place.plain {
            return exchange(place, stream, request).await;
        }
        let name = ServerName::try_from(place.host.clone());
        let name = name.map_err(|error| unreachable(io::Error::other(error)))?;
        let stream = self.0.connect(name, stream).await.map_err(unreachable)?;
        exchange(place, stream, request).await
    }
}

async fn exchange<S>(
    place: &Place,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, NotByKms>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |why| NotByKms::Broken {
        host: place.host.clone(),
        why,
    };
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(broken)?;
    // what becomes of the connection is seen by the request on it; dropped with it, if nobody waits
    let answering = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(NotByKms::Status { status });
        }
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BYTES).collect().await;
        let body = body.map_err(|_| NotByKms::Malformed("a whole answer of at most 64 KiB"))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    tokio::select! {
        answer = answering => answer,
        Err(why) = connection => Err(broken(why)),
    }
}
