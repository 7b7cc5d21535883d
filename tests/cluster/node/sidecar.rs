//! A service with the edge beside it: the example for GKE as it stands, in the node's own network.

use super::installation::{EDGE, SAMPLE, state};
use super::names;
use super::services::free_ports;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use tests::cluster::Cluster;
use tests::files;

/// The example's namespace.
pub(super) const SHOP: &str = "shop";

/// The example's resources, and where the edge serves callers.
#[derive(Debug)]
pub(super) struct Sidecar {
    resources: Vec<Value>,
    pub(super) port: u16,
}

impl Sidecar {
    /// Reads it, and changes what this node needs otherwise.
    pub(super) fn of_the_example() -> Result<Self> {
        let text = fs::read_to_string(files::root().join("examples/sidecar/gke.yaml"))?;
        let [port, behind, admin] = free_ports();
        // The machine's own network has one of each port; the pod's would have all.
        let changes = [
            ("0.0.0.0:8080", format!("127.0.0.1:{port}")),
            ("containerPort: 8080", format!("containerPort: {port}")),
            ("127.0.0.1:9000", format!("127.0.0.1:{behind}")),
            ("0.0.0.0:9901", format!("127.0.0.1:{admin}")),
            ("containerPort: 9901", format!("containerPort: {admin}")),
            ("--cluster=prod", "--cluster=test".to_owned()),
            ("countersign/edge:0.1.0", EDGE.to_owned()),
            (
                "europe-docker.pkg.dev/shop-prod/shop/orders:1.0.0",
                SAMPLE.to_owned(),
            ),
            ("replicas: 2", "replicas: 1".to_owned()),
            ("enforce: restricted", "enforce: privileged".to_owned()),
        ];
        let mut changed = text;
        for (from, into) in changes {
            anyhow::ensure!(changed.contains(from), "the example has no `{from}`");
            changed = changed.replace(from, &into);
        }
        let mut resources: Vec<Value> = serde_saphyr::from_multiple(&changed)?;
        resources.retain(|resource| resource["kind"] != "ConfigMap");
        Ok(Self { resources, port })
    }

    /// Makes all but the pods, and the accounts of two callers.
    pub(super) fn announce(&self, cluster: &Cluster) -> Result<()> {
        for resource in self
            .resources
            .iter()
            .filter(|it| it["kind"] != "Deployment")
        {
            apply(cluster, resource)?;
        }
        for account in ["checkout", "billing"] {
            cluster.kubectl(
                &["create", "serviceaccount", account, "--namespace", SHOP],
                "",
            )?;
        }
        Ok(())
    }

    /// Runs the pods, with the trust document pinned, until they are ready.
    pub(super) fn run(&self, cluster: &Cluster, authority: &str, trust: &str) -> Result<()> {
        apply(
            cluster,
            &json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "countersign", "namespace": SHOP},
                "data": {"trust.json": trust, "ca.crt": authority},
            }),
        )?;
        let is_it = |it: &&Value| it["kind"] == "Deployment";
        let mut deployment = self
            .resources
            .iter()
            .find(is_it)
            .context("a Deployment")?
            .clone();
        let pod = &mut deployment["spec"]["template"]["spec"];
        pod["hostNetwork"] = true.into();
        // The node has no DNS of the cluster to name.
        pod["dnsPolicy"] = "None".into();
        pod["dnsConfig"] = json!({"nameservers": [names::SERVER]});
        for containers in ["initContainers", "containers"] {
            for container in pod[containers].as_array_mut().context("containers")? {
                container["imagePullPolicy"] = "Never".into();
            }
        }
        apply(cluster, &deployment)?;
        let rollout = ["rollout", "status", "deployment/orders", "--timeout=120s"];
        let rolled = cluster.kubectl(&[&rollout[..], &["--namespace", SHOP]].concat(), "");
        rolled.map(drop).with_context(|| state(cluster, SHOP))
    }
}

fn apply(cluster: &Cluster, resource: &Value) -> Result<()> {
    let arguments = ["apply", "--server-side", "--filename=-"];
    cluster.kubectl(&arguments, &resource.to_string()).map(drop)
}
