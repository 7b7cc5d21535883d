//! What a controller does while the cluster is not as it should be, or another controller is there.

use super::published::Published;
use super::{apply, policy, service, to_service};
use serde_json::Value;
use std::time::Duration;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, until_said};
use tests::program::within;
use xtask::cluster::Part;

#[tokio::test]
async fn what_is_missing_or_older_is_named_and_nothing_is_done() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    let absent = "accesspolicies.countersign.dev is not installed";
    controller.readiness(absent).await.expect("it says so");
    cluster.install().expect("our definitions");
    controller.readiness("ready\n").await.expect("it is ready");

    let shop = cluster.namespace("shop").await.expect("a namespace");
    apply(&cluster, &service(&shop, "orders"));
    apply(&cluster, &policy(&shop, "orders", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");

    let name = "crd/accesspolicies.countersign.dev";
    let definition = cluster
        .kubectl(&["get", name, "--output=json"], "")
        .expect("JSON");
    let mut older: Value = serde_json::from_str(&definition).expect("JSON");
    let schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let fields = older.pointer_mut(schema).and_then(Value::as_object_mut);
    fields.expect("fields").remove("disclose");
    // its rule counts the fields that there are
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    let spec = older.pointer_mut(spec).and_then(Value::as_object_mut);
    spec.expect("a spec").remove("x-kubernetes-validations");
    let replace = ["replace", "--filename=-"];
    cluster
        .kubectl(&replace, &older.to_string())
        .expect("it is taken");
    let lacks =
        "accesspolicies.countersign.dev is older than this controller: it lacks spec.disclose";
    controller.readiness(lacks).await.expect("it says so");
    cluster.install().expect("our definitions");
    controller.readiness("ready\n").await.expect("it is ready");
}

#[tokio::test]
async fn of_two_controllers_one_leads_and_the_other_goes_on() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let mut first = Controller::start(&cluster, &[]).await.expect("it starts");
    let led = within(DEADLINE, "it leads", async || {
        first.number("leads").await.ok().filter(|it| *it > 0.5)
    });
    led.await.expect("it leads");
    let second = Controller::start(&cluster, &[]).await.expect("it starts");
    second.readiness("ready\n").await.expect("it is ready");
    let shop = cluster.namespace("shop").await.expect("a namespace");
    apply(&cluster, &service(&shop, "orders"));
    apply(&cluster, &policy(&shop, "orders", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    assert!(leads(&first).await && !leads(&second).await);

    // who stops gives the lease up, and nobody waits for its end
    first.program.signal("TERM").await.expect("it is told");
    assert!(first.program.end().await.expect("it ends").success());
    apply(&cluster, &policy(&shop, "more", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/more");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("the other goes on");
    assert!(leads(&second).await);
}

async fn leads(controller: &Controller) -> bool {
    controller.number("leads").await.is_ok_and(|it| it > 0.5)
}

#[tokio::test]
async fn an_api_server_that_was_away_is_followed_again() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let shop = cluster.namespace("shop").await.expect("a namespace");
    let ready = ("True", "Programmed");
    apply(&cluster, &service(&shop, "orders"));
    apply(&cluster, &policy(&shop, "before", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/before");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    cluster.stop(Part::Apiserver).expect("it ends");
    let noticed = within(DEADLINE, "it is noticed", async || {
        controller
            .number("unwatched")
            .await
            .ok()
            .filter(|it| *it > 0.5)
    });
    noticed.await.expect("it says so");
    // what is known is known: it goes on as it was
    controller.readiness("ready\n").await.expect("it is ready");
    cluster.restart(Part::Apiserver).expect("it is back");
    apply(&cluster, &policy(&shop, "after", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/after");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
}

/// Whoever was given the later ruleset must take the earlier one's content, and so under a later serial.
#[tokio::test]
async fn an_etcd_that_is_put_back_is_followed_and_serials_grow() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let shop = cluster.namespace("shop").await.expect("a namespace");
    let ready = ("True", "Programmed");
    apply(&cluster, &service(&shop, "orders"));
    apply(&cluster, &policy(&shop, "kept", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/kept");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let kept = Published::read(&cluster, &shop).expect("it is published");
    cluster.snapshot("then").expect("a copy");
    apply(&cluster, &policy(&shop, "lost", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/lost");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let lost = Published::read(&cluster, &shop).expect("it is published");
    assert!(lost.serial > kept.serial);
    cluster.restore("then").expect("it is put back");
    let after = within(DEADLINE, "a later serial", async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = Published::read(&cluster, &shop).ok()?;
        (now.serial > lost.serial).then_some(now)
    });
    let after = after.await.expect("what is put back is published anew");
    assert_eq!(after.rules, kept.rules);
}
