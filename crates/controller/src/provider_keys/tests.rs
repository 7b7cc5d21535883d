//! Keys fetched from a real server on loopback, which answers as it should and as it should not.

use super::{Fetched, Rules, all};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::resources::KeySource;
use countersign_ruleset::time::UnixTime;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};

const NOW: UnixTime = UnixTime(1_795_521_600);
const LOOPBACK: Rules = Rules {
    http_on_loopback: true,
    allowed: Vec::new(),
    discreet: false,
};

/// A server that answers each path with a text of its own, headers and all.
struct Server(SocketAddr);

impl Server {
    fn new(answers: impl Fn(&str, &str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                let path = first.split(' ').nth(1).unwrap().to_owned();
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                let answer = answers(&path, &format!("http://{address}"));
                // The client may have read enough and gone.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self(address)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn jwks() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "x": x, "y": y}]}).to_string()
}

fn good(path: &str, own: &str) -> String {
    match path {
        "/.well-known/openid-configuration" => {
            ok(&json!({"issuer": own, "jwks_uri": format!("{own}/keys")}).to_string())
        }
        _ => ok(&jwks()),
    }
}

fn source(kind: &str, issuer: &str, jwks_url: Option<String>) -> KeySource {
    KeySource {
        resource: ResourceId {
            kind: kind.to_owned(),
            namespace: String::new(),
            name: "okta".to_owned(),
        },
        issuer: issuer.to_owned(),
        jwks_url,
        ca_bundle: None,
        proxy_url: None,
    }
}

fn discovered(server: &Server) -> Fetched {
    all(
        &[source("ClusterTrustProvider", &server.url(), None)],
        &LOOPBACK,
        NOW,
    )
    .unwrap()
}

/// Why nothing was fetched, in words without the port.
fn refusal(server: &Server) -> String {
    let fetched = discovered(server);
    assert!(fetched.keys.is_empty());
    let [diagnostic] = fetched.diagnostics.as_slice() else {
        panic!("{:?}", fetched.diagnostics);
    };
    assert_eq!(diagnostic.code.id(), "AP0017");
    diagnostic.message.replace(&server.url(), "HOST")
}

#[test]
fn fetches_what_discovery_names() {
    let server = Server::new(good);
    let fetched = discovered(&server);
    assert!(fetched.diagnostics.is_empty(), "{:?}", fetched.diagnostics);
    let keys = fetched.keys.into_values().next().unwrap();
    assert_eq!(keys.jwks_url, format!("{}/keys", server.url()));
    assert_eq!((keys.keys.len(), keys.fetched_at), (1, NOW));
}

#[test]
fn a_url_that_is_written_needs_no_discovery() {
    let server = Server::new(|path, _| if path == "/k" { ok(&jwks()) } else { ok("{}") });
    let url = format!("{}/k", server.url());
    let source = source("ClusterTrustProvider", "https://id.example.com", Some(url));
    let fetched = all(&[source], &LOOPBACK, NOW).unwrap();
    assert_eq!(fetched.keys.len(), 1, "{:?}", fetched.diagnostics);
}

#[test]
fn one_provider_s_failure_touches_no_other() {
    let server = Server::new(good);
    let mut dead = source("ClusterTrustProvider", "http://127.0.0.1:1", None);
    dead.resource.name = "dead".to_owned();
    let sources = [dead, source("ClusterTrustProvider", &server.url(), None)];
    let fetched = all(&sources, &LOOPBACK, NOW).unwrap();
    assert_eq!(
        fetched
            .keys
            .keys()
            .map(|id| id.name.as_str())
            .collect::<Vec<_>>(),
        ["okta"]
    );
    assert_eq!(fetched.diagnostics[0].resource.name, "dead");
}

#[test]
fn takes_the_word_of_nobody_but_the_issuer() {
    let server = Server::new(|_, own| {
        ok(&json!({"issuer": format!("{own}/"), "jwks_uri": format!("{own}/keys")}).to_string())
    });
    assert_eq!(
        refusal(&server),
        "the keys could not be fetched: HOST/.well-known/openid-configuration: expected the issuer \
         `HOST`, got `HOST/`"
    );
}

#[test]
fn follows_no_redirect_and_takes_no_other_status() {
    for (status, said) in [
        ("302 Found", "302 Found"),
        ("404 Not Found", "404 Not Found"),
        ("204 No Content", "204 No Content"),
    ] {
        let server = Server::new(move |_, own| {
            format!("HTTP/1.1 {status}\r\nlocation: {own}/elsewhere\r\nconnection: close\r\n\r\n")
        });
        let refusal = refusal(&server);
        assert!(
            refusal.ends_with(&format!("expected the status 200, got {said}")),
            "{refusal}"
        );
    }
}

#[test]
fn reads_no_more_than_it_may() {
    let server = Server::new(|path, own| match path {
        "/keys" => ok(&format!("{}{}", jwks(), " ".repeat(256 << 10))),
        path => good(path, own),
    });
    let refusal = refusal(&server);
    assert!(
        refusal
            .starts_with("the keys could not be fetched: HOST/keys: expected at most 262144 bytes"),
        "{refusal}"
    );
}

#[test]
fn an_unfit_document_is_no_key_set() {
    for (keys, said) in [
        (
            "{\"keys\":[]}",
            "expected a key that verifies signatures, got none",
        ),
        (
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",
            "expected a key that verifies signatures, got none",
        ),
        (
            "{\"keys\":[],\"keys\":[]}",
            "expected each member once, got one twice at line 1, column 17",
        ),
        ("[]", "expected a JWKS: an object with a list `keys`"),
    ] {
        let server = Server::new(move |path, own| match path {
            "/keys" => ok(keys),
            path => good(path, own),
        });
        let refusal = refusal(&server);
        assert_eq!(
            refusal,
            format!("the keys could not be fetched: HOST/keys: {said}")
        );
    }
}

#[test]
fn plain_http_is_for_loopback_and_only_where_it_was_asked_for() {
    let server = Server::new(good);
    let message = |issuer: &str, kind: &str, rules: &Rules| {
        let fetched = all(&[source(kind, issuer, None)], rules, NOW).unwrap();
        assert!(fetched.keys.is_empty(), "{issuer}");
        fetched.diagnostics[0].message.clone()
    };
    let strict = Rules::default();
    let said = message(&server.url(), "ClusterTrustProvider", &strict);
    assert!(said.contains("expected https, got http"), "{said}");
    // an address of a documentation range: it is refused before it is tried
    let said = message("http://192.0.2.1", "ClusterTrustProvider", &LOOPBACK);
    assert!(
        said.ends_with("192.0.2.1 may not be connected to for this provider"),
        "{said}"
    );
    for url in [
        "ftp://x",
        "id.example.com",
        "https://user@id.example.com",
        "",
    ] {
        let said = message(url, "ClusterTrustProvider", &LOOPBACK);
        assert!(said.contains("expected an https URL"), "{said}");
    }
}

#[test]
fn a_namespace_s_provider_reaches_no_private_address() {
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[fd00:ec2::254]",
    ] {
        let source = source("TrustProvider", &format!("https://{host}"), None);
        let fetched = all(&[source], &LOOPBACK, NOW).unwrap();
        let said = &fetched.diagnostics[0].message;
        assert!(
            said.ends_with("may not be connected to for this provider"),
            "{said}"
        );
    }
}
