//! What edges say: forgotten after a while, and bounded.

use super::{Acknowledgement, Acknowledgements, BTreeSet, NOW, Pod, Scope, UnixTime};

fn pod(n: usize) -> Pod {
    Pod {
        uid: format!("uid-{n:05}"),
        name: format!("orders-{n}"),
    }
}

fn said(n: usize, order: &str, seen_at: UnixTime) -> Acknowledgement {
    Acknowledgement {
        pod: pod(n),
        order: order.parse().unwrap(),
        seen_at,
    }
}

fn shop() -> Scope {
    "shop".parse().unwrap()
}

#[test]
fn who_says_nothing_more_is_forgotten() {
    let all = Acknowledgements::default();
    all.take(&shop(), said(1, "1:7", NOW));
    all.take(&shop(), said(2, "1:7", NOW.plus(100)));
    assert_eq!(all.of(&shop(), NOW.plus(180)).edges.len(), 2);
    assert_eq!(all.of(&shop(), NOW.plus(181)).edges.len(), 1);
    assert_eq!(all.of(&shop(), NOW.plus(281)).edges.len(), 0);
    assert_eq!(all.of(&"bank".parse().unwrap(), NOW).edges.len(), 0);
}

#[test]
fn nobody_can_fill_the_memory() {
    let all = Acknowledgements::default();
    for n in 0..10_000 {
        all.take(&shop(), said(n, "1:7", NOW.plus(u64::from(n != 17))));
    }
    all.take(&shop(), said(10_000, "1:7", NOW.plus(2)));
    let kept = all.of(&shop(), NOW.plus(2));
    assert_eq!(kept.edges.len(), 10_000);
    assert_eq!(
        kept.unlisted, 1,
        "of one that was forgotten nothing is known"
    );
    let holds = |n| kept.edges.values().any(|it| it.pod == pod(n));
    assert!(
        holds(10_000) && !holds(17),
        "the one that was silent for the longest goes"
    );
}

#[test]
fn news_is_what_is_other_than_before() {
    let all = Acknowledgements::default();
    let mut news = all.news();
    all.take(&shop(), said(1, "1:7", NOW));
    assert!(news.has_changed().unwrap());
    assert_eq!(all.changed(), BTreeSet::from([shop()]));
    news.mark_unchanged();
    all.take(&shop(), said(1, "1:7", NOW.plus(50)));
    assert!(!news.has_changed().unwrap());
    all.take(&shop(), said(1, "1:8", NOW.plus(60)));
    assert!(news.has_changed().unwrap());
    assert_eq!(all.changed(), BTreeSet::from([shop()]));
    assert_eq!(all.changed(), BTreeSet::new());
}
