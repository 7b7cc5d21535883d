//! A controller whose rights were taken away says so, changes nothing, and goes on once it has them again.

use super::{apply, change, shop, until_leads, until_said};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE};
use tests::program::within;

const ACCOUNT: &str = "controller";

/// Writes how the API server is reached as the controller's account.
fn write_kubeconfig(cluster: &Cluster, to: &Path) -> Result<()> {
    let text = fs::read_to_string(cluster.kubeconfig())?;
    let mut config: Value = serde_saphyr::from_str(&text)?;
    let token = [
        "create",
        "token",
        ACCOUNT,
        "--duration=1h",
        "--namespace",
        NAMESPACE,
    ];
    let token = cluster.kubectl(&token, "")?;
    let user = config.pointer_mut("/users/0/user").context("a user")?;
    *user = json!({"token": token.trim()});
    Ok(fs::write(to, config.to_string())?)
}

/// All rights that there are, for the account.
fn rights() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
            "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    })
}

#[tokio::test]
async fn whose_rights_are_taken_away_says_so_and_goes_on_with_them() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    for made in [
        &["create", "namespace", NAMESPACE][..],
        &[
            "create",
            "serviceaccount",
            ACCOUNT,
            "--namespace",
            NAMESPACE,
        ],
    ] {
        cluster.kubectl(made, "").expect("it is made");
    }
    apply(&cluster, &rights());
    let folder = TempDir::with_prefix("countersign-").expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    write_kubeconfig(&cluster, &kubeconfig).expect("it is written");
    let kubeconfig = kubeconfig.to_string_lossy();
    let told = [
        "--kubeconfig",
        &kubeconfig,
        "--cluster",
        INSTALLATION,
        "--danger-evaluation-trust",
        "--admin-listen",
        "127.0.0.1:0",
    ];
    let controller = Controller::told(&told).await.expect("it starts");
    until_leads(&controller).await;
    let shop = shop(&cluster).await;
    let (of, ready) = (
        (shop.as_str(), "accesspolicy/orders"),
        ("True", "Programmed"),
    );
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it is ready");

    let take = ["delete", "clusterrolebinding", ACCOUNT];
    cluster.kubectl(&take, "").expect("they are taken");
    let lost = within(DEADLINE, "it leads no longer", async || {
        controller.number("leads").await.ok().filter(|it| *it < 0.5)
    });
    lost.await
        .expect("who cannot renew the lease leads no longer");
    let said = controller.program.text();
    let forbidden = "the lease could not be looked at";
    assert!(
        said.contains(forbidden) && said.contains("forbidden"),
        "{said}"
    );
    change(&cluster, &shop, "/meanwhile");
    apply(&cluster, &rights());
    until_leads(&controller).await;
    until_said(&cluster, of, "Ready", ready)
        .await
        .expect("it goes on");
}
