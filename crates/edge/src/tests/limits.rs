//! What callers can make an edge hold has an end.

use super::caller::{self, Raw, exchange};
use super::rules::HOST;
use super::service::Service;
use super::streams::{by_pieces, comes};
use super::world::{World, asking, soon};
use crate::body::whole;
use http::{Method, Response};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn head(target: &str, more: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{more}\r\n")
}

fn fields(count: usize) -> String {
    let mut fields = String::new();
    for number in 0..count {
        write!(fields, "x-{number}: 1\r\n").unwrap();
    }
    fields
}

#[tokio::test]
async fn so_many_fields_of_http1_and_no_more() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    // `Host` and `Connection` are two of the hundred
    let answer = exchange(world.address, &head("/open/list", &fields(98))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(service.seen().await.target(), "/open/list");
    let answer = exchange(world.address, &head("/open/list", &fields(99))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    world.until("countersign_refused_heads_total", 1).await;
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn so_many_fields_of_http2_and_no_more() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let target = "http://orders.example.com/open/list";
    let mut sender = caller::http2(world.address).await;
    for (count, status) in [(100, 200), (101, 431)] {
        let mut request = asking(Method::GET, target, &[], whole(""));
        for _ in 0..count {
            request.headers_mut().append("x-same", "1".parse().unwrap());
        }
        let answer = caller::read(soon(sender.send_request(request)).await.unwrap()).await;
        assert_eq!(answer.status, status);
        if status == 431 {
            assert_eq!(answer.json()["reason"], "HeadersTooLarge");
        }
    }
    assert_eq!(world.number("countersign_refused_heads_total").await, 1);
    assert_eq!(service.seen().await.fields("x-same").len(), 100);
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn a_head_has_so_many_bytes_and_no_more() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let long = |bytes| format!("x-long: {}\r\n", "a".repeat(bytes));
    let answer = exchange(world.address, &head("/open/list", &long(60 << 10))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.80}");
    assert_eq!(service.seen().await.fields("x-long")[0].len(), 60 << 10);
    let answer = exchange(world.address, &head("/open/list", &long(70 << 10))).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let mut sender = caller::http2(world.address).await;
    let long = "a".repeat(70 << 10);
    let target = "http://orders.example.com/open/list";
    let request = asking(Method::GET, target, &[("x-long", &long)], whole(""));
    if let Ok(response) = soon(sender.send_request(request)).await {
        assert_eq!(caller::read(response).await.status, 431);
    }
    assert!(service.saw_nothing());
}

/// Sends a byte now and then until the edge closes.
async fn trickle(mut raw: Raw) -> String {
    let (mut read, mut write) = raw.0.split();
    let mut came = String::new();
    tokio::select! {
        _ = read.read_to_string(&mut came) => came,
        () = async {
            loop {
                // An edge that has closed is seen by the other branch.
                let _ = write.write_all(b"x").await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        } => String::new(),
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_not_waited_for() {
    let service = Service::start().await;
    let world = World::with(service.address, |it| {
        it.config.limits.header_time = Duration::from_millis(40);
    })
    .await;
    let mut silent = Raw::to(world.address).await;
    assert_eq!(silent.rest().await, "");
    let mut http2 = Raw::to(world.address).await;
    http2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    http2.rest().await;
    let mut slow = Raw::to(world.address).await;
    slow.send("GET /open/list HTTP/1.1\r\nho").await;
    assert_eq!(soon(trickle(slow)).await, "");
    let mut second = Raw::to(world.address).await;
    second
        .send(format!("GET /open/list HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    assert!(second.until("hello").await.ends_with("hello"));
    second.send("GET /").await;
    assert_eq!(soon(trickle(second)).await, "");
}

/// A body may take as long as it takes: uploads and calls that stay open are no attack.
#[tokio::test]
async fn a_body_that_takes_long_is_waited_for() {
    let (answering, answer) = by_pieces();
    let answer = Mutex::new(Some(answer));
    let service = Service::answering(move |_| {
        let answer = answer.lock().unwrap().take().unwrap();
        Box::pin(async { Response::new(answer) })
    })
    .await;
    let tick = Duration::from_millis(20);
    let world = World::with(service.address, |it| it.config.limits.header_time = tick).await;
    let mut sender = caller::http1(world.address).await;
    let request = asking(Method::GET, "/open/list", &[], whole(""));
    answering.send(Ok("one")).unwrap();
    let mut body = soon(sender.send_request(request))
        .await
        .unwrap()
        .into_body();
    comes(&mut body, "one").await;
    // many of what would end a head
    tokio::time::sleep(tick * 8).await;
    answering.send(Ok("two")).unwrap();
    comes(&mut body, "two").await;
}

#[tokio::test]
async fn so_many_connections_and_no_more() {
    let service = Service::start().await;
    let world = World::with(service.address, |it| it.config.limits.connections = 2).await;
    let get = format!("GET /open/list HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::to(world.address).await;
        raw.send(&get).await;
        assert!(raw.until("hello").await.ends_with("hello"));
        open.push(raw);
    }
    assert_eq!(
        exchange(world.address, &get).await,
        "",
        "it is closed at once"
    );
    assert_eq!(
        world.number("countersign_connections_refused_total").await,
        1
    );
    // who has a place keeps it, and who leaves makes one free
    let first = &mut open[0];
    first.send(&get).await;
    assert!(first.until("hello").await.ends_with("hello"));
    open.pop();
    world.until("countersign_connections ", 1).await;
    assert_eq!(world.get("/open/list", &[]).await.status, 200);
}
