//! A controller from its start to its end: clients, tasks, and the order in which they stop.
//!
//! What works stops first and finishes what it is at; then the lease is given up, so that another
//! replica goes on at once; what watches and serves goes last.

use crate::Clock;
use crate::admin::Admin;
use crate::args::Args;
use crate::endpoint::{self, Acknowledgements, Bound};
use crate::lease::{Candidate, Leading};
use crate::metrics::Metrics;
use crate::provider_keys::{self, World};
use crate::publication::{ConfigMaps, Publisher, Shelf, Store, shelf};
use crate::reconcile::{self, Reconciler};
use crate::status::writer::Writer;
use crate::watch::Shared;
use anyhow::{Context, Result};
use custody::Custody;
use kube::Client;
use replicas::Replicas;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

mod custody;
mod replicas;
mod start;

/// What runs beside the work, until it is told to stop.
struct Beside {
    args: Args,
    clock: Clock,
    client: Client,
    /// The one that watches.
    watching: Client,
    shared: Shared,
    metrics: Arc<Metrics>,
    acknowledgements: Arc<Acknowledgements>,
    shelf: Arc<Shelf>,
    leading: watch::Receiver<Leading>,
    stopped: watch::Receiver<bool>,
    /// What is cut off in the end.
    tasks: JoinSet<()>,
    /// What finishes what it is at.
    serving: JoinSet<()>,
}

/// Runs a controller until it is told to stop.
///
/// # Errors
/// If it cannot start: its flags, its files, its ports.
pub async fn run(args: Args, clock: Clock, stop: impl Future<Output = ()>) -> Result<()> {
    start::expect_built(&args)?;
    let identity = args.identity.clone().map_or_else(start::identity, Ok)?;
    let listener = TcpListener::bind(args.admin_listen).await;
    let listener = listener.with_context(|| format!("--admin-listen {}", args.admin_listen))?;
    let endpoint = match args.endpoint.config()? {
        Some(config) => Some(Bound::bind(config).await?),
        None => None,
    };
    let (leads, leading) = watch::channel(Leading::default());
    let (stops, stopped) = watch::channel(false);
    let shelf = Arc::new(Shelf::new(args.cluster.clone(), start::pinned(&args)?));
    let clients = start::clients(&args).await?;
    let mut beside = Beside {
        client: clients.asking,
        watching: clients.watching,
        args,
        clock,
        shared: Shared::default(),
        metrics: Arc::new(Metrics::default()),
        acknowledgements: Arc::new(Acknowledgements::default()),
        shelf,
        leading,
        stopped,
        tasks: JoinSet::new(),
        serving: JoinSet::new(),
    };
    announce(&identity, &listener, endpoint.as_ref())?;
    let stopping = beside.tell(listener);

    let mut stop = pin!(stop);
    let reconciler = beside.prepare(&identity)?;
    beside.confer(&identity);
    beside.serve(endpoint, &reconciler);
    let namespace = beside.args.namespace.clone();
    let candidate = Candidate::new(beside.client.clone(), &namespace, identity, clock);
    let (resign, resigned) = watch::channel(false);
    let mut standing = tokio::spawn(candidate.run(leads, told(resigned)));

    let mut failed = None;
    let ending = async {
        tokio::select! {
            () = &mut stop => {}
            why = fails(&mut beside.tasks, &mut beside.serving, &mut standing) => failed = Some(why),
        }
    };
    reconciler.run(ending).await;
    stopping.store(true, Ordering::Relaxed);
    resign.send_replace(true);
    // a candidate that panicked holds the lease until it is over, and no longer
    if !standing.is_finished() {
        let _ = standing.await;
    }
    stops.send_replace(true);
    while beside.serving.join_next().await.is_some() {}
    beside.tasks.shutdown().await;
    failed.map_or(Ok(()), |why| Err(anyhow::anyhow!(why)))
}

/// Is over when something is that must not be: whoever went on without it would lead by what was once
/// known, and sign that anew for ever. Who starts anew knows what is.
async fn fails(
    tasks: &mut JoinSet<()>,
    serving: &mut JoinSet<()>,
    standing: &mut JoinHandle<()>,
) -> &'static str {
    loop {
        tokio::select! {
            Some(ended) = tasks.join_next() => {
                // who has nothing to do any longer may go
                if ended.is_err() {
                    return "a part of the controller panicked";
                }
            }
            Some(_) = serving.join_next() => return "edges are served no longer",
            _ = &mut *standing => return "nobody stands for election any longer",
        }
    }
}

impl Beside {
    /// Tells of itself on a port.
    fn tell(&mut self, listener: TcpListener) -> Arc<AtomicBool> {
        let stopping = Arc::new(AtomicBool::new(false));
        let admin = Arc::new(Admin {
            shared: self.shared.clone(),
            shelf: Arc::clone(&self.shelf),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock,
            stopping: Arc::clone(&stopping),
        });
        self.tasks
            .spawn(admin.serve(listener, told(self.stopped.clone())));
        stopping
    }

