//! An edge in this process, between callers and a service.

use super::caller::{self, Answer};
use super::rules::{self, APPLICATION, HOST, Said};
use super::service::Service;
use crate::body::{AnyBody, whole};
use crate::{Clock, Config, Edge, Stopped};
use countersign_enforcer::load::Observer;
use countersign_enforcer::store::{Enforcer, Target};
use http::{Method, Request};
use serde_json::Value;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What must happen happens within this; only a failing test waits so long.
const SOON: Duration = Duration::from_secs(20);

/// Waits for what must happen.
pub(super) async fn soon<T>(happens: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(SOON, happens).await;
    waited.expect("it happens in time")
}

/// How an edge is set up; in the way of no test that does not ask.
pub(super) struct Setting {
    pub(super) config: Config,
    pub(super) said: Option<Said>,
    pub(super) clock: Clock,
    pub(super) audit: Option<Box<dyn Write + Send>>,
}

/// A running edge.
pub(super) struct World {
    pub(super) address: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) enforcer: Arc<Enforcer>,
    pub(super) observer: Observer,
    lines: Lines,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Stopped>,
}

impl World {
    /// An edge with the rules of these tests.
    pub(super) async fn before(service: &Service) -> Self {
        Self::with(service.address, |_| ()).await
    }

    /// The same, set up otherwise.
    pub(super) async fn with(service: SocketAddr, change: impl FnOnce(&mut Setting)) -> Self {
        let upstream = format!("http://{service}").parse().unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::new(anywhere, upstream);
        config.admin_listen = Some(anywhere);
        let mut setting = Setting {
            config,
            said: Some(Said::default()),
            clock: rules::now,
            audit: None,
        };
        change(&mut setting);
        let target = Target::Application(APPLICATION.parse().unwrap());
        let enforcer = Arc::new(Enforcer::new(target, vec!["shop".parse().unwrap()]));
        if let Some(said) = &setting.said {
            enforcer.install(rules::verified(said));
        }
        let (sent, received) = mpsc::unbounded_channel();
        let audit = setting.audit.unwrap_or_else(|| Box::new(Sent(sent)));
        let bound = Edge::bind(setting.config, Arc::clone(&enforcer), setting.clock, audit);
        let edge = bound.await.unwrap();
        let (address, admin) = (edge.local_addr(), edge.admin_addr().unwrap_or(anywhere));
        let observer = edge.observer();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(edge.run(async { drop(stopped.await) }));
        Self {
            address,
            admin,
            enforcer,
            observer,
            lines: Lines {
                received,
                text: String::new(),
            },
            stop,
            running,
        }
    }

    /// Calls with GET on a connection of its own.
    pub(super) async fn get(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, target, fields, whole("")).await
    }

    /// Calls on a connection of its own.
    pub(super) async fn call(
        &self,
        method: Method,
        target: &str,
        fields: &[(&str, &str)],
        body: AnyBody,
    ) -> Answer {
        let request = asking(method, target, fields, body);
        let mut sender = caller::http1(self.address).await;
        caller::read(soon(sender.send_request(request)).await.unwrap()).await
    }

    /// What the port tells.
    pub(super) async fn told(&self, target: &str) -> Answer {
        let request = asking(Method::GET, target, &[], whole(""));
        let mut sender = caller::http1(self.admin).await;
        caller::read(soon(sender.send_request(request)).await.unwrap()).await
    }

    /// The value of a number, as the port tells it.
    pub(super) async fn number(&self, name: &str) -> i64 {
        let answer = self.told("/metrics").await;
        let mut lines = answer.text().lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        found.unwrap_or(0)
    }

    /// Waits until a number has a value: asked again and again, with an end.
    pub(super) async fn until(&self, name: &str, value: i64) {
        soon(async {
            while self.number(name).await != value {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The next audit line, as it was written.
    pub(super) async fn line(&mut self) -> String {
        soon(self.lines.next()).await.expect("a line")
    }

    /// The next audit line.
    pub(super) async fn audited(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// Tells the edge to stop, and gives what waits for its end.
    pub(super) fn stop(self) -> JoinHandle<Stopped> {
        let _ = self.stop.send(());
        self.running
    }

    /// Stops, and gives every audit line that was not read.
    pub(super) async fn lines(self) -> Vec<String> {
        let _ = self.stop.send(());
        soon(self.running).await.unwrap();
        let mut lines = self.lines;
        let mut all = Vec::new();
        while let Some(line) = soon(lines.next()).await {
            all.push(line);
        }
        all
    }
}

/// A request to the host of these tests.
pub(super) fn asking<B>(
    method: Method,
    target: &str,
    fields: &[(&str, &str)],
    body: B,
) -> Request<B> {
    let mut request = Request::builder().method(method).uri(target);
    if target.starts_with('/') && !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", HOST);
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// Where audit lines go: to the test.
struct Sent(mpsc::UnboundedSender<Vec<u8>>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.send(bytes.to_vec());
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Lines {
    received: mpsc::UnboundedReceiver<Vec<u8>>,
    text: String,
}

impl Lines {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let line = line.to_owned();
                self.text = rest.to_owned();
                return Some(line);
            }
            let bytes = self.received.recv().await?;
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}
