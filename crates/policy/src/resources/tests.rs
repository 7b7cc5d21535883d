//! What can be read, what cannot, and what is passed over.

use super::{Resources, Unreadable};
use crate::diagnostic::ResourceId;
use serde_json::{Value, json};

mod anything;
mod foreign;
mod limits;
mod slips;

pub(super) fn object(kind: &str, name: &str, spec: &Value) -> Value {
    let version = "countersign.dev/v1alpha1";
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

pub(super) fn unreadable(manifest: &Value) -> Unreadable {
    let mut all = Resources::read(std::slice::from_ref(manifest)).unwrap_err();
    assert_eq!(all.len(), 1, "{manifest}");
    all.remove(0)
}

fn refused(manifest: &Value) -> (String, String) {
    let Unreadable { path, message, .. } = unreadable(manifest);
    (path.to_string(), message)
}

fn id(kind: &str, namespace: &str, name: &str) -> ResourceId {
    ResourceId {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

#[test]
fn reads_each_kind_of_ours_into_its_place() {
    let mut namespaced = object("AccessPolicy", "a", &json!({}));
    namespaced["metadata"]["namespace"] = json!("shop");
    let manifests = [
        namespaced,
        object("AccessRole", "a", &json!({})),
        object("ClusterAccessPolicy", "a", &json!({})),
        object("ClusterAccessRole", "a", &json!({})),
        object("ClusterTrustProvider", "a", &json!({})),
        object("Ruleset", "a", &json!({})),
        object("TrustProvider", "a", &json!({})),
    ];
    let resources = Resources::read(&manifests).unwrap();
    assert!(
        resources
            .policies
            .contains_key(&id("AccessPolicy", "shop", "a"))
    );
    assert!(
        resources
            .cluster_policies
            .contains_key(&id("ClusterAccessPolicy", "", "a"))
    );
    let roles: Vec<_> = resources.roles.keys().cloned().collect();
    assert_eq!(
        roles,
        [
            id("AccessRole", "default", "a"),
            id("ClusterAccessRole", "", "a")
        ]
    );
    let providers: Vec<_> = resources.providers.keys().cloned().collect();
    let expected = [
        id("ClusterTrustProvider", "", "a"),
        id("TrustProvider", "default", "a"),
    ];
    assert_eq!(providers, expected);
    assert_eq!(
        resources.id_of(6),
        Some(&id("TrustProvider", "default", "a"))
    );
    assert_eq!(resources.id_of(5), None, "a Ruleset asks nothing");
    assert_eq!(resources.id_of(7), None);
}

#[test]
fn a_cluster_kind_has_no_namespace_whatever_is_written() {
    let mut one = object("ClusterAccessRole", "a", &json!({}));
    one["metadata"]["namespace"] = json!("shop");
    let resources = Resources::read(std::slice::from_ref(&one)).unwrap();
    assert!(
        resources
            .roles
            .contains_key(&id("ClusterAccessRole", "", "a"))
    );
    let twice = [one, object("ClusterAccessRole", "a", &json!({}))];
    assert!(
        Resources::read(&twice).is_err(),
        "and so it is the same one"
    );
}

#[test]
fn what_has_no_part_in_a_policy_is_passed_over() {
    let manifests = [
        json!(null),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "A B"}}),
        json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}),
        json!({"apiVersion": "policy.example.com/v1", "kind": "AccessPolicy"}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {}}),
    ];
    let resources = Resources::read(&manifests).unwrap();
    assert_eq!(resources.id_of(0), None);
    assert!(resources.seen.is_empty() && resources.places.is_empty());
}

#[test]
fn what_is_no_object_of_a_kind_is_unreadable() {
    for (manifest, path, message) in [
        (json!("a"), "", "expected an object, got a text"),
        (json!([]), "", "expected an object, got a list"),
        (json!({}), "apiVersion", "expected a text, got nothing"),
        (
            json!({"apiVersion": "v1"}),
            "kind",
            "expected a text, got nothing",
        ),
        (
            json!({"apiVersion": 1, "kind": "AccessPolicy"}),
            "apiVersion",
            "expected a text with something in it, got a number",
        ),
        (
            json!({"kind": "AccessPolicy"}),
            "apiVersion",
            "expected a text, got nothing",
        ),
    ] {
        assert_eq!(
            refused(&manifest),
            (path.to_owned(), message.to_owned()),
            "{manifest}"
        );
    }
}

/// It may have been a Deny.
#[test]
fn a_kind_or_version_of_ours_that_is_not_known_is_unreadable() {
    let of = |version: &str, kind: &str| {
        refused(
            &json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": {}}),
        )
    };
    let version = |got: &str| {
        let message = format!("expected `countersign.dev/v1alpha1`, got `{got}`");
        ("apiVersion".to_owned(), message)
    };
    for written in [
        "countersign.dev/v1",
        "countersign.dev",
        "countersign.dve/v1alpha1",
        "v1alpha1",
        "Countersign.dev/v1alpha1",
    ] {
        assert_eq!(of(written, "ClusterAccessPolicy"), version(written));
    }
    let kind = |message: &str| ("kind".to_owned(), message.to_owned());
    let near = kind("expected `AccessPolicy`, got `AccessPolcy`");
    assert_eq!(of("countersign.dev/v1alpha1", "AccessPolcy"), near);
    let (path, message) = of("countersign.dev/v1alpha1", "Zebra");
    assert_eq!(path, "kind");
    assert!(
        message.starts_with("expected one of AccessPolicy, AccessRole, "),
        "{message}"
    );
}

