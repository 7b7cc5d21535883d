//! Keeps the keys of all providers: asks when it is time, tells what holds.

use super::{Asked, Change, OwnIssuer, Refresher, Rules, Unfetched, diagnostic, fetch};
use countersign_policy::diagnostic::{Diagnostic, ResourceId};
use countersign_policy::jwks::FetchedKeys;
use countersign_policy::resources::KeySource;
use countersign_ruleset::time::UnixTime;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What is known of the providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The keys in use.
    pub keys: BTreeMap<ResourceId, FetchedKeys>,
    /// The providers whose last fetch failed, and what is said of each.
    pub troubles: BTreeMap<ResourceId, Diagnostic>,
}

/// What the service needs of the world.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// What time it is.
    pub clock: fn() -> UnixTime,
    /// A number from 0 to 1,000, by chance.
    pub spread: fn() -> u64,
}

/// Keeps the keys of the providers that `sources` names, as long as the future is driven. What is told
/// changes when keys come or go, or a trouble does; the time of a fetch alone is no news.
pub fn serve(
    sources: watch::Receiver<Vec<KeySource>>,
    rules: Rules,
    own: watch::Receiver<Asked>,
    world: World,
) -> (watch::Receiver<Arc<Known>>, impl Future<Output = ()>) {
    let (known, told) = watch::channel(Arc::new(Known::default()));
    (told, run(sources, rules, own, world, known))
}

async fn run(
    mut sources: watch::Receiver<Vec<KeySource>>,
    rules: Rules,
    own: watch::Receiver<Asked>,
    world: World,
    known: watch::Sender<Arc<Known>>,
) {
    let mut refresher = Refresher::default();
    let mut asked = FuturesUnordered::new();
    refresher.follow(&sources.borrow_and_update(), (world.clock)());
    tell(&refresher, &known);
    loop {
        let now = (world.clock)();
        for source in refresher.due(now) {
            let own = own.borrow().issuer().cloned();
            asked.push(ask(source, &rules, own, now));
        }
        let wait = refresher.next().map(|next| next.0.saturating_sub(now.0));
        // a clock that is set back must not stop it
        let wait = Duration::from_secs(wait.unwrap_or(3_600).clamp(1, 3_600));
        tokio::select! {
            Some((source, outcome)) = asked.next(), if !asked.is_empty() => {
                let change = refresher.fetched(&source, outcome, (world.clock)(), (world.spread)());
                let (keys, trouble) = refresher.of(&source.resource);
                known.send_if_modified(|told| {
                    // a late answer is of another provider than is known by now
                    if change != Change::Late {
                        Arc::make_mut(told).put(&source.resource, keys, trouble);
                    }
                    matches!(change, Change::Keys | Change::Trouble)
                });
            }
            changed = sources.changed() => {
                if changed.is_err() {
                    return;
                }
                refresher.follow(&sources.borrow_and_update(), (world.clock)());
                tell(&refresher, &known);
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Tells of all of them.
fn tell(refresher: &Refresher, known: &watch::Sender<Arc<Known>>) {
    let now_known = Known {
        keys: refresher.keys(),
        troubles: refresher.troubles(),
    };
    known.send_if_modified(|told| {
        let differs = **told != now_known;
        *told = Arc::new(now_known);
        differs
    });
}

impl Known {
    /// What is known of one, with the newest time of its fetch, for whoever looks at it anyway.
    fn put(&mut self, id: &ResourceId, keys: Option<&FetchedKeys>, trouble: Option<&Diagnostic>) {
        match keys {
            Some(keys) => drop(self.keys.insert(id.clone(), keys.clone())),
            None => drop(self.keys.remove(id)),
        }
        match trouble {
            Some(trouble) => drop(self.troubles.insert(id.clone(), trouble.clone())),
            None => drop(self.troubles.remove(id)),
        }
    }
}

async fn ask(
    source: KeySource,
    rules: &Rules,
    own: Option<OwnIssuer>,
    now: UnixTime,
) -> (KeySource, Result<super::Answer, Diagnostic>) {
    let fetched = match own.filter(|own| own.is(&source)) {
        Some(own) => own.keys(now).await.map_err(Unfetched::Own),
        None => fetch(&source, rules, now).await,
    };
    let outcome = fetched.map_err(|why| {
        tracing::warn!(provider = %source.resource, %why, "a provider's keys could not be fetched");
        diagnostic(&source, &why, rules)
    });
    (source, outcome)
}
