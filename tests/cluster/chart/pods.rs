//! The controller's pods are in the restricted profile: nothing may be taken from it.

use super::rendered::{everything, rendered};
use serde_json::{Value, json};
use tests::cluster::Cluster;
use tests::controller::{DEADLINE, NAMESPACE, resource};
use tests::program::within;

/// What makes a pod worse, and what is said of it.
const WORSE: [(&str, &str, &str); 7] = [
    ("/hostNetwork", "true", "hostNetwork=true"),
    (
        "/securityContext/runAsNonRoot",
        "null",
        "runAsNonRoot != true",
    ),
    ("/securityContext/runAsUser", "0", "runAsUser=0"),
    ("/securityContext/seccompProfile", "null", "seccompProfile"),
    (
        "/containers/0/securityContext/allowPrivilegeEscalation",
        "null",
        "allowPrivilegeEscalation != false",
    ),
    (
        "/containers/0/securityContext/capabilities",
        r#"{"drop": ["NET_RAW"]}"#,
        "unrestricted capabilities",
    ),
    (
        "/volumes",
        r#"[{"name": "host", "hostPath": {"path": "/"}}]"#,
        "hostPath",
    ),
];

pub(super) async fn are_in_the_restricted_profile(cluster: &Cluster) {
    // the controller manager makes them of the Deployment, as the API server lets it
    let pods = within(DEADLINE, "two pods", async || {
        let all = ["get", "pods", "--namespace", NAMESPACE, "--output=json"];
        let all: Value = serde_json::from_str(&cluster.kubectl(&all, "").ok()?).ok()?;
        let pods = all["items"].as_array()?;
        (pods.len() == 2).then(|| pods.clone())
    });
    let pods = pods.await.expect("they are admitted");
    for pod in &pods {
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    }
    let deployment = resource(cluster, NAMESPACE, "deployment/countersign").expect("it is there");
    let little = deployment["spec"]["template"]["spec"].clone();
    let more = ["--values", &everything(), "--set", "hostNetwork=false"];
    let all = rendered(cluster, &more);
    let deployment = all.iter().find(|it| it["kind"] == "Deployment");
    let much = deployment.expect("a Deployment")["spec"]["template"]["spec"].clone();
    for spec in [little, much] {
        tried(cluster, &spec).expect("it is admitted");
        for (place, value, said) in WORSE {
            let mut worse = spec.clone();
            // nothing is mounted, so that volumes may be others
            worse["containers"][0]["volumeMounts"] = json!([]);
            let (holder, member) = place.rsplit_once('/').expect("a place");
            let value: Value = serde_json::from_str(value).expect("JSON");
            worse.pointer_mut(holder).expect("its holder")[member] = value;
            let refusal = tried(cluster, &worse).expect_err(place).to_string();
            let violates = "violates PodSecurity \"restricted:latest\"";
            assert!(
                refusal.contains(violates) && refusal.contains(said),
                "{place}: {refusal}"
            );
        }
    }
}

/// Whether the API server would take such a pod.
fn tried(cluster: &Cluster, spec: &Value) -> anyhow::Result<String> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "tried", "namespace": NAMESPACE}, "spec": spec,
    });
    let arguments = ["create", "--dry-run=server", "--filename=-"];
    cluster.kubectl(&arguments, &pod.to_string())
}
