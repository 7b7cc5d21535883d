//! What the endpoint gives, to whom, and when: asked by requests with real tokens.

use super::Source;
use super::acknowledgements::{Acknowledgement, Acknowledgements, Pod};
use super::issuer::Issuer;
use super::poll::Waiting;
use super::readers::{AUDIENCE, Readers};
use super::request::Exchange;
use bytes::Bytes;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use futures::future::BoxFuture;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

mod acknowledged;
mod authority;
mod certificate;
mod waiting;

use authority::Authority;

const NOW: UnixTime = UnixTime(1_795_521_600);

/// What is published, in memory.
#[derive(Debug)]
struct Memory {
    manifests: watch::Sender<BTreeMap<Scope, Bytes>>,
    blobs: Mutex<BTreeMap<Digest, Bytes>>,
}

impl Source for Memory {
    fn manifest(&self, scope: &Scope) -> Option<Bytes> {
        self.manifests.borrow().get(scope).cloned()
    }

    fn trust(&self, version: u64) -> Option<Bytes> {
        (version == 1).then(|| Bytes::from_static(b"trust 1"))
    }

    fn blob(&self, scope: &Scope, digest: &Digest) -> Option<Bytes> {
        let shop = scope.as_str() == "shop";
        self.blobs
            .lock()
            .unwrap()
            .get(digest)
            .filter(|_| shop)
            .cloned()
    }

    fn changed<'s>(&'s self, scope: &'s Scope, known: Option<Bytes>) -> BoxFuture<'s, ()> {
        let mut all = self.manifests.subscribe();
        Box::pin(async move {
            let is_other = |all: &BTreeMap<Scope, Bytes>| all.get(scope) != known.as_ref();
            let _ = all.wait_for(is_other).await;
        })
    }
}

struct Desk {
    memory: Arc<Memory>,
    authority: Authority,
    exchange: Arc<Exchange>,
}

/// What came back.
struct Answered {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn reason(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["reason"].as_str().unwrap().to_owned()
    }
}

impl Desk {
    fn new() -> Self {
        let authority = Authority::new();
        let readers = Readers::new().unwrap();
        readers.take(&authority.issuer(), NOW).unwrap();
        Self::with(authority, readers)
    }

    fn with(authority: Authority, readers: Readers) -> Self {
        let scopes = ["shop", "trust"].map(|scope| {
            let manifest = Bytes::from(format!("manifest of {scope}"));
            (scope.parse().unwrap(), manifest)
        });
        let blob = Bytes::from_static(b"blob");
        let memory = Arc::new(Memory {
            manifests: watch::Sender::new(BTreeMap::from(scopes)),
            blobs: Mutex::new(BTreeMap::from([(Digest::of(&blob), blob)])),
        });
        let exchange = Arc::new(Exchange {
            source: Arc::<Memory>::clone(&memory),
            readers: Arc::new(readers),
            acknowledgements: Arc::default(),
            clock: || NOW,
            waiting: Waiting::default(),
        });
        Self {
            memory,
            authority,
            exchange,
        }
    }

