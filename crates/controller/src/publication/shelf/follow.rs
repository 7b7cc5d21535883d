//! The watch that feeds the shelf: what changes in the primary store is on every replica's shelf at once.

use super::Shelf;
use crate::publication::config_maps::LABEL;
use countersign_ruleset::time::UnixTime;
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::interval;

/// How often what was refused is looked at again.
const AGAIN: Duration = Duration::from_secs(30);

/// Follows the ConfigMaps of the namespace for as long as it is polled. A watch that ends is begun
/// again, and until then what is on the shelf is served.
pub async fn follow(client: Client, namespace: &str, shelf: Arc<Shelf>, now: fn() -> UnixTime) {
    let api: Api<ConfigMap> = Api::namespaced(client, namespace);
    let events = watcher(api, Config::default().labels(LABEL)).default_backoff();
    pin_mut!(events);
    let (mut listed, mut again) = (Vec::new(), interval(AGAIN));
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = again.tick() => {
                feed(&shelf, move |shelf| shelf.again(now())).await;
                continue;
            }
        };
        let Some(event) = event else { return };
        match event {
            Ok(event) => take(event, &mut listed, &shelf, now).await,
            Err(error) => tracing::warn!(%error, "what is published is not watched for the moment"),
        }
    }
}

async fn take(
    event: Event<ConfigMap>,
    listed: &mut Vec<ConfigMap>,
    shelf: &Arc<Shelf>,
    now: fn() -> UnixTime,
) {
    match event {
        Event::Init => {
            listed.clear();
            feed(shelf, Shelf::forget).await;
        }
        Event::InitApply(map) => listed.push(map),
        Event::InitDone => {
            let maps = std::mem::take(listed);
            feed(shelf, move |shelf| shelf.put_whole(maps, now())).await;
        }
        Event::Apply(map) => feed(shelf, move |shelf| shelf.put(map, now())).await,
        Event::Delete(map) => shelf.take(&map),
    }
}

/// Has it look, away from what answers.
async fn feed(shelf: &Arc<Shelf>, look: impl FnOnce(&Shelf) + Send + 'static) {
    let shelf = Arc::clone(shelf);
    let looked = tokio::task::spawn_blocking(move || look(&shelf));
    if let Err(error) = looked.await
        && error.is_panic()
    {
        // nobody aborts it: it panicked, and so does whoever waits for it
        std::panic::resume_unwind(error.into_panic());
    }
}
