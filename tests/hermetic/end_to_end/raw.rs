//! Requests that no client library would send, byte by byte.

use super::{TARGET, manifests, ready};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tests::ground::Ground;
use tests::upstream::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HOST: &str = "Host: orders.example.com";

/// What it shows, the head, the status and, where the edge has one, the reason.
const HEADS: [(&str, &str, u16, &str); 13] = [
    ("a plain one", "GET /healthz HTTP/1.1|HOST", 200, ""),
    (
        "its own host as target",
        "GET http://orders.example.com/healthz HTTP/1.1|HOST",
        200,
        "",
    ),
    (
        "another host as target",
        "GET http://other.example.com/healthz HTTP/1.1|HOST",
        400,
        "AuthorityTwice",
    ),
    (
        "no host",
        "GET /healthz HTTP/1.1|X-Any: x",
        400,
        "AuthorityMissing",
    ),
    (
        "no host in HTTP/1.0",
        "GET /healthz HTTP/1.0|X-Any: x",
        400,
        "AuthorityMissing",
    ),
    (
        "two hosts",
        "GET /healthz HTTP/1.1|HOST|HOST",
        400,
        "AuthorityTwice",
    ),
    (
        "a host that is none",
        "GET /healthz HTTP/1.1|Host: a/b",
        400,
        "AuthorityInvalid",
    ),
    (
        "a tunnel",
        "CONNECT orders.example.com:443 HTTP/1.1|HOST",
        400,
        "TargetForm",
    ),
    ("everything", "OPTIONS * HTTP/1.1|HOST", 400, "TargetForm"),
    (
        "two tokens",
        "GET /healthz HTTP/1.1|HOST|Authorization: Bearer a|authorization: Bearer b",
        400,
        "CredentialTwice",
    ),
    ("a backslash", "GET /healthz\\..\\v1 HTTP/1.1|HOST", 400, ""),
    (
        "a line break in a field",
        "GET /healthz HTTP/1.1|HOST|X-Any: a| Authorization: b",
        400,
        "",
    ),
    (
        "a blank before the colon",
        "GET /healthz HTTP/1.1|HOST|Authorization : Bearer a",
        400,
        "",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_read_in_two_ways_is_read_in_none() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    for (what, head, status, reason) in HEADS {
        let head = head.replace("HOST", HOST).replace('|', "\r\n");
        let answer = sent(
            edge.address,
            &format!("{head}\r\nConnection: close\r\n\r\n"),
        )
        .await;
        let answer = answer.with_context(|| what.to_owned())?;
        let got = answer.split(' ').nth(1);
        assert_eq!(got, Some(status.to_string().as_str()), "{what}: {answer}");
        assert!(answer.contains(reason), "{what}: {answer}");
        let seen = upstream.take();
        assert_eq!(seen.len(), usize::from(status == 200), "{what}: {seen:?}");
    }
    Ok(())
}

/// CVE-2005-2088 and all that followed: a second request hidden in the body of the first is decided
/// on as what it is, or not read at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_smuggled_in_the_body_of_another() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    let hidden = format!("GET /v1/orders HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n");
    let length = hidden.len() + 5;
    for (what, framing) in [
        (
            "both framings",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        ),
        (
            "both the other way",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        ),
        (
            "two lengths",
            format!("Content-Length: 0\r\nContent-Length: {length}"),
        ),
        (
            "a coding that only looks like one",
            "Transfer-Encoding: xchunked".to_owned(),
        ),
        (
            "a coding twice",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(),
        ),
    ] {
        let whole = format!("POST /slow HTTP/1.1\r\n{HOST}\r\n{framing}\r\n\r\n0\r\n\r\n{hidden}");
        let answer = sent(edge.address, &whole)
            .await
            .with_context(|| what.to_owned())?;
        let seen = upstream.take();
        let reached: Vec<&str> = seen.iter().map(|seen| seen.target.as_str()).collect();
        assert!(
            reached.is_empty() || reached == ["/slow"],
            "{what}: {reached:?}: {answer}"
        );
        assert!(
            seen.iter().all(|seen| seen.body.is_empty()),
            "{what}: {seen:?}"
        );
    }
    Ok(())
}

/// All that comes back until the other side closes.
async fn sent(address: SocketAddr, bytes: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(15), read)
        .await
        .context("it does not end")??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
