//! Each number on the dashboard is one that a program tells.

use super::chart;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use tests::controller::Controller;
use tests::files;
use tests::ground::Ground;
use tests::program::until;
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

#[tokio::test]
async fn each_number_on_the_dashboard_is_told() {
    let file = fs::read_to_string(format!("{}/files/dashboard.json", chart())).expect("a file");
    let dashboard: Value = serde_json::from_str(&file).expect("JSON");
    let mut shown = BTreeSet::new();
    names(&dashboard, &mut shown);
    assert!(shown.len() > 20, "{shown:?}");
    let mut told = BTreeSet::new();
    for text in [controller().await, edge().await] {
        told.extend(series(&text));
    }
    let unheard = [
        silent("controller", "countersign_controller", &told),
        silent("edge", "countersign", &told),
    ];
    told.extend(unheard.into_iter().flatten());
    let unknown: Vec<_> = shown.difference(&told).collect();
    assert!(unknown.is_empty(), "{unknown:?} among {told:?}");
    assert!(!told.contains("countersign_nothing_total"));
}

/// Each panel has a place of its own, or Grafana puts one over another.
#[test]
fn no_panel_lies_on_another() {
    let file = fs::read_to_string(format!("{}/files/dashboard.json", chart())).expect("a file");
    let dashboard: Value = serde_json::from_str(&file).expect("JSON");
    let (mut taken, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let of = |side: &str| panel["gridPos"][side].as_u64().expect("a side");
        for x in of("x")..of("x") + of("w") {
            assert!(x < 24, "{panel}");
            for y in of("y")..of("y") + of("h") {
                assert!(taken.insert((x, y)), "{panel}");
            }
        }
    }
}

/// The numbers that expressions name, wherever they are.
fn names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|it| names(it, into)),
        Value::Object(members) => members.values().for_each(|it| names(it, into)),
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let ours = words.filter(|word| word.starts_with("countersign_"));
            into.extend(ours.map(str::to_owned));
        }
        _ => {}
    }
}

/// What a scrape makes of a text.
fn series(text: &str) -> BTreeSet<String> {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let kinds = kinds.filter_map(|it| it.split_once(' '));
    let all = kinds.flat_map(|(name, kind)| {
        let ends: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            _ => &[""],
        };
        ends.iter().map(move |end| format!("{name}{end}"))
    });
    all.collect()
}

/// The counters with a label that have counted nothing yet: a program does not tell them before.
fn silent(package: &str, prefix: &str, told: &BTreeSet<String>) -> Vec<String> {
    let file = files::root().join(format!("crates/{package}/src/metrics.rs"));
    let text = fs::read_to_string(file).expect("a source");
    let names = text.split("register(").skip(1).filter_map(|after| {
        let (name, _) = after.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(format!("{prefix}_{name}"))
    });
    let silent = names.filter(|name| !told.iter().any(|it| it.starts_with(name)));
    silent.map(|name| format!("{name}_total")).collect()
}

/// The controller's numbers: it tells them before it has found a cluster.
async fn controller() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kubeconfig");
    let nowhere = "{clusters: [{name: a, cluster: {server: \"https://127.0.0.1:1\"}}], \
                   contexts: [{name: a, context: {cluster: a, user: a}}], \
                   users: [{name: a, user: {token: a}}], current-context: a}";
    fs::write(&file, nowhere).expect("a file");
    let kubeconfig = format!("--kubeconfig={}", file.display());
    let arguments = ["--cluster=test", "--admin-listen=127.0.0.1:0", &kubeconfig];
    let controller = Controller::told(&arguments).await.expect("it starts");
    controller.ask("/metrics").await.expect("it answers").1
}

async fn edge() -> String {
    let ground = Ground::new().await.expect("keys");
    let upstream = Upstream::start().await.expect("a service");
    let edge = ground.edge("Host/a.example.com", &upstream).await;
    let edge = edge.expect("it starts");
    let told = until("its numbers", async || {
        let mut caller = Caller::new(edge.admin, Version::H1);
        let url = format!("http://{}/metrics", edge.admin);
        let request = http::Request::get(url).body(http_body_util::Full::default());
        let answer = caller.send(request.ok()?).await.ok()?;
        String::from_utf8(answer.body.to_vec()).ok()
    });
    told.await.expect("it answers")
}
