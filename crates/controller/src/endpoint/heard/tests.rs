//! What replicas tell one another: it comes as it went, has an end, and never says more than is known.

use super::{BYTES, LISTED, read, written};
use crate::endpoint::{Acknowledgement, Acknowledgements, Heard, Pod, Words};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;

const NOW: UnixTime = UnixTime(1_795_521_600);

fn scope(name: &str) -> Scope {
    name.parse().unwrap()
}

/// An edge with an UID that no compression makes shorter than it is.
fn edge(n: usize, order: &str, seen_at: UnixTime) -> Acknowledgement {
    let chance = Digest::of(&n.to_be_bytes()).as_str().to_owned();
    let part = |from: usize, to: usize| chance.get(from..to).unwrap();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    let uid = parts.join("-");
    Acknowledgement {
        pod: Pod {
            uid,
            name: format!("orders-{}-{}", part(32, 41), part(41, 46)),
        },
        order: order.parse().unwrap(),
        seen_at,
    }
}

fn heard(edges: impl IntoIterator<Item = Acknowledgement>) -> Heard {
    let edges = edges.into_iter().map(|it| (it.pod.uid.clone(), it));
    Heard {
        edges: edges.collect(),
        unlisted: 0,
    }
}

fn many(from: usize, count: usize) -> Heard {
    let ages = (0..60).cycle();
    let edges = (from..).zip(ages).take(count);
    heard(edges.map(|(n, age)| edge(n, "1:1795521600123", NOW.minus(age))))
}

#[test]
fn it_comes_as_it_went_whatever_the_clock_of_the_other_says() {
    let words = Words::from([
        (
            scope("shop"),
            heard([edge(1, "1:7", NOW.minus(40)), edge(2, "1:6", NOW)]),
        ),
        (scope("bank"), heard([edge(3, "2:1", NOW)])),
    ]);
    let told = written(&words, NOW).unwrap();
    assert_eq!(read(&told, NOW), Some(words.clone()));
    // it came a second later by a clock that is an hour behind
    let behind = NOW.minus(3_600);
    let came = read(&told, behind).unwrap();
    let seen = came[&scope("shop")].edges.values().map(|it| it.seen_at);
    let mut seen: Vec<_> = seen.collect();
    seen.sort();
    assert_eq!(seen, [behind.minus(40), behind]);
    assert_ne!(written(&words, NOW.plus(1)).unwrap(), told);
}

#[test]
fn what_is_no_document_is_none() {
    let words = Words::from([(scope("shop"), heard([edge(1, "1:7", NOW)]))]);
    let told = written(&words, NOW).unwrap();
    for bytes in [&b""[..], b"{}", told.get(..40).unwrap()] {
        assert_eq!(read(bytes, NOW), None);
    }
}

#[test]
fn twenty_thousand_edges_are_told_and_above_that_the_largest_namespace_is_only_counted() {
    let (small, large) = (many(0, LISTED - 9_000), many(LISTED, 9_000));
    let mut words = Words::from([(scope("shop"), small), (scope("bank"), large)]);
    let told = written(&words, NOW).unwrap();
    assert!(told.len() <= BYTES, "{}", told.len());
    assert_eq!(
        read(&told, NOW).map(|it| it[&scope("bank")].edges.len()),
        Some(9_000)
    );
    let one = heard([edge(99_999, "1:7", NOW)]);
    words.insert(scope("tiny"), one.clone());
    let came = read(&written(&words, NOW).unwrap(), NOW).unwrap();
    assert_eq!(came[&scope("tiny")], one);
    assert_eq!(came[&scope("bank")].edges.len(), 9_000);
    let counted = &came[&scope("shop")];
    assert_eq!((counted.edges.len(), counted.unlisted), (0, LISTED - 9_000));
}

/// Each of these names is as long as names get, and says something else.
#[test]
fn names_that_are_very_long_make_nothing_larger_than_it_may_be() {
    let long = |n: usize| {
        let mut edge = edge(n, "1:7", NOW);
        let chance = |k: usize| {
            Digest::of(format!("{n} {k}").as_bytes())
                .as_str()
                .to_owned()
        };
        edge.pod.name = (0..4).map(chance).collect();
        edge
    };
    let words = Words::from([
        (scope("shop"), heard((0..LISTED).map(long))),
        (scope("tiny"), heard([edge(1, "1:7", NOW)])),
    ]);
    let told = written(&words, NOW).unwrap();
    assert!(told.len() <= BYTES);
    let came = read(&told, NOW).unwrap();
    assert_eq!(came[&scope("shop")].unlisted, LISTED);
    assert_eq!(came[&scope("tiny")].edges.len(), 1);
}

#[test]
fn what_one_replica_heard_counts_at_all_of_them_until_it_is_over() {
    let (shop, all) = (scope("shop"), Acknowledgements::default());
    let mut news = all.news();
    all.take(&shop, edge(1, "1:7", NOW));
    all.hear(
        "b",
        Some(Words::from([(shop.clone(), heard([edge(2, "1:6", NOW)]))])),
    );
    assert_eq!(all.of(&shop, NOW).edges.len(), 2);
    assert_eq!(
        all.own(NOW)[&shop].edges.len(),
        1,
        "nobody tells what another told"
    );
    news.mark_unchanged();
    // the same again is no news
    all.hear(
        "b",
        Some(Words::from([(
            shop.clone(),
            heard([edge(2, "1:6", NOW.plus(60))]),
        )])),
    );
    assert!(!news.has_changed().unwrap());
    assert_eq!(all.of(&shop, NOW.plus(181)).edges.len(), 1);
    assert_eq!(all.of(&shop, NOW.plus(241)).edges.len(), 0);
    all.forget("b");
    assert!(news.has_changed().unwrap());
    let left = all.of(&shop, NOW).edges;
    assert_eq!(left.len(), 1, "what it heard itself is left");
}

#[test]
fn of_an_edge_that_spoke_to_two_it_counts_what_it_said_last() {
    let (shop, all) = (scope("shop"), Acknowledgements::default());
    let order = |all: &Acknowledgements| {
        let heard = all.of(&shop, NOW.plus(2));
        heard.edges.values().next().unwrap().order.to_string()
    };
    all.take(&shop, edge(1, "1:7", NOW));
    all.hear(
        "b",
        Some(Words::from([(
            shop.clone(),
            heard([edge(1, "1:8", NOW.plus(1))]),
        )])),
    );
    assert_eq!(order(&all), "1:8");
    all.take(&shop, edge(1, "1:9", NOW.plus(2)));
    assert_eq!(order(&all), "1:9");
}

#[test]
fn what_cannot_be_read_may_have_been_any_edge() {
    let (shop, all) = (scope("shop"), Acknowledgements::default());
    all.take(&shop, edge(1, "1:7", NOW));
    all.hear("b", None);
    assert_eq!(all.of(&shop, NOW).unlisted, 1);
    all.hear("b", Some(Words::new()));
    assert_eq!(all.of(&shop, NOW).unlisted, 0);
}
