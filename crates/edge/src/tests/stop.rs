//! A stop: what is in flight is finished, and nobody else is let in.

use super::caller::{self, Raw};
use super::rules::HOST;
use super::service::Service;
use super::streams::{by_pieces, comes, ends};
use super::world::{World, asking, soon};
use crate::Stopped;
use crate::body::{AnyBody, whole};
use http::{Method, Response};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::TcpStream;

async fn answering_with(body: AnyBody) -> Service {
    let body = Mutex::new(Some(body));
    Service::answering(move |_| {
        let body = body.lock().unwrap().take();
        Box::pin(async { Response::new(body.unwrap_or_else(|| whole("hello"))) })
    })
    .await
}

async fn takes_nobody(address: SocketAddr) {
    soon(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn finishes(http2: bool) {
    let (answering, answer) = by_pieces();
    let service = answering_with(answer).await;
    let world = World::before(&service).await;
    let address = world.address;
    answering.send(Ok("one")).unwrap();
    let response = if http2 {
        let target = "http://orders.example.com/open/list";
        let mut sender = caller::http2(address).await;
        soon(sender.send_request(asking(Method::GET, target, &[], whole("")))).await
    } else {
        let mut sender = caller::http1(address).await;
        soon(sender.send_request(asking(Method::GET, "/open/list", &[], whole("")))).await
    };
    let mut back = response.unwrap().into_body();
    comes(&mut back, "one").await;
    let stopping = world.stop();
    takes_nobody(address).await;
    assert!(!stopping.is_finished());
    answering.send(Ok("two")).unwrap();
    comes(&mut back, "two").await;
    drop(answering);
    ends(&mut back).await;
    assert_eq!(soon(stopping).await.unwrap(), Stopped::Finished);
}

#[tokio::test]
async fn a_request_of_http1_is_finished_and_nobody_new_is_taken() {
    finishes(false).await;
}

#[tokio::test]
async fn a_request_of_http2_is_finished_and_nobody_new_is_taken() {
    finishes(true).await;
}

#[tokio::test]
async fn connections_that_lie_idle_do_not_hold_a_stop() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    let mut silent = Raw::to(world.address).await;
    let mut kept = Raw::to(world.address).await;
    kept.send(format!("GET /open/list HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    assert!(kept.until("hello").await.ends_with("hello"));
    world.until("countersign_connections ", 2).await;
    assert_eq!(soon(world.stop()).await.unwrap(), Stopped::Finished);
    assert_eq!(kept.rest().await, "");
    assert_eq!(silent.rest().await, "");
}

#[tokio::test]
async fn what_takes_longer_than_the_grace_is_cut_off() {
    let (answering, answer) = by_pieces();
    let service = answering_with(answer).await;
    let world = World::with(service.address, |it| {
        it.config.grace = Duration::from_millis(30);
    })
    .await;
    let mut sender = caller::http1(world.address).await;
    answering.send(Ok("one")).unwrap();
    let request = asking(Method::GET, "/open/list", &[], whole(""));
    let mut back = soon(sender.send_request(request))
        .await
        .unwrap()
        .into_body();
    comes(&mut back, "one").await;
    assert_eq!(soon(world.stop()).await.unwrap(), Stopped::CutOff(1));
    let frame = soon(http_body_util::BodyExt::frame(&mut back)).await;
    assert!(frame.unwrap().is_err(), "it does not look like an end");
}

/// The last answer of a stopping edge says that it is the last.
#[tokio::test]
async fn a_kept_connection_is_told_to_close() {
    let (answering, answer) = by_pieces();
    let service = answering_with(answer).await;
    let world = World::before(&service).await;
    let address = world.address;
    let mut sender = caller::http2(address).await;
    let target = "http://orders.example.com/open/list";
    answering.send(Ok("one")).unwrap();
    let request = asking(Method::GET, target, &[], whole(""));
    let mut back = soon(sender.send_request(request))
        .await
        .unwrap()
        .into_body();
    comes(&mut back, "one").await;
    let stopping = world.stop();
    takes_nobody(address).await;
    // GOAWAY has come, or comes: a further request is refused and not half answered
    soon(async {
        while sender.ready().await.is_ok() {
            let request = asking(Method::GET, target, &[], whole(""));
            if sender.send_request(request).await.is_err() {
                break;
            }
        }
    })
    .await;
    drop(answering);
    ends(&mut back).await;
    assert_eq!(soon(stopping).await.unwrap(), Stopped::Finished);
}
