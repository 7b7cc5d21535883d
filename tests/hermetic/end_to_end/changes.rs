//! A change reaches an edge under load: at once, whole, and without a connection dropped.

use super::{TARGET, get, manifests, ready, support};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::ground::{Edge, Ground};
use tests::program::{until, within};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};

/// One caller who asks again and again on one connection.
struct Load {
    seen: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
    caller: tokio::task::JoinHandle<Result<Went>>,
}

/// How it went.
struct Went {
    connections: usize,
    answers: Vec<(Instant, u16)>,
}

impl Load {
    fn start(address: SocketAddr, version: Version, token: String) -> Self {
        let (seen, refused, enough) = (Arc::default(), Arc::default(), Arc::default());
        let counts: [Arc<AtomicUsize>; 2] = [Arc::clone(&seen), Arc::clone(&refused)];
        let stop: Arc<AtomicBool> = Arc::clone(&enough);
        let caller = tokio::spawn(async move {
            let mut caller = Caller::new(address, version);
            let mut answers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = caller.send(get("/v1/orders", Some(&token))?).await?;
                let status = answer.status.as_u16();
                answers.push((Instant::now(), status));
                counts[usize::from(status == 403)].fetch_add(1, Ordering::Relaxed);
            }
            Ok(Went {
                connections: caller.connections,
                answers,
            })
        });
        Self {
            seen,
            refused,
            enough,
            caller,
        }
    }

    async fn end(self) -> Result<Went> {
        self.enough.store(true, Ordering::Relaxed);
        self.caller.await?
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_under_load_is_in_force_within_a_second_and_drops_no_connection() -> Result<()> {
    let ground = Ground::new().await?;
    let cast = ground.publish(&manifests("support")).await?;
    let token = support(&cast)?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    let versions = [Version::H1, Version::H1, Version::H2];
    let loads = versions.map(|version| Load::start(edge.address, version, token.clone()));
    let enough = |count: fn(&Load) -> &AtomicUsize| {
        let loads = &loads;
        async move || {
            let all = loads
                .iter()
                .all(|load| count(load).load(Ordering::Relaxed) > 50);
            (all || loads.iter().any(|load| load.caller.is_finished())).then_some(())
        }
    };
    until("answers before the change", enough(|load| &load.seen)).await?;
    ground.publish(&manifests("admins")).await?;
    let changed = Instant::now();
    until("answers after the change", enough(|load| &load.refused)).await?;
    for load in loads {
        let went = load.end().await?;
        assert_eq!(went.connections, 1, "a connection was dropped");
        let first = went
            .answers
            .iter()
            .position(|(_, status)| *status == 403)
            .context("403")?;
        let (before, after) = went.answers.split_at(first);
        assert!(
            before.iter().all(|(_, status)| *status == 200),
            "one answer before the change"
        );
        assert!(
            after.iter().all(|(_, status)| *status == 403),
            "one answer after the change"
        );
        let late = after[0].0.saturating_duration_since(changed);
        assert!(
            late < Duration::from_secs(1),
            "in force only after {late:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_refused_by_name_also_after_a_restart() -> Result<()> {
    let ground = Ground::new().await?;
    let cast = ground.publish(&manifests("support")).await?;
    let token = support(&cast)?;
    let (published, old) = (ground.path("published/shop"), ground.path("old"));
    copy(&published, &old)?;
    let upstream = Upstream::start().await?;
    let mut edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    assert_eq!(ask(edge.address, Some(&token)).await?, 200);
    ground.publish(&manifests("admins")).await?;
    answers(&edge, &token, 403).await?;
    // the thief of a store puts back what let him in
    copy(&old, &published)?;
    edge.program
        .says("the refusal", |text| {
            text.contains("RolledBack").then_some(())
        })
        .await?;
    assert_eq!(ask(edge.address, Some(&token)).await?, 403);
    edge.program.signal("TERM").await?;
    ensure!(edge.program.end().await?.success(), edge.program.text());
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    edge.program
        .says("the refusal", |text| {
            text.contains("RolledBack").then_some(())
        })
        .await?;
    assert_eq!(ask(edge.address, Some(&token)).await?, 403);
    // and the next honest one is taken
    copy(&old, &published)?;
    fs::remove_file(published.join("manifest.json"))?;
    ground.publish(&manifests("support")).await?;
    answers(&edge, &token, 200).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_gone_allows_nothing() -> Result<()> {
    let ground = Ground::new().await?;
    let cast = ground.publish(&manifests("support")).await?;
    let token = support(&cast)?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    assert_eq!(ask(edge.address, Some(&token)).await?, 200);
    let mut others = manifests("support");
    others[1]["metadata"]["namespace"] = "elsewhere".into();
    ground.publish(&others).await?;
    answers(&edge, &token, 403).await
}

/// Waits until the edge answers so; it may take a second.
pub(super) async fn answers(edge: &Edge, token: &str, status: u16) -> Result<()> {
    let mut caller = Caller::new(edge.address, Version::H1);
    within(Duration::from_secs(5), "another answer", async || {
        let answer = caller
            .send(get("/v1/orders", Some(token)).ok()?)
            .await
            .ok()?;
        (answer.status == status).then_some(())
    })
    .await
}

pub(super) async fn ask(address: SocketAddr, token: Option<&str>) -> Result<u16> {
    let mut caller = Caller::new(address, Version::H1);
    Ok(caller
        .send(get("/v1/orders", token)?)
        .await?
        .status
        .as_u16())
}

/// Copies a folder, the manifest last, as whoever publishes would.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut entries: Vec<_> = fs::read_dir(from)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.path().is_file());
    for entry in entries {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
