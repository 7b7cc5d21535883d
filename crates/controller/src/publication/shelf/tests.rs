//! What is put on the shelf, and what is not.

use super::Shelf;
use crate::publication::apiserver::Apiserver;
use crate::publication::conformance::scope;
use crate::publication::publisher::tests::{HOUR, World, at, publish};
use crate::publication::{ConfigMaps, Document, Expected, Key, Publisher, Store};
use countersign_ruleset::refusal::Refusal;
use std::sync::Arc;

const NAMESPACE: &str = "countersign-system";

struct Served {
    world: World,
    server: Apiserver,
    store: Arc<ConfigMaps>,
    publisher: Publisher,
    shelf: Shelf,
}

impl Served {
    fn new() -> Self {
        let world = World::new();
        let server = Apiserver::new(&[NAMESPACE]);
        let store = Arc::new(ConfigMaps::new(server.client(), NAMESPACE));
        let publisher = world.over(Arc::clone(&store));
        Self {
            shelf: shelf(&world),
            world,
            server,
            store,
            publisher,
        }
    }

    /// As the watch lists it.
    fn listed(&self, seconds: u64) {
        let maps = self.server.maps(NAMESPACE);
        self.shelf.put_whole(maps, at(seconds).now);
    }
}

fn shelf(world: &World) -> Shelf {
    let pinned = Document {
        place: "trust/1.json".into(),
        bytes: world.trust.clone(),
    };
    Shelf::new("prod".parse().unwrap(), Some(pinned))
}

#[tokio::test]
async fn serves_what_is_published_and_the_blobs_of_before() {
    let served = Served::new();
    let (shop, shelf) = (scope("shop"), &served.shelf);
    let (mut shop_changes, ops_changes) = (shelf.watch(&shop), shelf.watch(&scope("ops")));
    let changes = shelf.changes();
    assert_eq!(shelf.manifest(&shop), None);
    let first = publish(&served.publisher, "orders", at(0)).await.unwrap();
    served.listed(0);
    let on_shelf = shelf.current(&shop).unwrap();
    assert_eq!(on_shelf.digest, first.digest);
    assert_eq!(
        (on_shelf.order.serial, on_shelf.expires_at),
        (first.serial, first.expires_at)
    );
    assert_eq!(shelf.trust(1).unwrap(), served.world.trust);
    assert_eq!(shelf.trust(2), None);
    assert!(shop_changes.has_changed().unwrap() && changes.has_changed().unwrap());
    assert!(!ops_changes.has_changed().unwrap(), "the others sleep on");
    shop_changes.mark_unchanged();
    served.listed(1);
    assert!(!shop_changes.has_changed().unwrap(), "nothing is new");
    let blobs = |served: &Served| {
        let all = served.server.maps(NAMESPACE);
        let names = all.iter().filter_map(|map| map.metadata.name.as_ref());
        let digests = names.filter_map(|name| name.split('.').nth(1)?.parse().ok());
        digests.collect::<Vec<_>>()
    };
    let before = blobs(&served);
    publish(&served.publisher, "bills", at(2)).await.unwrap();
    served.listed(2);
    assert!(shop_changes.has_changed().unwrap());
    for digest in blobs(&served).iter().chain(&before) {
        assert!(shelf.blob(&shop, digest).is_some());
        assert!(shelf.blob(&scope("ops"), digest).is_none());
    }
}

/// What is looked at may be large.
#[tokio::test]
async fn whoever_is_served_waits_for_nothing_that_is_looked_at() {
    let served = Served::new();
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    served.listed(0);
    let shelf = Arc::new(served.shelf);
    let looking = shelf.fed.lock().unwrap();
    let (answered, answer) = std::sync::mpsc::channel();
    let asked = Arc::clone(&shelf);
    std::thread::spawn(move || {
        let shop = scope("shop");
        let current = asked.current(&shop).map(|it| it.envelope.clone());
        answered.send((current, asked.latest(), asked.refused(&shop)))
    });
    let said = answer.recv_timeout(std::time::Duration::from_secs(20));
    let (current, latest, refused) = said.unwrap();
    assert!(current.is_some() && latest == Some(1) && refused.is_none());
    drop(looking);
}

