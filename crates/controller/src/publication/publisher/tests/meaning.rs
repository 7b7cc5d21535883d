//! What is published, and when: what says the same is left alone until it is due.

use super::{HOUR, SERIAL, World, at, compiled, publish, say, scope, taken};
use crate::publication::{Expected, Key, Store};
use countersign_ruleset::rules::Rules;
use std::fs;

#[tokio::test]
async fn what_says_the_same_is_left_alone_until_a_quarter_of_the_smallest_age() {
    let world = World::new();
    let publisher = world.publisher();
    let first = publish(&publisher, "orders", at(0)).await.unwrap();
    assert!(first.changed);
    assert_eq!((first.trust, first.serial), (1, SERIAL));
    assert_eq!(first.resign_at, at(HOUR / 4).now);
    assert_eq!(first.expires_at, at(24 * HOUR).now);
    let before = world.manifest();
    for other in [&publisher, &world.publisher()] {
        let again = publish(other, "orders", at(HOUR / 4 - 1)).await.unwrap();
        assert!(!again.changed);
        assert_eq!((again.serial, again.digest), (SERIAL, first.digest.clone()));
        assert_eq!(again.resign_at, first.resign_at);
        assert_eq!(world.manifest(), before);
    }
    let due = publish(&publisher, "orders", at(HOUR / 4)).await.unwrap();
    assert!(due.changed);
    assert_eq!(due.serial, at(HOUR / 4).milliseconds);
    let ruleset = taken(&world, at(HOUR / 4)).unwrap();
    assert_eq!(ruleset.digest, due.digest);
    assert_eq!(ruleset.manifest.previous, Some(first.digest));
}

#[tokio::test]
async fn what_says_something_else_is_published_at_once() {
    let world = World::new();
    let publisher = world.publisher();
    publish(&publisher, "orders", at(0)).await.unwrap();
    let other = publish(&publisher, "bills", at(1)).await.unwrap();
    assert!(other.changed && !other.emptied);
    assert_eq!(
        taken(&world, at(1)).unwrap().rules,
        compiled("bills", None).rules
    );
    let shop = scope("shop");
    let emptied = publisher.publish(&shop, None, None, at(2)).await.unwrap();
    assert!(emptied.changed && emptied.emptied);
    let ruleset = taken(&world, at(2)).unwrap();
    assert_eq!(ruleset.rules, Rules::empty(scope("shop")));
    assert_eq!(
        ruleset.manifest.scope_uid, "uid-1",
        "kept though nothing is said of it"
    );
    let again = publisher.publish(&shop, None, None, at(3)).await.unwrap();
    assert!(!again.changed);
    // the namespace was made anew, by whoever
    let anew = publisher
        .publish(&shop, Some("uid-2"), None, at(4))
        .await
        .unwrap();
    assert!(anew.changed);
}

/// Keys are fetched more often than rulesets are signed: fetched again, they say the same.
#[tokio::test]
async fn keys_that_were_fetched_again_are_taken_along_and_publish_nothing_by_themselves() {
    let world = World::new();
    let publisher = world.publisher();
    let keys = |fetched_at| compiled("orders", Some(fetched_at));
    say(&publisher, &keys(0), at(0)).await.unwrap();
    let again = say(&publisher, &keys(60), at(60)).await.unwrap();
    assert!(!again.changed);
    let fetched = |seconds| {
        let ruleset = taken(&world, at(seconds)).unwrap();
        ruleset.keys.providers[0].fetched_at.unwrap()
    };
    assert_eq!(fetched(60), at(0).now);
    let due = say(&publisher, &keys(60), at(HOUR / 4)).await.unwrap();
    assert!(due.changed);
    assert_eq!(fetched(HOUR / 4), at(60).now);
}

/// Else edges would hold fresh keys for stale where rulesets are signed seldom.
#[tokio::test]
async fn fresher_keys_are_published_when_half_of_the_old_ones_time_is_gone() {
    let world = World::new();
    let mut old = compiled("orders", Some(0));
    old.keys.providers[0].max_stale = HOUR / 4;
    let publisher = world.publisher();
    let first = say(&publisher, &old, at(0)).await.unwrap();
    assert_eq!(first.resign_at, at(HOUR / 8).now);
    // a provider that is down has none that are fresher
    let late = say(&publisher, &old, at(HOUR / 8)).await.unwrap();
    assert!(!late.changed);
    assert_eq!(late.resign_at, at(HOUR / 4).now);
    let mut fresh = old;
    fresh.keys.providers[0].fetched_at = Some(at(30).now);
    let early = say(&publisher, &fresh, at(HOUR / 8 - 1)).await.unwrap();
    assert!(!early.changed);
    let then = say(&publisher, &fresh, at(HOUR / 8)).await.unwrap();
    assert!(then.changed);
}

#[tokio::test]
async fn what_cannot_be_read_any_longer_goes_on_and_is_signed_anew() {
    let world = World::new();
    let publisher = world.publisher();
    let shop = scope("shop");
    assert_eq!(publisher.renew(&shop, None, at(0)).await.unwrap(), None);
    publish(&publisher, "orders", at(0)).await.unwrap();
    let early = publisher.renew(&shop, None, at(60)).await.unwrap().unwrap();
    assert!(!early.changed);
    let due = publisher.renew(&shop, None, at(HOUR / 4)).await.unwrap();
    assert!(due.unwrap().changed);
    let ruleset = taken(&world, at(HOUR / 4)).unwrap();
    assert_eq!(ruleset.rules, compiled("orders", None).rules);
    assert_eq!(ruleset.manifest.scope_uid, "uid-1");
}

#[tokio::test]
async fn a_later_trust_document_is_followed_and_published_under_at_once() {
    let mut world = World::new();
    let publisher = world.publisher();
    let first = publish(&publisher, "orders", at(0)).await.unwrap();
    let next = world.rotated();
    let store = world.store();
    store
        .write(&Key::Trust(2), &next, Expected::Absent)
        .await
        .unwrap();
    // the key that was withdrawn signs no more
    let refused = publish(&publisher, "orders", at(1)).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("expected a key that trust document 2 delegates for `shop`"),
        "{refused}"
    );
    publisher.take_up(world.authority().keyring);
    let second = publish(&publisher, "orders", at(2)).await.unwrap();
    assert!(second.changed);
    assert_eq!(second.trust, 2);
    let ruleset = taken(&world, at(2)).unwrap();
    assert_eq!(ruleset.manifest.previous, Some(first.digest));
}

/// As after `keys adopt`: the controller was given no document, and takes the first that is published.
#[tokio::test]
async fn without_a_pinned_document_the_first_published_one_is_pinned() {
    let world = World::new();
    let mut authority = world.authority();
    let given = std::mem::take(&mut authority.trust);
    let store = std::sync::Arc::new(world.store());
    let publisher = super::Publisher::new(store, authority, super::terms());
    let refused = publish(&publisher, "orders", at(0)).await.unwrap_err();
    assert_eq!(refused.kind(), crate::publication::Kind::AwaitingTrust);
    fs::create_dir_all(world.path().join("trust")).unwrap();
    fs::write(world.path().join("trust/1.json"), &given[0].bytes).unwrap();
    publish(&publisher, "orders", at(1)).await.unwrap();
    assert!(taken(&world, at(1)).is_ok());
}
