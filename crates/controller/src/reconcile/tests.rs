//! What is to be done for what was touched.

use super::inbox::changed;
use super::{Known, Work, works};
use crate::watch::{Cluster, Kind, Object, Touched};
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::jwks::FetchedKeys;
use countersign_ruleset::time::UnixTime;
use serde_json::json;
use std::collections::BTreeMap;

fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for (kind, namespace) in [
        (Kind::AccessPolicy, "routed"),
        (Kind::HttpRoute, "routed"),
        (Kind::AccessRole, "shop"),
        (Kind::Service, "plain"),
    ] {
        let written = json!({"metadata": {"namespace": namespace, "name": "a"}, "spec": {}});
        let object = Object::of(kind, serde_json::from_value(written).unwrap());
        cluster.put(object.unwrap());
    }
    cluster
}

fn namespaces(names: &[&str]) -> Vec<Work> {
    let scopes = names.iter().map(|it| it.parse().unwrap());
    scopes.map(Work::Namespace).collect()
}

#[test]
fn what_is_of_the_cluster_concerns_all_who_have_something_of_ours() {
    let of = |touched: Touched| works(&touched, &cluster());
    let all = Touched {
        all: true,
        ..Touched::default()
    };
    let mut expected = vec![Work::Cluster];
    expected.extend(namespaces(&["routed", "shop"]));
    assert_eq!(of(all), expected);
    let routes = Touched {
        routes: true,
        ..Touched::default()
    };
    assert_eq!(of(routes), namespaces(&["routed"]));
    let one = Touched {
        namespaces: ["plain".to_owned()].into(),
        ..Touched::default()
    };
    assert_eq!(of(one), namespaces(&["plain"]));
}

/// A provider's trouble is nobody's but its own.
#[test]
fn the_keys_of_a_namespace_concern_it_alone() {
    let id = |kind: &str, namespace: &str| ResourceId {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: "okta".to_owned(),
    };
    let with = |id: ResourceId, seconds: u64| Known {
        keys: BTreeMap::from([(
            id,
            FetchedKeys {
                keys: Vec::new(),
                jwks_url: "https://okta.example.com/keys".to_owned(),
                fetched_at: UnixTime(seconds),
            },
        )]),
        ..Known::default()
    };
    let own = with(id("TrustProvider", "shop"), 1);
    let touched = changed(&Known::default(), &own);
    assert!(!touched.all && touched.cluster);
    assert_eq!(touched.namespaces, ["shop".to_owned()].into());
    let again = with(id("TrustProvider", "shop"), 2);
    assert!(changed(&own, &again).is_nothing());
    let of_cluster = with(id("ClusterTrustProvider", ""), 1);
    assert!(changed(&of_cluster, &Known::default()).all);
}
