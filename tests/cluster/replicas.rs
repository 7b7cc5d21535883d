//! Several replicas, and edges that ask any of them: what one hears, the leader counts.

use super::controller::{Published, apply, policy, service, to_service};
use serde_json::{Value, json};
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, resource, until_said};
use tests::program::within;

mod clocks;
mod edge;
mod killed;
mod restored;
mod rights;
mod unreadable;

use edge::{Edge, Pod, ask};

/// The endpoint, on this machine alone.
const SERVING: [&str; 2] = ["--endpoint-listen", "127.0.0.1:0"];

/// A namespace with one service and one policy for it.
async fn shop(cluster: &Cluster) -> String {
    let shop = cluster.namespace("shop").await.expect("a namespace");
    apply(cluster, &service(&shop, "orders"));
    apply(cluster, &policy(&shop, "orders", &to_service("orders")));
    shop
}

/// Waits until a replica leads, or does not.
async fn until_leads(controller: &Controller) {
    let leads = within(DEADLINE, "it leads", async || {
        controller.number("leads").await.ok().filter(|it| *it > 0.5)
    });
    leads.await.expect("it leads");
}

/// Waits until the policy says so of whether it is in force.
async fn until_in_force(cluster: &Cluster, shop: &str, expected: (&str, &str)) -> Value {
    let of = (shop, "accesspolicy/orders");
    let said = until_said(cluster, of, "InForce", expected).await;
    said.expect("it is said")
}

/// Waits until the Ruleset counts so many: all, in force, unknown.
async fn until_counted(cluster: &Cluster, shop: &str, expected: (i64, i64, i64)) {
    let mut last = Value::Null;
    let counted = within(DEADLINE, "the edges are counted", async || {
        let ruleset = resource(cluster, shop, "ruleset/countersign").ok()?;
        last = ruleset["status"]["edges"].clone();
        let of = |name: &str| last[name].as_i64().unwrap_or_default();
        ((of("total"), of("inForce"), of("unknown")) == expected).then_some(())
    });
    let counted = counted.await;
    counted.unwrap_or_else(|error| panic!("{error}: {last}"));
}

/// The policy, meaning something else.
fn change(cluster: &Cluster, shop: &str, path: &str) {
    let mut other = policy(shop, "orders", &to_service("orders"));
    other["spec"]["rules"][0]["to"][0]["paths"] = json!([path]);
    apply(cluster, &other);
}

#[tokio::test]
async fn what_edges_say_to_either_replica_counts_at_the_leader() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let first = Controller::start(&cluster, &SERVING)
        .await
        .expect("it starts");
    until_leads(&first).await;
    let second = Controller::start(&cluster, &SERVING)
        .await
        .expect("it starts");
    second.readiness("ready\n").await.expect("it is ready");
    let shop = shop(&cluster).await;
    let (a, b) = (
        Pod::make(&cluster, &shop, "a").await,
        Pod::make(&cluster, &shop, "b").await,
    );
    until_in_force(&cluster, &shop, ("Unknown", "NotReporting")).await;
    until_counted(&cluster, &shop, (2, 0, 2)).await;

    // one asks the leader, and the other the one that does not lead
    let _one = Edge::start(&cluster, &first, &a).await.expect("it starts");
    until_counted(&cluster, &shop, (2, 1, 1)).await;
    until_in_force(&cluster, &shop, ("Unknown", "NotReporting")).await;
    let _other = Edge::start(&cluster, &second, &b).await.expect("it starts");
    until_in_force(&cluster, &shop, ("True", "InForce")).await;
    until_counted(&cluster, &shop, (2, 2, 0)).await;
    change(&cluster, &shop, "/other");
    until_in_force(&cluster, &shop, ("True", "InForce")).await;

    // whoever leads next has heard what was said to the one before, which no edge can ask any longer
    first.program.signal("KILL").await.expect("it is killed");
    change(&cluster, &shop, "/third");
    until_leads(&second).await;
    until_in_force(&cluster, &shop, ("False", "Waiting")).await;
    until_counted(&cluster, &shop, (2, 1, 0)).await;
    let ruleset = resource(&cluster, &shop, "ruleset/countersign").expect("a Ruleset");
    assert_eq!(ruleset["status"]["edges"]["slowest"], json!("a"));
}

/// Edges take no earlier ruleset: whoever was put back must not believe that they have what it says.
#[tokio::test]
async fn an_edge_that_has_a_later_ruleset_is_not_taken_to_have_this_one() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let controller = Controller::start(&cluster, &SERVING)
        .await
        .expect("it starts");
    let shop = shop(&cluster).await;
    let pod = Pod::make(&cluster, &shop, "a").await;
    let ready = ("True", "Programmed");
    let of = (shop.as_str(), "accesspolicy/orders");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let serial = Published::read(&cluster, &shop)
        .expect("it is published")
        .serial;
    for (in_force, expected) in [
        (format!("1:{serial}"), ("True", "InForce")),
        (format!("1:{}", serial + 1), ("False", "EdgesAhead")),
        (format!("2:{}", serial - 1), ("False", "EdgesAhead")),
        (format!("1:{}", serial - 1), ("False", "Waiting")),
        (format!("1:{serial}"), ("True", "InForce")),
    ] {
        let asked = within(DEADLINE, "an answer", async || {
            ask(&controller, &pod, &in_force)
                .await
                .ok()
                .filter(|status| *status == 200)
        });
        asked.await.expect("it is answered");
        until_in_force(&cluster, &shop, expected).await;
    }
}
