//! What no edge would take is not published, and what somebody else writes keeps nobody from publishing.

use super::{World, at, compiled, key, publish, say, scope, taken};
use crate::publication::{Expected, Key, Kind, NotPublished, Store};
use countersign_policy::Compiled;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, SigningKey};
use std::fs;

/// Rules of another namespace, and rules that name a provider of which nothing is said.
fn untakeable() -> [Compiled; 2] {
    let other = Compiled {
        rules: Rules::empty(scope("ops")),
        keys: Keys::default(),
    };
    let unknown = Compiled {
        keys: Keys::default(),
        ..compiled("orders", None)
    };
    [other, unknown]
}

#[tokio::test]
async fn in_place_of_what_no_edge_would_take_the_empty_set_is_published() {
    for (what, why) in untakeable()
        .iter()
        .zip(["of the scope", "which the keys do not"])
    {
        let world = World::new();
        let publisher = world.publisher();
        let refused = say(&publisher, what, at(0)).await.unwrap_err();
        assert!(
            matches!(&refused, NotPublished::Refused { because, .. }
                if matches!(**because, Refusal::RulesInvalid(_))),
            "{refused}"
        );
        assert!(refused.to_string().contains(why), "{refused}");
        assert_eq!(refused.kind(), Kind::Refused);
        let instead = taken(&world, at(0)).unwrap();
        assert_eq!(instead.rules, Rules::empty(scope("shop")));
        publish(&publisher, "orders", at(1)).await.unwrap();
        assert_eq!(
            taken(&world, at(1)).unwrap().rules,
            compiled("orders", None).rules
        );
        // of several that are published at once it keeps all back
        let all = [(scope("shop"), what.clone())].into();
        let publisher = world.publisher();
        let refused = publisher
            .publish_all(&all, &[].into(), at(2))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Refused);
        assert_eq!(
            taken(&world, at(2)).unwrap().rules,
            compiled("orders", None).rules
        );
    }
}

/// As an older version has published it: whoever mends the namespace is not kept from it for good.
#[tokio::test]
async fn what_is_ours_and_no_edge_takes_is_published_over() {
    for what in untakeable() {
        let world = World::new();
        let issue = Issue {
            cluster: "prod".parse().unwrap(),
            scope: scope("shop"),
            scope_uid: "uid-1".into(),
            trust: 1,
            serial: at(0).milliseconds,
            issued_at: at(0).now,
            valid_for: 3_600,
            stale_for: 0,
            previous: None,
        };
        let put = async |signer: &SigningKey| {
            let sealed = sign::publish(&what.rules, &what.keys, issue.clone(), &[signer]).unwrap();
            let store = world.store();
            for (digest, bytes) in &sealed.blobs {
                let key = Key::Blob(scope("shop"), digest.clone());
                store.write(&key, bytes, Expected::Any).await.unwrap();
            }
            let key = Key::Manifest(scope("shop"));
            let written = store.write(&key, &sealed.manifest, Expected::Any).await;
            written.unwrap();
        };
        put(&key()).await;
        let refused = publish(&world.publisher(), "orders", at(1))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Unverifiable, "{refused}");
        put(&world.key).await;
        publish(&world.publisher(), "orders", at(1)).await.unwrap();
        assert!(taken(&world, at(1)).is_ok());
    }
}

/// Edges that read there would not go on either.
#[tokio::test]
async fn where_edges_read_a_trust_document_that_does_not_follow_is_told_at_once() {
    let world = World::new();
    publish(&world.publisher(), "orders", at(0)).await.unwrap();
    fs::write(world.path().join("trust/2.json"), b"x").unwrap();
    let refused = publish(&world.publisher(), "bills", at(1))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, NotPublished::Distrusted { .. }),
        "{refused}"
    );
}
