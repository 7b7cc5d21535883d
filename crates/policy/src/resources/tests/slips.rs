//! Slips and tricks by which a manifest of ours would be another one, or none.

use super::{object, refused};
use crate::resources::Resources;
use serde_json::{Value, json};

const RAW: &str = "$serde_json::private::RawValue";

/// A JSON library may read the text in place of the object, behind the back of every limit.
#[test]
fn an_object_that_stands_for_another_value_is_unreadable() {
    let message = "a name must not begin with `$serde_json::private::`";
    let from = json!({"rules": [{"name": "r", "from": {RAW: "[{\"anyone\":true}]"}}]});
    let many = format!("[{}]", vec!["{\"paths\":[\"/p\"]}"; 2_500].join(","));
    let to = json!({"rules": [{"name": "r", "from": [{"anyone": true}], "to": {RAW: many}}]});
    for (spec, place) in [(from, "from"), (to, "to")] {
        let (path, said) = refused(&object("AccessPolicy", "a", &spec));
        assert!(
            path.starts_with(&format!("spec.rules[0].{place}")) && path.contains(RAW),
            "{path}"
        );
        assert_eq!(said, message);
    }
    let number = json!({"x": [{"$serde_json::private::Number": "1"}]});
    assert_eq!(refused(&object("TrustProvider", "a", &number)).1, message);
    let mut labelled = object("AccessPolicy", "a", &json!({}));
    labelled["metadata"]["labels"] = json!({RAW: "{}"});
    assert_eq!(refused(&labelled).1, message);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "a", "labels": {RAW: "{}"}}});
    assert_eq!(refused(&namespace).1, message);
    let harmless = json!({"description": RAW});
    assert!(Resources::read(&[object("AccessPolicy", "a", &harmless)]).is_ok());
}

fn of(version: &str, kind: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": {}, "items": []})
}

#[test]
fn a_group_that_is_ours_but_for_a_slip_is_ours_whatever_the_kind() {
    for group in ["countersing.dev", "countersign.io", "Countersign.dev"] {
        let version = format!("{group}/v1alpha1");
        for kind in [
            "AccesPolicy",
            "AccessPolicy",
            "ClusterAccessPolicies",
            "Zebra",
        ] {
            let message = format!("expected `countersign.dev/v1alpha1`, got `{version}`");
            assert_eq!(
                refused(&of(&version, kind)),
                ("apiVersion".to_owned(), message)
            );
        }
    }
    for group in [
        "apps",
        "argoproj.io",
        "cert-manager.io",
        "constraints.gatekeeper.sh",
        "container.dev",
        "cosign.sigstore.dev",
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "kyverno.io",
        "monitoring.coreos.com",
        "networking.istio.io",
        "serving.knative.dev",
        "tekton.dev",
    ] {
        let other = of(&format!("{group}/v1"), "Zebra");
        assert!(Resources::read(&[other]).is_ok(), "{group}");
    }
}

#[test]
fn a_list_but_for_a_slip_hides_nothing() {
    for kind in ["list", "Lst", "Lists", "LIST", "Lits"] {
        let message = format!("expected `List`, got `{kind}`");
        assert_eq!(refused(&of("v1", kind)), ("kind".to_owned(), message));
    }
    let mut without = of("v1", "Lst");
    without.as_object_mut().unwrap().remove("items");
    assert!(Resources::read(&[without]).is_ok());
    assert!(Resources::read(&[of("v1", "PodList")]).is_ok());
    assert!(Resources::read(&[of("v1", "List")]).is_ok());
}
