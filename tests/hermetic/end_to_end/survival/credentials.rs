//! Tokens that are none: each is refused by name, and whoever has a good one is let in meanwhile.

use super::Town;
use crate::end_to_end::HOST;
use anyhow::{Context, Result};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tests::cast::{Order, Signature};
use tests::ground;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_is_refused_by_name() -> Result<()> {
    let town = Town::new().await?;
    let order = |alg: &str, signature| Order {
        by: "okta".to_owned(),
        header: json!({"alg": alg}).as_object().cloned().unwrap_or_default(),
        claims: json!({"groups": ["support"]})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        signature,
        ..Order::default()
    };
    let now = ground::now()?;
    let audience = format!("https://{HOST}");
    let none = town
        .cast
        .token(&order("none", Signature::None), &audience, now);
    let mac = town
        .cast
        .token(&order("HS256", Signature::Mac), &audience, now);
    let cut = town
        .token
        .rsplit_once('.')
        .context("a signature")?
        .0
        .to_owned();
    let [large, binary]: [Vec<u8>; 2] = [
        "x".repeat(1 << 20).into_bytes(),
        vec![0xfe, b'.', 0xff, b'.', 0x80],
    ];
    town.upstream.take();
    for (what, token, status, reason) in [
        ("1 MB", large, 431, ""),
        ("no dots", b"nothing".to_vec(), 401, "NotAJwt"),
        ("two parts", cut.into_bytes(), 401, "NotAJwt"),
        ("dots alone", b"..".to_vec(), 401, "MalformedObject"),
        ("binary", binary, 400, "CredentialMalformed"),
        ("a line break", b"a.b\r\n .c".to_vec(), 400, ""),
        ("alg none", none.into_bytes(), 401, "AlgorithmNotAllowed"),
        (
            "a MAC with the public key",
            mac.into_bytes(),
            401,
            "AlgorithmNotAllowed",
        ),
    ] {
        let answer = sent(town.edge.address, &token)
            .await
            .with_context(|| what.to_owned())?;
        let got = answer.split(' ').nth(1);
        assert_eq!(got, Some(status.to_string().as_str()), "{what}: {answer}");
        assert!(answer.contains(reason), "{what}: {answer}");
        assert!(
            town.upstream.take().is_empty(),
            "{what} reached the service"
        );
        town.stands(what).await?;
        assert_eq!(town.upstream.take().len(), 1, "{what}");
    }
    Ok(())
}

/// Sends one request with this after `Bearer`, and reads until the other side closes.
async fn sent(address: SocketAddr, token: &[u8]) -> Result<String> {
    let head = format!(
        "GET /v1/orders HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAuthorization: Bearer "
    );
    let request = [head.as_bytes(), token, b"\r\n\r\n"].concat();
    let (mut read, mut write) = TcpStream::connect(address).await?.into_split();
    // who is told that his head is too large is told so while he is still sending
    let sending = tokio::spawn(async move { write.write_all(&request).await.map(|()| write) });
    let mut answer = Vec::new();
    let reading = async {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = read.read(&mut part).await {
            answer.extend_from_slice(part.get(..length).unwrap_or_default());
        }
    };
    tokio::time::timeout(Duration::from_secs(15), reading)
        .await
        .context("it does not end")?;
    drop(sending.await?);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
