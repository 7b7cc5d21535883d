//! A caller over a socket: one connection, HTTP/1.1 or HTTP/2, and no courtesy of a client library.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// The version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1
    H1,
    /// HTTP/2, with prior knowledge.
    H2,
}

/// A connection to an edge, made anew when the edge has closed it.
#[derive(Debug)]
pub struct Caller {
    address: SocketAddr,
    version: Version,
    sender: Option<Sender>,
    /// How often a connection was made.
    pub connections: usize,
}

#[derive(Debug)]
enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A member of the problem document (RFC 9457), or nothing.
    pub fn problem(&self, member: &str) -> Value {
        let document: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        document[member].clone()
    }
}

impl Caller {
    /// A caller who has not connected yet.
    pub const fn new(address: SocketAddr, version: Version) -> Self {
        Self {
            address,
            version,
            sender: None,
            connections: 0,
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// The URL is absolute; with HTTP/1.1 its authority becomes the `Host`, unless one is given.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        if self.sender.as_ref().is_none_or(Sender::is_closed) {
            self.sender = Some(self.connect().await?);
            self.connections += 1;
        }
        let response = match self.sender.as_mut() {
            Some(Sender::H1(sender)) => {
                let uri = std::mem::take(request.uri_mut());
                let target = uri.path_and_query().map_or("/", |target| target.as_str());
                *request.uri_mut() = target.parse()?;
                let given = request.headers().contains_key("host");
                if let (Some(authority), false) = (uri.authority(), given) {
                    request
                        .headers_mut()
                        .insert("host", authority.as_str().parse()?);
                }
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Some(Sender::H2(sender)) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            None => anyhow::bail!("not connected"),
        };
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    async fn connect(&self) -> anyhow::Result<Sender> {
        let io = TokioIo::new(TcpStream::connect(self.address).await?);
        // A connection's end is seen by the request that is sent on it.
        Ok(match self.version {
            Version::H1 => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(async move { drop(connection.await) });
                Sender::H1(sender)
            }
            Version::H2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(async move { drop(connection.await) });
                Sender::H2(sender)
            }
        })
    }
}

impl Sender {
    fn is_closed(&self) -> bool {
        match self {
            Self::H1(sender) => sender.is_closed(),
            Self::H2(sender) => sender.is_closed(),
        }
    }
}
