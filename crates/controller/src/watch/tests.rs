//! What is known, and whether it suffices.

use super::stream::Change;
use super::{Kind, News, Object, View, definitions};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::json;

fn policy(namespace: &str) -> Object {
    let written = json!({"metadata": {"namespace": namespace, "name": "a"}, "spec": {}});
    Object::of(Kind::AccessPolicy, serde_json::from_value(written).unwrap()).unwrap()
}

fn definition(name: &str) -> Box<CustomResourceDefinition> {
    let mut all = countersign_policy::crd::all().into_iter();
    let ours = all
        .find(|it| it.metadata.name.as_deref() == Some(name))
        .unwrap();
    let mut written = serde_json::to_value(ours).unwrap();
    written["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
    Box::new(serde_json::from_value(written).unwrap())
}

/// A view of a cluster without objects, in which all is known.
fn known() -> View {
    let mut view = View::default();
    for kind in Kind::ALL {
        let change = if kind.is_optional() {
            Change::Absent
        } else {
            Change::All(Vec::new())
        };
        view.take(News::Kind(kind, change));
    }
    for name in definitions::names() {
        let change = Change::All(vec![definition(&name)]);
        view.take(News::Definition(name, change));
    }
    view
}

#[test]
fn nothing_is_done_before_all_is_known() {
    let view = View::default();
    assert_eq!(
        view.unready().len(),
        Kind::ALL.len() + definitions::names().len()
    );
    assert_eq!(known().unready(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_listed_is_named_with_its_reason() {
    let mut view = View::default();
    view.take(News::Kind(
        Kind::Service,
        Change::Broken("forbidden".to_owned()),
    ));
    let unready = view.unready();
    let expected = "services could not be listed: forbidden";
    assert!(unready.iter().any(|it| it == expected), "{unready:?}");
}

/// What was listed once is known, and stays so while the API server is away.
#[test]
fn a_watch_that_breaks_leaves_what_is_known() {
    let mut view = known();
    view.take(News::Kind(Kind::AccessPolicy, Change::Put(policy("shop"))));
    view.take(News::Kind(
        Kind::AccessPolicy,
        Change::Broken("refused".to_owned()),
    ));
    assert_eq!(view.unready(), Vec::<String>::new());
    assert_eq!(view.broken().count(), 1);
    assert_eq!(view.cluster.namespaces().collect::<Vec<_>>(), ["shop"]);
    view.take(News::Kind(Kind::AccessPolicy, Change::All(Vec::new())));
    assert_eq!(view.broken().count(), 0);
    assert_eq!(view.cluster.namespaces().count(), 0);
}

/// Who deletes a definition deletes every object of it: that is no decision to allow nothing.
#[test]
fn a_kind_of_ours_that_is_gone_stops_everything() {
    let mut view = known();
    view.take(News::Kind(Kind::AccessPolicy, Change::Put(policy("shop"))));
    let touched = view.take(News::Kind(Kind::AccessPolicy, Change::Absent));
    assert!(touched.is_nothing());
    assert_eq!(view.cluster.namespaces().collect::<Vec<_>>(), ["shop"]);
    let expected = "accesspolicies.countersign.dev could not be listed: there is no such kind";
    assert_eq!(view.unready(), [expected]);
}

#[test]
fn an_older_definition_stops_everything_until_it_is_mended() {
    let (mut view, name) = (known(), "accessroles.countersign.dev");
    let mut older = definition(name);
    let schema = older.spec.versions[0].schema.as_mut().unwrap();
    let root = schema.open_api_v3_schema.as_mut().unwrap();
    let spec = root.properties.as_mut().unwrap().get_mut("spec").unwrap();
    spec.properties.as_mut().unwrap().remove("members");
    view.take(News::Definition(name.to_owned(), Change::Put(older)));
    assert_eq!(
        view.unready(),
        [format!(
            "{name} is older than this controller: it lacks spec.members"
        )]
    );
    let mended = view.take(News::Definition(
        name.to_owned(),
        Change::Put(definition(name)),
    ));
    assert!(mended.all);
    assert_eq!(view.unready(), Vec::<String>::new());
}

#[test]
fn a_kind_of_others_may_be_absent_and_may_come_later() {
    let mut view = known();
    let route = json!({"metadata": {"namespace": "shop", "name": "a"}, "spec": {}});
    let route = Object::of(Kind::HttpRoute, serde_json::from_value(route).unwrap()).unwrap();
    let touched = view.take(News::Kind(Kind::HttpRoute, Change::All(vec![route])));
    assert!(touched.namespaces.contains("shop"));
    assert!(view.cluster.has_routes("shop"));
}

/// What only tells of edges holds nothing back: their slices may be forbidden.
#[test]
fn what_has_no_word_in_a_meaning_is_no_doubt() {
    let mut view = known();
    assert!(view.doubts().is_empty());
    for kind in [Kind::EndpointSlice, Kind::Ruleset] {
        let forbidden = Change::Broken("forbidden".to_owned());
        view.take(News::Kind(kind, forbidden));
        view.cluster.forget(kind);
    }
    let name = "rulesets.countersign.dev".to_owned();
    view.take(News::Definition(name, Change::Absent));
    assert_eq!(view.unready().len(), 3);
    assert!(view.doubts().is_empty());
}

/// A Deny may be new that is not heard of, and a namespace deleted that is still known.
#[test]
fn what_is_not_heard_of_is_in_doubt_until_it_is_listed_again() {
    let mut view = known();
    let broken = || Change::Broken("refused".to_owned());
    view.take(News::Kind(Kind::HttpRoute, broken()));
    let doubts = view.doubts();
    let expected = "httproutes.gateway.networking.k8s.io cannot be watched: refused";
    assert_eq!(
        (&doubts.own[..], doubts.cluster.len()),
        (&[expected.to_owned()][..], 0)
    );
    view.take(News::Kind(Kind::Namespace, broken()));
    let of = "the definition clusteraccessroles.countersign.dev".to_owned();
    view.break_off(of, "refused".to_owned());
    assert_eq!(
        view.doubts().cluster,
        [
            "namespaces cannot be watched: refused",
            "clusteraccessroles.countersign.dev cannot be watched: refused",
        ]
    );
    for kind in [Kind::HttpRoute, Kind::Namespace] {
        view.take(News::Kind(kind, Change::All(Vec::new())));
    }
    let name = "clusteraccessroles.countersign.dev";
    let change = Change::Put(definition(name));
    view.take(News::Definition(name.to_owned(), change));
    assert!(view.doubts().is_empty());
    assert!(!View::default().doubts().cluster.is_empty());
}
