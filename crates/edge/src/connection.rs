//! Connections: accepted up to a limit, watched for trickling and idling, ended gracefully.

use crate::body::AnyBody;
use crate::config::Limits;
use crate::exchange::Exchange;
use crate::metrics::Counted;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

mod pulse;
mod tie;

pub(crate) use pulse::InFlight;
use pulse::{Patience, Pulse, Watched};
pub(crate) use tie::Tie;

/// Accepts as long as there are places, until it is told to stop; gives back the connections that are
/// still open.
pub(crate) async fn accept(
    listener: TcpListener,
    exchange: Arc<Exchange>,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
    tie: Tie,
) -> JoinSet<()> {
    let stopping = stop.clone();
    let mut open = JoinSet::new();
    let mut told = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    loop {
        tokio::select! {
            () = &mut told => return open,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        exchange.metrics.connections_refused.inc();
                        continue;
                    };
                    let (exchange, stopping) = (Arc::clone(&exchange), stopping.clone());
                    let tie = tie.with(place);
                    open.spawn(serve(stream, peer.ip(), exchange, stopping, tie));
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

async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    exchange: Arc<Exchange>,
    mut stop: watch::Receiver<bool>,
    tie: Tie,
) {
    // Without it small answers wait for acknowledgements; where it cannot be set, they wait.
    let _ = stream.set_nodelay(true);
    let _counted = Counted::new(&exchange.metrics.connections);
    let limits = exchange.limits;
    let pulse = Arc::new(Pulse::default());
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    let builder = builder(&limits);
    let service = service_fn(|request| {
        let held = pulse.request(
            request.version() == Version::HTTP_2,
            &tie,
            &exchange.metrics.in_flight,
        );
        answer(Arc::clone(&exchange), request, peer, held)
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
    let mut patience = Patience::new(&limits);
    let mut ticks = tokio::time::interval(limits.header_time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await; // the first is at once
    let mut stopping = *stop.borrow_and_update();
    if stopping {
        connection.as_mut().graceful_shutdown();
    }
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    broke(&*error, peer, &exchange);
                }
                return;
            }
            changed = stop.changed(), if !stopping => {
                // who would tell is gone, and that is the end as well
                stopping = changed.is_err() || *stop.borrow_and_update();
                if stopping {
                    connection.as_mut().graceful_shutdown();
                }
            }
            _ = ticks.tick() => if patience.is_over(&pulse) {
                return;
            }
        }
    }
}

fn broke(error: &(dyn Error + Send + Sync + 'static), peer: IpAddr, exchange: &Exchange) {
    let cause = error.downcast_ref::<hyper::Error>();
    if cause.is_some_and(hyper::Error::is_parse_too_large) {
        exchange.metrics.refused_heads.inc();
    }
    tracing::debug!(%peer, %error, "a connection broke");
}

async fn answer(
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
    peer: IpAddr,
    held: InFlight,
) -> Result<Response<AnyBody>, Infallible> {
    Ok(exchange.serve(request, peer, held).await)
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        // times are kept here, for every byte would cost a timer
        .header_read_timeout(None)
        .max_headers(limits.header_count)
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
