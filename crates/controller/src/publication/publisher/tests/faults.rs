//! What goes wrong between two publications: a kill, a race, a clock, a copy of before, a foreign hand.

use super::faulty::{Breaks, Faulty};
use super::{HOUR, World, at, compiled, key, publish, scope, taken, terms};
use crate::publication::{Kind, NotPublished, Publisher};
use crate::signing::{Keyring, SigningService};
use countersign_ruleset::key::PublicKey;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::sign::SigningKey;
use futures::future::BoxFuture;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Wherever it is killed, an edge sees the old ruleset or the new one, and whoever comes next goes on.
#[tokio::test]
async fn killed_while_it_publishes_it_leaves_a_whole_ruleset() {
    for breaks in [Breaks::Before, Breaks::After] {
        // one write of trust, two blobs, one manifest
        for writes in 0..4 {
            let world = World::new();
            let killed = world.over(Arc::new(Faulty::new(world.store(), writes, breaks)));
            let error = publish(&killed, "orders", at(0)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Store, "{error}");
            let is_done = (writes, breaks) == (3, Breaks::After);
            match taken(&world, at(0)) {
                Ok(_) => assert!(is_done),
                Err(Refusal::NotFound { .. }) => assert!(!is_done),
                Err(other) => panic!("{writes} {breaks:?}: {other}"),
            }
            let next = publish(&world.publisher(), "orders", at(1)).await.unwrap();
            assert_eq!(next.changed, !is_done, "{writes} {breaks:?}");
            let first = taken(&world, at(1)).unwrap();

            // the same again, over a ruleset that is there: two blobs less are new
            let faulty = Faulty::new(world.store(), writes.min(1), breaks);
            let killed = world.over(Arc::new(faulty));
            publish(&killed, "bills", at(2)).await.unwrap_err();
            let seen = taken(&world, at(2)).unwrap();
            let is_new = seen.rules == compiled("bills", None).rules;
            assert!(is_new || seen.digest == first.digest);
            publish(&world.publisher(), "bills", at(3)).await.unwrap();
            let last = taken(&world, at(3)).unwrap();
            assert_eq!(last.rules, compiled("bills", None).rules);
            assert!(last.manifest.serial > first.manifest.serial);
        }
    }
}

#[tokio::test]
async fn of_two_that_publish_at_once_one_is_told_and_goes_on_after_the_other() {
    let world = World::new();
    publish(&world.publisher(), "orders", at(0)).await.unwrap();
    let gated = Arc::new(Faulty::gated(world.store()));
    let (slow, fast) = (world.over(Arc::clone(&gated)), world.publisher());
    let (lost, won) = tokio::join!(publish(&slow, "slow", at(1)), async {
        let won = publish(&fast, "fast", at(1)).await;
        gated.gate.add_permits(1);
        won
    });
    let (lost, won) = (lost.unwrap_err(), won.unwrap());
    assert_eq!(lost.kind(), Kind::Conflict, "{lost}");
    assert_eq!(taken(&world, at(1)).unwrap().digest, won.digest);
    let then = publish(&slow, "slow", at(1)).await.unwrap();
    assert_eq!(then.serial, won.serial.saturating_add(1));
    let ruleset = taken(&world, at(1)).unwrap();
    assert_eq!(ruleset.manifest.previous, Some(won.digest));
}

#[tokio::test]
async fn a_clock_that_is_behind_signs_nothing() {
    let world = World::new();
    publish(&world.publisher(), "orders", at(HOUR))
        .await
        .unwrap();
    let before = world.manifest();
    // what says the same goes on while the clocks of two nodes differ a little, and no longer
    let same = publish(&world.publisher(), "orders", at(HOUR - 300)).await;
    assert!(!same.unwrap().changed);
    for (host, seconds) in [("bills", HOUR - 1), ("orders", HOUR - 301)] {
        let refused = publish(&world.publisher(), host, at(seconds))
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, NotPublished::Clock { now, last, .. }
                if (*now, *last) == (at(seconds).now, at(HOUR).now)),
            "{refused}"
        );
        assert_eq!(refused.kind(), Kind::Clock);
    }
    assert_eq!(world.manifest(), before);
    publish(&world.publisher(), "bills", at(HOUR))
        .await
        .unwrap();
}

