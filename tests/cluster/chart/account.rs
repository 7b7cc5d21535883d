//! The controller with the account that the chart gives it, its flags, and nothing more.

use super::rights::may;
use super::{RELEASE, apply, guarded};
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use tempfile::{NamedTempFile, TempDir};
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, INSTALLATION, NAMESPACE, resource, until_said};
use tests::program::{self, within};

const READY: (&str, &str) = ("True", "Programmed");

/// What it has no right to.
const NOT: &[&str] = &[
    "list secrets in countersign-system",
    "watch secrets in countersign-system",
    "get secrets:another in countersign-system",
    "update secrets:another in countersign-system",
    "patch secrets:countersign-signing-keys in countersign-system",
    "delete secrets:countersign-signing-keys in countersign-system",
    "get secrets:countersign-signing-keys in default",
    "get secrets:a in kube-system",
    "list secrets",
    "create secrets in default",
    "get configmaps:a in default",
    "list configmaps in default",
    "list configmaps",
    "update configmaps:a in default",
    "patch configmaps:countersign-ruleset in default",
    "delete configmaps:countersign-ruleset in default",
    "create accesspolicies.countersign.dev in default",
    "update accesspolicies.countersign.dev in default",
    "patch accesspolicies.countersign.dev in default",
    "delete accesspolicies.countersign.dev in default",
    "patch accessroles.countersign.dev in default",
    "patch trustproviders.countersign.dev in default",
    "create clusteraccesspolicies.countersign.dev",
    "patch clusteraccesspolicies.countersign.dev",
    "create clustertrustproviders.countersign.dev",
    "update clustertrustproviders.countersign.dev",
    "delete clustertrustproviders.countersign.dev",
    "create clusteraccessroles.countersign.dev",
    "delete rulesets.countersign.dev in default",
    "list pods",
    "get pods in countersign-system",
    "create pods in countersign-system",
    "create pods/exec in countersign-system",
    "patch deployments.apps in countersign-system",
    "create deployments.apps in default",
    "patch services in default",
    "create serviceaccounts/token in countersign-system",
    "patch namespaces",
    "list nodes",
    "get leases.coordination.k8s.io:another in countersign-system",
    "delete leases.coordination.k8s.io:countersign-controller in countersign-system",
    "create leases.coordination.k8s.io in kube-node-lease",
    "list customresourcedefinitions.apiextensions.k8s.io",
    "list customresourcedefinitions.apiextensions.k8s.io:gateways.gateway.networking.k8s.io",
    "patch customresourcedefinitions.apiextensions.k8s.io:accesspolicies.countersign.dev",
    "patch validatingadmissionpolicies.admissionregistration.k8s.io",
    "create rolebindings.rbac.authorization.k8s.io in countersign-system",
    "escalate clusterroles.rbac.authorization.k8s.io",
    "bind clusterroles.rbac.authorization.k8s.io",
    "impersonate users",
    "impersonate serviceaccounts in default",
    "patch httproutes.gateway.networking.k8s.io in default",
    "patch services.serving.knative.dev in default",
];

/// What it has, so that a question that is asked wrongly is found.
const HAS: &[&str] = &[
    "get secrets:countersign-signing-keys in countersign-system",
    "update secrets:countersign-signing-keys in countersign-system",
    "create secrets in countersign-system",
    "update configmaps:countersign-ruleset in default",
    "list accesspolicies.countersign.dev",
    "patch accesspolicies.countersign.dev/status in default",
    "patch clustertrustproviders.countersign.dev",
    "watch customresourcedefinitions.apiextensions.k8s.io:accesspolicies.countersign.dev",
    "update leases.coordination.k8s.io:countersign-controller in countersign-system",
];

/// A kubeconfig with a token of the account.
fn kubeconfig(cluster: &Cluster) -> Result<NamedTempFile> {
    let token = cluster.kubectl(&["create", "token", RELEASE, "--namespace", NAMESPACE], "")?;
    let view = ["config", "view", "--raw", "--output=json"];
    let mut config: Value = serde_json::from_str(&cluster.kubectl(&view, "")?)?;
    let user = config.pointer_mut("/users/0/user").context("a user")?;
    *user = json!({"token": token.trim()});
    let mut file = NamedTempFile::new()?;
    file.write_all(config.to_string().as_bytes())?;
    Ok(file)
}

