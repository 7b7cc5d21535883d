//! An edge's life: not ready, ready, stopping; and whose word it does not take at its start.

use super::{TARGET, get, manifests, ready, support};
use anyhow::{Result, ensure};
use tests::ground::Ground;
use tests::program::{Program, until};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_ready_once_a_ruleset_is_in_force_and_lets_nobody_in_before() -> Result<()> {
    let ground = Ground::new().await?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 503).await?;
    let mut caller = Caller::new(edge.address, Version::H1);
    let answer = caller.send(get("/healthz", None)?).await?;
    assert_eq!(
        (answer.status.as_u16(), answer.problem("reason")),
        (503, "NoRuleset".into())
    );
    assert!(upstream.take().is_empty(), "it reached the service");
    let cast = ground.publish(&manifests("support")).await?;
    ready(edge.admin, 200).await?;
    let answer = caller
        .send(get("/v1/orders", Some(&support(&cast)?))?)
        .await?;
    assert_eq!(answer.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_what_is_in_flight_first() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let upstream = Upstream::start().await?;
    let mut edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    let slow = [Version::H1, Version::H2].map(|version| {
        let mut caller = Caller::new(edge.address, version);
        tokio::spawn(async move { caller.send(get("/slow", None)?).await })
    });
    let mut reached = 0;
    until("what is slow reaches the service", async || {
        reached += upstream.take().len();
        (reached == slow.len()).then_some(())
    })
    .await?;
    edge.program.signal("TERM").await?;
    for answer in slow {
        assert_eq!(answer.await??.status, 200);
    }
    let status = edge.program.end().await?;
    ensure!(
        status.code() == Some(0),
        "{status}: {}",
        edge.program.text()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_does_not_start_under_the_trust_of_another_cluster() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let other = ground
        .run("keys generate --cluster other --out other")
        .await?;
    assert_eq!(other.code, Some(0), "{other:?}");
    let words = "--rulesets published --scope shop --cluster tests --trust-root other/trust/1.json \
                 --target Host/orders.example.com --upstream http://127.0.0.1:9 \
                 --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut edge = Program::start("countersign-edge", &words, ground.root())?;
    let status = edge.end().await?;
    assert!(!status.success(), "{}", edge.text());
    edge.says("why", |text| text.contains("WrongCluster").then_some(()))
        .await
}
