//! The chart: what it installs, who may do what by it, and what an upgrade or an uninstall leaves.

use anyhow::Result;
use serde_json::{Value, json};
use tests::cluster::Cluster;
use tests::controller::{INSTALLATION, NAMESPACE};
use tests::files;

mod account;
mod dashboard;
mod life;
mod people;
mod pods;
mod rendered;
mod rights;

/// The release, and what it makes.
const RELEASE: &str = "countersign";

fn chart() -> String {
    let folder = files::root().join("charts/countersign");
    folder.to_string_lossy().into_owned()
}

/// What Helm does with the release of a chart, with values as `--set` takes them.
fn helm(cluster: &Cluster, verb: &str, chart: &str, values: &[&str]) -> Result<String> {
    let name = format!("cluster={INSTALLATION}");
    let always = [
        verb,
        RELEASE,
        chart,
        "--namespace",
        NAMESPACE,
        "--set",
        &name,
    ];
    let values = values.iter().flat_map(|value| ["--set", value]);
    let arguments: Vec<&str> = always.into_iter().chain(values).collect();
    cluster.helm(&arguments)
}

/// Makes the controllers' namespace, whose pods are held to the restricted profile.
fn restricted_namespace(cluster: &Cluster) {
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    });
    apply(cluster, &namespace);
}

fn apply(cluster: &Cluster, manifest: &Value) {
    let arguments = ["apply", "--server-side", "--filename=-"];
    let text = manifest.to_string();
    cluster.kubectl(&arguments, &text).expect("it is taken");
}

/// A Service, and a policy that lets one workload call it.
fn guarded(cluster: &Cluster, namespace: &str, name: &str) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"ports": [{"port": 80}]},
    });
    apply(cluster, &service);
    apply(cluster, &policy(namespace, name));
}

fn policy(namespace: &str, name: &str) -> Value {
    let caller = json!({"namespace": namespace, "name": "checkout"});
    json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "targetRefs": [{"group": "", "kind": "Service", "name": name}],
            "audiences": [format!("https://{name}.example.com")],
            "rules": [{"name": "callers", "from": [{"serviceAccounts": [caller]}]}],
        },
    })
}

/// In one cluster and with one release, for none of it changes what the others look at.
#[tokio::test]
async fn what_is_installed_suffices_and_may_do_no_more() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install_foreign().expect("the kinds of others");
    restricted_namespace(&cluster);
    let values = ["publication.configMaps=true", "logFormat=text"];
    let said = helm(&cluster, "install", &chart(), &values).expect("it is installed");
    assert!(
        said.contains("countersign keys adopt --cluster test --namespace countersign-system"),
        "{said}"
    );
    pods::are_in_the_restricted_profile(&cluster).await;
    people::have_what_is_theirs(&cluster).await;
    account::suffices(&cluster).await;
    account::may_do_no_more(&cluster).await;
    account::is_held_to_what_it_is_for(&cluster).await;
}
