//! `countersign check` in a pipeline and the cluster say the same of the same manifests.

use super::{apply, without_admission};
use countersign_policy::diagnostic::Code;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tests::cluster::Cluster;
use tests::controller::{Controller, DEADLINE, condition, resource};
use tests::files;
use tests::issuer::Issuer;
use tests::program::{self, within};

/// A mistake: the code that names it in a pipeline, and the reason in a status.
type Said = BTreeMap<Id, BTreeSet<(String, String)>>;

/// A kind, a namespace and a name.
type Id = (String, String, String);

/// The reasons that name a code; every other error makes a part of it invalid, or all of it.
const REASONS: [Code; 6] = [
    Code::AudienceRequired,
    Code::Conflicted,
    Code::NotFromCluster,
    Code::ProviderNotFound,
    Code::RoleNotFound,
    Code::TargetNotFound,
];

#[tokio::test]
async fn the_examples_are_fine_in_both() {
    for folder in ["examples/policies", "examples/quickstart"] {
        let Some(cluster) = without_admission() else {
            return;
        };
        let folder = files::root().join(folder);
        let manifests = read(&folder);
        let (pipeline, told) = both(&cluster, &folder, &manifests).await;
        assert!(told.len() >= 5, "{told:?}");
        assert_eq!(same(&pipeline, &told), Vec::<String>::new());
        assert!(told.values().all(BTreeSet::is_empty), "{told:?}");
    }
}

#[tokio::test]
async fn each_mistake_is_told_in_the_same_words() {
    let Some(cluster) = without_admission() else {
        return;
    };
    let manifests = mistakes();
    let folder = TempDir::new().expect("a folder");
    let text: Vec<String> = manifests.iter().map(Value::to_string).collect();
    fs::write(folder.path().join("all.yaml"), text.join("\n---\n")).expect("it is written");
    let (pipeline, told) = both(&cluster, folder.path(), &manifests).await;
    assert_eq!(same(&pipeline, &told), Vec::<String>::new());
    let wrong = told.values().filter(|it| !it.is_empty()).count();
    assert!(wrong >= 16, "only {wrong} are told: {told:#?}");
}

/// What a pipeline says of a folder, and what the cluster says once it was applied.
async fn both(cluster: &Cluster, folder: &Path, manifests: &[Value]) -> (Said, Said) {
    cluster.install_foreign().expect("the targets' definitions");
    let controller = Controller::start(cluster, &[]).await.expect("it starts");
    controller.readiness("ready\n").await.expect("it is ready");
    let is_namespace = |it: &&Value| it["kind"] == "Namespace";
    let first = manifests.iter().filter(is_namespace);
    for manifest in first.chain(manifests.iter().filter(|it| !is_namespace(it))) {
        apply(cluster, manifest).expect("it is taken");
        if manifest["status"].is_object() {
            tell_status(cluster, manifest);
        }
    }
    let ours = manifests
        .iter()
        .filter(|it| it["apiVersion"] == "countersign.dev/v1alpha1");
    let ours: Vec<&Value> = ours.collect();
    let pipeline = pipeline(folder, &ours).await;
    // A status may still speak of how it was before the next was applied.
    let mut told = Said::new();
    let settled = within(DEADLINE, "the cluster says the same", async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        told = ours
            .iter()
            .map(|it| in_cluster(cluster, it))
            .collect::<Option<Said>>()?;
        same(&pipeline, &told).is_empty().then_some(())
    });
    // whoever asked compares them, and says in what they differ
    let _ = settled.await;
    (pipeline, told)
}

fn id(manifest: &Value) -> Id {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let kind = text(&manifest["kind"]);
    let mut namespace = text(&manifest["metadata"]["namespace"]);
    if namespace.is_empty() && !kind.starts_with("Cluster") {
        "default".clone_into(&mut namespace);
    }
    (kind, namespace, text(&manifest["metadata"]["name"]))
}

