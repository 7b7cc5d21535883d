//! What a loader tells: counted, and shown to whoever asks on the unix socket.

use super::admin::by_socket;
use super::service::Service;
use super::world::World;
use countersign_enforcer::load::{News, Report};
use countersign_ruleset::refusal::Refusal;
use serde_json::{Value, json};

fn report(news: News, persisted: bool) -> Report {
    Report {
        scope: "shop".parse().unwrap(),
        carrier: "published".into(),
        news,
        withdrawn: false,
        persisted,
    }
}

fn refused() -> News {
    News::Refused(Refusal::NotFound {
        scope: "shop".parse().unwrap(),
    })
}

#[tokio::test]
async fn a_refusal_is_counted_each_time_and_shown_until_it_is_over() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let world = World::with(service.address, |it| {
        it.config.admin_socket = Some(path.clone());
    })
    .await;
    let shown = async || {
        let (_, text) = by_socket(&path, "/ruleset").await;
        let mut ruleset: Value = serde_json::from_str(&text).unwrap();
        ruleset[0]["refused"].take()
    };
    assert_eq!(shown().await, json!([]));
    (world.observer)(&report(refused(), true));
    (world.observer)(&report(refused(), true));
    let News::Refused(refusal) = refused() else {
        return;
    };
    let (reason, message) = (refusal.as_str(), refusal.to_string());
    let told = json!([{"carrier": "published", "reason": reason, "message": message}]);
    assert_eq!(shown().await, told);
    let count = format!(r#"countersign_ruleset_refusals_total{{scope="shop",reason="{reason}"}}"#);
    assert_eq!(world.number(&count).await, 2);
    // what was in force still is
    assert_eq!(world.get("/open/list", &[]).await.status, 200);
    (world.observer)(&report(News::Unchanged, true));
    assert_eq!(shown().await, json!([]));
}

#[tokio::test]
async fn a_state_that_could_not_be_written_is_counted() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    (world.observer)(&report(News::InForce { serial: 2 }, false));
    let unpersisted = "countersign_state_unpersisted_total";
    assert_eq!(world.number(unpersisted).await, 1);
}
