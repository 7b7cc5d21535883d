//! The server: bound first, so that its address is known, and then run until it is told to stop.

use super::acknowledgements::Acknowledgements;
use super::issuer::Issuer;
use super::poll::Waiting;
use super::readers::{Readers, Unprepared};
use super::request::Exchange;
use super::tls::{Certificates, NoCertificate};
use super::{Source, connection};
use countersign_ruleset::time::UnixTime;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where it listens, and how it is secured.
#[derive(Debug)]
pub struct Config {
    /// Where; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The certificate; `None` is plain http, which is for this machine alone.
    pub certificates: Option<Arc<Certificates>>,
    /// What callers can make it hold.
    pub limits: Limits,
}

/// The limits of what callers can make it hold, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections at a time; a further one is closed at once.
    pub connections: usize,
    /// The most of them that one peer may have: an address, which a proxy may share among many edges.
    pub of_one: usize,
    /// The most requests at a time on one HTTP/2 connection: an edge waits once for each scope.
    pub streams: u32,
    /// The most bytes in a request's head. A token may have 16 KiB of them.
    pub header_bytes: u32,
    /// How long the handshake of TLS, and then a head, may take.
    pub header_time: Duration,
    /// How long a connection may have nothing asked on it.
    pub idle: Duration,
    /// How long a stop waits for what is in flight.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            of_one: 512,
            streams: 16,
            header_bytes: 32 << 10,
            header_time: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            grace: Duration::from_secs(5),
        }
    }
}

/// What it serves from.
#[derive(Debug)]
pub struct Parts {
    /// What is published.
    pub source: Arc<dyn Source>,
    /// Where what edges say is taken down.
    pub acknowledgements: Arc<Acknowledgements>,
    /// Whose tokens count; until it is known, everybody is answered 503.
    pub issuer: watch::Receiver<Option<Arc<Issuer>>>,
    /// What time it is.
    pub clock: fn() -> UnixTime,
}

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum NotServing {
    /// Its address.
    #[error("cannot listen on {address}: {error}; is another program there?")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// Tokens would go over a wire that others read.
    #[error("expected a certificate for {0}: plain http is for an address of this machine alone")]
    Plain(SocketAddr),
    /// Its certificate.
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
    /// Its policy.
    #[error(transparent)]
    Readers(#[from] Unprepared),
}

/// A server that has its address, and serves nobody yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("address", &self.address)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

impl Bound {
    /// Binds the address.
    ///
    /// # Errors
    /// If it is taken, or plain http would leave this machine.
    pub async fn bind(config: Config) -> Result<Self, NotServing> {
        if config.certificates.is_none() && !config.listen.ip().is_loopback() {
            return Err(NotServing::Plain(config.listen));
        }
        let failed = |error| NotServing::Listen {
            address: config.listen,
            error,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let tls = config.certificates.as_ref().map(Certificates::config);
        let tls = tls.transpose()?.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        Ok(Self {
            listener,
            address,
            certificates: config.certificates,
            tls,
            limits: config.limits,
        })
    }

    /// Where it is.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then who waits is let go, and what is in flight is finished.
    ///
    /// # Errors
    /// If the policy that says who may read cannot be prepared.
    pub async fn run(self, parts: Parts, stop: impl Future<Output = ()>) -> Result<(), NotServing> {
        let readers = Arc::new(Readers::new()?);
        let exchange = Arc::new(Exchange {
            source: parts.source,
            readers: Arc::clone(&readers),
            acknowledgements: parts.acknowledgements,
            clock: parts.clock,
            waiting: Waiting::default(),
        });
        let (tell, told) = watch::channel(false);
        let accepting = connection::accept(self.listener, (self.tls, self.limits), &exchange, told);
        let certificates = async {
            match &self.certificates {
                Some(certificates) => certificates.follow().await,
                None => std::future::pending().await,
            }
        };
        let keys = follow(readers, parts.issuer, parts.clock);
        let mut accepting = std::pin::pin!(accepting);
        let mut open = tokio::select! {
            open = &mut accepting => open,
            () = certificates => return Ok(()),
            () = keys => return Ok(()),
            () = stop => {
                // nobody is told only if nobody accepts any longer
                let _ = tell.send(true);
                accepting.await
            }
        };
        let finish = async { while open.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.limits.grace, finish).await;
        open.shutdown().await;
        Ok(())
    }
}

/// Takes up whose tokens count, whenever that is asked for anew.
async fn follow(
    readers: Arc<Readers>,
    mut issuer: watch::Receiver<Option<Arc<Issuer>>>,
    clock: fn() -> UnixTime,
) {
    loop {
        let known = issuer.borrow_and_update().clone();
        if let Some(known) = known
            && let Err(error) = readers.take(&known, clock())
        {
            tracing::error!(%error, "whose tokens count at the endpoint could not be taken up");
        }
        if issuer.changed().await.is_err() {
            // who asked is gone: what is known holds until it ends
            std::future::pending::<()>().await;
        }
    }
}
