//! A small HTTP server on loopback, for the issuer and the sample service.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The most connections at a time.
const MOST: usize = 256;

/// How long to wait when no connection can be had, as when there are no files left.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer, whole.
pub(super) type Answer = Response<Full<Bytes>>;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves every request by that function.
pub(super) fn serve<F, A>(listener: TcpListener, answer: F) -> Serving
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(MOST));
    Serving(tokio::spawn(async move {
        while let Ok(place) = Arc::clone(&room).acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let answering = answer(request);
                    async move { Ok::<_, Infallible>(answering.await) }
                });
                let server = Builder::new(TokioExecutor::new());
                // A connection that breaks is the caller's affair.
                drop(server.serve_connection(TokioIo::new(stream), service).await);
                drop(place);
            });
        }
    }))
}

/// A JSON document.
pub(super) fn json(status: StatusCode, document: &Value) -> Answer {
    let body = format!("{document:#}\n");
    whole(status, "application/json", body)
}

/// A text, as it is.
pub(super) fn text(status: StatusCode, text: String) -> Answer {
    whole(status, "text/plain; charset=utf-8", text)
}

fn whole(status: StatusCode, of: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(of));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
