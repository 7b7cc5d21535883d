//! A service that is not there, does not speak, or speaks something else.

use super::issuer::bearer;
use super::rules::NOW;
use super::service::Service;
use super::streams::by_pieces;
use super::world::{World, soon};
use crate::body::whole;
use http::{Method, Response};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const SOON_OVER: Duration = Duration::from_millis(40);

#[tokio::test]
async fn a_service_that_is_not_there_is_502() {
    let service = Service::start().await;
    let mut world = World::before(&service).await;
    service.end().await;
    let answer = world.get("/open/list", &[]).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["reason"], "UpstreamUnreachable");
    assert_eq!(answer.field("cache-control"), "no-store");
    let line = world.audited().await;
    assert_eq!(line["id"], answer.field("x-countersign-decision"));
    assert_eq!(line["verdict"], "allow");
    let failures = r#"countersign_upstream_failures_total{kind="UpstreamUnreachable"}"#;
    assert_eq!(world.number(failures).await, 1);
}

#[tokio::test]
async fn a_service_that_is_silent_is_504() {
    let service = Service::answering(|_| Box::pin(std::future::pending())).await;
    let world = World::with(service.address, |it| {
        it.config.limits.answer_time = SOON_OVER;
    })
    .await;
    let answer = world.get("/open/list", &[]).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json()["reason"], "UpstreamTimeout");
    let failures = r#"countersign_upstream_failures_total{kind="UpstreamTimeout"}"#;
    assert_eq!(world.number(failures).await, 1);
}

/// The service's time runs from the last of the body: who sends slowly is not its fault.
#[tokio::test]
async fn as_long_as_the_body_comes_the_service_is_not_late() {
    let service = Service::start().await;
    let world = World::with(service.address, |it| {
        it.config.limits.answer_time = SOON_OVER;
    })
    .await;
    let (pieces, body) = by_pieces();
    let call = world.call(Method::POST, "/open/list", &[], body);
    let slowly = async {
        for piece in ["a", "b", "c"] {
            tokio::time::sleep(SOON_OVER).await;
            pieces.send(Ok(piece)).unwrap();
        }
        drop(pieces);
    };
    let (answer, ()) = tokio::join!(call, slowly);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_service_that_speaks_something_else_is_502() {
    for said in [
        "220 mail.example.com ESMTP\r\n",
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(said.as_bytes()).await;
                // closed with what the edge has sent unread would be a reset
                let _ = stream.shutdown().await;
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            }
        });
        let world = World::with(address, |_| ()).await;
        let answer = world.get("/open/list", &[]).await;
        assert_eq!((answer.status.as_u16(), said), (502, said));
    }
}

/// A service closes a connection that the edge has kept: the next request must not fail by that.
#[tokio::test]
async fn a_kept_connection_that_was_closed_is_not_used_again() {
    let service = Service::answering(|_| {
        Box::pin(async {
            let mut response = Response::new(whole("hello"));
            let close = http::HeaderValue::from_static("close");
            response.headers_mut().insert("connection", close);
            response
        })
    })
    .await;
    let world = World::before(&service).await;
    let ana = bearer(&json!({"exp": NOW.0 + 60}));
    for _ in 0..10 {
        let fields = [("authorization", ana.as_str())];
        let answer = soon(world.get("/mine/orders", &fields)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("connection"), "", "it is the service's own");
    }
}
