//! What the service is told of the caller: by the edge, and by nobody else.

use super::caller::{self, Answer};
use super::issuer::bearer;
use super::rules::{PROVIDER, Said};
use super::service::{Seen, Service};
use super::world::{World, asking, soon};
use crate::body::{AnyBody, BodyError, whole};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

const FAMILY: &str = "x-countersign-";

/// What an application behind CGI or WSGI takes for a field of this edge.
fn of_the_family(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let folded = |name: &HeaderName| name.as_str().replace(['_', '.'], "-");
    let own = headers
        .iter()
        .filter(|(name, _)| folded(name).starts_with(FAMILY));
    let mut own: Vec<_> = own
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .filter(|(name, _)| *name != "x-countersign-decision")
        .collect();
    own.sort_unstable();
    own
}

async fn world_telling(service: &Service, forward: Value) -> World {
    let said = Said {
        forward,
        ..Said::default()
    };
    World::with(service.address, |it| it.said = Some(said)).await
}

async fn ana(world: &World, claims: &Value, service: &mut Service) -> (Answer, Seen) {
    let fields = [("authorization", bearer(claims))];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let answer = world.get("/mine/orders", &fields).await;
    (answer, service.seen().await)
}

#[tokio::test]
async fn nothing_is_told_unless_a_policy_says_so() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let (answer, seen) = ana(&world, &json!({}), &mut service).await;
    assert_eq!(answer.status, 200);
    assert_eq!(of_the_family(seen.request.headers()), []);
}

#[tokio::test]
async fn what_a_policy_says_is_told_from_the_token() {
    let mut service = Service::start().await;
    let world = world_telling(&service, json!(["Email", "Groups", "User"])).await;
    let (_, seen) = ana(&world, &json!({}), &mut service).await;
    let told = [
        ("x-countersign-email", "ana@example.com"),
        ("x-countersign-groups", "order-support,staff"),
        ("x-countersign-provider", PROVIDER),
        ("x-countersign-user", "ana"),
    ];
    assert_eq!(of_the_family(seen.request.headers()), told);
}

/// A service that takes only what is asserted must be able to rely on it: none is forged, and that
/// none comes is seen.
#[tokio::test]
async fn no_assertion_is_sent_on_that_this_edge_did_not_sign() {
    let mut service = Service::start().await;
    let world = world_telling(&service, json!(["Assertion"])).await;
    let token = bearer(&json!({}));
    for name in ["x-countersign-assertion", "X_Countersign_Assertion"] {
        let fields = [
            ("authorization", token.as_str()),
            (name, "eyJhbGciOiJub25lIn0.e30."),
        ];
        assert_eq!(world.get("/mine/orders", &fields).await.status, 200);
        let seen = service.seen().await;
        assert_eq!(of_the_family(seen.request.headers()), [], "{name}");
    }
    let unsigned = world.number("countersign_assertions_unsigned_total").await;
    assert_eq!(unsigned, 2);
}

#[tokio::test]
async fn of_what_is_not_known_nothing_is_told() {
    let mut service = Service::start().await;
    let world = world_telling(&service, json!(["Email", "Groups", "User"])).await;
    let unknown = json!({"email_verified": false, "groups": null});
    let (_, seen) = ana(&world, &unknown, &mut service).await;
    let told = [
        ("x-countersign-provider", PROVIDER),
        ("x-countersign-user", "ana"),
    ];
    assert_eq!(of_the_family(seen.request.headers()), told);
    let answer = world
        .get("/open/list", &[("x-countersign-user", "root")])
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(of_the_family(service.seen().await.request.headers()), []);
}

