//! A publisher that was stopped for a while, and one that went on meanwhile.

use super::{World, at, compiled, publish, taken};
use crate::publication::conformance::scope;
use crate::publication::{Kind, Seen};

/// It would take back what was published since: a Deny, perhaps.
#[tokio::test]
async fn what_was_meant_before_is_not_published_over_what_is_meant_since() {
    let world = World::new();
    let (paused, other) = (world.publisher(), world.publisher());
    publish(&paused, "before", at(0)).await.unwrap();
    let shop = scope("shop");
    let seen = paused.look(&shop).await.unwrap();
    publish(&other, "since", at(1)).await.unwrap();
    let there = world.manifest();
    let old = compiled("meanwhile", None);
    for _ in 0..2 {
        let late = paused
            .publish_over(&seen, (&shop, Some("uid-1")), Some(&old), at(2))
            .await;
        assert_eq!(late.unwrap_err().kind(), Kind::Conflict);
        assert_eq!(world.manifest(), there);
    }
    let seen = paused.look(&shop).await.unwrap();
    let new = compiled("newest", None);
    let published = paused
        .publish_over(&seen, (&shop, Some("uid-1")), Some(&new), at(3))
        .await;
    assert!(published.unwrap().changed);
    assert_eq!(taken(&world, at(3)).unwrap().rules, new.rules);
}

#[tokio::test]
async fn who_saw_nothing_publishes_over_nothing() {
    let world = World::new();
    let (one, other) = (world.publisher(), world.publisher());
    let shop = scope("shop");
    let seen = one.look(&shop).await.unwrap();
    assert_eq!(seen, Seen::of(None));
    publish(&other, "orders", at(0)).await.unwrap();
    let what = compiled("orders", None);
    let late = one
        .publish_over(&seen, (&shop, Some("uid-1")), Some(&what), at(1))
        .await;
    assert_eq!(late.unwrap_err().kind(), Kind::Conflict);
    let last = one.last(&shop, at(1)).await.unwrap();
    let seen = Seen::of(last.as_ref());
    assert_eq!(seen, one.look(&shop).await.unwrap());
    let same = one
        .publish_over(&seen, (&shop, Some("uid-1")), Some(&what), at(1))
        .await;
    assert!(!same.unwrap().changed);
}
