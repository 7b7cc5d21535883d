//! The edges of a namespace: where one is expected, and what those say that are there.

use super::condition::InForce;
use super::ruleset::targets;
use crate::endpoint::{Heard, Pod};
use crate::watch::{Kind, Object};
use countersign_policy::v1alpha1::EdgesStatus;
use countersign_ruleset::verifier::Order;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What edges say of a namespace. Telemetry: nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    /// What is told of them.
    pub(crate) told: EdgesStatus,
    /// The least place, trust and serial, that one of them has in force.
    pub(crate) least: Option<(u64, u64)>,
    /// Whether one of them has something later than what is published: something else, that is.
    pub(crate) ahead: bool,
}

impl Edges {
    /// Of those that are expected, and those that said something: an edge before many services is behind
    /// none of them.
    pub(crate) fn of(expected: &BTreeSet<Pod>, heard: &Heard, place: Option<(u64, u64)>) -> Self {
        let said = heard.edges.values();
        let said: BTreeMap<&Pod, (u64, u64)> = said.map(|it| (&it.pod, order(it.order))).collect();
        let silent = expected.iter().filter(|it| !said.contains_key(it)).count();
        // an edge of which nothing more is known may be any of those that are silent, or another
        let silent = silent.max(heard.unlisted);
        // one that has anything else has not what is published
        let other = said.iter().filter(|(_, there)| place != Some(**there));
        let slowest = other.clone().min_by_key(|(_, place)| **place);
        let in_force = said.len().saturating_sub(other.count());
        Self {
            told: EdgesStatus {
                total: number(said.len().saturating_add(silent)),
                in_force: number(in_force),
                unknown: number(silent),
                slowest: slowest.map(|(pod, _)| pod.name.clone()),
            },
            least: said.values().min().copied(),
            ahead: place.is_some_and(|place| said.values().any(|there| *there > place)),
        }
    }

    /// Whether what was published at that place is in force.
    pub(crate) fn in_force(&self, place: Option<(u64, u64)>) -> InForce {
        let reaches = |least: (u64, u64)| place.is_some_and(|place| least >= place);
        match self.least {
            _ if self.told.total == 0 => InForce::NoEdges,
            _ if self.ahead => InForce::Ahead,
            Some(least) if !reaches(least) => InForce::Waiting,
            Some(_) if self.told.unknown == 0 => InForce::Everywhere,
            Some(_) | None => InForce::NotReporting,
        }
    }
}

/// The pods behind what the policies of a namespace name: each should have an edge.
pub(crate) fn expected(objects: &[Arc<Object>]) -> BTreeSet<Pod> {
    let policies = objects.iter().filter(|it| it.kind == Kind::AccessPolicy);
    let named: BTreeSet<String> = policies.flat_map(|it| targets(&it.manifest)).collect();
    let slices = objects.iter().filter(|it| it.kind == Kind::EndpointSlice);
    let slices = slices.filter(|it| it.behind.iter().any(|target| named.contains(target)));
    let pods = slices.filter_map(|it| it.manifest.get("endpoints")?.as_array());
    let pods = pods.flatten().filter_map(|it| {
        let text = |name: &str| Some(it.get(name)?.as_str()?.to_owned());
        let (uid, name) = (text("uid")?, text("name")?);
        Some(Pod { uid, name })
    });
    pods.collect()
}

const fn order(order: Order) -> (u64, u64) {
    (order.trust, order.serial)
}

