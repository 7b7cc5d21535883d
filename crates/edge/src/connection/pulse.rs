//! What passes on a connection, and when it has been waited for long enough.

use super::Tie;
use crate::config::Limits;
use crate::metrics::Counted;
use prometheus_client::metrics::gauge::Gauge;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What passed on one connection until now.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    read: AtomicU64,
    requests: AtomicU64,
    in_flight: AtomicUsize,
    /// HTTP/2, whose pings and acknowledgements are bytes of no request.
    multiplexed: AtomicBool,
}

/// A request in flight, until its answer has gone.
#[derive(Debug)]
pub(crate) struct InFlight {
    pulse: Arc<Pulse>,
    tie: Tie,
    _counted: Counted,
}

impl InFlight {
    pub(crate) const fn tie(&self) -> &Tie {
        &self.tie
    }
}

impl Pulse {
    /// A request's head has come.
    pub(crate) fn request(
        self: &Arc<Self>,
        multiplexed: bool,
        tie: &Tie,
        counted: &Gauge,
    ) -> InFlight {
        self.requests.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        self.multiplexed.store(multiplexed, Relaxed);
        InFlight {
            pulse: Arc::clone(self),
            tie: tie.clone(),
            _counted: Counted::new(counted),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.pulse.in_flight.fetch_sub(1, Relaxed);
    }
}

/// How long a connection is waited for, asked once every `header_time`.
#[derive(Debug)]
pub(super) struct Patience {
    requests: u64,
    /// The bytes that belong to heads that are whole.
    read: u64,
    /// Whether a head had begun at the tick before.
    begun: bool,
    idle: u64,
    most_idle: u64,
}

impl Patience {
    pub(super) fn new(limits: &Limits) -> Self {
        let tick = limits.header_time.as_secs().max(1);
        Self {
            requests: 0,
            read: 0,
            begun: false,
            idle: 0,
            most_idle: limits.idle_time.as_secs().checked_div(tick).unwrap_or(1),
        }
    }

    /// Whether a head that has begun takes longer than one to two ticks, or nothing is asked at all.
    pub(super) fn is_over(&mut self, pulse: &Pulse) -> bool {
        let (requests, read) = (pulse.requests.load(Relaxed), pulse.read.load(Relaxed));
        let busy = pulse.in_flight.load(Relaxed) > 0;
        if busy || requests != self.requests {
            (self.requests, self.read) = (requests, read);
            (self.begun, self.idle) = (false, 0);
            return false;
        }
        self.idle = self.idle.saturating_add(1);
        // who has never asked anything has begun with his first byte, or even without
        let unfinished = requests == 0 || (read != self.read && !pulse.multiplexed.load(Relaxed));
        if unfinished && self.begun {
            return true;
        }
        self.begun = unfinished;
        self.idle > self.most_idle
    }
}

/// A connection whose bytes are counted.
#[derive(Debug)]
pub(super) struct Watched<T> {
    io: T,
    pulse: Arc<Pulse>,
}

impl<T> Watched<T> {
    pub(super) const fn new(io: T, pulse: Arc<Pulse>) -> Self {
        Self { io, pulse }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        if came > 0 {
            let came = u64::try_from(came).unwrap_or(u64::MAX);
            self.pulse.read.fetch_add(came, Relaxed);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, Pulse, Tie};
    use crate::config::Limits;
    use prometheus_client::metrics::gauge::Gauge;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::Relaxed;

    fn patience() -> (Patience, Arc<Pulse>, Gauge) {
        let patience = Patience::new(&Limits::default());
        (patience, Arc::default(), Gauge::default())
    }

    #[test]
    fn a_head_may_take_one_to_two_ticks_and_no_byte_prolongs_it() {
        let (mut patience, pulse, _) = patience();
        assert!(!patience.is_over(&pulse));
        pulse.read.fetch_add(1, Relaxed);
        assert!(patience.is_over(&pulse));
    }

    #[test]
    fn a_head_that_trickles_after_a_request_is_not_waited_for_either() {
        let (mut patience, pulse, gauge) = patience();
        pulse.read.fetch_add(100, Relaxed);
        drop(pulse.request(false, &Tie::loose(), &gauge));
        assert!(!patience.is_over(&pulse), "a request has come");
        assert!(!patience.is_over(&pulse), "it is idle");
        pulse.read.fetch_add(1, Relaxed);
        assert!(!patience.is_over(&pulse), "the next head begins");
        pulse.read.fetch_add(1, Relaxed);
        assert!(patience.is_over(&pulse));
    }

    #[test]
    fn what_is_in_flight_is_waited_for_without_end() {
        let (mut patience, pulse, gauge) = patience();
        let held = pulse.request(false, &Tie::loose(), &gauge);
        assert_eq!(gauge.get(), 1);
        assert!((0..1_000).all(|_| !patience.is_over(&pulse)));
        drop(held);
        assert_eq!(gauge.get(), 0);
        let ticks = (0..1_000).take_while(|_| !patience.is_over(&pulse)).count();
        assert_eq!(ticks, 62, "620 s of idling");
    }

    #[test]
    fn pings_of_http2_are_no_heads() {
        let (mut patience, pulse, gauge) = patience();
        drop(pulse.request(true, &Tie::loose(), &gauge));
        assert!(!patience.is_over(&pulse));
        for _ in 0..10 {
            pulse.read.fetch_add(17, Relaxed);
            assert!(!patience.is_over(&pulse));
        }
    }
}
