//! Calls of gRPC: HTTP/2 all the way, and denials that its clients can read.

use super::caller::{self, Answer};
use super::identity::with_trailers;
use super::issuer::bearer;
use super::rules::{HOST, Said};
use super::service::Service;
use super::world::{World, asking, soon};
use crate::body::whole;
use http::{HeaderMap, HeaderValue, Method, Version};
use serde_json::json;

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
const TE: (&str, &str) = ("te", "trailers");

async fn call(world: &World, authority: &str, path: &str, more: &[(&str, &str)]) -> Answer {
    let mut sender = caller::http2(world.address).await;
    let target = format!("http://{authority}{path}");
    let fields: Vec<_> = [GRPC, TE].iter().chain(more).copied().collect();
    let request = asking(Method::POST, &target, &fields, whole("\0\0\0\0\0"));
    caller::read(soon(sender.send_request(request)).await.unwrap()).await
}

fn denied(answer: &Answer, code: &str, message: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("grpc-status"), code);
    assert_eq!(answer.field("grpc-message"), message);
    assert_eq!(answer.field("content-type"), "application/grpc");
    assert_eq!(answer.field("cache-control"), "no-store");
    assert!(answer.body.is_empty(), "the head says it all");
    assert_eq!(answer.trailers, None);
}

#[tokio::test]
async fn a_denial_is_told_by_the_head_alone() {
    let mut service = Service::start().await;
    let said = Said {
        disclose: "Reason",
        ..Said::default()
    };
    let quiet = World::before(&service).await;
    let world = World::with(service.address, |it| it.said = Some(said)).await;
    let ana = bearer(&json!({}));
    let answer = call(&quiet, HOST, "/mine/x", &[]).await;
    denied(&answer, "16", "NoToken");
    assert_eq!(
        answer.field("www-authenticate"),
        r#"Bearer realm="orders.example.com""#
    );
    let answer = call(&world, HOST, "/mine/x", &[]).await;
    denied(
        &answer,
        "16",
        "NoToken:%20no%20rule%20lets%20it%20in%20without%20a%20token",
    );
    let answer = call(&quiet, HOST, "/admin/x", &[("authorization", &ana)]).await;
    denied(&answer, "7", "NoRuleMatched");
    let answer = call(&quiet, HOST, "/open/x", &[("authorization", "Bearer")]).await;
    denied(&answer, "3", "CredentialMalformed");
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn what_cannot_be_decided_or_answered_is_unavailable() {
    let mut service = Service::start().await;
    let world = World::with(service.address, |it| it.said = None).await;
    denied(&call(&world, HOST, "/open/x", &[]).await, "14", "NoRuleset");
    assert!(service.saw_nothing());
    let world = World::before(&service).await;
    service.end().await;
    let answer = call(&world, HOST, "/open/x", &[]).await;
    denied(&answer, "14", "UpstreamUnreachable");
}

#[tokio::test]
async fn a_call_reaches_the_service_by_http2_and_its_status_comes_back() {
    let service = Service::answering(|request| {
        Box::pin(async move {
            let asked = request.version() == Version::HTTP_2
                && request.uri().authority().is_some_and(|it| it == HOST)
                && request
                    .headers()
                    .get("te")
                    .is_some_and(|te| te == "trailers")
                && !request.headers().contains_key("host");
            let status = if asked { "0" } else { "2" };
            let mut response = http::Response::new(with_trailers(&[("grpc-message", "done")]));
            let headers = response.headers_mut();
            headers.insert("content-type", HeaderValue::from_static("application/grpc"));
            headers.insert("x-asked", HeaderValue::from_static(status));
            response
        })
    })
    .await;
    let world = World::before(&service).await;
    let answer = call(&world, HOST, "/shop.Orders/List", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.field("x-asked")),
        (200, "0")
    );
    assert_eq!(answer.body, "bytes");
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-message", HeaderValue::from_static("done"));
    assert_eq!(answer.trailers, Some(trailers));
}

/// An edge that connected to the authority that a caller names would call anybody for him, and tell
/// him the caller's identity.
#[tokio::test]
async fn a_call_reaches_the_service_whatever_authority_is_named() {
    let mut service = Service::start().await;
    let mut other = Service::start().await;
    let world = World::before(&service).await;
    let somewhere = other.address.to_string();
    for (authority, host) in [
        (somewhere.as_str(), "127.0.0.1"),
        ("localhost", "localhost"),
        ("Elsewhere.example.com:1", "elsewhere.example.com"),
    ] {
        let answer = call(&world, authority, "/shop.Orders/List", &[]).await;
        assert_eq!(answer.status, 200, "{authority}");
        let seen = service.seen().await;
        assert_eq!(seen.request.version(), Version::HTTP_2);
        assert_eq!(seen.request.uri().authority().unwrap().as_str(), host);
    }
    assert!(other.saw_nothing());
}