#[test]
fn a_name_that_is_none_is_unreadable() {
    for name in [
        json!("A"),
        json!("a_b"),
        json!("a..b"),
        json!("-a"),
        json!("a/b"),
        json!("é"),
    ] {
        let (path, message) = refused(&object_named(&name, &json!("shop")));
        assert_eq!(path, "metadata.name");
        assert!(
            message.starts_with("expected a DNS name in lower case, got"),
            "{message}"
        );
    }
    for name in [json!(null), json!(""), json!(7), json!(["a"])] {
        assert_eq!(
            refused(&object_named(&name, &json!("shop"))).0,
            "metadata.name",
            "{name}"
        );
    }
    for namespace in [
        json!(null),
        json!(""),
        json!("a.b"),
        json!("Shop"),
        json!("../x"),
        json!(1),
    ] {
        let refused = refused(&object_named(&json!("a"), &namespace));
        assert_eq!(refused.0, "metadata.namespace", "{namespace}");
    }
    let dotted = object_named(&json!("a.b-c.example"), &json!("shop"));
    assert!(Resources::read(&[dotted]).is_ok());
}

fn object_named(name: &Value, namespace: &Value) -> Value {
    let mut one = object("AccessPolicy", "a", &json!({}));
    one["metadata"] = json!({"name": name, "namespace": namespace});
    one
}

#[test]
fn the_same_resource_twice_is_unreadable() {
    let one = object("AccessPolicy", "a", &json!({}));
    let mut same = one.clone();
    same["metadata"]["namespace"] = json!("default");
    let unreadable = Resources::read(&[one.clone(), json!(null), same]).unwrap_err();
    let Unreadable {
        index,
        resource,
        path,
        message,
    } = unreadable[0].clone();
    assert_eq!(
        (index, resource),
        (2, Some(id("AccessPolicy", "default", "a")))
    );
    assert_eq!(path.to_string(), "metadata.name");
    assert_eq!(
        message,
        "expected each resource once, got AccessPolicy/a in default twice"
    );
    let others = [
        one,
        object("AccessPolicy", "b", &json!({})),
        object("AccessRole", "a", &json!({})),
    ];
    assert!(Resources::read(&others).is_ok());
    let namespaces = ["team", "team"]
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    assert!(
        Resources::read(&namespaces).is_err(),
        "labels must not contradict each other"
    );
}

#[test]
fn a_spec_that_is_none_is_unreadable() {
    for spec in [json!(null), json!([]), json!("x"), json!(false)] {
        for kind in [
            "AccessPolicy",
            "ClusterAccessPolicy",
            "AccessRole",
            "ClusterTrustProvider",
        ] {
            let (path, message) = refused(&object(kind, "a", &spec));
            assert_eq!(path, "spec");
            assert!(message.starts_with("expected an object, got "), "{message}");
        }
    }
    let mut without = object("ClusterAccessPolicy", "a", &json!({}));
    without.as_object_mut().unwrap().remove("spec");
    assert_eq!(
        refused(&without),
        ("spec".into(), "expected an object, got nothing".into())
    );
}

#[test]
fn what_stands_beside_the_spec_is_unreadable() {
    let mut one = object("AccessPolicy", "a", &json!({}));
    one["status"] = json!({"conditions": []});
    assert!(Resources::read(std::slice::from_ref(&one)).is_ok());
    one["rules"] = json!([]);
    let (path, message) = refused(&one);
    assert_eq!(path, "rules");
    let expected =
        "expected apiVersion, kind, metadata, spec, status and nothing else, got `rules`";
    assert_eq!(message, expected);
}

#[test]
fn a_list_is_expanded_and_its_members_have_their_places() {
    let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
        object("AccessPolicy", "a", &json!({})),
    ]});
    let resources = Resources::read(&[json!(null), list.clone()]).unwrap();
    let place = resources
        .place_of(&id("AccessPolicy", "default", "a"))
        .unwrap();
    assert_eq!(
        (place.index, place.path.to_string()),
        (1, "items[1]".to_owned())
    );
    assert_eq!(resources.id_of(1), None);
    let mut broken = list;
    broken["items"][1]["spec"] = json!(null);
    assert_eq!(refused(&broken).0, "items[1].spec");
    broken["items"] = json!(null);
    assert_eq!(
        refused(&broken),
        ("items".into(), "expected a list, got nothing".into())
    );
}

#[test]
fn all_that_cannot_be_read_is_said_at_once() {
    let manifests = [
        json!(1),
        object("AccessPolicy", "a", &json!({})),
        json!(2),
        json!({}),
    ];
    let unreadable = Resources::read(&manifests).unwrap_err();
    let places: Vec<usize> = unreadable.iter().map(|one| one.index).collect();
    assert_eq!(places, [0, 2, 3]);
}
