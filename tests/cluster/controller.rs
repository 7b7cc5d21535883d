//! The controller in a real cluster: what is applied is compiled, published, and said.

use serde_json::{Value, json};
use tests::cluster::Cluster;
use tests::controller::{Controller, condition, resource, until_said};
use tests::program::within;

mod faults;
mod published;

pub(super) use published::Published;

pub(super) fn apply(cluster: &Cluster, manifest: &Value) {
    let arguments = ["apply", "--server-side", "--filename=-"];
    let text = manifest.to_string();
    cluster.kubectl(&arguments, &text).expect("it is taken");
}

pub(super) fn delete(cluster: &Cluster, namespace: &str, what: &[&str]) {
    let arguments = [&["delete", "--wait=false", "--namespace", namespace], what].concat();
    cluster.kubectl(&arguments, "").expect("it is deleted");
}

/// A policy that lets anyone read one path.
pub(super) fn policy(namespace: &str, name: &str, targets: &Value) -> Value {
    let rule = json!({"name": "open", "from": [{"anyone": true}],
        "to": [{"methods": ["GET"], "paths": ["/open"]}]});
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"targetRefs": targets, "rules": [rule]},
    })
}

pub(super) fn service(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"ports": [{"port": 80}]},
    })
}

pub(super) fn to_service(name: &str) -> Value {
    json!([{"group": "", "kind": "Service", "name": name}])
}

#[tokio::test]
async fn what_is_applied_is_published_and_said() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready").await.expect("it is ready");

    a_policy_becomes_ready(&cluster).await;
    a_mistake_is_said_and_mended(&cluster).await;
    what_a_provider_lacks_is_its_own_matter(&cluster).await;
    a_kind_that_comes_later_is_picked_up(&cluster).await;
    what_a_cluster_policy_names_is_kept(&cluster).await;
    a_namespace_that_is_gone_gets_the_empty_set(&cluster).await;
}

