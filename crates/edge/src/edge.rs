//! An edge: bound first, so that its addresses are known, and then run until it is told to stop.

use crate::admin::{Admin, Door};
use crate::audit::Audit;
use crate::config::{Clock, Config};
use crate::connection::{self, Tie};
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::news::News;
use crate::upstream::Pool;
use countersign_enforcer::load::Observer;
use countersign_enforcer::store::Enforcer;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// How long a caller of the admin port may take to ask.
const ADMIN_TIME: Duration = Duration::from_secs(5);

/// An edge that has its addresses, and serves nobody yet.
#[derive(Debug)]
pub struct Edge {
    listener: TcpListener,
    address: SocketAddr,
    admin_listener: Option<TcpListener>,
    admin_address: Option<SocketAddr>,
    admin_socket: Option<(UnixListener, PathBuf)>,
    exchange: Arc<Exchange>,
    admin: Arc<Admin>,
    grace: Duration,
}

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum Unbound {
    /// An address or socket cannot be listened on.
    #[error("cannot listen on {place}: {error}; is another program there?")]
    Listen {
        /// The address or path.
        place: String,
        /// Why not.
        error: std::io::Error,
    },
    /// There is no thread for audit lines.
    #[error("audit lines cannot be written: {0}")]
    Audit(std::io::Error),
}

/// How an edge stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// What was in flight was finished.
    Finished,
    /// The grace was over, and that many connections were cut off.
    CutOff(usize),
}

impl Edge {
    /// Binds its addresses. Audit lines go to `audit`, from a thread of their own.
    ///
    /// # Errors
    /// If an address is taken.
    pub async fn bind(
        config: Config,
        enforcer: Arc<Enforcer>,
        clock: Clock,
        audit: impl Write + Send + 'static,
    ) -> Result<Self, Unbound> {
        let (listener, address) = listen(config.listen).await?;
        let admin = match config.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let (admin_listener, admin_address) = admin.unzip();
        let admin_socket = config.admin_socket.map(socket).transpose()?;
        let limits = config.limits;
        let metrics = Arc::new(Metrics::new());
        let (queue, recent) = (limits.audit_queue, limits.recent);
        let audit = Audit::start(Box::new(audit), queue, recent, Arc::clone(&metrics));
        let audit = audit.map_err(Unbound::Audit)?;
        let admin = Admin {
            enforcer: Arc::clone(&enforcer),
            upstream: config.upstream.clone(),
            metrics: Arc::clone(&metrics),
            news: News::new(Arc::clone(&metrics)),
            recent: audit.recent().clone(),
            clock,
            stopping: AtomicBool::new(false),
        };
        let exchange = Exchange {
            enforcer,
            clock,
            proxies: config.trusted_proxies,
            metrics,
            audit,
            pool: Pool::new(config.upstream, &limits),
            limits,
        };
        Ok(Self {
            listener,
            address,
            admin_listener,
            admin_address,
            admin_socket,
            exchange: Arc::new(exchange),
            admin: Arc::new(admin),
            grace: config.grace,
        })
    }

    /// Where callers are served.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where health and metrics are told.
    pub const fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// What a loader tells its looks to.
    pub fn observer(&self) -> Observer {
        self.admin.news.observer()
    }

    /// Serves until `stop`. Then it accepts nobody more, is not ready, finishes what is in flight
    /// within its grace, and writes the last audit line.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Stopped {
        let (tell, told) = watch::channel(false);
        let mut asides = JoinSet::new();
        if let Some(listener) = self.admin_listener {
            asides.spawn(tell_by_port(listener, Arc::clone(&self.admin)));
        }
        if let Some((listener, path)) = self.admin_socket {
            asides.spawn(tell_by_socket(listener, Arc::clone(&self.admin), path));
        }
        let exchange = Arc::clone(&self.exchange);
        let (tie, mut ties) = Tie::new();
        let most = exchange.limits.connections;
        let places = Arc::new(Semaphore::new(most));
        let accepting = connection::accept(self.listener, exchange, Arc::clone(&places), told, tie);
        let accepting = tokio::spawn(accepting);
        stop.await;
        self.admin.stopping.store(true, Ordering::Relaxed);
        // Sent to nobody only if nobody accepts any longer.
        let _ = tell.send(true);
        let mut open = accepting.await.unwrap_or_default();
        let finish = async {
            while open.join_next().await.is_some() {}
            ties.all_gone().await;
        };
        let finished = tokio::time::timeout(self.grace, finish).await;
        // a tunnel has left its connection's task, and kept its place
        let left = most.saturating_sub(places.available_permits());
        ties.cut();
        open.shutdown().await;
        asides.shutdown().await;
        match finished {
            Ok(()) => Stopped::Finished,
            Err(_) => Stopped::CutOff(left),
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Unbound> {
    let unbound = |error| Unbound::Listen {
        place: address.to_string(),
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    Ok((listener, address))
}

/// A socket that a stopped edge left behind is in the way of the next one, and nobody listens there.
fn socket(path: PathBuf) -> Result<(UnixListener, PathBuf), Unbound> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let left = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.file_type().is_socket());
    if left && std::os::unix::net::UnixStream::connect(&path).is_err() {
        // What cannot be removed is seen by the next line.
        let _ = std::fs::remove_file(&path);
    }
    let bound = UnixListener::bind(&path);
    let own = bound.and_then(|listener| {
        // decisions name people: they are for the edge's own user
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, mode).map(|()| listener)
    });
    match own {
        Ok(listener) => Ok((listener, path)),
        Err(error) => Err(Unbound::Listen {
            place: path.display().to_string(),
            error,
        }),
    }
}

async fn tell_by_port(listener: TcpListener, admin: Arc<Admin>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(open.spawn(tell(stream, Arc::clone(&admin), Door::Port))),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

async fn tell_by_socket(listener: UnixListener, admin: Arc<Admin>, path: PathBuf) {
    let _left = Left(path);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(open.spawn(tell(stream, Arc::clone(&admin), Door::Socket))),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// The socket's file, which nobody else removes.
struct Left(PathBuf);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn tell(stream: impl AsyncRead + AsyncWrite + Unpin, admin: Arc<Admin>, door: Door) {
    let service = service_fn(|request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.answer(&request, door).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(ADMIN_TIME)
        .max_buf_size(16 << 10);
    // A connection that breaks is the other side's affair.
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