/// Edges hold what was published after the copy was made, and take nothing older.
#[tokio::test]
async fn serials_grow_over_a_store_that_was_restored_from_an_older_copy() {
    let world = World::new();
    let publisher = world.publisher();
    publish(&publisher, "orders", at(0)).await.unwrap();
    let saved = world.folder.path().join("saved");
    copy(&world.path(), &saved);
    let lost = publish(&publisher, "bills", at(10)).await.unwrap();
    let restore = || {
        fs::remove_dir_all(world.path()).unwrap();
        copy(&saved, &world.path());
    };
    restore();
    // the process that published it remembers, though no millisecond has gone by
    let same = publish(&publisher, "bills", at(10)).await.unwrap();
    assert!(same.changed, "the older ruleset says something else");
    assert_eq!(same.serial, lost.serial.saturating_add(1));
    restore();
    let refused = publish(&publisher, "orders", at(9)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Clock, "{refused}");
    // another process has its clock
    let other = publish(&world.publisher(), "bills", at(11)).await.unwrap();
    assert!(other.serial > same.serial);
    fs::remove_dir_all(world.path()).unwrap();
    let gone = publish(&publisher, "bills", at(11)).await.unwrap();
    assert!(gone.serial > lost.serial);
    assert!(taken(&world, at(11)).is_ok(), "trust is there again, too");
}

#[tokio::test]
async fn what_cannot_be_verified_is_neither_followed_nor_overwritten() {
    let (world, other) = (World::new(), World::new());
    publish(&other.publisher(), "orders", at(0)).await.unwrap();
    copy(&other.path().join("shop"), &world.path().join("shop"));
    for foreign in [other.manifest(), b"{".to_vec(), vec![b' '; 20_000]] {
        fs::write(world.path().join("shop/manifest.json"), &foreign).unwrap();
        for publisher in [world.publisher(), world.publisher()] {
            let refused = publish(&publisher, "orders", at(1)).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::Unverifiable, "{refused}");
            let renewed = publisher.renew(&scope("shop"), None, at(HOUR)).await;
            assert_eq!(renewed.unwrap_err().kind(), Kind::Unverifiable);
            assert_eq!(world.manifest(), foreign);
        }
    }
}

#[tokio::test]
async fn a_blob_that_was_lost_is_there_again_after_the_next_signature() {
    let world = World::new();
    let publisher = world.publisher();
    publish(&publisher, "orders", at(0)).await.unwrap();
    fs::remove_dir_all(world.path().join("shop/blobs")).unwrap();
    assert!(matches!(
        taken(&world, at(1)),
        Err(Refusal::BlobMissing { .. })
    ));
    let found = publish(&world.publisher(), "orders", at(1)).await.unwrap();
    assert!(found.changed, "whoever reads it back sees it at once");
    assert!(taken(&world, at(1)).is_ok());
    fs::remove_dir_all(world.path().join("shop/blobs")).unwrap();
    publish(&publisher, "orders", at(HOUR)).await.unwrap();
    assert!(taken(&world, at(HOUR)).is_ok());
    // and nothing is made up of what it said
    fs::remove_dir_all(world.path().join("shop/blobs")).unwrap();
    let renewed = publisher.renew(&scope("shop"), None, at(2 * HOUR)).await;
    assert_eq!(renewed.unwrap_err().kind(), Kind::Unverifiable);
}

/// Shows one key and signs with another, as a KMS whose key was exchanged.
#[derive(Debug)]
struct Exchanged(Arc<dyn SigningService>, Arc<dyn SigningService>);

impl SigningService for Exchanged {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        self.1.sign(message)
    }
}

#[tokio::test]
async fn what_the_signer_did_not_sign_by_its_key_is_not_published() {
    let world = World::new();
    let publisher = world.publisher();
    let exchanged = Exchanged(Arc::<SigningKey>::clone(&world.key), Arc::new(key()));
    publisher.take_up(Keyring::new(vec![Arc::new(exchanged)]));
    let refused = publish(&publisher, "orders", at(0)).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("what it signed is not by the key "),
        "{refused}"
    );
    assert!(!world.path().exists(), "nothing was written");
}

#[tokio::test]
async fn a_key_that_no_root_has_signed_in_waits() {
    let world = World::new();
    let mut authority = world.authority();
    authority.keyring = Keyring::new(vec![Arc::new(key())]);
    let publisher = Publisher::new(Arc::new(world.store()), authority, terms());
    let refused = publish(&publisher, "orders", at(0)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::AwaitingTrust, "{refused}");
    assert!(!world.path().exists());
    publisher.take_up(world.authority().keyring);
    publish(&publisher, "orders", at(0)).await.unwrap();
}

#[tokio::test]
async fn blobs_go_when_nobody_can_be_reading_by_them_any_longer() {
    let world = World::new();
    let publisher = world.publisher();
    let blobs = || {
        fs::read_dir(world.path().join("shop/blobs/sha256"))
            .unwrap()
            .count()
    };
    publish(&publisher, "orders", at(0)).await.unwrap();
    publish(&publisher, "bills", at(HOUR)).await.unwrap();
    publish(&publisher, "bills", at(25 * HOUR - 1))
        .await
        .unwrap();
    assert_eq!(
        blobs(),
        3,
        "the rules of before, and the keys that both name"
    );
    publish(&publisher, "bills", at(26 * HOUR)).await.unwrap();
    assert_eq!(blobs(), 2);
    assert!(taken(&world, at(26 * HOUR)).is_ok());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
