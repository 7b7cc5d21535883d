//! An etcd that was put back while nobody was there to remember: edges remember, and go on.

use super::{Published, change, shop, until_said};
use countersign_controller::publication::{Shelf, shelf};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE};
use tests::ground;
use tests::program::within;

fn now() -> UnixTime {
    ground::now().expect("a clock")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etcd_that_is_put_back_while_no_controller_runs_gets_later_serials() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let mut controller = Controller::start(&cluster, &[]).await.expect("it starts");
    let shop = shop(&cluster).await;
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    // it remembers as an edge does, and takes nothing that is older
    let installation = INSTALLATION.parse().expect("a name");
    let on = Arc::new(Shelf::new(installation, None));
    let (fed, client) = (Arc::clone(&on), cluster.client().await.expect("a client"));
    let feeding = tokio::spawn(async move { shelf::follow(client, NAMESPACE, fed, now).await });

    cluster.snapshot("then").expect("a copy");
    change(&cluster, &shop, "/lost");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let lost = Published::read(&cluster, &shop).expect("it is published");
    let scope: Scope = shop.parse().expect("a scope");
    let has = async |serial: u64| {
        let has = within(DEADLINE, "it is followed", async || {
            let current = on.current(&scope)?;
            (current.order.serial >= serial).then_some(current)
        });
        has.await.expect("whoever follows has it")
    };
    has(lost.serial).await;
    controller
        .program
        .signal("KILL")
        .await
        .expect("it is killed");
    controller.program.end().await.expect("it ends");
    cluster.restore("then").expect("it is put back");

    let _anew = Controller::start(&cluster, &[]).await.expect("it starts");
    change(&cluster, &shop, "/anew");
    let after = within(DEADLINE, "a later serial", async || {
        let now = Published::read(&cluster, &shop).ok()?;
        (now.serial > lost.serial).then_some(now)
    });
    let after = after.await.expect("it is published");
    let current = has(after.serial).await;
    assert!(current.order.serial > lost.serial);
    assert_eq!(on.refused(&scope), None);
    feeding.abort();
}
