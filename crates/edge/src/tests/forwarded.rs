//! What the service is told of the way that a request came.

use super::rules::HOST;
use super::service::{Seen, Service};
use super::world::World;

const SAID: [(&str, &str); 6] = [
    ("x-forwarded-for", "192.0.2.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "outside.example.com"),
    ("x-real-ip", "192.0.2.1"),
    ("x_forwarded_for", "192.0.2.1"),
    ("forwarded", "for=192.0.2.1"),
];

async fn seen_behind(proxies: Option<&str>) -> (Seen, serde_json::Value) {
    let mut service = Service::start().await;
    let mut world = World::with(service.address, |it| {
        if let Some(proxies) = proxies {
            it.config.trusted_proxies = proxies.parse().unwrap();
        }
    })
    .await;
    assert_eq!(world.get("/open/list", &SAID).await.status, 200);
    (service.seen().await, world.audited().await["source"].take())
}

#[tokio::test]
async fn behind_nobody_it_is_said_anew() {
    let (seen, source) = seen_behind(Some("none")).await;
    assert_eq!(seen.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.fields("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.fields("x-forwarded-host"), [HOST]);
    assert_eq!(source, "127.0.0.1");
    for gone in ["x-real-ip", "x_forwarded_for", "forwarded"] {
        assert!(seen.fields(gone).is_empty(), "{gone}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_its_word_goes_on() {
    let (seen, source) = seen_behind(Some("127.0.0.0/8")).await;
    assert_eq!(seen.fields("x-forwarded-for"), ["192.0.2.1", "127.0.0.1"]);
    assert_eq!(seen.fields("x-forwarded-proto"), ["https"]);
    assert_eq!(seen.fields("x-forwarded-host"), ["outside.example.com"]);
    assert_eq!(source, "192.0.2.1");
    for gone in ["x_forwarded_for", "forwarded"] {
        assert!(seen.fields(gone).is_empty(), "{gone}");
    }
}

/// The peer may be a load balancer: what it says may be a caller's, and its scheme is not known.
#[tokio::test]
async fn behind_nobody_knows_whom_only_the_peer_is_told() {
    let (seen, source) = seen_behind(None).await;
    assert_eq!(seen.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert!(seen.fields("x-forwarded-proto").is_empty());
    assert_eq!(seen.fields("x-forwarded-host"), [HOST]);
    assert_eq!(source, serde_json::Value::Null);
    for gone in ["x-real-ip", "x_forwarded_for", "forwarded"] {
        assert!(seen.fields(gone).is_empty(), "{gone}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_ours_is_a_caller() {
    let (seen, source) = seen_behind(Some("10.0.0.0/8")).await;
    assert_eq!(seen.fields("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(source, "127.0.0.1");
}