    async fn ask(&self, request: Request<()>) -> Answered {
        let (parts, ()) = request.into_parts();
        let response = self.exchange.answer(&parts, std::future::pending()).await;
        let (parts, body) = response.into_parts();
        Answered {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Answered {
        self.ask(get(path, token, &[])).await
    }
}

fn get(path: &str, token: Option<&str>, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::get(format!("https://controller.example{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_pod_reads_what_is_published_for_its_namespace() {
    let desk = Desk::new();
    let token = desk.authority.token("shop");
    let manifest = desk.get("/v1/shop/manifest.json", Some(&token)).await;
    assert_eq!(
        (manifest.status, &*manifest.body),
        (StatusCode::OK, &b"manifest of shop"[..])
    );
    assert_eq!(manifest.header("cache-control"), "private, no-cache");
    let trust = desk.get("/v1/trust/1.json", Some(&token)).await;
    assert_eq!(
        (trust.status, &*trust.body),
        (StatusCode::OK, &b"trust 1"[..])
    );
    let blob = format!("/v1/shop/blobs/sha256/{}", Digest::of(b"blob"));
    let blob = desk.get(&blob, Some(&token)).await;
    assert_eq!((blob.status, &*blob.body), (StatusCode::OK, &b"blob"[..]));
    assert!(blob.header("cache-control").contains("immutable"));
    for absent in [
        "/v1/trust/2.json",
        "/v1/shop/nothing",
        "/v1/shop/blobs/sha256/0",
    ] {
        let answer = desk.get(absent, Some(&token)).await;
        assert_eq!(
            (answer.status, &*answer.reason()),
            (StatusCode::NOT_FOUND, "NotFound"),
            "{absent}"
        );
    }
}

#[tokio::test]
async fn a_pod_of_another_namespace_is_turned_away() {
    let desk = Desk::new();
    let token = desk.authority.token("bank");
    for path in [
        "/v1/shop/manifest.json",
        "/v1/shop/blobs/sha256/0",
        "/v1/shop",
    ] {
        let answer = desk.get(path, Some(&token)).await;
        assert_eq!(
            (answer.status, &*answer.reason()),
            (StatusCode::FORBIDDEN, "NoRuleMatched"),
            "{path}"
        );
    }
    let own = desk.get("/v1/bank/manifest.json", Some(&token)).await;
    assert_eq!(own.status, StatusCode::NOT_FOUND);
}

/// The folder of trust documents is everybody's; a namespace may have its name all the same.
#[tokio::test]
async fn a_namespace_that_is_called_trust_is_its_own() {
    let desk = Desk::new();
    let path = "/v1/trust/manifest.json";
    let other = desk.get(path, Some(&desk.authority.token("shop"))).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let own = desk.get(path, Some(&desk.authority.token("trust"))).await;
    assert_eq!(
        (own.status, &*own.body),
        (StatusCode::OK, &b"manifest of trust"[..])
    );
}

#[tokio::test]
async fn a_token_must_be_here_for_this_and_of_a_pod() {
    let desk = Desk::new();
    let path = "/v1/shop/manifest.json";
    let none = desk.get(path, None).await;
    assert_eq!(
        (none.status, &*none.reason()),
        (StatusCode::UNAUTHORIZED, "NoToken")
    );
    assert_eq!(
        none.header("www-authenticate"),
        "Bearer realm=\"countersign-controller\""
    );
    let elsewhere = desk
        .authority
        .mint("shop", "https://kubernetes.default.svc", true);
    let elsewhere = desk.get(path, Some(&elsewhere)).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    assert_eq!(elsewhere.reason(), "AudienceMismatch");
    assert!(
        elsewhere
            .header("www-authenticate")
            .contains("invalid_token")
    );
    let stranger = Authority::new().token("shop");
    let stranger = desk.get(path, Some(&stranger)).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    // one that is bound to no pod outlives whatever it was made for
    let unbound = desk.authority.mint("shop", AUDIENCE, false);
    let unbound = desk.get(path, Some(&unbound)).await;
    assert_eq!(
        (unbound.status, &*unbound.reason()),
        (StatusCode::FORBIDDEN, "NoRuleMatched")
    );
    let trust = desk.authority.mint("shop", AUDIENCE, false);
    let trust = desk.get("/v1/trust/1.json", Some(&trust)).await;
    assert_eq!(trust.status, StatusCode::FORBIDDEN);
    let mut post = get(path, Some(&desk.authority.token("shop")), &[]);
    *post.method_mut() = http::Method::POST;
    assert_eq!(desk.ask(post).await.status, StatusCode::FORBIDDEN);
}

/// What is decided on is what is served: no other spelling leads around the decision.
#[tokio::test]
async fn another_spelling_of_a_path_leads_nowhere_else() {
    let desk = Desk::new();
    let token = desk.authority.token("bank");
    for (path, expected) in [
        ("/v1/bank/../shop/manifest.json", StatusCode::FORBIDDEN),
        ("/v1/bank/%2e%2e/shop/manifest.json", StatusCode::FORBIDDEN),
        (
            "/v1/bank%2f..%2fshop/manifest.json",
            StatusCode::BAD_REQUEST,
        ),
        ("/v1//shop/manifest.json", StatusCode::BAD_REQUEST),
        ("/v1/%73hop/manifest.json", StatusCode::FORBIDDEN),
    ] {
        let answer = desk.get(path, Some(&token)).await;
        assert_eq!(answer.status, expected, "{path}");
    }
}

#[tokio::test]
async fn nobody_reads_before_it_is_known_whose_tokens_count() {
    let desk = Desk::with(Authority::new(), Readers::new().unwrap());
    let token = desk.authority.token("shop");
    let answer = desk.get("/v1/shop/manifest.json", Some(&token)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (answer.header("retry-after"), &*answer.reason()),
        ("5", "NoRuleset")
    );
}

#[tokio::test]
async fn a_key_that_is_withdrawn_counts_no_longer() {
    let desk = Desk::new();
    let token = desk.authority.token("shop");
    let other = Authority::new();
    desk.exchange.readers.take(&other.issuer(), NOW).unwrap();
    let path = "/v1/shop/manifest.json";
    let old = desk.get(path, Some(&token)).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let new = desk.get(path, Some(&other.token("shop"))).await;
    assert_eq!(new.status, StatusCode::OK);
}

/// A pod cannot speak for another, nor in another namespace: whose word it is stands in the token.
#[tokio::test]
async fn an_edge_says_what_is_in_force_there() {
    let desk = Desk::new();
    let token = desk.authority.token("shop");
    let said = [("countersign-in-force", "1:7")];
    desk.ask(get("/v1/shop/manifest.json", Some(&token), &said))
        .await;
    let bank = desk.authority.token("bank");
    desk.ask(get("/v1/shop/manifest.json", Some(&bank), &said))
        .await;
    desk.ask(get(
        "/v1/shop/manifest.json",
        Some(&token),
        &[("countersign-in-force", "7")],
    ))
    .await;
    let shop: Scope = "shop".parse().unwrap();
    let all = desk.exchange.acknowledgements.of(&shop, NOW);
    let expected = Acknowledgement {
        pod: Pod {
            uid: "uid-of-shop".to_owned(),
            name: "orders-1".to_owned(),
        },
        order: "1:7".parse().unwrap(),
        seen_at: NOW,
    };
    let all: Vec<_> = all.edges.into_values().collect();
    assert_eq!(all, [expected]);
    assert_eq!(
        desk.exchange.acknowledgements.changed(),
        BTreeSet::from([shop])
    );
}
