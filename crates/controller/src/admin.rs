//! What a controller tells of itself on a port: whether it lives, whether it is ready, its numbers.

use crate::Clock;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::publication::Shelf;
use crate::watch::Shared;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many may ask at once, and how many of them one peer: whether this lives is asked here, and
/// nobody may keep the answer from whoever would otherwise kill it.
const PLACES: usize = 256;
const OF_ONE: usize = 8;

/// How long a connection may last: who asks reads and goes.
const CONNECTION: Duration = Duration::from_secs(5);

/// How long a head may take to come.
const HEAD: Duration = Duration::from_secs(2);

/// What is told of.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) shared: Shared,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Admin {
    /// Answers on that port until it is told to stop.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        let places = Places::new(PLACES, OF_ONE);
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut stop => return,
                Some(_) = open.join_next(), if !open.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let Some(place) = places.take(peer.ip()) else {
                            continue;
                        };
                        let admin = Arc::clone(&self);
                        open.spawn(async move {
                            let _place = place;
                            let served = admin.connection(stream);
                            let _ = tokio::time::timeout(CONNECTION, served).await;
                        });
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: to try again at once would only burn.
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD);
        let service = service_fn(|request| {
            let answer = self.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        let served = builder.serve_connection(TokioIo::new(stream), service);
        // who goes away in the middle has heard enough
        let _ = served.await;
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "expected GET\n".to_owned());
        }
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "alive\n".to_owned()),
            "/readyz" => self.ready(),
            "/metrics" => self.numbers(),
            _ => {
                let expected = "expected /healthz, /readyz or /metrics\n";
                text(StatusCode::NOT_FOUND, expected.to_owned())
            }
        }
    }

    /// Ready is: not stopping, everything in the cluster known, and all that is published looked at, so
    /// that an edge which asks here is served what it would be elsewhere. Whether this replica leads, and
    /// whether a root key has vouched for it, is none of it: those are for statuses to tell.
    fn ready(&self) -> Response<Full<Bytes>> {
        let unready = |why| text(StatusCode::SERVICE_UNAVAILABLE, why);
        if self.stopping.load(Ordering::Relaxed) {
            return unready("stopping\n".to_owned());
        }
        let mut why = self.shared.view().unready();
        if !self.shelf.is_whole() {
            why.push("what is published has not been looked at yet".into());
        }
        if why.is_empty() {
            return text(StatusCode::OK, "ready\n".to_owned());
        }
        unready(format!("{}\n", why.join("\n")))
    }

    fn numbers(&self) -> Response<Full<Bytes>> {
        let broken = self.shared.view().broken().count();
        self.metrics
            .unwatched
            .set(i64::try_from(broken).unwrap_or(i64::MAX));
        self.metrics.tell_term((self.clock.now)());
        let mut response = text(StatusCode::OK, self.metrics.text());
        let kind = HeaderValue::from_static(METRICS);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
