//! Upgrades: to WebSocket after a permit, to nothing else, and never without one.

use super::caller::Raw;
use super::rules::HOST;
use super::service::Service;
use super::world::World;
use crate::Stopped;
use crate::body::whole;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A service that switches whenever it is asked, and says `hi` and then every byte back.
pub(super) async fn switching() -> Service {
    Service::answering(|mut request: Request<Incoming>| {
        Box::pin(async move {
            let asked = request.headers().get("upgrade").cloned();
            let mut response = Response::new(whole("no upgrade was asked for"));
            if let Some(to) = asked {
                let upgrade = hyper::upgrade::on(&mut request);
                tokio::spawn(async move {
                    let mut io = TokioIo::new(upgrade.await.unwrap());
                    io.write_all(b"hi").await.unwrap();
                    let (mut read, mut write) = tokio::io::split(io);
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                let headers = response.headers_mut();
                headers.insert("connection", HeaderValue::from_static("upgrade"));
                headers.insert("upgrade", to);
            }
            response
        })
    })
    .await
}

/// Asks to leave HTTP.
pub(super) async fn asks(world: &World, target: &str, to: &str) -> (Raw, String) {
    let mut raw = Raw::to(world.address).await;
    raw.send(format!(
        "GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: {to}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ))
    .await;
    let head = raw.until("\r\n\r\n").await;
    (raw, head)
}

#[tokio::test]
async fn after_a_permit_bytes_pass_both_ways() {
    let service = switching().await;
    let mut world = World::before(&service).await;
    let (mut raw, head) = asks(&world, "/open/ws", "WebSocket").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("upgrade: websocket\r\n"), "{head}");
    let id = world.audited().await["id"].take();
    let decision = format!("x-countersign-decision: {}\r\n", id.as_str().unwrap());
    assert!(head.contains(&decision), "{head}");
    if !head.ends_with("hi") {
        assert_eq!(raw.until("hi").await, "hi");
    }
    raw.send(b"\x81\x85 some frame").await;
    let mut back = [0; 13];
    raw.0.read_exact(&mut back).await.unwrap();
    assert_eq!(back, *b"\x81\x85 some frame");
    // the caller leaves, and the place is free again
    drop(raw);
    world.until("countersign_connections ", 0).await;
}

#[tokio::test]
async fn without_a_permit_nobody_switches() {
    let service = switching().await;
    let world = World::before(&service).await;
    let (_, head) = asks(&world, "/mine/ws", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert!(!head.contains("upgrade"), "{head}");
}

/// `h2c` would carry requests that nobody decides.
#[tokio::test]
async fn to_nothing_but_websocket_is_an_upgrade_passed_on() {
    let service = switching().await;
    let world = World::before(&service).await;
    for to in [
        "h2c",
        "websocket2",
        "h2c, websocket",
        "websocket, h2c",
        "TLS/1.0",
    ] {
        let (mut raw, head) = asks(&world, "/open/ws", to).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{to}: {head}");
        let body = "no upgrade was asked for";
        assert!(
            head.contains(body) || raw.until(body).await.contains(body),
            "{to}"
        );
    }
}

#[tokio::test]
async fn a_service_that_switches_unasked_is_not_followed() {
    let service = Service::answering(|_| {
        Box::pin(async {
            let mut response = Response::new(whole(""));
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert("connection", HeaderValue::from_static("upgrade"));
            headers.insert("upgrade", HeaderValue::from_static("websocket"));
            response
        })
    })
    .await;
    let world = World::before(&service).await;
    let answer = world.get("/open/ws", &[]).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["reason"], "UpstreamUnreachable");
}

#[tokio::test]
async fn a_tunnel_does_not_hold_a_stop_beyond_its_grace() {
    let service = switching().await;
    let world = World::with(service.address, |it| {
        it.config.grace = Duration::from_millis(50);
    })
    .await;
    let (mut raw, head) = asks(&world, "/open/ws", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let stopped = super::world::soon(world.stop()).await.unwrap();
    assert_eq!(stopped, Stopped::CutOff(1));
    assert!(
        matches!(raw.rest().await.as_str(), "" | "hi"),
        "it is cut off"
    );
}

#[tokio::test]
async fn a_tunnel_keeps_its_place_among_the_connections() {
    let service = switching().await;
    let world = World::with(service.address, |it| {
        it.config.limits.connections = 1;
    })
    .await;
    let (raw, head) = asks(&world, "/open/ws", "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let (_, refused) = asks(&world, "/open/ws", "websocket").await;
    assert_eq!(refused, "");
    drop(raw);
}
