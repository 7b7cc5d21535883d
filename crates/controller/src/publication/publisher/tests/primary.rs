//! In the cluster's own store: it does not fill up, nobody's hand in it stops us, and its clock is a witness.

use super::{HOUR, World, at, compiled, key, public, publish, say, scope};
use crate::publication::apiserver::Apiserver;
use crate::publication::{ConfigMaps, Kind, NotPublished, Publisher, Store};
use countersign_policy::Compiled;
use countersign_ruleset::rules::{Entry, Matcher, Rules};
use countersign_ruleset::sign;
use countersign_ruleset::trust::Trust;
use k8s_openapi::ByteString;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAMESPACE: &str = "countersign-system";

/// An installation whose store is the API server, whose clock goes its own way.
struct Primary {
    world: World,
    server: Apiserver,
}

impl Primary {
    fn new() -> Self {
        let (world, server) = (World::new(), Apiserver::new(&[NAMESPACE]));
        server.set_clock(at(0).now);
        Self { world, server }
    }

    fn store(&self) -> ConfigMaps {
        ConfigMaps::new(self.server.client(), NAMESPACE)
    }

    fn publisher(&self) -> Publisher {
        self.world.over(Arc::new(self.store()))
    }

    async fn blobs(&self) -> usize {
        self.store().blobs(&scope("shop")).await.unwrap().len()
    }
}

/// Whoever changes a policy each second fills neither the database nor the replicas' memory.
#[tokio::test]
async fn of_many_versions_a_few_are_kept_whoever_leads() {
    let primary = Primary::new();
    let (first, second) = (primary.publisher(), primary.publisher());
    for number in 0..50_u64 {
        let publisher = if number < 25 { &first } else { &second };
        publish(publisher, &format!("host{number}"), at(number))
            .await
            .unwrap();
        assert!(primary.blobs().await <= 2 + 4, "{number}");
    }
    // and when it is quiet again, nothing but what is in force
    for quarter in 1..3 {
        let when = at(50 + quarter * HOUR / 4);
        publish(&second, "host49", when).await.unwrap();
    }
    assert_eq!(primary.blobs().await, 2);
}

/// A namespace has its room, and beyond it denies; what was there does not go on.
#[tokio::test]
async fn what_a_store_has_no_room_for_denies() {
    let primary = Primary::new();
    let publisher = primary.publisher();
    let shop = scope("shop");
    publish(&publisher, "orders", at(0)).await.unwrap();
    let most = primary.store().thrift().unwrap().ruleset;
    let large = |length| {
        let mut large = compiled("orders", None);
        let rule = &mut large.rules.applications[0].policies[0].rules[0];
        rule.from.push(Entry::Identity {
            provider: "ClusterTrustProvider/okta".parse().unwrap(),
            all: vec![Matcher::Groups(vec!["g".repeat(length)])],
        });
        large.rules.sort();
        large
    };
    let what: Compiled = large(most);
    let refused = say(&publisher, &what, at(1)).await.unwrap_err();
    assert!(
        matches!(&refused, NotPublished::TooLarge { most: limit, got, .. }
            if *limit == most && *got > most),
        "{refused}"
    );
    assert_eq!(refused.kind(), Kind::Refused);
    let rules = async || {
        let last = publisher.last(&shop, at(1)).await.unwrap().unwrap();
        last.whole.unwrap().rules
    };
    assert_eq!(rules().await, Rules::empty(shop.clone()));
    say(&publisher, &large(20), at(2)).await.unwrap();
    assert_eq!(rules().await, large(20).rules);
}

