//! The harness itself: what is stopped is away, what is put back is as it was, and nothing is left.

use tests::cluster::Cluster;
use xtask::cluster::Part;

#[tokio::test]
async fn a_cluster_survives_its_parts_and_forgets_what_is_put_back() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    let made = cluster.namespace("before").await.expect("a namespace");
    cluster.snapshot("then").expect("a copy");
    let lost = cluster.namespace("after").await.expect("another");
    let there = |name: &str| cluster.kubectl(&["get", "namespace", name], "").is_ok();
    assert!(there(&made) && there(&lost));

    cluster.stop(Part::Apiserver).expect("it ends");
    assert!(!there(&made), "nobody answers");
    cluster.restart(Part::Apiserver).expect("it is back");
    assert!(there(&made) && there(&lost));

    cluster.restart(Part::Etcd).expect("it is back");
    assert!(there(&made) && there(&lost));

    cluster.restore("then").expect("it is put back");
    assert!(there(&made) && !there(&lost));
}

#[test]
fn the_shared_cluster_is_started_once() {
    let (Some(one), Some(other)) = (Cluster::start(), Cluster::start()) else {
        return;
    };
    assert_eq!(one.url(), other.url());
}

/// Anyone may ask for the keys of the cluster's own issuer, and its tokens name the audience.
#[test]
fn a_service_account_gets_a_token_for_an_audience() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let token = [
        "create",
        "token",
        "default",
        "--audience=https://a.example.com",
    ];
    let token = cluster.kubectl(&token, "").expect("a token");
    assert_eq!(token.trim().split('.').count(), 3);
}
