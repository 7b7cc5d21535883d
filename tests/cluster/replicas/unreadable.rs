//! A resource that cannot be read stops its own namespace, and there everything goes on as it was.

use super::{Published, apply, policy, shop, to_service, until_said};
use serde_json::{Value, json};
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, resource};
use tests::program::within;

/// Lets an API server take one rule more than the controller reads, as one with later definitions does.
fn let_one_more_through(cluster: &Cluster) {
    let name = "crd/accesspolicies.countersign.dev";
    let definition = cluster.kubectl(&["get", name, "--output=json"], "");
    let mut definition: Value = serde_json::from_str(&definition.expect("JSON")).expect("JSON");
    let rules = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/rules";
    let rules = definition.pointer_mut(rules).expect("rules");
    rules["maxItems"] = json!(65);
    let replace = ["replace", "--filename=-"];
    let replaced = cluster.kubectl(&replace, &definition.to_string());
    replaced.expect("it is taken");
}

fn too_large(shop: &str) -> Value {
    let mut policy = policy(shop, "large", &to_service("orders"));
    let rule = |n: usize| {
        let mut rule = policy["spec"]["rules"][0].clone();
        rule["name"] = json!(format!("rule-{n}"));
        rule
    };
    let rules: Vec<Value> = (0..65).map(rule).collect();
    policy["spec"]["rules"] = json!(rules);
    policy
}

#[tokio::test]
async fn what_cannot_be_read_stops_its_own_namespace_where_all_goes_on_as_it_was() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let_one_more_through(&cluster);
    // what holds for a minute is signed anew after a quarter of it
    let short = ["--valid-for", "60s"];
    let _controller = Controller::start(&cluster, &short)
        .await
        .expect("it starts");
    let (sick, well) = (shop(&cluster).await, shop(&cluster).await);
    let ready = ("True", "Programmed");
    for name in [&sick, &well] {
        let of = (name.as_str(), "accesspolicy/orders");
        until_said(&cluster, of, "Ready", ready)
            .await
            .expect("it is ready");
    }
    let before = Published::read(&cluster, &sick).expect("it is published");
    apply(&cluster, &too_large(&sick));
    let not = ("False", "Unreadable");
    let of = (sick.as_str(), "accesspolicy/orders");
    until_said(&cluster, of, "Programmed", not)
        .await
        .expect("it is said");
    let of = (sick.as_str(), "accesspolicy/large");
    let said = until_said(&cluster, of, "Accepted", not)
        .await
        .expect("it is said");
    assert_eq!(
        said["status"]["conditions"][0]["message"],
        "spec.rules: expected at most 64 members, got 65"
    );
    let of = (sick.as_str(), "ruleset/countersign");
    until_said(&cluster, of, "Ready", not)
        .await
        .expect("it is said");

    let renewed = within(DEADLINE, "it is signed anew", async || {
        let now = Published::read(&cluster, &sick).ok()?;
        (now.serial > before.serial).then_some(now)
    });
    assert_eq!(renewed.await.expect("in time").rules, before.rules);
    // another namespace takes no notice
    apply(&cluster, &policy(&well, "more", &to_service("orders")));
    let of = (well.as_str(), "accesspolicy/more");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");

    let delete = ["delete", "accesspolicy/large", "--namespace", &sick];
    cluster.kubectl(&delete, "").expect("it is deleted");
    let of = (sick.as_str(), "accesspolicy/orders");
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is mended");
    assert!(resource(&cluster, &sick, "accesspolicy/large").is_err());
}