    /// What works, with all that feeds it: the watches, the providers' keys, its own keys.
    fn prepare(&mut self, identity: &str) -> Result<Arc<Reconciler>> {
        let (sources, asked) = watch::channel(Vec::new());
        let world = World {
            clock: self.clock.now,
            spread: start::spread,
        };
        let rules = start::rules(&self.args);
        let (issuer, asking) = start::own_issuer(self.client.clone());
        self.tasks.spawn(asking);
        let (keys, keeping) = provider_keys::serve(asked, rules, issuer.clone(), world);
        self.tasks.spawn(keeping);
        let store = ConfigMaps::new(self.client.clone(), &self.args.namespace);
        let store: Arc<dyn Store> = Arc::new(store);
        let authority = start::authority(&self.args)?;
        let mirrors = Arc::new(start::mirrors(&self.args, &self.client, &store)?);
        let publisher = Publisher::new(Arc::clone(&store), authority, self.args.terms());
        let publisher = Arc::new(publisher.with_mirrors(Arc::clone(&mirrors)));
        let mirrored = mirrors.state();
        self.tasks.spawn(async move { mirrors.run().await });
        let reconciler = Arc::new(Reconciler::new(reconcile::Parts {
            shared: self.shared.clone(),
            publisher: Arc::clone(&publisher),
            writer: Writer::new(self.client.clone(), identity),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock,
            issuer,
            leading: self.leading.clone(),
            keys,
            sources,
            acknowledgements: Arc::clone(&self.acknowledgements),
            mirrored,
        }));
        let (shared, client) = (self.shared.clone(), self.watching.clone());
        let touched = Arc::clone(&reconciler);
        self.tasks.spawn(async move {
            let tell = move |change| touched.touch(&change);
            shared.follow(client, tell).await;
        });
        if self.args.sign_with.is_none() {
            let leading = self.leading.clone();
            let custody = Custody::new(
                &self.client,
                &self.args,
                self.clock,
                publisher,
                store,
                leading,
            )?;
            let touched = Arc::clone(&reconciler);
            self.tasks
                .spawn(custody.run(move || touched.touch_everything()));
        }
        Ok(reconciler)
    }

    /// Hears from the other replicas what edges said to them, and tells them what they said to this one.
    fn confer(&mut self, identity: &str) {
        let replicas = Replicas::new(
            (self.client.clone(), self.watching.clone()),
            &self.args.namespace,
            identity.to_owned(),
            Arc::clone(&self.acknowledgements),
            self.clock,
            self.leading.clone(),
        );
        self.tasks.spawn(replicas.run());
    }

    /// Serves what is published, whether or not this replica leads; and looks anew at what others have
    /// published, and at everything when there is a new trust document.
    fn serve(&mut self, endpoint: Option<Bound>, reconciler: &Arc<Reconciler>) {
        let shelf = Arc::clone(&self.shelf);
        let (followed, client) = (Arc::clone(&shelf), self.watching.clone());
        let (namespace, now) = (self.args.namespace.clone(), self.clock.now);
        self.tasks
            .spawn(async move { shelf::follow(client, &namespace, followed, now).await });
        let (trusted, touched) = (Arc::clone(&shelf), Arc::clone(reconciler));
        self.tasks
            .spawn(async move { follow_shelf(&trusted, &touched).await });
        let Some(endpoint) = endpoint else { return };
        let (issuer, asking) = endpoint::follow_issuer(self.client.clone(), now);
        self.tasks.spawn(asking);
        let parts = endpoint::Parts {
            source: shelf,
            acknowledgements: Arc::clone(&self.acknowledgements),
            issuer,
            clock: now,
        };
        let stop = told(self.stopped.clone());
        self.serving.spawn(async move {
            if let Err(error) = endpoint.run(parts, stop).await {
                tracing::error!(%error, "edges are not served");
            }
        });
    }
}

/// Says when there is a new trust document, and what is published by whomever, as long as it is driven.
async fn follow_shelf(shelf: &Shelf, reconciler: &Reconciler) {
    let (mut changes, mut latest) = (shelf.changes(), shelf.latest());
    while changes.changed().await.is_ok() {
        let now = shelf.latest();
        if now != latest {
            latest = now;
            reconciler.touch_everything();
        }
        let served = shelf.scopes().into_iter();
        reconciler.notice(served.filter_map(|scope| {
            let order = shelf.current(&scope)?.order;
            Some((scope, order))
        }));
    }
}

fn announce(identity: &str, listener: &TcpListener, endpoint: Option<&Bound>) -> Result<()> {
    let admin = listener.local_addr().context("--admin-listen")?;
    let endpoint = endpoint.map(|it| tracing::field::display(it.local_addr()));
    tracing::info!(identity, %admin, endpoint, "starting");
    Ok(())
}

/// Is over when it is told.
async fn told(mut stop: watch::Receiver<bool>) {
    // nobody is left who could tell
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::fails;
    use tokio::task::JoinSet;

    #[tokio::test]
    async fn a_part_that_panics_ends_all_and_one_that_has_nothing_to_do_does_not() {
        let (mut tasks, mut serving) = (JoinSet::new(), JoinSet::new());
        let mut standing = tokio::spawn(std::future::pending());
        tasks.spawn(async {});
        tasks.spawn(async { panic!("a part") });
        let why = fails(&mut tasks, &mut serving, &mut standing).await;
        assert_eq!(why, "a part of the controller panicked");
        serving.spawn(async {});
        let why = fails(&mut tasks, &mut serving, &mut standing).await;
        assert_eq!(why, "edges are served no longer");
        standing.abort();
        let why = fails(&mut tasks, &mut serving, &mut standing).await;
        assert_eq!(why, "nobody stands for election any longer");
    }
}
