//! Whoever verifies with a clock that is off by an hour: what is refused, by which name, and that it is mended with the clock.

use super::{Published, shop, until_said};
use countersign_controller::publication::{Shelf, shelf};
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE};
use tests::ground;
use tests::program::within;

const HOUR: u64 = 3_600;

/// Whether the clock that was behind was set right.
static MENDED: AtomicBool = AtomicBool::new(false);

fn right() -> UnixTime {
    ground::now().expect("a clock")
}

fn ahead() -> UnixTime {
    right().plus(HOUR)
}

fn behind() -> UnixTime {
    if MENDED.load(Ordering::Relaxed) {
        right()
    } else {
        right().minus(HOUR)
    }
}

/// A copy of what is published that is verified by a clock.
async fn verified_by(cluster: &Cluster, clock: fn() -> UnixTime) -> Arc<Shelf> {
    let installation = INSTALLATION.parse().expect("a name");
    let on = Arc::new(Shelf::new(installation, None));
    let (fed, client) = (Arc::clone(&on), cluster.client().await.expect("a client"));
    tokio::spawn(async move { shelf::follow(client, NAMESPACE, fed, clock).await });
    on
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_by_an_hour_is_named_and_mended() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    // signed anew every ten seconds, and good for less than an hour
    let short = ["--valid-for", "40s", "--smallest-age", "40s"];
    let _controller = Controller::start(&cluster, &short)
        .await
        .expect("it starts");
    let shop = shop(&cluster).await;
    let (of, ready) = (
        (shop.as_str(), "accesspolicy/orders"),
        ("True", "Programmed"),
    );
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let scope: Scope = shop.parse().expect("a scope");
    let refused = async |on: &Shelf| {
        let refused = within(DEADLINE, "it is refused", async || on.refused(&scope));
        let refused = refused.await.expect("it is refused");
        assert!(
            on.current(&scope).is_none(),
            "nothing is served: {refused:?}"
        );
        refused
    };
    let (early, late) = (
        verified_by(&cluster, behind).await,
        verified_by(&cluster, ahead).await,
    );
    let refusal = refused(&early).await;
    assert!(
        matches!(refusal, Refusal::FromTheFuture { .. }),
        "{refusal:?}"
    );
    let refusal = refused(&late).await;
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal:?}");

    let before = Published::read(&cluster, &shop).expect("it is published");
    MENDED.store(true, Ordering::Relaxed);
    let mended = within(DEADLINE, "it is served", async || early.current(&scope));
    let mended = mended.await.expect("it is served");
    assert!(mended.order.serial >= before.serial);
}
