//! What every store promises, asked of each of them.

use super::store::{Expected, Key, Store, StoreError, Stored, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use std::collections::BTreeSet;

/// Asks a store that holds nothing yet for all that is promised.
pub(super) async fn conforms(store: &dyn Store) {
    reads_what_was_written(store).await;
    lets_only_one_of_two_writers_go_on(store).await;
    writes_over_nothing_what_expects_something(store).await;
    never_changes_what_a_root_signed(store).await;
    keeps_only_what_a_digest_names(store).await;
    lists_what_has_a_manifest(store).await;
    forgets_what_is_removed(store).await;
    refuses_what_is_too_large(store).await;
}

pub(super) fn scope(name: &str) -> Scope {
    name.parse().unwrap()
}

pub(super) fn manifest(name: &str) -> Key {
    Key::Manifest(scope(name))
}

pub(super) fn blob(name: &str, bytes: &[u8]) -> Key {
    Key::Blob(scope(name), Digest::of(bytes))
}

/// Bytes that no compression makes fewer.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let next = |state: &u64| {
        Some(
            state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        )
    };
    let states = std::iter::successors(Some(1_u64), next);
    states
        .map(|state| state.to_be_bytes()[0])
        .take(length)
        .collect()
}

async fn read(store: &dyn Store, key: &Key) -> Option<Stored> {
    store.read(key).await.unwrap()
}

async fn bytes(store: &dyn Store, key: &Key) -> Option<Vec<u8>> {
    read(store, key).await.map(|stored| stored.bytes)
}

async fn reads_what_was_written(store: &dyn Store) {
    let large = noise(3_000_000);
    for (key, what) in [
        (Key::Trust(1), &b"one"[..]),
        (manifest("shop"), b"first"),
        (blob("shop", b"rules"), b"rules"),
        (blob("shop", b""), b""),
        (blob("shop", &large), &large),
    ] {
        assert_eq!(read(store, &key).await, None, "{key}");
        let version = store.write(&key, what, Expected::Absent).await.unwrap();
        let there = read(store, &key).await.unwrap();
        assert!(there.bytes == what, "{key}");
        assert_eq!(there.version, version, "{key}");
    }
    // what has a like name is another
    assert_eq!(read(store, &Key::Trust(11)).await, None);
    assert_eq!(read(store, &manifest("sho")).await, None);
    assert_eq!(read(store, &blob("sho", b"rules")).await, None);
}

async fn lets_only_one_of_two_writers_go_on(store: &dyn Store) {
    let key = manifest("race");
    let first = store.write(&key, b"1", Expected::Absent).await.unwrap();
    let second = store.write(&key, b"2", Expected::Absent).await;
    assert_eq!(second, Err(WriteError::Conflict));
    let on_first = Expected::Version(first);
    let third = store.write(&key, b"3", on_first.clone()).await.unwrap();
    let fourth = store.write(&key, b"4", on_first).await;
    assert_eq!(fourth, Err(WriteError::Conflict));
    assert_eq!(bytes(store, &key).await.unwrap(), b"3");
    store.write(&key, b"5", Expected::Any).await.unwrap();
    let sixth = store.write(&key, b"6", Expected::Version(third)).await;
    assert_eq!(sixth, Err(WriteError::Conflict));
    assert_eq!(bytes(store, &key).await.unwrap(), b"5");
}

async fn writes_over_nothing_what_expects_something(store: &dyn Store) {
    let key = manifest("race");
    store.remove(&key).await.unwrap();
    let last = read(store, &manifest("shop")).await.unwrap().version;
    let gone = store.write(&key, b"7", Expected::Version(last)).await;
    assert_eq!(gone, Err(WriteError::Conflict));
    assert_eq!(bytes(store, &key).await, None);
}

async fn never_changes_what_a_root_signed(store: &dyn Store) {
    let key = Key::Trust(7);
    let version = store.write(&key, b"seven", Expected::Absent).await.unwrap();
    for expected in [Expected::Absent, Expected::Any, Expected::Version(version)] {
        store.write(&key, b"seven", expected.clone()).await.unwrap();
        let other = store.write(&key, b"other", expected).await;
        assert_eq!(other, Err(WriteError::Conflict));
    }
    assert_eq!(bytes(store, &key).await.unwrap(), b"seven");
    let refused = store.remove(&key).await.unwrap_err().to_string();
    assert!(
        refused.ends_with("trust documents are not removed"),
        "{refused}"
    );
    // another version is another document
    store
        .write(&Key::Trust(8), b"eight", Expected::Absent)
        .await
        .unwrap();
    assert_eq!(bytes(store, &key).await.unwrap(), b"seven");
}

async fn keeps_only_what_a_digest_names(store: &dyn Store) {
    let key = blob("names", b"rules");
    let other = store.write(&key, b"other", Expected::Any).await;
    assert_eq!(other, Err(WriteError::NotItsDigest));
    assert_eq!(bytes(store, &key).await, None);
    for expected in [Expected::Absent, Expected::Any] {
        store.write(&key, b"rules", expected).await.unwrap();
    }
    assert_eq!(bytes(store, &key).await.unwrap(), b"rules");
}

async fn lists_what_has_a_manifest(store: &dyn Store) {
    for name in ["shop-0", "ops"] {
        let key = manifest(name);
        store.write(&key, b"m", Expected::Absent).await.unwrap();
    }
    // `names` has a blob alone: what is half-written is no ruleset
    let scopes = store.scopes().await.unwrap();
    let expected = ["ops", "shop", "shop-0"].map(scope);
    assert_eq!(scopes, BTreeSet::from(expected));
    let blobs = store.blobs(&scope("names")).await.unwrap();
    assert_eq!(blobs, BTreeSet::from([Digest::of(b"rules")]));
    assert_eq!(store.blobs(&scope("shop")).await.unwrap().len(), 3);
    assert!(store.blobs(&scope("shop-0")).await.unwrap().is_empty());
}

async fn forgets_what_is_removed(store: &dyn Store) {
    let gone = blob("names", b"rules");
    for _ in 0..2 {
        store.remove(&gone).await.unwrap();
        assert_eq!(bytes(store, &gone).await, None);
    }
    assert!(store.blobs(&scope("names")).await.unwrap().is_empty());
    assert!(bytes(store, &blob("shop", b"rules")).await.is_some());
    store
        .write(&gone, b"rules", Expected::Absent)
        .await
        .unwrap();
    assert_eq!(bytes(store, &gone).await.unwrap(), b"rules");
}

async fn refuses_what_is_too_large(store: &dyn Store) {
    for key in [Key::Trust(9), manifest("large")] {
        let most = key.most();
        let whole = vec![b'x'; most];
        let larger = vec![b'x'; most.saturating_add(1)];
        let refused = store.write(&key, &larger, Expected::Any).await;
        let got = larger.len();
        assert_eq!(refused, Err(WriteError::TooLarge { most, got }));
        assert_eq!(bytes(store, &key).await, None);
        store.write(&key, &whole, Expected::Any).await.unwrap();
        assert_eq!(bytes(store, &key).await.unwrap().len(), most);
    }
}

/// What somebody else has put there is not read if it is larger than it may be.
pub(super) async fn does_not_read_what_is_too_large(store: &dyn Store, key: &Key) {
    let most = key.most();
    let refused = store.read(key).await;
    assert!(
        matches!(&refused, Err(StoreError::TooLarge { most: limit, .. }) if *limit == most),
        "{refused:?}"
    );
}
