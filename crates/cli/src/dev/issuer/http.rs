//! The issuer over HTTP, on loopback: discovery, keys, and tokens for whoever asks on this machine.

use super::Issuer;
use crate::dev::loopback::{self, Answer};
use countersign_ruleset::time::UnixTime;
use http::{Request, StatusCode, Uri};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves until it is dropped.
pub(in crate::dev) fn serve(
    listener: TcpListener,
    address: SocketAddr,
    issuer: Issuer,
    clock: fn() -> UnixTime,
) -> loopback::Serving {
    loopback::serve(listener, move |request: Request<Incoming>| {
        let answer = answer(&request, address, &issuer, clock());
        async move { answer }
    })
}

fn answer<B>(request: &Request<B>, address: SocketAddr, issuer: &Issuer, now: UnixTime) -> Answer {
    // A page in this machine's browser could have its own name lead here, and then read tokens.
    if !is_called_as_itself(request, address) {
        let why = format!("expected to be called as {address}");
        return loopback::json(StatusCode::MISDIRECTED_REQUEST, &json!({"error": why}));
    }
    if request.method() != http::Method::GET {
        let why = json!({"error": "expected GET"});
        return loopback::json(StatusCode::METHOD_NOT_ALLOWED, &why);
    }
    match request.uri().path() {
        "/.well-known/openid-configuration" => loopback::json(StatusCode::OK, &discovery(address)),
        "/jwks.json" => loopback::json(StatusCode::OK, &issuer.jwks()),
        "/people" => loopback::json(StatusCode::OK, &people(issuer)),
        "/token" => match token(request.uri(), issuer, now) {
            Ok(token) => loopback::text(StatusCode::OK, token),
            Err(why) => loopback::json(StatusCode::BAD_REQUEST, &json!({"error": why})),
        },
        _ => {
            let known = "/token?as=NAME, /people, /jwks.json, /.well-known/openid-configuration";
            let why = json!({"error": format!("expected one of {known}")});
            loopback::json(StatusCode::NOT_FOUND, &why)
        }
    }
}

fn is_called_as_itself<B>(request: &Request<B>, address: SocketAddr) -> bool {
    let host = request.headers().get(http::header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let port = address.port();
    host.is_some_and(|host| host == address.to_string() || host == format!("localhost:{port}"))
}

fn discovery(address: SocketAddr) -> Value {
    let issuer = format!("http://{address}");
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks.json"),
        "id_token_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "RS256"],
        "response_types_supported": ["none"],
        "subject_types_supported": ["public"],
    })
}

fn people(issuer: &Issuer) -> Value {
    let people = issuer.cast().people;
    let written = people.iter().map(
        |person| json!({"name": person.name, "provider": person.provider, "about": person.about}),
    );
    json!({"people": written.collect::<Vec<_>>()})
}

/// `as=NAME`, and if they are said `provider=NAME` and `audience=TEXT`.
fn token(uri: &Uri, issuer: &Issuer, now: UnixTime) -> Result<String, String> {
    let asked = query(uri.query().unwrap_or_default());
    let cast = issuer.cast();
    let got = asked.get("as").map_or("", String::as_str);
    let found = cast.find(got, asked.get("provider").map(String::as_str));
    let person = found.ok_or_else(|| {
        let known: Vec<&str> = cast
            .people
            .iter()
            .map(|person| person.name.as_str())
            .collect();
        let (known, got) = (known.join(", "), got.chars().take(80).collect());
        super::NoToken::Nobody { known, got }.to_string()
    })?;
    let provider = cast.provider_of(person);
    let provider = provider.ok_or("the provider is not there any longer")?;
    let audiences = match asked.get("audience") {
        Some(audience) => std::slice::from_ref(audience),
        None => &cast.audiences,
    };
    let token = issuer.token(person, provider, audiences, now);
    token
        .map(|token| token.reveal().to_owned())
        .map_err(|why| why.to_string())
}

fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// `application/x-www-form-urlencoded`; what is no encoding stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |text: &[u8]| {
            let text = std::str::from_utf8(text).ok()?;
            u8::from_str_radix(text, 16).ok()
        };
        let octet = tail.get(..2).filter(|_| first == b'%').and_then(hex);
        bytes.push(octet.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if octet.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{answer, query};
    use crate::dev::issuer::Issuer;
    use countersign_ruleset::time::UnixTime;
    use http::{Request, StatusCode};

    fn status(host: &str, method: &str, path: &str) -> StatusCode {
        let issuer = Issuer::new().unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", host);
        let request = request.body(()).unwrap();
        answer(
            &request,
            "127.0.0.1:4455".parse().unwrap(),
            &issuer,
            UnixTime(0),
        )
        .status()
    }

    #[test]
    fn answers_on_this_machine_s_own_names_only() {
        for host in ["127.0.0.1:4455", "localhost:4455"] {
            assert_eq!(status(host, "GET", "/jwks.json"), StatusCode::OK, "{host}");
        }
        for host in ["rebound.example:4455", "127.0.0.1", "127.0.0.1:4456", ""] {
            let got = status(host, "GET", "/token?as=ana");
            assert_eq!(got, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
    }

    #[test]
    fn says_what_it_has() {
        let host = "127.0.0.1:4455";
        assert_eq!(
            status(host, "GET", "/.well-known/openid-configuration"),
            StatusCode::OK
        );
        assert_eq!(status(host, "GET", "/people"), StatusCode::OK);
        assert_eq!(status(host, "GET", "/"), StatusCode::NOT_FOUND);
        assert_eq!(
            status(host, "POST", "/jwks.json"),
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(
            status(host, "GET", "/token?as=nobody"),
            StatusCode::BAD_REQUEST
        );
    }

    #[test]
    fn reads_a_query() {
        let read = query("as=ana&audience=https%3A%2F%2Fa.example%2f+x&bad=%zz%4");
        assert_eq!(read["as"], "ana");
        assert_eq!(read["audience"], "https://a.example/ x");
        assert_eq!(read["bad"], "%zz%4");
    }
}
