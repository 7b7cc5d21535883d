//! A provider whose keys cannot be fetched: those published last go on, and no other is touched.

use super::Town;
use crate::end_to_end::changes::{answers, ask};
use crate::end_to_end::{HOST, manifests};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tests::ground;
use tests::issuer::Issuer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const COMPILE: &str = "compile manifests --cluster tests --sign-with keys/signing.pem \
                       --trust keys/trust/1.json --out published --danger-allow-http-issuers";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_locks_nobody_out() -> Result<()> {
    let town = Town::new().await?;
    let issuer = Issuer::ed25519("down");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = serve(listener, &issuer.jwks());
    let now = ground::now()?;
    let claims = json!({
        "iss": url(address), "sub": "bo", "aud": format!("https://{HOST}"),
        "iat": now.0, "exp": now.0 + 600, "groups": ["support"],
    });
    let token = issuer.token("at+jwt", &claims);

    // its keys were fetched once
    let said = compile(&town, address, "groups").await?;
    ensure!(!said.contains("could not be fetched"), "{said}");
    answers(&town.edge, &token, 200).await?;
    serving.abort();
    drop(serving.await);

    // now it is down: its callers go on, and whoever publishes is told until when
    let said = compile(&town, address, "groups").await?;
    ensure!(said.contains("the keys could not be fetched"), "{said}");
    ensure!(
        said.contains("the keys that were published last are kept, at most until"),
        "{said}"
    );
    assert_eq!(ask(town.edge.address, Some(&token)).await?, 200);
    town.stands("a provider that is down").await?;

    // described otherwise it is another provider, of which nothing was ever fetched
    let said = compile(&town, address, "roles").await?;
    ensure!(said.contains("its tokens are answered 503"), "{said}");
    answers(&town.edge, &token, 503).await?;
    town.stands("a provider without keys").await
}

/// Publishes, with a second provider beside the first.
async fn compile(town: &Town, address: SocketAddr, groups: &str) -> Result<String> {
    let mut resources = manifests("support");
    let issuer = url(address);
    let mut provider = resources[0].clone();
    provider["metadata"]["name"] = "down".into();
    provider["spec"]["issuer"] = issuer.as_str().into();
    provider["spec"]["keys"] = json!({"jwksURL": format!("{issuer}/jwks")});
    provider["spec"]["claims"]["groups"]["path"] = json!([groups]);
    let entry = json!({"providerRef": {"name": "down"}, "groups": ["support"]});
    if let Some(from) = resources[1]["spec"]["rules"][0]["from"].as_array_mut() {
        from.push(entry);
    }
    resources.push(provider);
    town.ground.write(&resources)?;
    let words: Vec<&str> = COMPILE.split_whitespace().collect();
    let compiled = town.ground.run(&words.join(" ")).await?;
    ensure!(compiled.code == Some(0), "{compiled:?}");
    Ok(compiled.text())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Answers every request with a key set.
fn serve(listener: TcpListener, jwks: &Value) -> JoinHandle<()> {
    let body = jwks.to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            // a caller who goes away is none to be answered
            if stream.read(&mut head).await.is_ok() {
                drop(stream.write_all(answer.as_bytes()).await);
            }
        }
    })
}
