//! An edge that loads its rulesets over a network: from a controller's endpoint, by TLS, with a token.

use super::changes::{answers, ask};
use super::{TARGET, manifests, ready, support};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::time::{Duration, Instant};
use tests::ground::{Edge, Ground};
use tests::program::{until, within};
use tests::upstream::Upstream;

mod controller;
mod other;

use controller::{Controller, Place};

/// An installation whose rulesets are served by a controller.
struct Net {
    ground: Ground,
    place: Place,
    upstream: Upstream,
    token: String,
}

impl Net {
    async fn new() -> Result<Self> {
        let ground = Ground::new().await?;
        let cast = ground.publish(&manifests("support")).await?;
        let place = Place::new(ground.root())?;
        let token = support(&cast)?;
        place.authority.write(ground.root(), "shop")?;
        Ok(Self {
            ground,
            place,
            upstream: Upstream::start().await?,
            token,
        })
    }

    async fn edge(&self, controller: &Controller) -> Result<Edge> {
        let url = controller.url();
        let from = [
            "--rulesets",
            &url,
            "--rulesets-token",
            "token",
            "--rulesets-ca",
            "ca.pem",
        ];
        self.ground.edge_from(&from, TARGET, &self.upstream).await
    }
}

/// Waits until the edge says so; a warning is enough.
async fn says(edge: &Edge, what: &str) -> Result<()> {
    let found = |text: &str| text.contains(what).then_some(());
    edge.program.says(what, found).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_takes_a_change_within_the_long_poll_and_says_what_is_in_force() -> Result<()> {
    let net = Net::new().await?;
    let controller = net.place.serve(&net.ground, None).await?;
    let edge = net.edge(&controller).await?;
    ready(edge.admin, 200).await?;
    assert_eq!(ask(edge.address, Some(&net.token)).await?, 200);
    let first = controller.acknowledged().await?;
    net.ground.publish(&manifests("admins")).await?;
    let published = Instant::now();
    controller.tell();
    answers(&edge, &net.token, 403).await?;
    let took = published.elapsed();
    ensure!(took < Duration::from_secs(2), "a change took {took:?}");
    until("the change is acknowledged", async || {
        (controller.order()? > first).then_some(())
    })
    .await?;
    let said = edge.program.text();
    let secret = fs::read_to_string(net.ground.path("token"))?;
    ensure!(!said.contains(secret.trim()), "the token was said");
    Ok(())
}

/// What is in force stays; a controller that comes back at the same place is found again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_survives_its_controllers_restart() -> Result<()> {
    let net = Net::new().await?;
    let controller = net.place.serve(&net.ground, None).await?;
    let address = controller.address;
    let edge = net.edge(&controller).await?;
    ready(edge.admin, 200).await?;
    controller.stop().await?;
    says(&edge, "FetchFailed").await?;
    assert_eq!(ask(edge.address, Some(&net.token)).await?, 200);
    ready(edge.admin, 200).await?;
    net.ground.publish(&manifests("admins")).await?;
    let _again = net.place.serve(&net.ground, Some(address)).await?;
    let patience = Duration::from_secs(30);
    within(patience, "the change is in force", async || {
        let status = ask(edge.address, Some(&net.token)).await.ok()?;
        (status == 403).then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_is_told_nothing() -> Result<()> {
    let net = Net::new().await?;
    let controller = net.place.serve(&net.ground, None).await?;
    let true_ca = fs::read(net.ground.path("ca.pem"))?;
    let stranger = controller::Ca::new()?;
    fs::write(net.ground.path("ca.pem"), stranger.pem())?;
    let edge = net.edge(&controller).await?;
    says(&edge, "invalid peer certificate").await?;
    ready(edge.admin, 503).await?;
    ensure!(controller.order().is_none(), "it was told something");
    // authorities are replaced while an edge runs
    fs::write(net.ground.path("ca.pem"), true_ca)?;
    let patience = Duration::from_secs(30);
    let ready = within(patience, "readiness", async || {
        let status = ask(edge.address, Some(&net.token)).await.ok()?;
        (status == 200).then_some(())
    });
    ready.await.context(edge.program.text())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_another_namespace_or_for_another_audience_gets_nothing() -> Result<()> {
    let net = Net::new().await?;
    let controller = net.place.serve(&net.ground, None).await?;
    net.place.authority.write(net.ground.root(), "bank")?;
    let edge = net.edge(&controller).await?;
    says(&edge, "403 Forbidden").await?;
    ready(edge.admin, 503).await?;
    drop(edge);
    let elsewhere = net
        .place
        .authority
        .mint("shop", "https://elsewhere.example")?;
    fs::write(net.ground.path("token"), elsewhere)?;
    let edge = net.edge(&controller).await?;
    says(&edge, "401 Unauthorized").await?;
    ready(edge.admin, 503).await?;
    // the kubelet writes another one
    net.place.authority.write(net.ground.root(), "shop")?;
    let patience = Duration::from_secs(30);
    let ready = within(patience, "readiness", async || {
        let status = ask(edge.address, Some(&net.token)).await.ok()?;
        (status == 200).then_some(())
    });
    ready.await.context(edge.program.text())
}

/// Integrity needs no trust in whoever carries it: what he changes is refused by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_spoils_is_refused_by_name() -> Result<()> {
    let net = Net::new().await?;
    let controller = net.place.serve(&net.ground, None).await?;
    let edge = net.edge(&controller).await?;
    ready(edge.admin, 200).await?;
    let manifest = net.ground.path("published/shop/manifest.json");
    fs::write(&manifest, b"{".repeat(20 << 10))?;
    controller.tell();
    says(&edge, "TooLarge").await?;
    assert_eq!(ask(edge.address, Some(&net.token)).await?, 200);
    ready(edge.admin, 200).await
}

/// Each carrier is asked by itself: one that never answers holds up no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_hangs_holds_up_no_other() -> Result<()> {
    let net = Net::new().await?;
    // it accepts, and says nothing
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let silent_url = format!("https://{}/", silent.local_addr()?);
    let from = ["--rulesets", &silent_url, "--rulesets", "published"];
    let edge = net.ground.edge_from(&from, TARGET, &net.upstream).await?;
    ready(edge.admin, 200).await?;
    net.ground.publish(&manifests("admins")).await?;
    answers(&edge, &net.token, 403).await?;
    drop(silent);
    Ok(())
}
