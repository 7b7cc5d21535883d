//! A misspelt restriction does not vanish: it is refused at apply, or else kept for all to see.

use serde_json::{Value, json};
use std::time::Duration;
use tests::cluster::Cluster;
use tests::files;
use tests::program::within;

/// How long a change of what is asked may take until it is asked.
const TAKES_EFFECT: Duration = Duration::from_secs(30);

/// A manifest with a mistake in one part, and what is said of it.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "AccessPolicy",
        "/rules/0/from/0/emailDomian",
        r#"["x.example"]"#,
        "spec.rules[].from[]: null or misspelt: emailDomian; there are actors, anyone, claims, clients, emailDomains",
    ),
    (
        "AccessPolicy",
        "/rules/0/from/0/groups",
        "null",
        "spec.rules[].from[]: null or misspelt: groups; there are",
    ),
    (
        "AccessPolicy",
        "/rules/0/from/0/groups",
        "[]",
        "spec.rules[0].from[0].groups in body should have at least 1 items",
    ),
    (
        "AccessPolicy",
        "/rules/0/from/0",
        "{}",
        "an entry has exactly one of providerRef, anyone, roleRefs and serviceAccounts",
    ),
    (
        "AccessPolicy",
        "/rules/0/to",
        r#"[{"pathes": ["/a"]}]"#,
        "spec.rules[].to[]: null or misspelt: pathes; there are",
    ),
    (
        "AccessPolicy",
        "/rules/0/to",
        "[{}]",
        "spec.rules[0].to[0] in body should have at least 1 properties",
    ),
    (
        "AccessPolicy",
        "/rules/0/require",
        r#"{"scope": ["a"]}"#,
        "spec.rules[].require: null or misspelt: scope; there are",
    ),
    (
        "AccessPolicy",
        "/rules/0/require",
        "{}",
        "spec.rules[0].require in body should have at least 1 properties",
    ),
    (
        "AccessPolicy",
        "/rules/0/wen",
        r#""false""#,
        "spec.rules[]: null or misspelt: wen; there are",
    ),
    (
        "AccessPolicy",
        "/rules/0/expiresAt",
        "null",
        "spec.rules[]: null or misspelt: expiresAt; there are",
    ),
    (
        "AccessPolicy",
        "/audience",
        r#"["https://a.example.com"]"#,
        "spec: null or misspelt: audience; there are",
    ),
    (
        "ClusterAccessPolicy",
        "/boundary/0/from/0/subject",
        r#"["a"]"#,
        "spec.boundary[].from[]: null or misspelt: subject; there are",
    ),
    (
        "ClusterAccessPolicy",
        "/namespaceSelector",
        "null",
        "spec: null or misspelt: namespaceSelector; there are",
    ),
    (
        "AccessRole",
        "/members/0/group",
        r#"["a"]"#,
        "spec.members[]: null or misspelt: group; there are",
    ),
    (
        "TrustProvider",
        "/tenant",
        r#"["a"]"#,
        "spec: null or misspelt: tenant; there are",
    ),
];