/// A list begins anew after each break: what was held before is not held beside it.
#[tokio::test]
async fn what_is_listed_anew_is_not_held_twice_and_served_on() {
    let served = Served::new();
    let shop = scope("shop");
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    served.listed(0);
    let held = served.shelf.manifest(&shop).unwrap();
    served.shelf.forget();
    assert!(served.shelf.fed.lock().unwrap().maps.is_empty());
    served.shelf.again(at(1).now);
    assert_eq!(served.shelf.manifest(&shop).unwrap(), held);
    publish(&served.publisher, "bills", at(2)).await.unwrap();
    served.listed(2);
    assert_ne!(served.shelf.manifest(&shop).unwrap(), held);
}

/// The parts of a publication come one by one, in whatever order the watch has them.
#[tokio::test]
async fn half_a_publication_changes_nothing() {
    let served = Served::new();
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    let all = served.server.maps(NAMESPACE);
    for last in 0..all.len() {
        let shelf = shelf(&served.world);
        for (number, map) in all.iter().enumerate() {
            if number != last {
                shelf.put(map.clone(), at(0).now);
            }
        }
        let name = all[last].metadata.name.clone().unwrap();
        // trust is pinned, so that its ConfigMap may come last
        assert_eq!(
            shelf.manifest(&scope("shop")).is_some(),
            name == "countersign-trust"
        );
        shelf.put(all[last].clone(), at(0).now);
        assert!(shelf.manifest(&scope("shop")).is_some(), "{name}");
        assert_eq!(shelf.refused(&scope("shop")), None);
    }
}

#[tokio::test]
async fn what_is_older_or_foreign_changes_nothing() {
    let served = Served::new();
    let shop = scope("shop");
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    let older = served.server.maps(NAMESPACE);
    publish(&served.publisher, "bills", at(1)).await.unwrap();
    served.listed(1);
    let held = served.shelf.manifest(&shop).unwrap();
    served.shelf.put_whole(older, at(2).now);
    assert!(matches!(
        served.shelf.refused(&shop),
        Some(Refusal::RolledBack { .. })
    ));
    assert_eq!(served.shelf.manifest(&shop).unwrap(), held);
    let other = Served::new();
    publish(&other.publisher, "orders", at(3)).await.unwrap();
    served
        .shelf
        .put_whole(other.server.maps(NAMESPACE), at(3).now);
    let refused = served.shelf.refused(&shop).unwrap();
    assert_eq!(refused.as_str(), "UnknownKey");
    assert_eq!(served.shelf.manifest(&shop).unwrap(), held);
    assert_eq!(served.shelf.trust(1).unwrap(), served.world.trust);
    served.shelf.put_whole(Vec::new(), at(4).now);
    assert_eq!(
        served.shelf.manifest(&shop).unwrap(),
        held,
        "removed is not revoked"
    );
}

#[tokio::test]
async fn what_comes_from_the_future_is_served_when_it_is_time() {
    let served = Served::new();
    let shop = scope("shop");
    publish(&served.publisher, "orders", at(HOUR))
        .await
        .unwrap();
    served.listed(0);
    assert!(matches!(
        served.shelf.refused(&shop),
        Some(Refusal::FromTheFuture { .. })
    ));
    served.shelf.again(at(1).now);
    assert_eq!(served.shelf.manifest(&shop), None);
    served.shelf.again(at(HOUR).now);
    assert!(served.shelf.manifest(&shop).is_some());
}

#[tokio::test]
async fn a_key_that_trust_has_withdrawn_is_served_no_longer() {
    let mut served = Served::new();
    let shop = scope("shop");
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    served.listed(0);
    let next = served.world.rotated();
    served
        .store
        .write(&Key::Trust(2), &next, Expected::Absent)
        .await
        .unwrap();
    served.listed(1);
    assert_eq!(served.shelf.trust(2).unwrap(), next);
    assert_eq!(served.shelf.manifest(&shop), None);
    served.publisher.take_up(served.world.authority().keyring);
    publish(&served.publisher, "orders", at(2)).await.unwrap();
    served.listed(2);
    assert!(served.shelf.manifest(&shop).is_some());
}

#[tokio::test]
async fn without_a_pinned_document_the_first_published_one_is_pinned() {
    let served = Served::new();
    publish(&served.publisher, "orders", at(0)).await.unwrap();
    let shelf = Shelf::new("prod".parse().unwrap(), None);
    shelf.put_whole(served.server.maps(NAMESPACE), at(0).now);
    assert!(shelf.manifest(&scope("shop")).is_some());
    let other = Shelf::new("stage".parse().unwrap(), None);
    other.put_whole(served.server.maps(NAMESPACE), at(0).now);
    assert_eq!(other.manifest(&scope("shop")), None);
    assert_eq!(other.trust(1), None);
}
