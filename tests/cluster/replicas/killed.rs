//! A controller that is killed again and again while it publishes leaves nothing that an edge would refuse.

use super::edge::rules_of;
use super::{Published, change, policy, service, shop, to_service, until_said};
use countersign_controller::publication::{Shelf, shelf};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE};
use tests::ground;
use tests::program::within;

/// How often it is killed.
const KILLS: u64 = 12;

/// When, after a change, by a sequence that is the same each time: what is changed is compiled after
/// 100 ms, and published soon after.
fn moment(n: u64) -> Duration {
    let chance = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 33;
    Duration::from_millis(60 + chance % 240)
}

/// It looks at all that is published as an edge does, and remembers as one does. What it refused at
/// any time.
async fn follow(shelf: Arc<Shelf>, scope: Scope) -> Option<String> {
    let mut last = None;
    loop {
        if let Some(refusal) = shelf.refused(&scope) {
            return Some(format!("{refusal:?}"));
        }
        let order = shelf.current(&scope).map(|it| it.order);
        if order < last {
            return Some(format!("{order:?} after {last:?}"));
        }
        last = order;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn now() -> UnixTime {
    ground::now().expect("a clock")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_killed_while_it_publishes_leaves_nothing_that_is_refused() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    // one that is dead has its name no longer: whoever has it next need not wait for the lease
    let named = ["--identity", "always-the-same"];
    let mut controller = Controller::start(&cluster, &named)
        .await
        .expect("it starts");
    let shop = shop(&cluster).await;
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");

    let scope: Scope = shop.parse().expect("a scope");
    let installation = INSTALLATION.parse().expect("a name");
    let on = Arc::new(Shelf::new(installation, None));
    let client = cluster.client().await.expect("a client");
    let fed = Arc::clone(&on);
    let feeding = tokio::spawn(async move { shelf::follow(client, NAMESPACE, fed, now).await });
    let following = tokio::spawn(follow(Arc::clone(&on), scope.clone()));

    let mut serials = vec![
        Published::read(&cluster, &shop)
            .expect("it is published")
            .serial,
    ];
    for n in 1..=KILLS {
        change(&cluster, &shop, &format!("/changed/{n}"));
        tokio::time::sleep(moment(n)).await;
        controller
            .program
            .signal("KILL")
            .await
            .expect("it is killed");
        controller.program.end().await.expect("it ends");
        serials.push(
            Published::read(&cluster, &shop)
                .expect("it is published")
                .serial,
        );
        controller = Controller::start(&cluster, &named)
            .await
            .expect("it starts");
    }
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let end = policy_at(&shop, KILLS);
    let expected = rules_of(&[service(&shop, "orders"), end], &shop).expect("it compiles");
    let published = within(DEADLINE, "the last change", async || {
        let published = Published::read(&cluster, &shop).ok()?;
        (published.rules.ends_with(&expected)).then_some(published)
    });
    let published = published.await.expect("it is published");
    serials.push(published.serial);
    assert!(serials.is_sorted(), "{serials:?}");
    let steps = serials.windows(2).filter(|it| it[0] != it[1]).count();
    assert!(steps > 1, "it was killed too soon each time: {serials:?}");
    let served = within(DEADLINE, "it is followed", async || {
        let current = on.current(&scope)?;
        (current.order.serial == published.serial).then_some(())
    });
    served.await.expect("whoever followed has it");
    assert!(!following.is_finished(), "refused: {:?}", following.await);
    following.abort();
    feeding.abort();
}

fn policy_at(shop: &str, n: u64) -> serde_json::Value {
    let mut policy = policy(shop, "orders", &to_service("orders"));
    policy["spec"]["rules"][0]["to"][0]["paths"] = json!([format!("/changed/{n}")]);
    policy
}

/// The sequence is not all one moment, and none is before anything can have happened.
#[test]
fn moments_differ() {
    let all: std::collections::BTreeSet<_> = (1..=KILLS).map(moment).collect();
    assert!(all.len() > 6, "{all:?}");
}
