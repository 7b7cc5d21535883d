//! The sidecar for GKE is taken where only the restricted profile may run.

use serde_json::{Value, json};
use std::fs;
use tests::cluster::Cluster;
use tests::files;

/// Nothing is stored, and everything is looked at: admission, too.
const TRY: [&str; 4] = ["apply", "--server-side", "--dry-run=server", "--filename=-"];

#[tokio::test]
async fn the_example_for_gke_is_taken_where_pods_are_restricted() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let shop = cluster.namespace("restricted").await.expect("a namespace");
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    let label = cluster.kubectl(&["label", "namespace", &shop, restricted], "");
    label.expect("only the restricted profile");
    let account = cluster.kubectl(
        &["create", "serviceaccount", "orders", "--namespace", &shop],
        "",
    );
    account.expect("the pod's account");
    let example = fs::read_to_string(files::root().join("examples/sidecar/gke.yaml"));
    let example = example
        .expect("the example")
        .replace("namespace: shop", &format!("namespace: {shop}"));
    let mut resources: Vec<Value> = serde_saphyr::from_multiple(&example).expect("YAML");
    resources.retain(|it| it["kind"] != "Namespace");
    assert_eq!(resources.len(), 5);
    for resource in &resources {
        let taken = cluster.kubectl(&TRY, &resource.to_string());
        taken.unwrap_or_else(|error| panic!("{}: {error:#}", resource["kind"]));
    }

    // Of a Deployment the profile is only a warning; its pods are what is refused.
    let deployment = resources.iter().find(|it| it["kind"] == "Deployment");
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "orders", "namespace": shop},
        "spec": deployment.expect("a Deployment")["spec"]["template"]["spec"],
    });
    cluster
        .kubectl(&TRY, &pod.to_string())
        .expect("a restricted pod is taken");
    pod["spec"]["initContainers"][0]["securityContext"] = json!({});
    let refused = cluster
        .kubectl(&TRY, &pod.to_string())
        .expect_err("no longer restricted");
    let refused = format!("{refused:#}");
    assert!(
        refused.contains("violates PodSecurity \"restricted:latest\""),
        "{refused}"
    );
}
