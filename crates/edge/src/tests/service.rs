//! A service behind the edge, which shows what reached it and answers as a test says.

use super::world::soon;
use crate::body::{AnyBody, whole};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

type Answering = dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<AnyBody>> + Send + Sync;

/// A request as the service saw it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) request: Request<()>,
    pub(super) body: Bytes,
    pub(super) trailers: Option<HeaderMap>,
}

impl Seen {
    pub(super) fn target(&self) -> &str {
        self.request.uri().path_and_query().unwrap().as_str()
    }

    /// All values of a field, in order.
    pub(super) fn fields(&self, name: &str) -> Vec<&str> {
        let values = self.request.headers().get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }
}

/// A service of HTTP/1.1 and HTTP/2.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    serving: JoinHandle<()>,
}

impl Service {
    /// One that reads each request wholly and answers 200 `hello`.
    pub(super) async fn start() -> Self {
        let (sent, seen) = mpsc::unbounded_channel();
        let mut service = Self::answering(move |request| {
            let sent = sent.clone();
            Box::pin(async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap();
                let trailers = body.trailers().cloned();
                let seen = Seen {
                    request: Request::from_parts(parts, ()),
                    body: body.to_bytes(),
                    trailers,
                };
                let _ = sent.send(seen);
                Response::new(whole("hello"))
            })
        })
        .await;
        service.seen = seen;
        service
    }

    /// One that answers as it is told.
    pub(super) async fn answering(
        answer: impl Fn(Request<Incoming>) -> BoxFuture<'static, Response<AnyBody>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, Arc::new(answer)));
        let (_, seen) = mpsc::unbounded_channel();
        Self {
            address,
            seen,
            serving,
        }
    }

    /// The next request that reached it.
    pub(super) async fn seen(&mut self) -> Seen {
        soon(self.seen.recv()).await.expect("a request")
    }

    /// Whether nothing reached it since it was asked last.
    pub(super) fn saw_nothing(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }

    /// Ends it: its address takes no connection any longer.
    pub(super) async fn end(self) {
        self.serving.abort();
        soon(async {
            while !self.serving.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, answer: Arc<Answering>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let answer = Arc::clone(&answer);
        open.spawn(async move {
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            // A connection that breaks is the edge's affair.
            let mut builder = Builder::new(TokioExecutor::new());
            // the edge writes fields of its own beside those that may come
            builder.http1().max_headers(200);
            let io = TokioIo::new(stream);
            let _ = builder.serve_connection_with_upgrades(io, service).await;
        });
    }
}
