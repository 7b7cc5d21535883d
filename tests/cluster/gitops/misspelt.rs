//! Each restriction, misspelt once: it is refused by name, and where nobody refuses it gives no access.

use super::fields::{self, Field};
use super::{health, without_admission};
use http::Request;
use http_body_util::Full;
use kube::api::{Api, ApiResource, Patch, PatchParams, ValidationDirective};
use kube::core::{DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tests::cast::{Cast, Order};
use tests::cluster::Cluster;
use tests::controller::{Controller, INSTALLATION};
use tests::ground::now;
use tests::program::{Program, within};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

/// How long it may take until all of them are looked at.
const LOOKED_AT: Duration = Duration::from_mins(3);

/// A client that applies as Flux and Argo CD do: on the server, and with no look at unknown fields.
struct Applier {
    client: kube::Client,
    namespace: String,
}

impl Applier {
    async fn new(cluster: &Cluster) -> Self {
        let namespace = cluster.namespace("misspelt").await.expect("a namespace");
        let client = cluster.client().await.expect("a client");
        let service = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": namespace, "name": "web"}, "spec": {"ports": [{"port": 80}]}});
        super::apply(cluster, &service).expect("a target");
        Self { client, namespace }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = GroupVersionKind::gvk("countersign.dev", "v1alpha1", kind);
        let resource = ApiResource::from_gvk(&resource);
        if kind.starts_with("Cluster") {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
        }
    }

    async fn apply(
        &self,
        (kind, name): (&str, &str),
        spec: &Value,
        dry: bool,
    ) -> Result<(), String> {
        let mut metadata = json!({"name": name});
        if !kind.starts_with("Cluster") {
            metadata["namespace"] = json!(self.namespace);
        }
        let manifest = json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
            "metadata": metadata, "spec": spec});
        let how = PatchParams {
            dry_run: dry,
            field_manager: Some("gitops".to_owned()),
            field_validation: Some(ValidationDirective::Ignore),
            ..PatchParams::default()
        };
        let (api, manifest) = (self.api(kind), Patch::Apply(&manifest));
        let applied = api.patch(name, &how, &manifest).await;
        applied.map(drop).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn each_restriction_is_refused_by_name_where_it_is_misspelt() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let client = Applier::new(cluster).await;
    let fields = fields::all();
    assert!(fields.len() > 250, "the walk is broken: {}", fields.len());
    let mut wrong = Vec::new();
    for (n, field) in fields.iter().enumerate() {
        let name = (field.kind.as_str(), "a");
        let good = client.apply(name, &field.good(n), true).await;
        let refused = client.apply(name, &field.wrong(n), true).await;
        let named = format!("{}: ", field.around());
        let misspelt = format!("misspelt: {};", field.misspelt());
        let is_named = |said: &String| said.contains(&named) && said.contains(&misspelt);
        if good.is_err() || !refused.as_ref().is_err_and(is_named) {
            let place = (field.kind.as_str(), field.around(), field.misspelt());
            wrong.push(format!("{place:?}: {good:?}, {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_restriction_gives_no_access_where_nobody_refuses_it() {
    let Some(cluster) = without_admission() else {
        return;
    };
    let published = TempDir::new().expect("a folder");
    let place = format!("file://{}", published.path().to_string_lossy());
    let controller = Controller::start(&cluster, &["--mirror", &place]).await;
    let controller = controller.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let client = Applier::new(&cluster).await;
    let cast = cast(&client).await;
    let fields = fields::all();
    // what the cluster demands acts everywhere: after the policies were tried
    let is_of_cluster = |field: &&Field| field.kind.starts_with("Cluster");
    let own: Vec<_> = fields.iter().filter(|it| !is_of_cluster(it)).collect();
    say_why(&client, &own).await;
    are_denied(&client, &cast, published.path(), &own).await;
    let of_cluster: Vec<_> = fields.iter().filter(is_of_cluster).collect();
    say_why(&client, &of_cluster).await;
}

/// The providers and the role that the manifests name.
async fn cast(client: &Applier) -> Cast {
    let types = [
        ("okta", "OIDC", "https://okta.example.com"),
        ("google", "Google", "https://accounts.google.com"),
        (
            "github",
            "GitHubActions",
            "https://token.actions.githubusercontent.com",
        ),
        ("aws", "OIDC", "https://0c5e.tokens.sts.global.api.aws"),
        ("spiffe", "SPIFFE", "https://spiffe.example.org"),
    ];
    let provider = |(name, of, issuer): (&str, &str, &str)| {
        json!({"kind": "ClusterTrustProvider", "metadata": {"name": name},
            "spec": {"type": of, "issuer": issuer}})
    };
    let mut providers: Vec<Value> = types.into_iter().map(provider).collect();
    let cast = Cast::of(&mut providers);
    providers.push(
        json!({"kind": "ClusterTrustProvider", "metadata": {"name": "kubernetes"},
        "spec": {"type": "Kubernetes"}}),
    );
    for it in &providers {
        let name = it["metadata"]["name"].as_str().expect("a name");
        let applied = client.apply(("ClusterTrustProvider", name), &it["spec"], false);
        applied.await.expect("a provider");
    }
    let members = json!({"members": [{"providerRef": {"name": "okta"}, "groups": ["staff"]}]});
    for kind in ["AccessRole", "ClusterAccessRole"] {
        let applied = client.apply((kind, "staff"), &members, false);
        applied.await.expect("a role");
    }
    cast
}

/// Applies all, and waits until each is told what is wrong with it.
async fn say_why(client: &Applier, fields: &[&Field]) {
    for (n, field) in fields.iter().enumerate() {
        let name = format!("wrong-{n}");
        let spec = field.wrong(n);
        let applied = client.apply((&field.kind, &name), &spec, false);
        let applied = applied.await;
        let place = (field.around(), field.misspelt());
        applied.unwrap_or_else(|error| panic!("{place:?}: {error}"));
    }
    let mut last = Vec::new();
    let told = within(LOOKED_AT, "each is told", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        last = untold(client, fields).await;
        last.is_empty().then_some(())
    });
    let told = told.await;
    assert!(told.is_ok(), "{}", last.join("\n"));
}

/// Those of which it is not said that they are not ready, and why.
async fn untold(client: &Applier, fields: &[&Field]) -> Vec<String> {
    let mut untold = Vec::new();
    for (n, field) in fields.iter().enumerate() {
        let object = client.api(&field.kind).get(&format!("wrong-{n}")).await;
        let object = object.map(|it| serde_json::to_value(it).unwrap_or_default());
        let object = object.unwrap_or_default();
        let (status, message) = tests::controller::condition(&object, "Ready")
            .map(|(status, _, whole)| (status, whole["message"].to_string()))
            .unwrap_or_default();
        let says = format!(".{}: ", field.misspelt());
        if status != "False" || !message.contains(&says) {
            let place = (field.kind.as_str(), field.around(), field.misspelt());
            untold.push(format!("{place:?}: {status} {message}"));
        }
    }
    untold
}

/// Whoever is let in by a policy is not where a part of it is misspelt.
async fn are_denied(client: &Applier, cast: &Cast, published: &Path, fields: &[&Field]) {
    let of_rules = |it: &Field| it.kind == "AccessPolicy" && it.around().starts_with("spec.rules");
    let fields = fields.iter().enumerate().filter(|(_, it)| of_rules(it));
    let fields: Vec<(usize, &&Field)> = fields.collect();
    let good = |n: usize| 1000 + n;
    for (n, field) in &fields {
        let (name, spec) = (format!("good-{n}"), field.good(good(*n)));
        let applied = client.apply((&field.kind, &name), &spec, false);
        applied.await.expect("it is taken");
    }
    let last = fields::base("AccessPolicy", good(1000));
    let applied = client.apply(("AccessPolicy", "last"), &last, false);
    applied.await.expect("it is taken");
    let upstream = Upstream::start().await.expect("a service");
    let edge = edge(client, published, &upstream).await;
    let mut caller = Caller::new(edge.1, Version::H1);
    let in_force = within(LOOKED_AT, "they are in force", async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let status = ask(&mut caller, cast, good(1000)).await;
        status.filter(|it| *it == 200)
    });
    in_force.await.expect("the last is in force");
    let (mut let_in, mut wrong) = (0, Vec::new());
    for (n, field) in &fields {
        let good = ask(&mut caller, cast, good(*n)).await;
        let bad = ask(&mut caller, cast, *n).await;
        let_in += usize::from(good == Some(200));
        if bad.is_none_or(|status| status == 200) {
            wrong.push(format!("{} {}: {bad:?}", field.around(), field.misspelt()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        let_in > 20,
        "only {let_in} of {} let anybody in",
        fields.len()
    );
}

async fn edge(
    client: &Applier,
    published: &Path,
    upstream: &Upstream,
) -> (Program, std::net::SocketAddr) {
    let trust = within(LOOKED_AT, "it is published", async || {
        let trust = published.join("trust/1.json");
        let manifest = published.join(&client.namespace).join("manifest.json");
        (trust.is_file() && manifest.is_file()).then_some(trust)
    });
    let trust = trust.await.expect("it is published");
    let (place, trust, url) = (
        published.to_string_lossy(),
        trust.to_string_lossy(),
        upstream.url(),
    );
    let arguments = [
        "--rulesets",
        &place,
        "--trust-root",
        &trust,
        "--cluster",
        INSTALLATION,
        "--scope",
        &client.namespace,
        "--route-by-host",
        "--upstream",
        &url,
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ];
    let edge = Program::start("countersign-edge", &arguments, published).expect("it starts");
    let address = edge.says("where it listens", |text| {
        tests::ground::bound(text, "listen")
    });
    let address = address.await.expect("an address");
    (edge, address)
}

/// What somebody of the staff is answered.
async fn ask(caller: &mut Caller, cast: &Cast, n: usize) -> Option<u16> {
    let host = fields::host(n);
    let order = Order {
        by: "okta".to_owned(),
        claims: json!({"groups": ["staff"]})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        ..Order::default()
    };
    let token = cast.token(&order, &format!("https://{host}"), now().ok()?);
    let request = Request::get(format!("http://{host}/v1/orders"))
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())
        .ok()?;
    caller.send(request).await.ok().map(|it| it.status.as_u16())
}

/// A pipeline that waits for health is told at once.
#[tokio::test]
async fn what_is_misspelt_is_unhealthy() {
    let Some(cluster) = without_admission() else {
        return;
    };
    let controller = Controller::start(&cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let client = Applier::new(&cluster).await;
    cast(&client).await;
    let rules = json!([{"name": "staff", "from": [{"providerRef": {"name": "okta"},
        "groups": ["staff"], "emailDomian": ["example.com"]}]}]);
    let spec = json!({"hosts": ["a.example.com"], "rules": rules});
    let of = ("AccessPolicy", "orders");
    client.apply(of, &spec, false).await.expect("it is taken");
    let place = (client.namespace.as_str(), "accesspolicy/orders");
    let not = ("False", "PartiallyInvalid");
    let said = tests::controller::until_said(&cluster, place, "Ready", not).await;
    let (kstatus, argo) = health(&said.expect("it is said")).expect("they judge it");
    let why = "spec.rules[0].from[0].emailDomian: there is no field `emailDomian` here";
    assert_eq!(kstatus, format!("Failed: {why}"));
    assert_eq!(argo, format!("Degraded: PartiallyInvalid: {why}"));
}
