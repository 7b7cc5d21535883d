//! What pods can mount: all of a publication at once, and nobody else's ConfigMap.

use super::{Mounted, NAME};
use crate::publication::apiserver::Apiserver;
use crate::publication::conformance::noise;
use crate::publication::mirrors::Mirror;
use crate::publication::publisher::tests::{World, at, copied, publish};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_publication_is_one_object_and_the_next_replaces_it_whole() {
    let (world, server) = (World::new(), Apiserver::new(&["shop"]));
    let (publisher, mirror) = (world.publisher(), Mounted::new(server.client()));
    for (seconds, host) in [(0, "orders"), (1, "bills")] {
        let when = at(seconds);
        publish(&publisher, host, when).await.unwrap();
        let copied = copied(&world, when).await;
        for _ in 0..2 {
            mirror.put(&copied).await.unwrap();
        }
        let members = server.map("shop", NAME).unwrap().binary_data.unwrap();
        let blobs = copied.whole.blobs.iter();
        let mut expected: BTreeSet<String> = blobs
            .map(|(digest, _)| format!("shop.sha256.{digest}"))
            .collect();
        expected.extend(["trust.1.json", "shop.manifest.json"].map(str::to_owned));
        assert_eq!(members.keys().cloned().collect::<BTreeSet<_>>(), expected);
        assert_eq!(members["shop.manifest.json"].0, copied.last.envelope);
        assert_eq!(members["trust.1.json"].0, world.trust);
    }
}

#[tokio::test]
async fn what_somebody_else_made_or_what_is_newer_is_not_replaced() {
    let (world, server) = (World::new(), Apiserver::new(&["shop"]));
    let (publisher, mirror) = (world.publisher(), Mounted::new(server.client()));
    publish(&publisher, "orders", at(0)).await.unwrap();
    let old = copied(&world, at(0)).await;
    server.put("shop", NAME, Some(ConfigMap::default()));
    let refused = mirror.put(&old).await.unwrap_err();
    assert!(refused.contains("somebody else made"), "{refused}");
    server.put("shop", NAME, None);
    publish(&publisher, "bills", at(1)).await.unwrap();
    let new = copied(&world, at(1)).await;
    mirror.put(&new).await.unwrap();
    let refused = mirror.put(&old).await.unwrap_err();
    assert!(refused.contains("it says that it holds 1:"), "{refused}");
    let held = server.map("shop", NAME).unwrap().binary_data.unwrap();
    assert_eq!(held["shop.manifest.json"], ByteString(new.last.envelope));
}

#[tokio::test]
async fn a_namespace_that_is_gone_is_no_fault_and_a_ruleset_that_is_too_large_is_one() {
    let world = World::new();
    publish(&world.publisher(), "orders", at(0)).await.unwrap();
    let mut copied = copied(&world, at(0)).await;
    let gone = Apiserver::new(&[]);
    Mounted::new(gone.client()).put(&copied).await.unwrap();
    let digest = copied.whole.blobs[0].0.clone();
    copied.whole.blobs = vec![(digest, noise(2_000_000))];
    let server = Apiserver::new(&["shop"]);
    let refused = Mounted::new(server.client())
        .put(&copied)
        .await
        .unwrap_err();
    assert!(
        refused.starts_with("a ConfigMap holds 1048576 bytes, "),
        "{refused}"
    );
}