/// The errors of `countersign check`: the code, and the field with what is wrong there.
async fn pipeline(folder: &Path, ours: &[&Value]) -> Said {
    let place = folder.to_string_lossy();
    let arguments = ["check", &*place, "--output", "json"];
    let ran = program::run("countersign", &arguments, folder).await;
    let ran = ran.expect("it ends");
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let mut said: Said = ours.iter().map(|it| (id(it), BTreeSet::new())).collect();
    for finding in answer["findings"].as_array().expect("findings") {
        if finding["severity"] != "error" {
            continue;
        }
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let of = &finding["resource"];
        let id = (text(&of["kind"]), text(&of["namespace"]), text(&of["name"]));
        let what = format!("{}: {}", text(&finding["path"]), text(&finding["message"]));
        let code = text(&finding["code"]);
        let known = said.get_mut(&id);
        let known = known.unwrap_or_else(|| panic!("{id:?} is none of ours: {finding}"));
        known.insert((code, what));
    }
    said
}

/// The reasons and messages of a status that is of what is asked now; nothing, if it is not yet.
fn in_cluster(cluster: &Cluster, manifest: &Value) -> Option<(Id, BTreeSet<(String, String)>)> {
    let (kind, namespace, name) = id(manifest);
    let place = format!("{}/{name}", kind.to_lowercase());
    let object = resource(cluster, &namespace, &place).ok()?;
    if object["status"]["observedGeneration"] != object["metadata"]["generation"] {
        return None;
    }
    let mut said = BTreeSet::new();
    for (kind, good) in [("Accepted", "Accepted"), ("ResolvedRefs", "ResolvedRefs")] {
        let (_, reason, whole) = condition(&object, kind)?;
        // keys are fetched in a cluster alone
        if reason != good && reason != "KeysUnavailable" {
            let message = whole["message"].as_str().unwrap_or_default();
            said.insert((reason, message.to_owned()));
        }
    }
    Some(((kind, namespace, name), said))
}

/// In what they differ. Of several mistakes in one resource a status tells the worst.
fn same(pipeline: &Said, cluster: &Said) -> Vec<String> {
    let mut differ = Vec::new();
    for (id, told) in cluster {
        let found = &pipeline[id];
        if found.is_empty() != told.is_empty() {
            differ.push(format!(
                "{id:?}: {found:?} in the pipeline, {told:?} in the cluster"
            ));
        }
        for (reason, message) in told {
            let is = |(code, what): &(String, String)| what == message && fits(code, reason);
            if !found.iter().any(is) {
                differ.push(format!("{id:?}: {reason}: {message}: not among {found:?}"));
            }
        }
        let unsaid = found
            .iter()
            .filter(|(_, what)| !told.iter().any(|it| it.1 == *what));
        if unsaid.count() > 0 && found.len() == 1 {
            differ.push(format!("{id:?}: {found:?} is not told, but {told:?}"));
        }
    }
    differ
}

/// Whether a reason is that of a code.
fn fits(code: &str, reason: &str) -> bool {
    match REASONS.iter().find(|it| it.id() == code) {
        Some(code) => code.as_str() == reason || reason.ends_with("Invalid"),
        None => ["Invalid", "PartiallyInvalid"].contains(&reason),
    }
}

fn tell_status(cluster: &Cluster, manifest: &Value) {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let api = text(&manifest["apiVersion"]);
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let resource = format!("{}.{group}", text(&manifest["kind"]).to_lowercase());
    let (name, namespace) = (
        text(&manifest["metadata"]["name"]),
        text(&manifest["metadata"]["namespace"]),
    );
    let status = json!({"status": manifest["status"]}).to_string();
    let patch = ["patch", &resource, &name, "--namespace", &namespace];
    let how = ["--subresource=status", "--type=merge", "--patch", &status];
    let patched = cluster.kubectl(&[&patch[..], &how].concat(), "");
    patched.expect("a status");
}

