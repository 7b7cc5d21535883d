//! Connections: accepted up to a limit, secured, and ended gracefully.

use super::answer::Answer;
use super::request::Exchange;
use super::server::Limits;
use crate::places::Places;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Accepts until it is told to stop; gives back the connections that are still open.
pub(super) async fn accept(
    listener: TcpListener,
    (tls, limits): (Option<TlsAcceptor>, Limits),
    exchange: &Arc<Exchange>,
    mut stop: watch::Receiver<bool>,
) -> JoinSet<()> {
    let places = Places::new(limits.connections, limits.of_one);
    let stopping = stop.clone();
    let mut open = JoinSet::new();
    let mut told = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    loop {
        tokio::select! {
            () = &mut told => return open,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = places.take(peer.ip()) else {
                        continue;
                    };
                    let secured = secure(stream, (tls.clone(), limits), Arc::clone(exchange), stopping.clone());
                    open.spawn(async move {
                        secured.await;
                        drop(place);
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

async fn secure(
    stream: TcpStream,
    (tls, limits): (Option<TlsAcceptor>, Limits),
    exchange: Arc<Exchange>,
    stop: watch::Receiver<bool>,
) {
    // Without it small answers wait for acknowledgements; where it cannot be set, they wait.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return serve(stream, limits, exchange, stop).await;
    };
    let shaken = tokio::time::timeout(limits.header_time, tls.accept(stream)).await;
    if let Ok(Ok(stream)) = shaken {
        serve(stream, limits, exchange, stop).await;
    } else {
        // whoever it was is not known, and may have been anybody
        tracing::debug!("a connection was not secured");
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    limits: Limits,
    exchange: Arc<Exchange>,
    mut stop: watch::Receiver<bool>,
) {
    let stopping = stop.clone();
    let busy = watch::Sender::new(Busy::default());
    let idle = idle(busy.subscribe(), limits);
    let service = service_fn(|request| {
        let one = One::of(busy.clone());
        let answer = answer(Arc::clone(&exchange), request, stopping.clone());
        async move {
            let answer = answer.await;
            drop(one);
            answer
        }
    });
    let builder = builder(&limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut told = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = &mut told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = idle => {
            connection.as_mut().graceful_shutdown();
            let ended = tokio::time::timeout(limits.grace, connection).await;
            ended.unwrap_or(Ok(()))
        }
    };
    conclude(ended);
}

fn conclude(ended: Result<(), Box<dyn Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// What goes on on a connection.
#[derive(Debug, Default, Clone, Copy)]
struct Busy {
    /// How many requests are being answered.
    now: usize,
    /// Whether there ever was one.
    ever: bool,
}

/// One request that is being answered, until this is dropped.
struct One(watch::Sender<Busy>);

impl One {
    fn of(busy: watch::Sender<Busy>) -> Self {
        busy.send_modify(|busy| {
            busy.now = busy.now.saturating_add(1);
            busy.ever = true;
        });
        Self(busy)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let less = |busy: &mut Busy| busy.now = busy.now.saturating_sub(1);
        self.0.send_modify(less);
    }
}

/// Is over when nothing was asked for too long: a connection on which nobody says anything has a place
/// that an edge may need.
async fn idle(mut busy: watch::Receiver<Busy>, limits: Limits) {
    loop {
        let now = *busy.borrow_and_update();
        let limit = if now.ever {
            limits.idle
        } else {
            limits.header_time
        };
        tokio::select! {
            changed = busy.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(limit), if now.now == 0 => return,
        }
    }
}

async fn answer(
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
    mut stop: watch::Receiver<bool>,
) -> Result<Answer, Infallible> {
    // a body asks nothing here: it is not read
    let (parts, _) = request.into_parts();
    let stopping = async { drop(stop.wait_for(|stop| *stop).await) };
    Ok(exchange.answer(&parts, stopping).await)
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(bytes.max(8_192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        // a caller that is gone without a word frees its streams
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

#[cfg(test)]
mod tests {
    use super::{Busy, Limits, One, idle};
    use std::time::Duration;
    use tokio::sync::watch;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nobody_asks_is_over_and_one_that_waits_is_not() {
        let (busy, limits) = (watch::Sender::new(Busy::default()), Limits::default());
        let is_over_after = async |time: Duration| {
            let idle = idle(busy.subscribe(), limits);
            timeout(time, idle).await.is_ok()
        };
        let second = Duration::from_secs(1);
        assert!(!is_over_after(limits.header_time.saturating_sub(second)).await);
        assert!(is_over_after(limits.header_time + second).await);
        let one = One::of(busy.clone());
        assert!(!is_over_after(limits.idle * 100).await);
        drop(one);
        assert!(!is_over_after(limits.idle.saturating_sub(second)).await);
        assert!(is_over_after(limits.idle + second).await);
    }
}
