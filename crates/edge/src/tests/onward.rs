//! What reaches the service: only what was let in, and as it was decided on.

use super::caller::{self, exchange};
use super::issuer::bearer;
use super::rules::{HOST, Said};
use super::service::Service;
use super::world::{World, asking, soon};
use crate::body::{AnyBody, whole};
use http::{Method, Version};
use serde_json::json;

#[tokio::test]
async fn only_a_permit_reaches_the_service() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let ana = bearer(&json!({}));
    assert_eq!(world.get("/mine/orders", &[]).await.status, 401);
    assert!(service.saw_nothing());
    let answer = world.get("/mine/orders", &[("authorization", &ana)]).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "hello"));
    assert_eq!(service.seen().await.target(), "/mine/orders");
}

#[tokio::test]
async fn the_path_is_sent_on_as_it_was_decided_on_and_the_query_as_it_came() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    for (came, goes) in [
        (
            "/open/%6Cist?q=%2e%2E/../&q=a+b&",
            "/open/list?q=%2e%2E/../&q=a+b&",
        ),
        ("/mine/../open/./list", "/open/list"),
        ("/open/list?", "/open/list?"),
        ("/open/l%C3%A9", "/open/l%C3%A9"),
    ] {
        assert_eq!(world.get(came, &[]).await.status, 200, "{came}");
        assert_eq!(service.seen().await.target(), goes);
    }
}

#[tokio::test]
async fn the_host_is_the_one_that_was_decided_on() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let answer = world
        .get("/open/list", &[("host", "Orders.Example.COM:80")])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(service.seen().await.fields("host"), [HOST]);
    let absolute = "GET http://orders.example.com/open/list HTTP/1.1\r\nhost: orders.example.com\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address, absolute).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = service.seen().await;
    assert_eq!(
        (seen.target(), seen.fields("host")),
        ("/open/list", vec![HOST])
    );
}

#[tokio::test]
async fn a_token_goes_no_further_unless_a_policy_says_so() {
    let ana = bearer(&json!({}));
    let fields = [
        ("authorization", ana.as_str()),
        ("x-goog-iap-jwt-assertion", "x.y.z"),
    ];
    for (forward, expected) in [(json!([]), vec![]), (json!(["Token"]), vec![ana.as_str()])] {
        let mut service = Service::start().await;
        let said = Said {
            forward,
            ..Said::default()
        };
        let world = World::with(service.address, |it| it.said = Some(said)).await;
        assert_eq!(world.get("/mine/orders", &fields).await.status, 200);
        let seen = service.seen().await;
        assert_eq!(seen.fields("authorization"), expected);
        assert_eq!(
            seen.fields("x-goog-iap-jwt-assertion").len(),
            expected.len()
        );
    }
}

#[tokio::test]
async fn what_neighbours_say_to_each_other_goes_no_further() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let fields = [
        ("connection", "keep-alive, x-hop, te"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic eDp5"),
        ("te", "gzip;q=0.5"),
        ("x-hop", "1"),
        ("x-end", "2"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("expect", "100-continue"),
    ];
    assert_eq!(world.get("/open/list", &fields).await.status, 200);
    let seen = service.seen().await;
    for (name, _) in fields {
        let expected = if name == "x-end" { vec!["2"] } else { vec![] };
        assert_eq!(seen.fields(name), expected, "{name}");
    }
}

#[tokio::test]
async fn callers_speak_http2_and_the_service_http1() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let mut sender = caller::http2(world.address).await;
    let fields = [
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-two", "1"),
        ("x-two", "2"),
    ];
    let target = "http://orders.example.com/open/list?q";
    let request = asking(Method::POST, target, &fields, whole("some bytes"));
    let answer = caller::read(soon(sender.send_request(request)).await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "hello"));
    let seen = service.seen().await;
    assert_eq!(seen.request.version(), Version::HTTP_11);
    assert_eq!(seen.target(), "/open/list?q");
    assert_eq!(seen.fields("host"), [HOST]);
    assert_eq!(seen.fields("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.fields("x-two"), ["1", "2"]);
    assert_eq!(seen.body, "some bytes");
}

/// Of an authority that a caller names, nothing decides where his request goes.
#[tokio::test]
async fn a_foreign_authority_does_not_lead_elsewhere() {
    let mut service = Service::start().await;
    let mut other = Service::start().await;
    let world = World::before(&service).await;
    let target = format!("http://{}/open/list", other.address);
    let mut sender = caller::http2(world.address).await;
    let request = asking::<AnyBody>(Method::GET, &target, &[], whole(""));
    let answer = caller::read(soon(sender.send_request(request)).await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(service.seen().await.fields("host"), ["127.0.0.1"]);
    let named = other.address;
    let absolute = format!("GET {target} HTTP/1.1\r\nhost: {named}\r\nconnection: close\r\n\r\n");
    let answer = exchange(world.address, &absolute).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(service.seen().await.fields("host"), ["127.0.0.1"]);
    assert!(other.saw_nothing());
}

#[tokio::test]
async fn an_answer_says_nothing_in_the_edges_name_but_what_the_edge_says() {
    let service = Service::answering(|_| {
        Box::pin(async {
            let mut response = http::Response::new(whole("x"));
            for (name, value) in [
                ("x-countersign-decision", "forged"),
                ("x-countersign-user", "forged"),
                ("x_countersign_user", "forged"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
                ("x-own", "2"),
                ("set-cookie", "a=1"),
            ] {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        })
    })
    .await;
    let mut world = World::before(&service).await;
    let answer = world.get("/open/list", &[]).await;
    let line = world.audited().await;
    assert_eq!(line["id"], answer.field("x-countersign-decision"));
    for gone in ["x-countersign-user", "x_countersign_user", "x-hop"] {
        assert!(!answer.headers.contains_key(gone), "{gone}");
    }
    assert_eq!(
        (answer.field("x-own"), answer.field("set-cookie")),
        ("2", "a=1")
    );
}