async fn client(file: &Path) -> Result<Client> {
    let (file, options) = (Kubeconfig::read_from(file)?, KubeConfigOptions::default());
    let config = kube::Config::from_custom_kubeconfig(file, &options).await?;
    Ok(Client::try_from(config)?)
}

/// A controller as the Deployment has it, but for the port.
async fn controller(cluster: &Cluster, kubeconfig: &Path) -> Result<Controller> {
    let deployment = resource(cluster, NAMESPACE, "deployment/countersign")?;
    let arguments = deployment.pointer("/spec/template/spec/containers/0/args");
    let arguments = arguments.and_then(Value::as_array).context("arguments")?;
    let mut arguments: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
    let port = arguments
        .iter_mut()
        .find(|it| it.starts_with("--admin-listen="));
    *port.context("a port")? = "--admin-listen=127.0.0.1:0";
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    arguments.push(&kubeconfig);
    Controller::told(&arguments).await
}

/// `countersign keys`, by who administers the cluster.
async fn keys(cluster: &Cluster, folder: &TempDir, what: &[&str]) {
    let kubeconfig = cluster.kubeconfig();
    let kubeconfig = kubeconfig.to_string_lossy();
    let place = [
        "--keys=keys",
        "--namespace",
        NAMESPACE,
        "--kubeconfig",
        &kubeconfig,
    ];
    let arguments = [&["keys"], what, &place].concat();
    let ran = program::run("countersign", &arguments, folder.path()).await;
    let ran = ran.expect("it ends");
    assert_eq!(ran.code, Some(0), "{what:?}: {}", ran.text());
}

/// From nothing to a policy that is in force, and on to another key.
pub(super) async fn suffices(cluster: &Cluster) {
    let file = kubeconfig(cluster).expect("a token");
    let controller = controller(cluster, file.path()).await;
    let controller = controller.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let shop = cluster.namespace("shop").await.expect("a namespace");
    guarded(cluster, &shop, "orders");
    let orders = (shop.as_str(), "accesspolicy/orders");
    said(cluster, orders, "Programmed", ("False", "AwaitingTrust")).await;

    let folder = TempDir::new().expect("a folder");
    keys(cluster, &folder, &["adopt", "--cluster", INSTALLATION]).await;
    said(cluster, orders, "Ready", READY).await;
    said(cluster, (&shop, "ruleset/countersign"), "Ready", READY).await;
    // the chart's provider is the cluster's own
    let provider = ("", "clustertrustprovider/kubernetes");
    said(cluster, provider, "Ready", ("True", "Accepted")).await;
    let mirrored = within(DEADLINE, "it is there to be mounted", async || {
        resource(cluster, &shop, "configmap/countersign-ruleset").ok()
    });
    mirrored.await.expect("a ConfigMap");
    what_a_cluster_policy_names_is_held(cluster).await;
    an_event_is_told(cluster, &shop).await;

    keys(cluster, &folder, &["rotate"]).await;
    guarded(cluster, &shop, "billing");
    said(cluster, (&shop, "accesspolicy/billing"), "Ready", READY).await;
    nothing_was_denied_to(cluster, controller).await;
}

async fn said(cluster: &Cluster, of: (&str, &str), kind: &str, what: (&str, &str)) {
    let said = until_said(cluster, of, kind, what).await;
    said.expect(kind);
}

/// Until its end, at which it gives up its Lease.
async fn nothing_was_denied_to(cluster: &Cluster, mut controller: Controller) {
    for (number, expected) in [("leads", 1.0), ("unwritten_total", 0.0), ("unwatched", 0.0)] {
        let number = controller.number(number).await.expect(number);
        assert_eq!(number.to_bits(), f64::to_bits(expected));
    }
    let program = &mut controller.program;
    program.signal("TERM").await.expect("it is told");
    assert!(program.end().await.expect("it ends").success());
    let lease = resource(cluster, NAMESPACE, "lease/countersign-controller").expect("a Lease");
    let holder = lease["spec"]["holderIdentity"].as_str();
    assert_eq!(holder.unwrap_or_default(), "", "it is given up");
    let text = program.text();
    assert!(!text.to_lowercase().contains("forbidden"), "{text}");
}

