//! A service behind the edge, which keeps what reaches it.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as the service saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A service that answers every request with 200 and what it read; `/slow` after half a second.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: JoinHandle<()>,
}

impl Upstream {
    /// Starts it on a free port of loopback.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, Arc::clone(&kept)));
                    let io = TokioIo::new(stream);
                    // A connection that breaks is the other side's affair.
                    drop(
                        Builder::new(TokioExecutor::new())
                            .serve_connection(io, service)
                            .await,
                    );
                });
            }
        });
        Ok(Self {
            address,
            seen,
            serving,
        })
    }

    /// Its address, as an edge's `--upstream`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has reached it since this was asked last.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str())
        .to_owned();
    let slow = target.starts_with("/slow");
    let seen = Seen {
        method: parts.method.to_string(),
        target,
        headers: parts.headers,
        body: body.unwrap_or_default(),
    };
    let echo = seen.body.clone();
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(seen);
    if slow {
        // Long enough to be in flight when the edge is told to stop.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(Response::new(Full::new(echo)))
}
