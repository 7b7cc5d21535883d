//! Callers: a client of HTTP/1.1, one of HTTP/2, and a socket for what no client would send.

use super::world::soon;
use crate::body::AnyBody;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A connection of HTTP/1.1.
pub(super) async fn http1(address: SocketAddr) -> http1::SendRequest<AnyBody> {
    let io = TokioIo::new(soon(TcpStream::connect(address)).await.unwrap());
    let (sender, connection) = soon(http1::handshake(io)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    sender
}

/// A connection of HTTP/2, with prior knowledge.
pub(super) async fn http2(address: SocketAddr) -> http2::SendRequest<AnyBody> {
    let io = TokioIo::new(soon(TcpStream::connect(address)).await.unwrap());
    let shaken = http2::handshake(TokioExecutor::new(), io);
    let (sender, connection) = soon(shaken).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Reads an answer to its end.
pub(super) async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let collected = soon(body.collect()).await.unwrap();
    let trailers = collected.trailers().cloned();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: collected.to_bytes(),
        trailers,
    }
}

/// A socket on which any bytes can be sent.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    pub(super) async fn to(address: SocketAddr) -> Self {
        Self(soon(TcpStream::connect(address)).await.unwrap())
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // An edge that has closed already takes nothing, and that is seen when it is read from.
        let _ = soon(self.0.write_all(bytes.as_ref())).await;
    }

    /// Reads until a text has come, or the edge has closed.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        let mut buffer = [0; 4_096];
        loop {
            let text = String::from_utf8_lossy(&read);
            if !end.is_empty() && text.contains(end) {
                return text.into_owned();
            }
            match soon(self.0.read(&mut buffer)).await {
                Ok(0) | Err(_) => return text.into_owned(),
                Ok(count) => read.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// Reads until the edge closes.
    pub(super) async fn rest(&mut self) -> String {
        self.until("").await
    }
}

/// Sends bytes on a connection of its own, and reads all that comes back until the edge closes it.
pub(super) async fn exchange(address: SocketAddr, bytes: &str) -> String {
    let mut raw = Raw::to(address).await;
    raw.send(bytes).await;
    raw.rest().await
}