/// The manifests of a folder.
fn read(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.to_string_lossy().into_owned();
        if path.extension().is_some_and(|it| it == "yaml") && !name.ends_with(".access-test.yaml") {
            let text = fs::read_to_string(&path).expect("a text");
            let found: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
            all.extend(found.into_iter().filter(Value::is_object));
        }
    }
    all
}

/// Resources with one mistake each, and what they are about.
fn mistakes() -> Vec<Value> {
    let keys = json!({"inline": Issuer::ed25519("okta").jwks()});
    let provider = |issuer: &str| json!({"type": "OIDC", "issuer": issuer, "algorithms": ["EdDSA"], "keys": keys});
    let okta = || json!({"providerRef": {"name": "okta"}, "groups": ["a"]});
    let with = |more: Value| {
        let mut entry = okta();
        for (name, value) in more.as_object().into_iter().flatten() {
            entry[name] = value.clone();
        }
        json!({"from": [entry]})
    };
    let to = |to: Value| json!({"from": [okta()], "to": [to]});
    let when = |when: &str| json!({"from": [okta()], "when": when});
    let from = |entry: Value| json!({"from": [entry]});
    let rules = [
        with(json!({"emailDomian": ["x.example"]})),
        with(json!({"emails": null})),
        with(json!({"claims": [{"path": ["a"], "anyOf": ["b"], "path2": ["c"]}]})),
        when("request.path.startsWith("),
        when("request.method == 3"),
        when("caller.emial == \"a\""),
        to(json!({"paths": ["/v1/orders*"]})),
        to(json!({"paths": ["/v1//orders"]})),
        json!({"from": [okta()], "to": [{"paths": ["/v1/{id}"]}], "when": "path.order == \"1\""}),
        from(json!({"providerRef": {"name": "absent"}, "groups": ["a"]})),
        from(json!({"roleRefs": [{"name": "absent"}]})),
        json!({"from": [okta()], "require": {"scope": ["a"]}}),
        json!({"from": [okta()], "acton": "Deny"}),
    ];
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"ports": [{"port": 80}]}}),
    ];
    let mut put = |kind: &str, name: String, spec: Value| {
        let mut metadata = json!({"name": name});
        if !kind.starts_with("Cluster") {
            metadata["namespace"] = json!("shop");
        }
        all.push(
            json!({"apiVersion": "countersign.dev/v1alpha1", "kind": kind,
            "metadata": metadata, "spec": spec}),
        );
    };
    put(
        "ClusterTrustProvider",
        "okta".into(),
        provider("https://okta.example.com"),
    );
    for (n, mut rule) in rules.into_iter().enumerate() {
        rule["name"] = json!("a");
        let spec = json!({"hosts": [format!("h{n}.example.com")], "rules": [rule]});
        put("AccessPolicy", format!("rule-{n}"), spec);
    }
    let rule = json!([{"name": "a", "from": [okta()]}]);
    let service = |name: &str| json!([{"group": "", "kind": "Service", "name": name}]);
    let of = |targets: Value| json!({"targetRefs": targets, "rules": rule});
    put("AccessPolicy", "no-target".into(), of(service("absent")));
    put("AccessPolicy", "no-audience".into(), of(service("web")));
    for (name, disclose) in [("one", "Code"), ("other", "Reason")] {
        let spec = json!({"hosts": ["both.example.com"], "rules": rule, "disclose": disclose});
        put("AccessPolicy", name.into(), spec);
        put(
            "TrustProvider",
            name.into(),
            provider("https://both.example.com"),
        );
    }
    let members = json!([{"providerRef": {"name": "okta"}, "group": ["a"]}]);
    put("AccessRole", "misspelt".into(), json!({"members": members}));
    put(
        "AccessPolicy",
        "fine".into(),
        json!({"hosts": ["fine.example.com"], "rules": rule}),
    );
    all
}
