//! The examples of sidecars: each tells the edge what the edge knows, and lets nobody get round it.

use clap::Parser;
use countersign_edge::args::{Args, Parts};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;
use tests::files;

const EXAMPLES: [&str; 3] = ["cloud-run.yaml", "gke.yaml", "knative.yaml"];

/// The containers of the one workload in an example: the sidecars first.
fn containers(example: &str) -> Vec<Value> {
    let path = files::root().join("examples/sidecar").join(example);
    let text = fs::read_to_string(path).expect("the example");
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let pods = all
        .iter()
        .filter_map(|it| it.pointer("/spec/template/spec"));
    let mut found = Vec::new();
    for pod in pods {
        for kind in ["initContainers", "containers"] {
            let some = pod[kind].as_array().map(Vec::as_slice);
            found.extend(some.unwrap_or_default().iter().cloned());
        }
    }
    found
}

fn arguments(container: &Value) -> Vec<String> {
    let arguments = container["args"].as_array().expect("arguments");
    let arguments = arguments
        .iter()
        .map(|it| it.as_str().expect("a text").to_owned());
    arguments.collect()
}

/// What the edge makes of arguments, as it starts.
fn start(arguments: &[String]) -> Result<Parts, String> {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().join("trust.json");
    fs::write(&root, "{}").expect("it is written");
    let root = root.to_string_lossy();
    let program = ["countersign-edge".to_owned()].into_iter();
    let arguments = program.chain(arguments.iter().map(|argument| {
        let argument = argument.replace("/etc/countersign/trust.json", &root);
        argument.replace("$(NAMESPACE)", "shop") // as the kubelet does
    }));
    let args = Args::try_parse_from(arguments).map_err(|error| error.to_string())?;
    args.parts().map_err(|error| error.to_string())
}

#[test]
fn every_example_says_what_the_edge_understands() {
    for example in EXAMPLES {
        let containers = containers(example);
        let named = |name: &str| containers.iter().find(|it| it["name"] == name);
        let edge = arguments(named("edge").expect(example));
        let parts = start(&edge).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(parts.scopes.len(), 1, "{example}");

        // One word misspelt, and the edge does not start.
        for at in 0..edge.len() {
            let mut misspelt = edge.clone();
            misspelt[at] = misspelt[at].replacen("--", "--x", 1);
            let refused = start(&misspelt).expect_err(&misspelt[at]);
            assert!(refused.contains("--x"), "{example}: {refused}");
        }
    }
}

#[test]
fn nobody_gets_round_the_edge() {
    for example in EXAMPLES {
        let containers = containers(example);
        let (edge, service) = (&containers[0], &containers[1]);
        assert_eq!(
            (&edge["name"], &service["name"]),
            (&"edge".into(), &"orders".into())
        );
        assert_eq!(containers.len(), 2, "{example}");
        assert!(edge["ports"].is_array(), "{example}");
        assert!(service["ports"].is_null(), "{example}");
        let upstream = "--upstream=http://127.0.0.1:9000".to_owned();
        assert!(arguments(edge).contains(&upstream), "{example}");
        assert_eq!(arguments(service), ["--listen=127.0.0.1:9000"], "{example}");
    }
}
