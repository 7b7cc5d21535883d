//! Tells the other replicas what edges said to this one, and hears what edges said to them.
//!
//! Each writes one ConfigMap of its own, and all of them watch those. It goes over the API server, as
//! everything else does: between replicas nothing has to be opened, and nobody has to be believed who
//! could not publish as well.

use crate::Clock;
use crate::endpoint::{Acknowledgements, Words, differing, heard};
use crate::lease::Leading;
use crate::publication::said;
use anyhow::Result;
use countersign_ruleset::digest::Digest;
use futures::StreamExt;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams, Preconditions};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Client, Error, ResourceExt};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// On what a replica heard.
const LABEL: &str = "countersign.dev/heard";

/// Whose it is.
const REPLICA: &str = "countersign.dev/replica";

/// The member that holds it.
const MEMBER: &str = "edges.json.gz";

/// How long a change waits for others.
const SOON: Duration = Duration::from_millis(200);

/// How long after one write the next may be, and how many bytes it may have for each second of it.
const PAUSE: Duration = Duration::from_secs(2);
const BYTES: usize = 64 << 10;

/// How often it is told again that edges are still heard of: well before they are forgotten.
const REFRESH: Duration = Duration::from_mins(1);

/// How long a replica may tell nothing before its ConfigMap is removed: everything in it is over by then.
const GONE: Duration = Duration::from_mins(10);

/// One among the replicas.
pub(super) struct Replicas {
    api: Api<ConfigMap>,
    watched: Api<ConfigMap>,
    /// The name of its own ConfigMap.
    name: String,
    identity: String,
    acknowledgements: Arc<Acknowledgements>,
    clock: Clock,
    leading: watch::Receiver<Leading>,
}

/// What was told last, and when.
struct Told {
    words: Words,
    at: Instant,
}

/// A ConfigMap as it was seen last, and since when it is so.
struct Seen {
    map: ConfigMap,
    since: Instant,
}

impl Replicas {
    /// One that asks by one client, and watches by another.
    pub(super) fn new(
        (asking, watching): (Client, Client),
        namespace: &str,
        identity: String,
        acknowledgements: Arc<Acknowledgements>,
        clock: Clock,
        leading: watch::Receiver<Leading>,
    ) -> Self {
        Self {
            api: Api::namespaced(asking, namespace),
            watched: Api::namespaced(watching, namespace),
            name: name(&identity),
            identity,
            acknowledgements,
            clock,
            leading,
        }
    }

    /// Tells and hears for as long as it is driven.
    pub(super) async fn run(self) {
        tokio::join!(self.tell(), self.listen());
    }

    async fn tell(&self) {
        let mut news = self.acknowledgements.news();
        let mut told: Option<Told> = None;
        loop {
            tokio::select! {
                // who gives the news lives as long as this does
                Ok(()) = news.changed() => {}
                () = sleep(REFRESH) => {}
            }
            sleep(SOON).await;
            let words = self.acknowledgements.own((self.clock.now)());
            let now = (self.clock.monotonic)();
            if !is_due(&words, told.as_ref(), now) {
                continue;
            }
            let pause = match self.write(&words).await {
                Ok(bytes) => {
                    told = Some(Told { words, at: now });
                    pause(bytes)
                }
                Err(error) => {
                    complain(&error);
                    // it is due still
                    news.mark_changed();
                    PAUSE
                }
            };
            sleep(pause).await;
        }
    }

