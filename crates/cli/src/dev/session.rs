//! One edge, from its start until it is stopped, or until there are namespaces that it does not know.

use super::audit::Lines;
use super::eyes::Eyes;
use super::show::{self, Places};
use super::stage::{Stage, Staged};
use super::stop::Stop;
use super::tries::{self, Scene, Try};
use super::{AGAIN, cast::Cast};
use crate::publish::Published;
use crate::report::Report;
use crate::{Clock, Misused};
use anyhow::{Context, Result};
use countersign_edge::{Config, Edge, TrustedProxies, Unbound, Upstream};
use countersign_enforcer::load::{Loader, News, Observer, Report as Look, Sources, Watch, watch};
use countersign_enforcer::store::{Enforcer, Target};
use countersign_ruleset::names::Scope;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::verifier::Options;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// How often the edge looks though no change was told.
const POLL: Duration = Duration::from_secs(2);

/// The longest that a change is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stop waits for what is in flight.
const GRACE: Duration = Duration::from_secs(2);

/// Why an edge has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Somebody stopped it.
    Stopped,
    /// There is a namespace that it was not started with.
    Outgrown,
}

/// What the edge says of a ruleset: its serial, or why it was refused.
type Told = (Scope, Result<u64, String>);

/// What is known across edges.
#[derive(Debug)]
pub(super) struct Session<'s> {
    stage: &'s Stage,
    clock: Clock,
    report: Report,
    upstream: Upstream,
    issuer: SocketAddr,
    stop: Stop,
    /// What was published last, and whether this edge has said that it is in force.
    published: Option<Vec<Published>>,
    is_awaited: bool,
    /// What was said to be in force.
    said: Vec<Published>,
    /// The rules that were published last.
    rulesets: BTreeMap<Scope, Rules>,
    /// What was said to try.
    tried: BTreeMap<String, Vec<Try>>,
}

/// One edge that runs.
struct Running {
    enforcer: Arc<Enforcer>,
    scopes: BTreeSet<Scope>,
    told: UnboundedReceiver<Told>,
    places: Places,
    _watch: Watch,
}

impl<'s> Session<'s> {
    /// Nothing is published yet.
    pub(super) const fn new(
        stage: &'s Stage,
        clock: Clock,
        report: Report,
        upstream: Upstream,
        issuer: SocketAddr,
        stop: Stop,
    ) -> Self {
        Self {
            stop,
            stage,
            clock,
            report,
            upstream,
            issuer,
            published: None,
            is_awaited: false,
            said: Vec::new(),
            rulesets: BTreeMap::new(),
            tried: BTreeMap::new(),
        }
    }

    /// Takes the folder as it is, and says what became of it.
    pub(super) fn take(&mut self) {
        match self.stage.take() {
            Ok(staged) => {
                show::staged(&self.report, &staged, self.published.is_some());
                if let Staged::Published {
                    published,
                    rulesets,
                    ..
                } = staged
                {
                    self.published = Some(published);
                    self.is_awaited = true;
                    self.rulesets = rulesets;
                }
            }
            Err(error) => show::late(&self.report, &format!("{error:#}")),
        }
    }

