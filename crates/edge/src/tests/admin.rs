//! What an edge tells of itself, and through which door.

use super::rules::{self, Said};
use super::service::Service;
use super::streams::by_pieces;
use super::world::{World, asking, soon};
use crate::body::whole;
use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use tokio::net::UnixStream;

pub(super) async fn by_socket(path: &Path, target: &str) -> (u16, String) {
    let io = TokioIo::new(soon(UnixStream::connect(path)).await.unwrap());
    let (mut sender, connection) = soon(http1::handshake(io)).await.unwrap();
    tokio::spawn(connection);
    let request = asking(Method::GET, target, &[], whole(""));
    let response = soon(sender.send_request(request)).await.unwrap();
    let status = response.status().as_u16();
    let body = soon(response.into_body().collect())
        .await
        .unwrap()
        .to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn an_edge_is_ready_once_it_can_decide_and_reach_the_service() {
    let service = Service::start().await;
    let world = World::with(service.address, |it| it.said = None).await;
    let healthy = world.told("/healthz").await;
    assert_eq!((healthy.status.as_u16(), healthy.text()), (200, "alive\n"));
    let ready = world.told("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.text()),
        (503, "not every scope has a ruleset in force\n")
    );
    world.enforcer.install(rules::verified(&Said::default()));
    let ready = world.told("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.text()), (200, "ready\n"));
    service.end().await;
    let ready = world.told("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.text()),
        (503, "the upstream does not accept connections\n")
    );
    assert_eq!(world.told("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_edge_that_stops_is_alive_and_not_ready() {
    let (answering, answer) = by_pieces();
    let answer = Mutex::new(Some(answer));
    let service = Service::answering(move |_| {
        let answer = answer.lock().unwrap().take();
        Box::pin(async { Response::new(answer.unwrap_or_else(|| whole(""))) })
    })
    .await;
    let world = World::before(&service).await;
    let admin = world.admin;
    let mut sender = super::caller::http1(world.address).await;
    answering.send(Ok("one")).unwrap();
    let request = asking(Method::GET, "/open/list", &[], whole(""));
    let held = soon(sender.send_request(request)).await.unwrap();
    let stopping = world.stop();
    let ready = soon(async {
        loop {
            let mut sender = super::caller::http1(admin).await;
            let request = asking(Method::GET, "/readyz", &[], whole(""));
            let response = sender.send_request(request).await.unwrap();
            let answer = super::caller::read(response).await;
            if answer.status != 200 {
                return answer;
            }
        }
    })
    .await;
    assert_eq!((ready.status.as_u16(), ready.text()), (503, "stopping\n"));
    drop(answering);
    assert_eq!(super::caller::read(held).await.text(), "one");
    assert_eq!(soon(stopping).await.unwrap(), crate::Stopped::Finished);
}

#[tokio::test]
async fn numbers_are_told_by_name() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    world.get("/open/list", &[]).await;
    world.get("/mine/x", &[]).await;
    let answer = world.told("/metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(
        (answer.status.as_u16(), answer.field("content-type")),
        (200, kind)
    );
    assert!(answer.text().ends_with("# EOF\n"));
    for (name, value) in [
        (
            r#"countersign_decisions_total{verdict="allow",reason="Allowed"}"#,
            1,
        ),
        (
            r#"countersign_decisions_total{verdict="deny",reason="NoToken"}"#,
            1,
        ),
        (r#"countersign_ruleset_serial{scope="shop"}"#, 1),
        (r#"countersign_ruleset_in_force{scope="shop"}"#, 1),
        (
            r#"countersign_ruleset_expires_in_seconds{scope="shop"}"#,
            3_600,
        ),
        ("countersign_panics_total", 0),
        ("countersign_audit_dropped_total", 0),
    ] {
        assert!(
            answer.text().contains(&format!("\n{name} {value}\n")),
            "{name}\n{}",
            answer.text()
        );
    }
}

/// An application shares loopback with its sidecar, and decisions name people.
#[tokio::test]
async fn rulesets_and_decisions_are_told_on_the_unix_socket_alone() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let world = World::with(service.address, |it| {
        it.config.admin_socket = Some(path.clone());
        it.config.limits.recent = 2;
    })
    .await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for target in ["/open/a", "/open/b", "/mine/c"] {
        world.get(target, &[]).await;
    }
    for target in ["/ruleset", "/decisions"] {
        assert_eq!(world.told(target).await.status, 404);
    }
    let (status, ruleset) = by_socket(&path, "/ruleset").await;
    assert_eq!(status, 200);
    let ruleset: Value = serde_json::from_str(&ruleset).unwrap();
    assert_eq!(ruleset[0]["scope"], "shop");
    assert_eq!(
        (
            &ruleset[0]["inForce"]["serial"],
            &ruleset[0]["inForce"]["standing"]
        ),
        (&json!(1), &json!("Fresh"))
    );
    let lines = soon(async {
        loop {
            let (_, lines) = by_socket(&path, "/decisions").await;
            if lines.contains("/mine/c") {
                return lines;
            }
        }
    })
    .await;
    let paths = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["path"].take());
    assert_eq!(
        paths.collect::<Vec<_>>(),
        ["/open/b", "/mine/c"],
        "the last two"
    );
    assert_eq!(by_socket(&path, "/healthz").await.0, 200);
    soon(world.stop()).await.unwrap();
    assert!(!path.exists(), "nothing is left behind");
}

#[tokio::test]
async fn a_socket_left_behind_is_not_in_the_way_and_one_in_use_is() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let world = World::with(service.address, |it| {
        it.config.admin_socket = Some(path.clone());
    })
    .await;
    assert_eq!(by_socket(&path, "/healthz").await.0, 200);
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let mut config = crate::Config::new(anywhere, "http://127.0.0.1:1".parse().unwrap());
    config.admin_socket = Some(path.clone());
    let bound =
        crate::Edge::bind(config, world.enforcer.clone(), rules::now, std::io::sink()).await;
    assert!(
        matches!(bound, Err(crate::Unbound::Listen { place, .. }) if place == path.display().to_string())
    );
    assert_eq!(by_socket(&path, "/healthz").await.0, 200);
}

#[tokio::test]
async fn the_port_is_only_asked() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    let mut sender = super::caller::http1(world.admin).await;
    let request = asking(Method::POST, "/readyz", &[], whole(""));
    let answer = super::caller::read(soon(sender.send_request(request)).await.unwrap()).await;
    assert_eq!(answer.status, 405);
    assert_eq!(world.told("/").await.status, 404);
}