/// A comma or a line's end in a claim makes no second group and no second field.
#[tokio::test]
async fn a_claim_cannot_say_more_than_one_thing() {
    let mut service = Service::start().await;
    let world = world_telling(&service, json!(["Groups", "User"])).await;
    let claims = json!({"sub": " ana\r\nx-admin: 1", "groups": ["a,admin", "b%2C", "\u{e9}"]});
    let (answer, seen) = ana(&world, &claims, &mut service).await;
    assert_eq!(answer.status, 200);
    let told = [
        ("x-countersign-groups", "a%2Cadmin,b%252C,%C3%A9"),
        ("x-countersign-provider", PROVIDER),
        ("x-countersign-user", "%20ana%0D%0Ax-admin:%201"),
    ];
    assert_eq!(of_the_family(seen.request.headers()), told);
    assert_eq!(seen.fields("x-admin"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_forged_field_reaches_nobody_in_any_spelling() {
    let mut service = Service::start().await;
    let world = world_telling(&service, json!(["User"])).await;
    let token = bearer(&json!({}));
    let forged = [
        ("authorization", token.as_str()),
        ("X-Countersign-User", "root"),
        ("x-countersign-user", "root"),
        ("x_countersign_user", "root"),
        ("X-Countersign_Email", "root@example.com"),
        ("x.countersign.groups", "admin"),
        ("x-countersign-anything", "1"),
        ("x-countersign-decision", "0"),
        ("connection", "x-countersign-user, x-countersign-provider"),
    ];
    let answer = world.get("/mine/orders", &forged).await;
    assert_eq!(answer.status, 200);
    let seen = service.seen().await;
    let told = [
        ("x-countersign-provider", PROVIDER),
        ("x-countersign-user", "ana"),
    ];
    assert_eq!(of_the_family(seen.request.headers()), told);
    let decision = answer.field("x-countersign-decision");
    assert_eq!(seen.fields("x-countersign-decision"), [decision]);
}

/// A body, and trailers after it.
pub(super) fn with_trailers(trailers: &[(&'static str, &'static str)]) -> AnyBody {
    let mut map = HeaderMap::new();
    for (name, value) in trailers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let frames = [Frame::data(Bytes::from("bytes")), Frame::trailers(map)];
    let frames = frames.map(Ok::<_, BodyError>);
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

#[tokio::test]
async fn a_trailer_says_nothing_that_a_head_may_not() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let trailers = [
        ("x-checksum", "1"),
        ("x-countersign-user", "root"),
        ("x_countersign_user", "root"),
        ("authorization", "Bearer x"),
        ("x-forwarded-for", "10.0.0.1"),
        ("host", "elsewhere"),
        ("content-length", "5"),
    ];
    let fields = [
        ("te", "trailers"),
        (
            "trailer",
            "x-checksum, x-countersign-user, x_countersign_user, authorization, x-forwarded-for",
        ),
    ];
    for target in ["/open/list", "http://orders.example.com/open/list"] {
        let request = asking(Method::POST, target, &fields, with_trailers(&trailers));
        let response = if target.starts_with('/') {
            soon(caller::http1(world.address).await.send_request(request)).await
        } else {
            soon(caller::http2(world.address).await.send_request(request)).await
        };
        assert_eq!(caller::read(response.unwrap()).await.status, 200);
        let seen = service.seen().await;
        let mut passed = HeaderMap::new();
        passed.insert("x-checksum", HeaderValue::from_static("1"));
        assert_eq!(seen.trailers, Some(passed), "{target}");
    }
}

#[tokio::test]
async fn a_services_trailers_pass_but_none_in_the_edges_name() {
    let service = Service::answering(|_| {
        Box::pin(async {
            let trailers = [
                ("x-checksum", "1"),
                ("x-countersign-user", "root"),
                ("set-cookie", "a=1"),
            ];
            let mut response = http::Response::new(with_trailers(&trailers));
            let names = HeaderValue::from_static("x-checksum, x-countersign-user, set-cookie");
            response.headers_mut().insert("trailer", names);
            response
        })
    })
    .await;
    let world = World::before(&service).await;
    let mut sender = caller::http2(world.address).await;
    let target = "http://orders.example.com/open/list";
    let request = asking(Method::GET, target, &[("te", "trailers")], whole(""));
    let answer = caller::read(soon(sender.send_request(request)).await.unwrap()).await;
    let mut passed = HeaderMap::new();
    passed.insert("x-checksum", HeaderValue::from_static("1"));
    assert_eq!(answer.trailers, Some(passed));
}