    /// Writes its own; how many bytes that was.
    async fn write(&self, words: &Words) -> Result<usize> {
        let bytes = heard::written(words, (self.clock.now)())?;
        let length = bytes.len();
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(BTreeMap::from([(LABEL.to_owned(), String::new())])),
                annotations: Some(BTreeMap::from([(
                    REPLICA.to_owned(),
                    self.identity.clone(),
                )])),
                ..ObjectMeta::default()
            },
            binary_data: Some(BTreeMap::from([(MEMBER.to_owned(), ByteString(bytes))])),
            ..ConfigMap::default()
        };
        let params = PostParams::default();
        match self.api.replace(&self.name, &params, &map).await {
            Err(Error::Api(status)) if status.code == 404 => {
                self.api.create(&params, &map).await?;
            }
            other => drop(other?),
        }
        Ok(length)
    }

    async fn listen(&self) {
        let events = watcher(self.watched.clone(), Config::default().labels(LABEL));
        let mut events = pin!(events.default_backoff());
        let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
        let (mut listed, mut sweep) = (Vec::new(), interval(REFRESH));
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = sweep.tick() => {
                    self.sweep(&seen).await;
                    continue;
                }
            };
            match event {
                Some(Ok(Event::Init)) => listed.clear(),
                Some(Ok(Event::InitApply(map))) => listed.push(map),
                Some(Ok(Event::InitDone)) => {
                    let there = std::mem::take(&mut listed);
                    self.hear_all(&mut seen, there);
                }
                Some(Ok(Event::Apply(map))) => self.hear(&mut seen, map),
                Some(Ok(Event::Delete(map))) => self.forget(&mut seen, &map.name_any()),
                Some(Err(error)) => {
                    tracing::warn!(%error, "what other replicas heard is not watched for the moment");
                }
                None => return,
            }
        }
    }

    fn hear_all(&self, seen: &mut BTreeMap<String, Seen>, maps: Vec<ConfigMap>) {
        let is_there = |name: &String| maps.iter().any(|map| map.name_any() == *name);
        let gone: Vec<String> = seen.keys().filter(|it| !is_there(it)).cloned().collect();
        for name in gone {
            self.forget(seen, &name);
        }
        for map in maps {
            self.hear(seen, map);
        }
    }

    /// What was seen before and says the same is not new: it is as old as it was.
    fn hear(&self, seen: &mut BTreeMap<String, Seen>, map: ConfigMap) {
        let name = map.name_any();
        let is_known = seen
            .get(&name)
            .is_some_and(|it| it.map.binary_data == map.binary_data);
        if is_known || name == self.name {
            return;
        }
        let bytes = map.binary_data.as_ref().and_then(|it| it.get(MEMBER));
        let words = bytes.and_then(|it| heard::read(&it.0, (self.clock.now)()));
        if words.is_none() {
            tracing::warn!(name, "what another replica heard cannot be read");
        }
        self.acknowledgements.hear(&name, words);
        let since = (self.clock.monotonic)();
        seen.insert(name, Seen { map, since });
    }

    fn forget(&self, seen: &mut BTreeMap<String, Seen>, name: &str) {
        seen.remove(name);
        self.acknowledgements.forget(name);
    }

    /// Removes what replicas left that are gone. A replica that lives writes its own anew.
    async fn sweep(&self, seen: &BTreeMap<String, Seen>) {
        let now = (self.clock.monotonic)();
        if self.leading.borrow().is_none_or(|until| until <= now) {
            return;
        }
        for it in seen.values() {
            if now.saturating_duration_since(it.since) < GONE {
                continue;
            }
            let params = DeleteParams::default().preconditions(Preconditions {
                resource_version: it.map.resource_version(),
                uid: it.map.uid(),
            });
            match self.api.delete(&it.map.name_any(), &params).await {
                Ok(_) => {}
                Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                Err(error) => {
                    let why = said(&error);
                    tracing::warn!(why, "what a replica left could not be removed");
                }
            }
        }
    }
}

/// How long the next write waits after one of so many bytes.
fn pause(bytes: usize) -> Duration {
    let seconds = bytes.checked_div(BYTES).unwrap_or_default();
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    PAUSE.max(Duration::from_secs(seconds))
}

fn complain(error: &anyhow::Error) {
    tracing::warn!(%error, "the other replicas were not told what edges say");
}

/// Whether there is something to tell: something else than before, or the same for long enough.
fn is_due(words: &Words, told: Option<&Told>, now: Instant) -> bool {
    let Some(told) = told else {
        return !words.is_empty();
    };
    let is_old = now.saturating_duration_since(told.at) >= REFRESH;
    let is_other = !differing(Some(&told.words), Some(words)).is_empty();
    is_other || (is_old && !words.is_empty())
}

/// No name of a replica is too long for it, or has what a name may not have.
fn name(identity: &str) -> String {
    let digest = Digest::of(identity.as_bytes());
    let short: String = digest.as_str().chars().take(16).collect();
    format!("countersign-heard-{short}")
}
