//! What a release leaves as it was: policies, what is published of them, and the key that signed it.

use super::{RELEASE, chart, guarded, helm, restricted_namespace};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, NAMESPACE, resource, until_said};

const DEFINITION: &str = "accesspolicies.countersign.dev";
const LACKS: &str =
    "accesspolicies.countersign.dev is older than this controller: it lacks spec.disclose";
const READY: (&str, &str) = ("True", "Programmed");

/// The chart as it was before a field came.
fn older() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let copied = Command::new("cp")
        .args(["-R", &chart(), "."])
        .current_dir(folder.path())
        .status();
    assert!(copied.expect("cp").success());
    let file = folder
        .path()
        .join(format!("countersign/files/crds/{DEFINITION}.yaml"));
    let text = fs::read_to_string(&file).expect("a definition");
    let mut definition: Value = serde_saphyr::from_str(&text).expect("YAML");
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    let spec = definition.pointer_mut(spec).and_then(Value::as_object_mut);
    let spec = spec.expect("a schema");
    // its rule counts the fields that there are
    spec.remove("x-kubernetes-validations");
    let fields = spec.get_mut("properties").and_then(Value::as_object_mut);
    let removed = fields.expect("fields").remove("disclose");
    assert!(removed.is_some());
    fs::write(&file, definition.to_string()).expect("it is written");
    folder
}

/// What nobody but its owner may change: what people wrote, the keys, trust.
fn kept(cluster: &Cluster, shop: &str) -> Value {
    let get = |namespace: &str, name: &str| resource(cluster, namespace, name).expect(name);
    let key = get(NAMESPACE, "secret/countersign-signing-keys");
    let trust = get(NAMESPACE, "configmap/countersign-trust");
    let uid = |it: Value| it["metadata"]["uid"].clone();
    json!({
        "key": [key["data"], key["metadata"]["uid"]],
        "trust": [trust["binaryData"], trust["metadata"]["uid"]],
        "policy": uid(get(shop, "accesspolicy/orders")),
        "ruleset": uid(get(shop, "ruleset/countersign")),
        "published": uid(get(NAMESPACE, &format!("configmap/ruleset-{shop}"))),
        "provider": uid(get("", "clustertrustprovider/kubernetes")),
        "definition": uid(get("", &format!("crd/{DEFINITION}"))),
    })
}

fn serial(cluster: &Cluster, shop: &str) -> u64 {
    let ruleset = resource(cluster, shop, "ruleset/countersign").expect("a Ruleset");
    ruleset["status"]["serial"].as_u64().expect("a serial")
}

fn replicas(cluster: &Cluster) -> Option<u64> {
    let deployment = resource(cluster, NAMESPACE, "deployment/countersign").ok()?;
    deployment["spec"]["replicas"].as_u64()
}

#[tokio::test]
async fn an_upgrade_a_rollback_and_an_uninstall_leave_what_they_should() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    restricted_namespace(&cluster);
    let older = older();
    let before = older.path().join("countersign");
    helm(&cluster, "install", &before.to_string_lossy(), &[]).expect("it is installed");
    let mut controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness(LACKS).await.expect("it says so");
    helm(&cluster, "upgrade", &chart(), &["replicas=3"]).expect("it is upgraded");
    controller.readiness("ready\n").await.expect("it is ready");
    assert_eq!(replicas(&cluster), Some(3));

    let shop = cluster.namespace("shop").await.expect("a namespace");
    guarded(&cluster, &shop, "orders");
    let orders = (shop.as_str(), "accesspolicy/orders");
    let said = until_said(&cluster, orders, "Ready", READY).await;
    said.expect("it is published");
    let (held, last) = (kept(&cluster, &shop), serial(&cluster, &shop));

    let other = ["podDisruptionBudget.enabled=false"];
    helm(&cluster, "upgrade", &chart(), &other).expect("it is upgraded");
    assert_eq!(replicas(&cluster), Some(2));
    let budget = "poddisruptionbudget/countersign";
    assert!(resource(&cluster, NAMESPACE, budget).is_err());
    back(&cluster, "2");
    assert_eq!(replicas(&cluster), Some(3));
    assert!(resource(&cluster, NAMESPACE, budget).is_ok());
    assert_eq!(kept(&cluster, &shop), held);

    definitions_go_back_with_the_chart(&cluster, &controller).await;
    assert_eq!(kept(&cluster, &shop), held);

    helm(&cluster, "upgrade", &chart(), &[]).expect("it is upgraded");
    controller.readiness("ready\n").await.expect("it is ready");
    controller.program.signal("TERM").await.expect("it is told");
    assert!(controller.program.end().await.expect("it ends").success());
    let remove = ["uninstall", RELEASE, "--namespace", NAMESPACE];
    cluster.helm(&remove).expect("it is uninstalled");
    nothing_of_the_release_is_left(&cluster);
    assert_eq!(kept(&cluster, &shop), held);
    assert_eq!(serial(&cluster, &shop), last);

    helm(&cluster, "install", &chart(), &[]).expect("it is installed again");
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    guarded(&cluster, &shop, "billing");
    let billing = (shop.as_str(), "accesspolicy/billing");
    let said = until_said(&cluster, billing, "Ready", READY).await;
    said.expect("it is published");
    assert_eq!(
        kept(&cluster, &shop),
        held,
        "the same key, and the same trust"
    );
    assert!(serial(&cluster, &shop) > last);
}

fn back(cluster: &Cluster, revision: &str) {
    let rollback = ["rollback", RELEASE, revision, "--namespace", NAMESPACE];
    cluster.helm(&rollback).expect("it is rolled back");
}

/// A chart that is older has older definitions. A controller that is not does nothing until that is
/// mended, for an API server would drop what the older ones do not name.
async fn definitions_go_back_with_the_chart(cluster: &Cluster, controller: &Controller) {
    back(cluster, "1");
    controller.readiness(LACKS).await.expect("it says so");
}

fn nothing_of_the_release_is_left(cluster: &Cluster) {
    let named = |kinds: &str, more: &[&str]| {
        let get = [&["get", kinds, "--output=name"], more].concat();
        cluster.kubectl(&get, "").expect("a list")
    };
    let helms = "--selector=app.kubernetes.io/managed-by=Helm";
    let namespaced = "deployments,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets,\
                      configmaps,secrets,leases";
    let left = named(namespaced, &[helms, "--namespace", NAMESPACE]);
    assert_eq!(left, "");
    assert_eq!(named("clusterroles,clusterrolebindings", &[helms]), "");
    let admission = "validatingadmissionpolicies,validatingadmissionpolicybindings";
    assert_eq!(named(admission, &[]), "");
    // what the controller made is nobody's
    for (name, namespace) in [
        ("secret/countersign-signing-keys", NAMESPACE),
        ("configmap/countersign-trust", NAMESPACE),
        ("configmap/countersign-signing-keys", NAMESPACE),
        ("clustertrustprovider/kubernetes", ""),
    ] {
        let it = resource(cluster, namespace, name).expect(name);
        assert_eq!(it["metadata"]["ownerReferences"], Value::Null, "{name}");
    }
    let definitions = named("crd", &[]);
    assert_eq!(definitions.lines().count(), 7, "{definitions}");
}
