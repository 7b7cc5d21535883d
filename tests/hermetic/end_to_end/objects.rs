//! An edge that loads its rulesets from a bucket, of a service that speaks as S3 does.

use super::changes::ask;
use super::{TARGET, manifests, ready, support};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tests::ground::{Edge, Ground};
use tests::program::within;
use tests::s3::{ACCESS, BUCKET, S3};
use tests::upstream::Upstream;

/// Puts what is published into the bucket: the manifest last, as whoever publishes does.
fn upload(server: &S3, published: &Path) -> Result<()> {
    let mut files = vec!["trust/1.json".to_owned()];
    for entry in fs::read_dir(published.join("shop/blobs/sha256"))? {
        let digest = entry?.file_name().into_string().ok().context("a digest")?;
        files.push(format!("shop/blobs/sha256/{digest}"));
    }
    files.push("shop/manifest.json".to_owned());
    for file in files {
        server.put(&format!("team/{file}"), &fs::read(published.join(&file))?);
    }
    Ok(())
}

async fn edge(ground: &Ground, server: &S3, secret: &str, upstream: &Upstream) -> Result<Edge> {
    let place = format!("s3://{BUCKET}/team");
    let url = server.url();
    let variables = [
        ("AWS_ENDPOINT", url.as_str()),
        ("AWS_ACCESS_KEY_ID", ACCESS[0]),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ];
    let from = ["--rulesets", &place, "--danger-allow-http-rulesets"];
    ground.edge_with(&variables, &from, TARGET, upstream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_loads_from_a_bucket_and_takes_a_change() -> Result<()> {
    let ground = Ground::new().await?;
    let cast = ground.publish(&manifests("support")).await?;
    let (token, server) = (support(&cast)?, S3::start().await?);
    upload(&server, &ground.path("published"))?;
    let upstream = Upstream::start().await?;
    let edge = edge(&ground, &server, ACCESS[1], &upstream).await?;
    ready(edge.admin, 200).await?;
    assert_eq!(ask(edge.address, Some(&token)).await?, 200);
    ground.publish(&manifests("admins")).await?;
    upload(&server, &ground.path("published"))?;
    // a bucket is looked at every 15 s
    let taken = within(Duration::from_mins(1), "the change", async || {
        let status = ask(edge.address, Some(&token)).await.ok()?;
        (status == 403).then_some(())
    });
    taken.await?;
    let said = edge.program.text();
    ensure!(!said.contains(ACCESS[1]), "the secret was said: {said}");
    Ok(())
}

/// To be refused is not to find nothing: the edge is not ready, and says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_whose_credentials_are_not_taken_is_not_ready_and_says_why() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let server = S3::start().await?;
    upload(&server, &ground.path("published"))?;
    let upstream = Upstream::start().await?;
    let edge = edge(&ground, &server, "another secret", &upstream).await?;
    let said = |text: &str| text.contains("permission denied").then_some(());
    edge.program.says("why", said).await?;
    ready(edge.admin, 503).await
}