async fn a_policy_becomes_ready(cluster: &Cluster) {
    let shop = cluster.namespace("shop").await.expect("a namespace");
    for name in ["orders", "billing"] {
        apply(cluster, &service(&shop, name));
    }
    apply(cluster, &policy(&shop, "orders", &to_service("orders")));
    let ready = ("True", "Programmed");
    let of = (shop.as_str(), "accesspolicy/orders");
    let said = until_said(cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    for (kind, status, reason) in [
        ("Accepted", "True", "Accepted"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
        ("Programmed", "True", "Programmed"),
        ("InForce", "Unknown", "NoEdges"),
    ] {
        let (is, why, _) = condition(&said, kind).expect("it is said");
        assert_eq!((is.as_str(), why.as_str()), (status, reason), "{kind}");
    }
    let host = format!("orders.{shop}.svc.cluster.local");
    let hosts = said["status"]["hosts"].as_array().expect("hosts");
    assert!(hosts.contains(&json!(host)), "{hosts:?}");
    assert_eq!(
        said["status"]["observedGeneration"],
        said["metadata"]["generation"]
    );
    let of = (shop.as_str(), "ruleset/countersign");
    let ruleset = until_said(cluster, of, "Ready", ready)
        .await
        .expect("a Ruleset");
    assert_eq!(ruleset["status"]["uncovered"], json!(["Service/billing"]));
    let published = Published::read(cluster, &shop).expect("it is published");
    assert_eq!(ruleset["status"]["serial"], json!(published.serial));
    assert!(!published.is_empty());
    what_means_the_same_changes_nothing(cluster, &shop, &said).await;
}

/// It is not published again, and what was said keeps its time.
async fn what_means_the_same_changes_nothing(cluster: &Cluster, shop: &str, said: &Value) {
    let published = Published::read(cluster, shop).expect("it is published");
    let ready = ("True", "Programmed");
    let time = |it: &Value| condition(it, "Ready").expect("Ready").2["lastTransitionTime"].clone();
    let mut same = policy(shop, "orders", &to_service("orders"));
    same["spec"]["rules"][0]["description"] = json!("who looks is not asked");
    apply(cluster, &same);
    let of = (shop, "accesspolicy/orders");
    let again = until_said(cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    assert_eq!(again["metadata"]["generation"], json!(2));
    assert_eq!(time(&again), time(said));
    let after = Published::read(cluster, shop).expect("it is published");
    assert_eq!(after.serial, published.serial);
}

async fn a_mistake_is_said_and_mended(cluster: &Cluster) {
    let shop = cluster.namespace("mistaken").await.expect("a namespace");
    apply(cluster, &policy(&shop, "orders", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/orders");
    let not = ("False", "TargetNotFound");
    let said = until_said(cluster, of, "Ready", not)
        .await
        .expect("it is said");
    let (_, _, accepted) = condition(&said, "Accepted").expect("it is said");
    let message = accepted["message"].as_str().unwrap_or_default();
    let expected = format!("spec.targetRefs[0]: there is no Service/orders in {shop}");
    assert_eq!(message, expected);
    apply(cluster, &service(&shop, "orders"));
    let ready = ("True", "Programmed");
    until_said(cluster, of, "Ready", ready)
        .await
        .expect("it is ready");

    let mut misspelt = policy(&shop, "orders", &to_service("orders"));
    misspelt["spec"]["rules"][0]["from"] =
        json!([{"roleRefs": [{"kind": "AccessRole", "name": "gone"}]}]);
    misspelt["spec"]["audiences"] = json!(["https://orders.example.com"]);
    apply(cluster, &misspelt);
    let missing = ("False", "RoleNotFound");
    until_said(cluster, of, "ResolvedRefs", missing)
        .await
        .expect("it is said");

    // an Event for each transition, and none beside
    let events = within(tests::controller::DEADLINE, "three Events", async || {
        let arguments = ["get", "events", "--namespace", &shop, "--output=json"];
        let events: Value = serde_json::from_str(&cluster.kubectl(&arguments, "").ok()?).ok()?;
        let mut reasons: Vec<String> = events["items"]
            .as_array()?
            .iter()
            .filter(|it| it["involvedObject"]["kind"] == "AccessPolicy")
            .filter_map(|it| it["reason"].as_str().map(str::to_owned))
            .collect();
        reasons.sort();
        (reasons.len() >= 3).then_some(reasons)
    });
    let events = events.await.expect("they are written");
    assert!(events.contains(&"TargetNotFound".to_owned()), "{events:?}");
    assert!(events.contains(&"Programmed".to_owned()), "{events:?}");
    assert_eq!(events.len(), 3, "{events:?}");
}

async fn what_a_provider_lacks_is_its_own_matter(cluster: &Cluster) {
    let shop = cluster.namespace("provided").await.expect("a namespace");
    apply(cluster, &service(&shop, "orders"));
    apply(cluster, &policy(&shop, "orders", &to_service("orders")));
    let provider = |name: &str, more: Value| {
        let mut provider = json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "TrustProvider",
            "metadata": {"namespace": shop, "name": name},
            "spec": {"type": "OIDC", "issuer": "https://127.0.0.1:1/"},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            provider["spec"][name] = value.clone();
        }
        provider
    };
    apply(cluster, &provider("near", json!({})));
    let of = (shop.as_str(), "trustprovider/near");
    let no_keys = ("False", "KeysUnavailable");
    let said = until_said(cluster, of, "Ready", no_keys)
        .await
        .expect("it is said");
    let (_, _, refs) = condition(&said, "ResolvedRefs").expect("it is said");
    // nobody learns from a status what is to be found behind an address
    let message = refs["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("the controller's log says why"),
        "{message}"
    );
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
}

async fn a_kind_that_comes_later_is_picked_up(cluster: &Cluster) {
    let shop = cluster.namespace("routed").await.expect("a namespace");
    let group = "gateway.networking.k8s.io";
    let targets = json!([{"group": group, "kind": "HTTPRoute", "name": "web"}]);
    apply(cluster, &policy(&shop, "web", &targets));
    let of = (shop.as_str(), "accesspolicy/web");
    let not = ("False", "TargetNotFound");
    until_said(cluster, of, "Accepted", not)
        .await
        .expect("it is said");
    cluster.install_foreign().expect("the kinds of others");
    let route = json!({
        "apiVersion": format!("{group}/v1"), "kind": "HTTPRoute",
        "metadata": {"namespace": shop, "name": "web"},
        "spec": {"hostnames": ["web.example.com"]},
    });
    apply(cluster, &route);
    let yes = ("True", "Accepted");
    let said = until_said(cluster, of, "Accepted", yes)
        .await
        .expect("it is said");
    let ancestor = &said["status"]["ancestors"][0];
    let expected = json!({"group": group, "kind": "HTTPRoute", "name": "web"});
    assert_eq!(ancestor["ancestorRef"], expected);
    assert_eq!(ancestor["controllerName"], "countersign.dev/controller");
    assert_eq!(ancestor["conditions"][0]["type"], "Accepted");
    assert_eq!(ancestor["conditions"][0]["status"], "True");
}

async fn what_a_cluster_policy_names_is_kept(cluster: &Cluster) {
    let provider = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
        "metadata": {"name": "kubernetes"}, "spec": {"type": "Kubernetes"},
    });
    apply(cluster, &provider);
    // the cluster's own issuer is not written: the API server says it, and has its keys
    let of = ("", "clustertrustprovider/kubernetes");
    let accepted = ("True", "Accepted");
    until_said(cluster, of, "Ready", accepted)
        .await
        .expect("it is ready");
    let deny =
        json!({"name": "no", "from": [{"serviceAccounts": [{"namespace": "ci", "name": "*"}]}]});
    let guard = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterAccessPolicy",
        "metadata": {"name": "guard"},
        "spec": {"namespaceSelector": {"matchLabels": {"guarded": "yes"}}, "deny": [deny]},
    });
    apply(cluster, &guard);
    let ready = ("True", "Programmed");
    until_said(cluster, ("", "clusteraccesspolicy/guard"), "Ready", ready)
        .await
        .expect("ready");
    let finalizers = |expected: Value| async move {
        within(tests::controller::DEADLINE, "finalizers", async || {
            let it = resource(cluster, "", "clustertrustprovider/kubernetes").ok()?;
            (it["metadata"]["finalizers"] == expected).then_some(())
        })
        .await
    };
    finalizers(json!(["countersign.dev/in-use"]))
        .await
        .expect("it is held");
    delete(cluster, "", &["clustertrustprovider/kubernetes"]);
    let it = resource(cluster, "", "clustertrustprovider/kubernetes").expect("it is there");
    assert!(it["metadata"]["deletionTimestamp"].is_string());
    delete(cluster, "", &["clusteraccesspolicy/guard"]);
    let gone = within(tests::controller::DEADLINE, "it goes", async || {
        resource(cluster, "", "clustertrustprovider/kubernetes").err()
    });
    gone.await.expect("nobody holds it");
}

async fn a_namespace_that_is_gone_gets_the_empty_set(cluster: &Cluster) {
    let shop = cluster.namespace("leaving").await.expect("a namespace");
    apply(cluster, &service(&shop, "orders"));
    apply(cluster, &policy(&shop, "orders", &to_service("orders")));
    let of = (shop.as_str(), "accesspolicy/orders");
    let ready = ("True", "Programmed");
    until_said(cluster, of, "Ready", ready)
        .await
        .expect("it is ready");
    let before = Published::read(cluster, &shop).expect("it is published");
    assert!(!before.is_empty());
    delete(cluster, "", &["namespace", &shop]);
    let after = within(tests::controller::DEADLINE, "the empty set", async || {
        Published::read(cluster, &shop)
            .ok()
            .filter(Published::is_empty)
    });
    let after = after.await.expect("it is published");
    assert!(after.serial > before.serial);
    // whoever knows the namespace by its UID must take it
    assert_eq!(after.scope_uid, before.scope_uid);
}