async fn what_a_cluster_policy_names_is_held(cluster: &Cluster) {
    let deny =
        json!({"name": "no", "from": [{"serviceAccounts": [{"namespace": "ci", "name": "*"}]}]});
    let guard = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterAccessPolicy",
        "metadata": {"name": "guard"},
        "spec": {"namespaceSelector": {"matchLabels": {"guarded": "yes"}}, "deny": [deny]},
    });
    apply(cluster, &guard);
    let held = within(DEADLINE, "it is held", async || {
        let it = resource(cluster, "", "clustertrustprovider/kubernetes").ok()?;
        let finalizers = &it["metadata"]["finalizers"];
        (*finalizers == json!(["countersign.dev/in-use"])).then_some(())
    });
    held.await.expect("a finalizer");
}

async fn an_event_is_told(cluster: &Cluster, namespace: &str) {
    let told = within(DEADLINE, "it is told", async || {
        let all = [
            "get",
            "events.events.k8s.io",
            "--output=json",
            "--namespace",
            namespace,
        ];
        let all: Value = serde_json::from_str(&cluster.kubectl(&all, "").ok()?).ok()?;
        let mut all = all["items"].as_array()?.iter();
        let ours = all.any(|it| {
            it["regarding"]["kind"] == "AccessPolicy"
                && it["reportingController"] == "countersign.dev/controller"
        });
        ours.then_some(())
    });
    told.await.expect("an Event");
}

pub(super) async fn may_do_no_more(cluster: &Cluster) {
    let file = kubeconfig(cluster).expect("a token");
    let client = client(file.path()).await.expect("a client");
    for what in HAS {
        assert!(may(&client, what).await, "{what}");
    }
    for what in NOT {
        assert!(!may(&client, what).await, "{what}");
    }
}

/// What RBAC cannot say, an admission policy does; and to others it says nothing.
pub(super) async fn is_held_to_what_it_is_for(cluster: &Cluster) {
    let file = kubeconfig(cluster).expect("a token");
    let own = client(file.path()).await.expect("a client");
    let admin = cluster.client().await.expect("a client");
    let person = json!({"spec": {"issuer": "https://issuer.example.com"}});
    for patch in [
        person.clone(),
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"annotations": {"a": "b"}}}),
    ] {
        let refusal = changed(&own, &patch).await.expect_err("it is refused");
        let said =
            "the controller takes hold of what is in use, and changes nothing that people wrote";
        assert!(refusal.to_string().contains(said), "{refusal}");
    }
    let let_go = json!({"metadata": {"finalizers": null}});
    changed(&own, &let_go)
        .await
        .expect("that is what it is for");
    changed(&admin, &person).await.expect("people may");

    let shop = cluster.namespace("held").await.expect("a namespace");
    for (client, namespace, name, allowed) in [
        (&own, shop.as_str(), "countersign-ruleset", true),
        (&own, shop.as_str(), "another", false),
        (&own, NAMESPACE, "another", true),
        (&admin, shop.as_str(), "another", true),
    ] {
        let made = made(client, namespace, name).await;
        assert_eq!(made.is_ok(), allowed, "{namespace}/{name}: {made:?}");
        if let Err(refusal) = made {
            let said = "the controller makes the ConfigMap countersign-ruleset in other namespaces";
            assert!(refusal.to_string().contains(said), "{refusal}");
        }
    }
}

/// Tries a change of the chart's provider, and keeps nothing.
async fn changed(client: &Client, patch: &Value) -> Result<(), kube::Error> {
    let kind = GroupVersionKind::gvk("countersign.dev", "v1alpha1", "ClusterTrustProvider");
    let resource = ApiResource::from_gvk(&kind);
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let params = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    let patched = all.patch("kubernetes", &params, &Patch::Merge(patch)).await;
    patched.map(|_| ())
}

/// Tries to make a ConfigMap, and keeps nothing.
async fn made(client: &Client, namespace: &str, name: &str) -> Result<(), kube::Error> {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    maps.create(&params, &map).await.map(|_| ())
}
