//! What our kinds are called on a command line is called so by nobody else.

use super::{APPLY, apply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::cluster::Cluster;

/// Each word for a resource, and the resources that it stands for.
fn words(cluster: &Cluster) -> BTreeMap<String, Vec<String>> {
    let discovered = cluster.kubectl(&["api-resources", "--no-headers", "--output=name"], "");
    let discovered = discovered.expect("resources");
    assert!(discovered.lines().count() > 60, "{discovered}");
    let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut groups = vec!["/api/v1".to_owned()];
    let all = cluster.kubectl(&["get", "--raw", "/apis"], "");
    let all: Value = serde_json::from_str(&all.expect("groups")).expect("JSON");
    for group in all["groups"].as_array().expect("groups") {
        let version = &group["preferredVersion"]["groupVersion"];
        groups.push(format!("/apis/{}", version.as_str().expect("a version")));
    }
    for group in groups {
        let listed = cluster.kubectl(&["get", "--raw", &group], "");
        let listed: Value = serde_json::from_str(&listed.expect("a group")).expect("JSON");
        for it in listed["resources"].as_array().expect("resources") {
            let plural = it["name"].as_str().unwrap_or_default();
            if plural.contains('/') {
                continue;
            }
            let mut called = vec![plural, it["singularName"].as_str().unwrap_or_default()];
            let short = it["shortNames"].as_array().into_iter().flatten();
            called.extend(short.filter_map(Value::as_str));
            called.retain(|word| !word.is_empty());
            called.sort_unstable();
            called.dedup();
            for word in called {
                let place = format!("{group}/{plural}");
                words.entry(word.to_owned()).or_default().push(place);
            }
        }
    }
    words
}

#[test]
fn no_word_of_ours_is_one_of_another_kind() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    cluster.install_foreign().expect("the targets' definitions");
    let words = words(&cluster);
    let ours = "/apis/countersign.dev/v1alpha1/";
    let mut called = 0;
    for (word, kinds) in &words {
        if kinds.iter().any(|it| it.starts_with(ours)) {
            assert_eq!(kinds.len(), 1, "{word} is {kinds:?}");
            called += 1;
        }
    }
    // seven kinds: each by its plural, its singular and a short name
    assert_eq!(called, 21, "{words:?}");
    assert_eq!(words["rs"], ["/apis/apps/v1/replicasets"]);
    assert_eq!(words["acrs"], [format!("{ours}rulesets")]);
}

#[tokio::test]
async fn who_asks_for_replica_sets_gets_them() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let shop = cluster.namespace("short").await.expect("a namespace");
    let labels = json!({"app": "orders"});
    let pod = json!({"metadata": {"labels": labels},
        "spec": {"containers": [{"name": "a", "image": "a"}]}});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"namespace": shop, "name": "theirs"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}});
    apply(cluster, &set).expect("a ReplicaSet");
    let ruleset = json!({"apiVersion": "countersign.dev/v1alpha1", "kind": "Ruleset",
        "metadata": {"namespace": shop, "name": "ours"}, "spec": {}});
    let taken = cluster.kubectl(&APPLY, &ruleset.to_string());
    taken.expect("a Ruleset");
    for (word, expected) in [
        ("rs", "replicaset.apps/theirs"),
        ("acrs", "ruleset.countersign.dev/ours"),
    ] {
        let named = ["get", word, "--namespace", &shop, "--output=name"];
        let named = cluster.kubectl(&named, "").expect("they are listed");
        assert_eq!(named.trim(), expected, "kubectl get {word}");
    }
}
