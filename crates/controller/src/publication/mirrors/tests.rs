//! Mirrors get what is published, each by itself, and what is newer there stays.

use super::{Mirror, Mirrors, StoreMirror};
use crate::publication::conformance::{manifest, scope};
use crate::publication::publisher::tests::faulty::{Breaks, Faulty};
use crate::publication::publisher::tests::{HOUR, World, at, copied, publish};
use crate::publication::{Copied, Directory, Store};
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

fn mirror(folder: &Path) -> StoreMirror {
    let store = Arc::new(Directory::new(folder.to_path_buf()));
    StoreMirror::new("a folder".into(), store, 24 * HOUR)
}

async fn held(folder: &Path) -> Option<Vec<u8>> {
    let store = Directory::new(folder.to_path_buf());
    let stored = store.read(&manifest("shop")).await.unwrap();
    stored.map(|stored| stored.bytes)
}

/// The clock stands still but where nothing else is left to do, so that no pause is waited for.
#[tokio::test(start_paused = true)]
async fn one_that_fails_holds_up_none_and_is_tried_again() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let [good, bad] = ["good", "bad"].map(|name| folder.path().join(name));
    // a file is where the folder of the other should be
    std::fs::write(&bad, b"").unwrap();
    let all: Vec<Box<dyn Mirror>> = vec![Box::new(mirror(&bad)), Box::new(mirror(&good))];
    let mirrors = Arc::new(Mirrors::new(Arc::new(world.store()), all));
    let publisher = world.publisher().with_mirrors(Arc::clone(&mirrors));
    let (running, mut state) = (Arc::clone(&mirrors), mirrors.state());
    let task = tokio::spawn(async move { running.run().await });
    publish(&publisher, "orders", at(0)).await.unwrap();
    let failing = state
        .wait_for(|all| !all[0].failing.is_empty())
        .await
        .unwrap()
        .clone();
    assert!(failing[0].failing.contains_key(&scope("shop")));
    assert!(failing[1].failing.is_empty());
    while held(&good).await.as_deref() != Some(&world.manifest()) {
        tokio::task::yield_now().await;
    }
    std::fs::remove_file(&bad).unwrap();
    state
        .wait_for(|all| all[0].failing.is_empty())
        .await
        .unwrap();
    assert_eq!(held(&bad).await.unwrap(), world.manifest());
    task.abort();
}

/// A tenant's own ConfigMap of the mirror's name must not hold up the others' retries.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_always_fails_waits_for_itself_alone() {
    let world = World::new();
    let failing = Arc::new(Failing::default());
    let all: Vec<Box<dyn Mirror>> = vec![Box::new(Arc::clone(&failing))];
    let mirrors = Arc::new(Mirrors::new(Arc::new(world.store()), all));
    let publisher = world.publisher().with_mirrors(Arc::clone(&mirrors));
    let (running, mut state) = (Arc::clone(&mirrors), mirrors.state());
    let task = tokio::spawn(async move { running.run().await });
    publish(&publisher, "orders", at(0)).await.unwrap();
    let hour = std::time::Duration::from_secs(HOUR);
    tokio::time::sleep(hour).await;
    assert!(failing.asked(&scope("shop")) > 10, "every 5 min at least");
    // another fails once, and is tried again at once
    let (ops, begun) = (scope("ops"), tokio::time::Instant::now());
    let shown = publisher.publish(&ops, None, None, at(0));
    shown.await.unwrap();
    let waited = state
        .wait_for(|all| all[0].failing.contains_key(&ops))
        .await;
    waited.unwrap();
    let waited = state
        .wait_for(|all| !all[0].failing.contains_key(&ops))
        .await;
    assert!(waited.unwrap()[0].failing.contains_key(&scope("shop")));
    assert_eq!(begun.elapsed().as_secs(), 1);
    task.abort();
}

/// Takes `ops` the second time, and nothing of `shop` ever.
#[derive(Debug, Default)]
struct Failing(Mutex<BTreeMap<Scope, usize>>);

impl Failing {
    fn asked(&self, scope: &Scope) -> usize {
        self.0.lock().unwrap().get(scope).copied().unwrap_or(0)
    }
}

impl Mirror for Arc<Failing> {
    fn name(&self) -> String {
        "failing".to_owned()
    }

    fn put<'a>(&'a self, copied: &'a Copied) -> BoxFuture<'a, Result<(), String>> {
        let mut asked = self.0.lock().unwrap();
        let count = asked.entry(copied.scope.clone()).or_default();
        *count = count.saturating_add(1);
        let is_done = *count > 1 && copied.scope == scope("ops");
        let said = if is_done {
            Ok(())
        } else {
            Err("no".to_owned())
        };
        Box::pin(std::future::ready(said))
    }
}

#[tokio::test]
async fn what_is_newer_or_cannot_be_verified_stays() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let (publisher, mirror) = (world.publisher(), mirror(folder.path()));
    publish(&publisher, "orders", at(0)).await.unwrap();
    let old = copied(&world, at(0)).await;
    publish(&publisher, "bills", at(1)).await.unwrap();
    let new = copied(&world, at(1)).await;
    // as another leader that lost its lease and does not know it yet
    for copied in [&new, &old, &new] {
        mirror.put(copied).await.unwrap();
        assert_eq!(held(folder.path()).await.unwrap(), new.last.envelope);
    }
    let path = folder.path().join("shop/manifest.json");
    std::fs::write(&path, b"{").unwrap();
    let refused = mirror.put(&new).await.unwrap_err();
    assert!(
        refused.contains("cannot be verified: Malformed"),
        "{refused}"
    );
    assert_eq!(held(folder.path()).await.unwrap(), b"{");
}

#[tokio::test]
async fn a_mirror_that_was_cut_off_half_way_is_made_whole() {
    let world = World::new();
    publish(&world.publisher(), "orders", at(0)).await.unwrap();
    let copied = copied(&world, at(0)).await;
    for writes in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::new(folder.path().to_path_buf());
        let faulty = Faulty::new(directory, writes, Breaks::Before);
        let cut = StoreMirror::new("cut off".into(), Arc::new(faulty), HOUR);
        cut.put(&copied).await.unwrap_err();
        assert_eq!(held(folder.path()).await, None);
        mirror(folder.path()).put(&copied).await.unwrap();
        assert_eq!(held(folder.path()).await.unwrap(), copied.last.envelope);
    }
}
