//! What the examples say is what an API server takes, with nobody looking at it before.

use std::fs;
use tests::cluster::Cluster;
use tests::files;

/// Server-side apply, by a client that does not look for unknown fields: as Flux and Argo CD.
const APPLY: [&str; 4] = ["apply", "--server-side", "--validate=false", "--filename"];

#[test]
fn every_definition_is_installed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let columns = "jsonpath={range .items[*]}{.metadata.name} {end}";
    let there = cluster.kubectl(&["get", "crd", "-o", columns], "");
    let there = there.expect("definitions are listed");
    let mut definitions = 0;
    for entry in fs::read_dir(files::root().join("crds")).expect("there are definitions") {
        let name = entry.expect("a file").file_name();
        let name = name.to_string_lossy().replace(".yaml", "");
        if name != "admission" {
            assert!(there.split(' ').any(|crd| crd == name), "{name}: {there}");
            definitions += 1;
        }
    }
    assert_eq!(definitions, 7);
}

#[test]
fn a_definition_explains_itself() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let said = cluster.kubectl(&["explain", "accesspolicy.spec.rules.from"], "");
    let said = said.expect("the field is explained");
    assert!(said.contains("providerRef"), "{said}");
}

#[test]
fn every_example_is_accepted() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    cluster.install().expect("our definitions");
    cluster.install_foreign().expect("the targets' definitions");
    let mut accepted = 0;
    // The targets first: their file has the namespaces.
    let folders = [
        "examples/policies/targets.yaml",
        "examples/policies",
        "examples/quickstart",
    ];
    for place in folders {
        let place = files::root().join(place);
        let place = place.to_string_lossy();
        let applied = cluster.kubectl(&[&APPLY[..], &[place.as_ref()]].concat(), "");
        let applied = applied.expect("an example is accepted");
        accepted += applied.lines().count();
    }
    assert!(accepted > 40, "only {accepted} were applied");
}
