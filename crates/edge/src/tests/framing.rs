//! Requests that two readers take for two different ones: refused, or sent on as the edge read them.

use super::caller::exchange;
use super::rules::HOST;
use super::service::Service;
use super::world::World;

/// A request for what everyone may, whose body holds one for what nobody may.
fn with(fields: &str, body: &str) -> String {
    format!("POST /open/list HTTP/1.1\r\nhost: {HOST}\r\n{fields}\r\n{body}")
}

const INNER: &str = "GET /admin/keys HTTP/1.1\r\nhost: orders.example.com\r\n\r\n";

#[tokio::test]
async fn what_is_framed_in_two_ways_is_refused() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    for fields in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5, 6\r\n",
        "content-length: +5\r\n",
        "content-length: 5 5\r\n",
        "content-length: 0x5\r\n",
        "content-length: 99999999999999999999\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "x-a: 1\r\n folded: 2\r\n",
        "x-a: 1\0\r\n",
        "x-a: 1\rx-b: 2\r\n",
        "x a: 1\r\n",
        ": 1\r\n",
        "host: elsewhere.example.com\r\n",
        "host: orders.example.com\r\n",
    ] {
        let answer = exchange(
            world.address,
            &with(&format!("connection: close\r\n{fields}"), ""),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{fields:?}: {answer}");
        assert!(service.saw_nothing(), "{fields:?}");
    }
}

/// RFC 9112 §6.1: `Transfer-Encoding` overrides, and the connection is closed after it. What comes
/// behind is no request, neither of the edge's nor of the service's.
#[tokio::test]
async fn of_two_framings_chunks_count_and_nothing_behind_them() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    for fields in [
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "content-length: 4\r\ntransfer-encoding:\tchunked\r\n",
    ] {
        let body = format!("0\r\n\r\n{INNER}");
        let fields = format!("connection: close\r\n{fields}");
        let answer = exchange(world.address, &with(&fields, &body)).await;
        if answer.starts_with("HTTP/1.1 200") {
            let seen = service.seen().await;
            assert_eq!((seen.target(), seen.body.len()), ("/open/list", 0));
        } else {
            assert!(answer.starts_with("HTTP/1.1 400"), "{fields:?}: {answer}");
        }
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(service.saw_nothing(), "{fields:?}");
    }
}

/// What the edge reads as a body is a body for the service, too.
#[tokio::test]
async fn a_request_in_a_body_stays_in_it() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let length = format!("connection: close\r\ncontent-length: {}\r\n", INNER.len());
    let chunked = "connection: close\r\ntransfer-encoding: chunked\r\n".to_owned();
    let chunk = format!("{:x};ext=1\r\n{INNER}\r\n0\r\n\r\n", INNER.len());
    for (fields, body) in [(length, INNER), (chunked, chunk.as_str())] {
        let answer = exchange(world.address, &with(&fields, body)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let seen = service.seen().await;
        assert_eq!(
            (seen.target(), &seen.body[..]),
            ("/open/list", INNER.as_bytes())
        );
        assert!(service.saw_nothing());
    }
}

#[tokio::test]
async fn chunks_that_cannot_be_read_end_the_request() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello",
    ] {
        let fields = "connection: close\r\ntransfer-encoding: chunked\r\n";
        let answer = exchange(world.address, &with(fields, body)).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{body:?}: {answer}");
    }
}

/// Two requests in one packet are two decisions.
#[tokio::test]
async fn of_two_requests_in_a_row_each_is_decided() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let open = with("content-length: 0\r\n", "");
    let shut = INNER.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let answer = exchange(world.address, &format!("{open}{shut}")).await;
    let (first, second) = answer.split_once("hello").unwrap();
    assert!(first.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(second.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(service.seen().await.target(), "/open/list");
    assert!(service.saw_nothing());
}

/// A bare line feed ends a line (RFC 9112 §2.2 allows it): then it does for all that follows, and
/// what the service gets is written anew.
#[tokio::test]
async fn a_bare_line_feed_hides_nothing() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let bare = format!(
        "GET /open/list HTTP/1.1\nhost: {HOST}\nx-countersign-user: root\nconnection: close\n\n"
    );
    let answer = exchange(world.address, &bare).await;
    if answer.starts_with("HTTP/1.1 200") {
        let seen = service.seen().await;
        assert!(seen.fields("x-countersign-user").is_empty());
    } else {
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn what_is_no_path_is_refused() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    for target in [
        "*",
        "orders.example.com:443",
        "http://other.example.com/open/list",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        let answer = exchange(world.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{target}: {answer}");
    }
    let connect =
        "CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address, connect).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let old = "GET /open/list HTTP/1.0\r\nconnection: close\r\n\r\n";
    let answer = exchange(world.address, old).await;
    assert!(
        answer.contains("400") && answer.contains("AuthorityMissing"),
        "{answer}"
    );
    assert!(service.saw_nothing());
}