/// What was verified is in memory, and edges read from there.
#[tokio::test]
async fn a_trust_document_that_was_exchanged_keeps_nobody_from_publishing() {
    let primary = Primary::new();
    publish(&primary.publisher(), "orders", at(0))
        .await
        .unwrap();
    let name = "countersign-trust";
    let mut map = primary.server.map(NAMESPACE, name).unwrap();
    let other = Trust::first(
        "prod".parse().unwrap(),
        public(&key()),
        public(&key()),
        at(HOUR).now,
    );
    let other = sign::trust(&other, &[&key()]).unwrap();
    for (seconds, foreign) in [(1, other), (3, vec![b' '; 1 << 18])] {
        let members = BTreeMap::from([("1.json".to_owned(), ByteString(foreign))]);
        map.binary_data = Some(members);
        primary.server.put(NAMESPACE, name, Some(map.clone()));
        let publisher = primary.publisher();
        publish(&publisher, "bills", at(seconds)).await.unwrap();
        publish(&publisher, "orders", at(seconds + 1))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_trust_document_that_does_not_follow_keeps_nobody_from_publishing() {
    let mut primary = Primary::new();
    let publisher = primary.publisher();
    publish(&publisher, "orders", at(0)).await.unwrap();
    assert_eq!(publisher.foreign_trust(), None);
    let put = |primary: &Primary, document: Vec<u8>| {
        let mut map = primary.server.map(NAMESPACE, "countersign-trust").unwrap();
        let members = map.binary_data.get_or_insert_default();
        members.insert("2.json".to_owned(), ByteString(document));
        primary
            .server
            .put(NAMESPACE, "countersign-trust", Some(map));
    };
    for (seconds, foreign) in [(1, b"x".to_vec()), (2, vec![b' '; 1 << 18])] {
        put(&primary, foreign);
        for publisher in [&publisher, &primary.publisher()] {
            let host = format!("host{seconds}");
            let published = publish(publisher, &host, at(seconds)).await.unwrap();
            assert_eq!(published.trust, 1);
            let told = publisher.foreign_trust().unwrap();
            assert!(told.contains("countersign-trust: 2.json: "), "{told}");
        }
    }
    let right = primary.world.rotated();
    put(&primary, right);
    publisher.take_up(primary.world.authority().keyring);
    let published = publish(&publisher, "bills", at(3)).await.unwrap();
    assert_eq!((published.trust, publisher.foreign_trust()), (2, None));
}

/// The API server took it before it was issued: it was signed by a clock that was ahead.
#[tokio::test]
async fn what_a_clock_that_was_ahead_has_signed_is_published_over() {
    for is_another in [false, true] {
        let primary = Primary::new();
        let mut publisher = primary.publisher();
        publish(&publisher, "orders", at(0)).await.unwrap();
        let ahead = publish(&publisher, "orders", at(24 * HOUR)).await.unwrap();
        assert!(ahead.changed);
        primary.server.set_clock(at(60).now);
        if is_another {
            publisher = primary.publisher();
        }
        for (host, seconds) in [("orders", 60), ("bills", 61)] {
            let over = publish(&publisher, host, at(seconds)).await.unwrap();
            assert!(over.changed && over.serial > ahead.serial, "{is_another}");
            assert_eq!(over.issued_at, at(seconds).now);
        }
        let again = publish(&publisher, "bills", at(62)).await.unwrap();
        assert!(!again.changed);
    }
}

/// The API server took it when it was issued: it is ours that is behind.
#[tokio::test]
async fn a_clock_that_is_behind_the_api_server_s_signs_nothing() {
    let primary = Primary::new();
    primary.server.set_clock(at(HOUR).now);
    publish(&primary.publisher(), "orders", at(HOUR))
        .await
        .unwrap();
    for host in ["orders", "bills"] {
        let refused = publish(&primary.publisher(), host, at(0))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Clock, "{refused}");
    }
    // and so it is if somebody has taken out when it was
    let name = "ruleset-shop";
    let mut map = primary.server.map(NAMESPACE, name).unwrap();
    map.metadata.managed_fields = None;
    primary.server.put(NAMESPACE, name, Some(map));
    let refused = publish(&primary.publisher(), "bills", at(0))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Clock, "{refused}");
}

/// No edge takes keys that were fetched after they were issued.
#[tokio::test]
async fn keys_that_a_clock_which_was_ahead_has_fetched_are_as_good_as_none() {
    let primary = Primary::new();
    let publisher = primary.publisher();
    let published = async |fetched, when| {
        say(&publisher, &compiled("orders", Some(fetched)), at(when))
            .await
            .unwrap();
        let last = publisher
            .last(&scope("shop"), at(when))
            .await
            .unwrap()
            .unwrap();
        last.whole.unwrap().keys.providers[0].fetched_at
    };
    // of two nodes' clocks one may be a little behind
    assert_eq!(published(5, 0).await, Some(at(0).now));
    assert_eq!(published(HOUR, HOUR / 4).await, None);
    assert_eq!(published(HOUR, HOUR).await, Some(at(HOUR).now));
}