fn number(count: usize) -> i32 {
    // a count is what it is told as
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Edges, expected};
    use crate::endpoint::{Acknowledgement, Heard, Pod};
    use crate::status::condition::InForce;
    use crate::watch::{Kind, Object};
    use countersign_ruleset::time::UnixTime;
    use countersign_ruleset::verifier::Order;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn pod(name: &str) -> Pod {
        Pod {
            uid: format!("uid-{name}"),
            name: name.to_owned(),
        }
    }

    /// Of pods that are expected and of which some have said something, at the place (2, 10).
    fn edges(expected: &[&str], said: &[(&str, u64, u64)]) -> Edges {
        let said = said.iter().map(|(name, trust, serial)| Acknowledgement {
            pod: pod(name),
            order: Order {
                trust: *trust,
                serial: *serial,
            },
            seen_at: UnixTime(0),
        });
        let heard = Heard {
            edges: said.map(|it| (it.pod.uid.clone(), it)).collect(),
            unlisted: 0,
        };
        let expected = expected.iter().map(|it| pod(it)).collect();
        Edges::of(&expected, &heard, Some((2, 10)))
    }

    #[test]
    fn it_is_in_force_where_every_edge_has_it_or_a_newer_one() {
        let of = |expected: &[&str], said: &[(&str, u64, u64)]| {
            edges(expected, said).in_force(Some((2, 10)))
        };
        assert_eq!(of(&[], &[]), InForce::NoEdges);
        assert_eq!(of(&["a"], &[]), InForce::NotReporting);
        assert_eq!(of(&["a", "b"], &[("a", 2, 10)]), InForce::NotReporting);
        assert_eq!(of(&["a"], &[("a", 2, 10)]), InForce::Everywhere);
        assert_eq!(of(&["a"], &[("a", 3, 1)]), InForce::Ahead);
        assert_eq!(of(&["a", "b"], &[("a", 2, 11)]), InForce::Ahead);
        assert_eq!(of(&["a", "b"], &[("a", 2, 9)]), InForce::Waiting);
        assert_eq!(of(&["a"], &[("a", 1, 99)]), InForce::Waiting);
        assert_eq!(
            edges(&["a"], &[("a", 2, 10)]).in_force(None),
            InForce::Waiting
        );
    }

    /// There are too many to be told by one replica to another.
    #[test]
    fn it_is_not_in_force_where_edges_are_only_counted() {
        let expected = [pod("a"), pod("b")].into_iter().collect();
        let heard = Heard {
            unlisted: 3,
            ..Heard::default()
        };
        let edges = Edges::of(&expected, &heard, Some((2, 10)));
        assert_eq!((edges.told.total, edges.told.unknown), (3, 3));
        assert_eq!(edges.in_force(Some((2, 10))), InForce::NotReporting);
    }

    #[test]
    fn those_are_told_that_are_expected_or_have_spoken() {
        let edges = edges(
            &["a", "b", "c"],
            &[("a", 2, 10), ("b", 2, 3), ("gateway", 2, 5)],
        );
        let told = edges.told;
        assert_eq!((told.total, told.in_force, told.unknown), (4, 1, 1));
        assert_eq!(told.slowest.as_deref(), Some("b"));
    }

    fn object(kind: Kind, written: &Value) -> Arc<Object> {
        let object = serde_json::from_value(written.clone());
        Arc::new(Object::of(kind, object.unwrap()).unwrap())
    }

    #[test]
    fn an_edge_is_expected_behind_what_a_policy_names() {
        let target =
            |group: &str, name: &str| json!({"group": group, "kind": "Service", "name": name});
        let targets = json!([
            target("", "orders"),
            target("serving.knative.dev", "search")
        ]);
        let policy = json!({"metadata": {"namespace": "shop", "name": "a"},
            "spec": {"targetRefs": targets, "rules": []}});
        let slice = |labels: &Value, pod: &str, ready: bool| {
            let of = json!({"kind": "Pod", "uid": format!("uid-{pod}"), "name": pod});
            let endpoint = json!({"addresses": ["10.0.0.1"], "targetRef": of,
                "conditions": {"ready": ready}});
            object(
                Kind::EndpointSlice,
                &json!({"metadata": {"namespace": "shop", "name": pod, "labels": labels},
                    "endpoints": [endpoint]}),
            )
        };
        let of = |name: &str| json!({"kubernetes.io/service-name": name});
        let objects = [
            object(Kind::AccessPolicy, &policy),
            slice(&of("orders"), "a", true),
            slice(&of("orders"), "b", false),
            slice(&of("billing"), "c", true),
            slice(
                &json!({"kubernetes.io/service-name": "search-00001-private",
                    "serving.knative.dev/service": "search"}),
                "d",
                true,
            ),
        ];
        let expected: Vec<Pod> = expected(&objects).into_iter().collect();
        assert_eq!(expected, [pod("a"), pod("d")]);
    }
}
