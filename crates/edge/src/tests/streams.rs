//! Bodies in passing: what has come goes on, before the rest has come.

use super::caller;
use super::rules::Said;
use super::service::Service;
use super::world::{World, asking, soon};
use crate::body::{AnyBody, BodyError, whole};
use bytes::Bytes;
use futures::{Stream, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

type Piece = Result<&'static str, BodyError>;

/// A body whose pieces a test sends when it likes.
pub(super) fn by_pieces() -> (mpsc::UnboundedSender<Piece>, AnyBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let body = StreamBody::new(pieces(receiver)).boxed_unsync();
    (sender, body)
}

fn pieces(
    receiver: mpsc::UnboundedReceiver<Piece>,
) -> impl Stream<Item = Result<Frame<Bytes>, BodyError>> {
    stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        let frame = piece.map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())));
        Some((frame, receiver))
    })
}

/// The next piece of a body that holds something; `None` is its end.
async fn piece(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = soon(body.frame()).await?;
        let data = frame.unwrap().into_data().unwrap();
        if !data.is_empty() {
            return Some(data);
        }
    }
}

/// The next piece of a body is this.
pub(super) async fn comes(body: &mut Incoming, expected: &str) {
    let piece = piece(body).await.expect("a piece");
    assert_eq!(piece, expected);
}

/// No piece comes any more.
pub(super) async fn ends(body: &mut Incoming) {
    assert_eq!(piece(body).await, None);
}

/// A service that hands out the body that came, and answers with the one given.
async fn handing_out(answer: AnyBody) -> (Service, mpsc::UnboundedReceiver<Incoming>) {
    let (handed, out) = mpsc::unbounded_channel();
    let answer = Arc::new(Mutex::new(Some(answer)));
    let service = Service::answering(move |request: Request<Incoming>| {
        let _ = handed.send(request.into_body());
        let answer = answer.lock().unwrap().take();
        Box::pin(async { Response::new(answer.unwrap_or_else(|| whole(""))) })
    })
    .await;
    (service, out)
}

async fn both_ways(http2: bool) {
    let (answering, answer) = by_pieces();
    let (service, mut out) = handing_out(answer).await;
    let world = World::before(&service).await;
    let (asking_it, question) = by_pieces();
    let target = "http://orders.example.com/open/list";
    let response = if http2 {
        let request = asking(Method::POST, target, &[], question);
        let mut sender = caller::http2(world.address).await;
        tokio::spawn(async move { sender.send_request(request).await })
    } else {
        let request = asking(Method::POST, "/open/list", &[], question);
        let mut sender = caller::http1(world.address).await;
        tokio::spawn(async move { sender.send_request(request).await })
    };
    asking_it.send(Ok("first")).unwrap();
    let mut came = soon(out.recv()).await.unwrap();
    comes(&mut came, "first").await;
    asking_it.send(Ok("second")).unwrap();
    comes(&mut came, "second").await;
    // the answer begins while the question goes on
    answering.send(Ok("one")).unwrap();
    let mut back = soon(response).await.unwrap().unwrap().into_body();
    comes(&mut back, "one").await;
    asking_it.send(Ok("third")).unwrap();
    comes(&mut came, "third").await;
    drop(asking_it);
    ends(&mut came).await;
    answering.send(Ok("two")).unwrap();
    comes(&mut back, "two").await;
    drop(answering);
    ends(&mut back).await;
}

#[tokio::test]
async fn nothing_is_held_by_http1() {
    both_ways(false).await;
}

#[tokio::test]
async fn nothing_is_held_by_http2() {
    both_ways(true).await;
}

/// A body that broke off must not look like one that ended.
#[tokio::test]
async fn what_breaks_off_behind_breaks_off_in_front() {
    let (answering, answer) = by_pieces();
    let (service, _out) = handing_out(answer).await;
    let world = World::before(&service).await;
    let mut sender = caller::http1(world.address).await;
    answering.send(Ok("one")).unwrap();
    let response = sender.send_request(asking(Method::GET, "/open/list", &[], whole("")));
    let mut back = soon(response).await.unwrap().into_body();
    comes(&mut back, "one").await;
    answering.send(Err("it broke".into())).unwrap();
    assert!(soon(back.frame()).await.unwrap().is_err());
}

#[tokio::test]
async fn what_breaks_off_in_front_breaks_off_behind() {
    let (_answering, answer) = by_pieces();
    let (service, mut out) = handing_out(answer).await;
    let world = World::before(&service).await;
    let mut raw = caller::Raw::to(world.address).await;
    raw.send(
        "POST /open/list HTTP/1.1\r\nhost: orders.example.com\r\ncontent-length: 9\r\n\r\nfirst",
    )
    .await;
    let mut came = soon(out.recv()).await.unwrap();
    comes(&mut came, "first").await;
    drop(raw);
    assert!(soon(came.frame()).await.unwrap().is_err());
}

/// A body that nobody lets in is neither waited for nor sent on.
#[tokio::test]
async fn a_denial_does_not_wait_for_the_body() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let mut raw = caller::Raw::to(world.address).await;
    raw.send("POST /mine/x HTTP/1.1\r\nhost: orders.example.com\r\ncontent-length: 9\r\n\r\n")
        .await;
    let answer = raw.until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn each_request_of_a_kept_connection_is_decided_by_what_is_in_force() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    let mut sender = caller::http1(world.address).await;
    let mut status = async || {
        soon(sender.ready()).await.unwrap();
        let request = asking(Method::GET, "/open/list", &[], whole(""));
        let response = soon(sender.send_request(request)).await.unwrap();
        caller::read(response).await.status.as_u16()
    };
    assert_eq!(status().await, 200);
    world.enforcer.withdraw(&"shop".parse().unwrap());
    assert_eq!(status().await, 503);
    world
        .enforcer
        .install(super::rules::verified(&Said::default()));
    assert_eq!(status().await, 200);
}

/// A new ruleset is one swap: the next request of an open connection is decided by it, and no
/// connection notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rulesets_change_under_load_and_no_connection_breaks() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    let mut callers = Vec::new();
    let (done, told) = tokio::sync::watch::channel(false);
    for _ in 0..4 {
        let mut sender = caller::http1(world.address).await;
        let told = told.clone();
        callers.push(tokio::spawn(async move {
            let mut answers = 0;
            while !*told.borrow() || answers < 20 {
                let request = asking(Method::GET, "/open/list", &[], whole(""));
                soon(sender.ready()).await.unwrap();
                let response = soon(sender.send_request(request)).await.unwrap();
                assert_eq!(caller::read(response).await.status, 200);
                answers += 1;
            }
        }));
    }
    for serial in 2..40 {
        let said = Said {
            serial,
            ..Said::default()
        };
        world.enforcer.install(super::rules::verified(&said));
        tokio::task::yield_now().await;
    }
    done.send(true).unwrap();
    for caller in callers {
        soon(caller).await.unwrap();
    }
    assert_eq!(
        world.number("countersign_connections_refused_total").await,
        0
    );
}
