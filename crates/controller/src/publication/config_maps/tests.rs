//! The store against a server that keeps ConfigMaps as an API server does.

use super::{ConfigMaps, TRUST};
use crate::publication::apiserver::Apiserver;
use crate::publication::conformance::{
    blob, conforms, does_not_read_what_is_too_large, manifest, noise, scope,
};
use crate::publication::store::{Expected, Key, Store, WriteError};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use std::collections::BTreeMap;

const NAMESPACE: &str = "countersign-system";

fn world() -> (Apiserver, ConfigMaps) {
    let server = Apiserver::new(&[NAMESPACE]);
    let store = ConfigMaps::new(server.client(), NAMESPACE);
    (server, store)
}

#[tokio::test]
async fn conforms_as_a_store() {
    let (_, store) = world();
    conforms(&store).await;
}

/// Killed between two parts: what is there is no blob, and whoever writes it again mends it.
#[tokio::test]
async fn a_blob_that_lacks_a_part_is_not_there() {
    let (server, store) = world();
    let bytes = noise(2_500_000);
    let key = blob("shop", &bytes);
    store.write(&key, &bytes, Expected::Absent).await.unwrap();
    let parts: Vec<String> = server
        .maps(NAMESPACE)
        .iter()
        .map(|map| map.metadata.name.clone().unwrap())
        .collect();
    assert!(parts.len() > 1, "{parts:?}");
    for part in &parts {
        server.put(NAMESPACE, part, None);
        assert_eq!(store.read(&key).await, Ok(None), "{part}");
        store.write(&key, &bytes, Expected::Absent).await.unwrap();
        assert!(store.read(&key).await.unwrap().unwrap().bytes == bytes);
    }
    // what another hand has put in a part's place is written over
    let last = parts.last().unwrap();
    let mut other = server.map(NAMESPACE, last).unwrap();
    other.binary_data = Some(BTreeMap::from([(
        "part".to_owned(),
        ByteString(vec![1; 9]),
    )]));
    server.put(NAMESPACE, last, Some(other));
    assert_eq!(store.read(&key).await, Ok(None));
    store.write(&key, &bytes, Expected::Any).await.unwrap();
    assert!(store.read(&key).await.unwrap().unwrap().bytes == bytes);
    store.remove(&key).await.unwrap();
    assert!(server.maps(NAMESPACE).is_empty());
}

/// `countersign keys adopt` and `kubectl create configmap` write text; it is what was signed all the same.
#[tokio::test]
async fn trust_that_was_written_as_text_is_read() {
    let (server, store) = world();
    let map = ConfigMap {
        data: Some(BTreeMap::from([("1.json".to_owned(), "one".to_owned())])),
        ..ConfigMap::default()
    };
    server.put(NAMESPACE, TRUST, Some(map));
    assert_eq!(
        store.read(&Key::Trust(1)).await.unwrap().unwrap().bytes,
        b"one"
    );
    let other = store.write(&Key::Trust(1), b"other", Expected::Any).await;
    assert_eq!(other, Err(WriteError::Conflict));
    store
        .write(&Key::Trust(2), b"two", Expected::Absent)
        .await
        .unwrap();
    assert_eq!(
        store.read(&Key::Trust(1)).await.unwrap().unwrap().bytes,
        b"one"
    );
    assert_eq!(
        store.read(&Key::Trust(2)).await.unwrap().unwrap().bytes,
        b"two"
    );
}

#[tokio::test]
async fn a_config_map_without_a_manifest_is_filled() {
    let (server, store) = world();
    server.put(NAMESPACE, "ruleset-shop", Some(ConfigMap::default()));
    assert_eq!(store.read(&manifest("shop")).await, Ok(None));
    store
        .write(&manifest("shop"), b"m", Expected::Absent)
        .await
        .unwrap();
    assert_eq!(
        store.read(&manifest("shop")).await.unwrap().unwrap().bytes,
        b"m"
    );
}

#[tokio::test]
async fn reads_no_manifest_that_is_too_large() {
    let (server, store) = world();
    let key = manifest("shop");
    let large = ByteString(vec![b'x'; key.most() + 1]);
    let map = ConfigMap {
        binary_data: Some(BTreeMap::from([("manifest.json".to_owned(), large)])),
        ..ConfigMap::default()
    };
    server.put(NAMESPACE, "ruleset-shop", Some(map));
    does_not_read_what_is_too_large(&store, &key).await;
}

/// A tenant chooses its namespace's name; whatever it is, it meets no other's ConfigMap.
#[tokio::test]
async fn no_name_of_a_namespace_meets_another_s_part() {
    let (server, store) = world();
    let bytes = b"rules";
    store
        .write(&blob("shop", bytes), bytes, Expected::Any)
        .await
        .unwrap();
    store
        .write(&manifest("shop"), b"m", Expected::Any)
        .await
        .unwrap();
    for map in server.maps(NAMESPACE) {
        let name = map.metadata.name.unwrap();
        let taken = name.strip_prefix("ruleset-").unwrap();
        let met = taken.parse::<countersign_ruleset::names::Scope>().ok();
        assert!(met.is_none() || met == Some(scope("shop")), "{name}");
    }
}

#[tokio::test]
async fn says_what_the_server_says() {
    let server = Apiserver::new(&[]);
    let store = ConfigMaps::new(server.client(), NAMESPACE);
    let refused = store.write(&manifest("shop"), b"m", Expected::Absent).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "configmap countersign-system/ruleset-shop: NotFound (404)"
    );
}