    /// Runs one edge. Says where it listened, and why it has ended.
    pub(super) async fn serve(
        &mut self,
        listen: SocketAddr,
        eyes: &mut Eyes,
    ) -> Result<(SocketAddr, Ended)> {
        let scopes = self.stage.installation.scopes()?;
        self.is_awaited = self.published.is_some();
        let all: Vec<Scope> = scopes.iter().cloned().collect();
        let enforcer = Arc::new(Enforcer::new(Target::ByClaimedHost, all.clone()));
        let mut config = Config::new(listen, self.upstream.clone());
        config.grace = GRACE;
        // nothing stands before it on this machine
        config.trusted_proxies = TrustedProxies::Networks(Vec::new());
        let lines = Lines::new(self.report.clone());
        let edge = Edge::bind(config, Arc::clone(&enforcer), self.clock.seconds, lines);
        let edge = edge.await.map_err(|unbound| busy(&unbound))?;
        let (tell, told) = unbounded_channel();
        let loader = self.loader(all, &enforcer, observer(edge.observer(), tell))?;
        let places = Places {
            edge: edge.local_addr(),
            issuer: self.issuer,
            upstream: self.upstream.to_string(),
        };
        let mut running = Running {
            enforcer,
            scopes,
            told,
            _watch: watch(loader, self.clock.seconds, POLL)?,
            places,
        };
        if self.said.is_empty() {
            show::places(&self.report, &running.places, self.stage.folder());
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(edge.run(async { drop(stopped.await) }));
        let ended = self.follow(&mut running, eyes).await;
        drop(stop);
        serving.await.context("the edge")?;
        ended.map(|ended| (running.places.edge, ended))
    }

    fn loader(
        &self,
        scopes: Vec<Scope>,
        enforcer: &Arc<Enforcer>,
        observer: Observer,
    ) -> Result<Loader> {
        let installation = &self.stage.installation;
        let sources = Sources {
            trust_root: installation.trust().to_vec(),
            options: Options::new(installation.cluster().clone()),
            scopes,
            places: vec![installation.published().into()],
            state: None,
        };
        Ok(Loader::start(
            sources,
            Arc::clone(enforcer),
            observer,
            (self.clock.seconds)(),
        )?)
    }

    /// Follows the folder until somebody stops it.
    async fn follow(&mut self, running: &mut Running, eyes: &mut Eyes) -> Result<Ended> {
        self.confirm(running).await;
        loop {
            tokio::select! {
                () = self.stop.told() => return Ok(Ended::Stopped),
                () = eyes.changed() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
            self.take();
            if self.stage.installation.scopes()? != running.scopes {
                return Ok(Ended::Outgrown);
            }
            self.confirm(running).await;
        }
    }

    /// Waits until what was published is in force, says so, and what to try if that has changed.
    async fn confirm(&mut self, running: &mut Running) {
        let Some(published) = self.published.as_ref().filter(|_| self.is_awaited) else {
            return;
        };
        let waiting = in_force(published, &mut running.told);
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return show::late(&self.report, &why),
            Err(_) => return show::late(&self.report, "the edge has not said so in time"),
        }
        self.is_awaited = false;
        show::in_force(&self.report, published, &self.said);
        self.said.clone_from(published);
        let cast: Cast = self.stage.issuer.cast();
        let scene = Scene {
            enforcer: &running.enforcer,
            issuer: &self.stage.issuer,
            cast: &cast,
            now: (self.clock.seconds)(),
        };
        let tries = tries::all(&self.rulesets, &scene);
        for who in tries.values().flatten().filter_map(|one| one.who.as_ref()) {
            let minted = self.stage.tokens.mint(who, scene.issuer, scene.now);
            if let Err(error) = minted {
                show::without_token(&self.report, who, &error);
            }
        }
        let (edge, tokens) = (running.places.edge, &self.stage.tokens);
        show::tries(&self.report, &tries, &self.tried, edge, tokens);
        self.tried = tries;
    }
}

/// Tells the edge's own observer, and us.
fn observer(edge: Observer, tell: UnboundedSender<Told>) -> Observer {
    Arc::new(move |look: &Look| {
        edge(look);
        let news = match &look.news {
            News::InForce { serial } => Ok(*serial),
            News::Refused(refusal) => Err(format!("{}: {refusal}", refusal.as_str())),
            News::Unchanged => return,
        };
        // Nobody waits any longer: the edge is being stopped.
        drop(tell.send((look.scope.clone(), news)));
    })
}

/// Waits until every one of these is in force, or one is refused.
async fn in_force(
    published: &[Published],
    told: &mut UnboundedReceiver<Told>,
) -> Result<(), String> {
    let mut waiting: BTreeMap<&Scope, u64> = published
        .iter()
        .map(|one| (&one.scope, one.serial))
        .collect();
    while !waiting.is_empty() {
        let Some((scope, news)) = told.recv().await else {
            return Err("the edge has ended".to_owned());
        };
        let serial = news.map_err(|why| format!("{scope}: {why}"))?;
        if waiting.get(&scope).is_some_and(|&wanted| serial >= wanted) {
            waiting.remove(&scope);
        }
    }
    Ok(())
}

/// A port that is taken is the commonest trouble of all.
fn busy(unbound: &Unbound) -> anyhow::Error {
    let what_to_do = "name another address with --listen, such as 127.0.0.1:0 for any that is free";
    Misused(format!("{unbound}; {what_to_do}")).into()
}