#[test]
fn what_is_misspelt_null_or_empty_is_refused_by_name() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    for kind in [
        "AccessPolicy",
        "ClusterAccessPolicy",
        "AccessRole",
        "TrustProvider",
    ] {
        dry_run(cluster, &good(kind)).expect("without a mistake it is taken");
    }
    let wrong: Vec<String> = MISTAKES
        .iter()
        .filter_map(|(kind, place, mistake, expected)| {
            let mut manifest = good(kind);
            let mistake = serde_json::from_str(mistake).expect("a mistake");
            put(&mut manifest["spec"], place, mistake);
            let said = dry_run(cluster, &manifest).err();
            let said = said.map_or("accepted".to_owned(), |error| format!("{error:#}"));
            (!said.contains(expected)).then(|| format!("{kind}{place}: {said}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Stored where the admission policies are not, as by a cluster that has older definitions.
#[tokio::test]
async fn without_the_admission_policy_a_mistake_is_kept_as_it_was_written() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    let mut manifest = good("AccessPolicy");
    put(
        &mut manifest["spec"],
        "/rules/0/from/0/emailDomian",
        json!(["x.example"]),
    );
    let named = "spec.rules[].from[]: null or misspelt: emailDomian; there are actors, anyone";
    refused(&cluster, &manifest, named).await;

    let policies = files::root().join("crds/admission.yaml");
    let policies = policies.to_string_lossy();
    cluster
        .kubectl(&["delete", "--filename", &policies], "")
        .expect("they are removed");
    let taken = within(TAKES_EFFECT, "it is taken", async || {
        apply(&cluster, &manifest).ok()
    });
    taken.await.expect("nobody refuses it");
    let kept = ["get", "accesspolicy", "orders", "-o", "json"];
    let kept = cluster.kubectl(&kept, "").expect("it is kept");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    let entry = &kept["spec"]["rules"][0]["from"][0];
    assert_eq!(entry["emailDomian"], json!(["x.example"]), "{kept}");

    // What is stored already is not forgiven to a change around it.
    cluster.install().expect("our admission policies, again");
    let mut changed = manifest.clone();
    put(&mut changed["spec"], "/disclose", json!("Code"));
    refused(&cluster, &changed, named).await;
    let label = ["label", "accesspolicy", "orders", "a=b"];
    cluster
        .kubectl(&label, "")
        .expect("a label is no change of what it says");
    cluster
        .kubectl(&["delete", "accesspolicy", "orders"], "")
        .expect("it can be deleted");
    refused(&cluster, &manifest, named).await;
}

#[tokio::test]
async fn the_largest_that_can_be_stored_is_within_what_the_server_spends() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let namespace = cluster.namespace("largest").await.expect("a namespace");
    let many = |one: Value, times| Value::from(vec![one; times]);
    let account = json!({"namespace": "a", "name": "a"});
    let workload = json!({"github": {"repository": "a/a"}});
    let claim = json!({"path": ["a"], "anyOf": ["a"]});
    let entries = [
        json!({"serviceAccounts": many(account, 64)}),
        json!({"providerRef": {"name": "a"}, "workloads": many(workload, 64)}),
        json!({"providerRef": {"name": "a"}, "claims": many(claim, 8)}),
    ];
    for entry in entries {
        let mut rules: Vec<Value> = Vec::new();
        while rules.len() < 64 && json!(rules).to_string().len() < 1_400_000 {
            let name = format!("r{}", rules.len());
            rules.push(json!({"name": name, "from": many(entry.clone(), 32)}));
        }
        let mut manifest = good("AccessPolicy");
        manifest["spec"]["rules"] = json!(rules);
        manifest["metadata"]["namespace"] = json!(namespace);
        let create = ["create", "--validate=false", "--filename=-"];
        let taken = cluster.kubectl(&create, &manifest.to_string());
        taken.expect("the largest is taken");
        let delete = [
            "delete",
            "accesspolicy",
            "orders",
            "--namespace",
            &namespace,
        ];
        cluster.kubectl(&delete, "").expect("and goes");
    }
}

/// A manifest of a kind, without a mistake.
fn good(kind: &str) -> Value {
    let from = json!([{"providerRef": {"name": "okta"}, "groups": ["a"]}]);
    let rules = json!([{"name": "a", "from": from}]);
    let spec = match kind {
        "AccessPolicy" => json!({"hosts": ["a.example.com"], "rules": rules}),
        "ClusterAccessPolicy" => json!({"namespaceSelector": {}, "boundary": rules}),
        "AccessRole" => json!({"members": from}),
        _ => json!({"type": "OIDC", "issuer": "https://issuer.example.com"}),
    };
    let mut manifest = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": kind,
        "metadata": {"name": "orders"}, "spec": spec,
    });
    if !kind.starts_with("Cluster") {
        manifest["metadata"]["namespace"] = json!("default");
    }
    manifest
}

/// Writes something at a place, all but the last part of which is there.
fn put(spec: &mut Value, place: &str, what: Value) {
    let (around, name) = place.rsplit_once('/').expect("a place");
    let around = spec.pointer_mut(around).expect("what is around it");
    match (around, name.parse::<usize>()) {
        (Value::Array(all), Ok(at)) => all[at] = what,
        (around, _) => around[name] = what,
    }
}

async fn refused(cluster: &Cluster, manifest: &Value, expected: &str) {
    let mut last = String::new();
    let refused = within(TAKES_EFFECT, expected, async || {
        last = dry_run(cluster, manifest)
            .err()
            .map(|error| format!("{error:#}"))?;
        last.contains(expected).then_some(())
    });
    let refused = refused.await;
    assert!(refused.is_ok(), "expected `{expected}`; was told `{last}`");
}

fn apply(cluster: &Cluster, manifest: &Value) -> anyhow::Result<String> {
    let apply = ["apply", "--server-side", "--validate=false", "--filename=-"];
    cluster.kubectl(&apply, &manifest.to_string())
}

fn dry_run(cluster: &Cluster, manifest: &Value) -> anyhow::Result<String> {
    let apply = [
        "apply",
        "--server-side",
        "--validate=false",
        "--dry-run=server",
        "--filename=-",
    ];
    cluster.kubectl(&apply, &manifest.to_string())
}
