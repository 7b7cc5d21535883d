//! A key from its first day to its last, under an edge that is called all the while.

use super::{Installation, READY};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use countersign_controller::publication::{Directory, Expected, Key, Store};
use countersign_policy::Compiled;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, SigningKey};
use http::Request;
use http_body_util::Full;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::controller::{DEADLINE, INSTALLATION};
use tests::ground::{self, bound};
use tests::program::{self, Program, within};
use tests::upstream::Upstream;
use tests::wire::{Caller, Version};
use tokio::task::JoinHandle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_adopted_rotated_and_withdrawn_while_an_edge_serves_on() -> Result<()> {
    let Some(it) = Installation::new().await? else {
        return Ok(());
    };
    let _controller = it.controller(&[]).await?;
    let first = waits_for_trust(&it).await?;
    let other = [
        "adopt",
        "--cluster",
        INSTALLATION,
        "--key-id",
        &"0".repeat(64),
    ];
    let refused = it.keys(&other).await?;
    ensure!(refused.text().contains("nothing was signed"), "{refused:?}");
    it.expect_keys(&["adopt", "--cluster", INSTALLATION])
        .await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    let one = it.signed_under(1).await?;
    assert_eq!(one.signers, [first.as_str()]);
    let stolen = super::secrecy::signing_keys(&it)?;

    let upstream = Upstream::start().await?;
    let edge = Edge::start(&it, &upstream).await?;
    edge.answers(200).await?;
    let load = Load::start(edge.address);

    it.expect_keys(&["rotate"]).await?;
    let second = it.shown().await?.id().to_string();
    assert_ne!(second, first);
    let two = it.signed_under(2).await?;
    assert_eq!(two.signers, [second.as_str()]);
    edge.serves(2, two.serial).await?;
    // the key that is to go is still one that counts
    ensure!(
        forged(&it, &stolen, 2).await?.code == Some(0),
        "it is taken"
    );

    it.expect_keys(&["withdraw", "--key-id", first.get(..16).context("an id")?])
        .await?;
    let three = it.signed_under(3).await?;
    assert_eq!(three.signers, [second.as_str()]);
    edge.serves(3, three.serial).await?;
    let last = it.keys(&["withdraw", "--key-id", &second]).await?;
    ensure!(last.text().contains("is the only one"), "{last:?}");

    // and now it is not
    let refused = forged(&it, &stolen, 3).await?;
    ensure!(refused.code == Some(1), "{refused:?}");
    ensure!(refused.text().contains("RemovedKey"), "{refused:?}");
    publish(&it.published(), &it.shop, &stolen, 3).await?;
    edge.refuses("RemovedKey").await?;
    edge.answers(200).await?;
    let answers = load.end().await?;
    ensure!(
        answers.len() == 1 && answers.contains_key(&200),
        "{answers:?}"
    );
    super::secrecy::the_root_key_is_nowhere(&it)
}

/// A key is made and shown, and nothing is published, until a root has signed it in.
async fn waits_for_trust(it: &Installation) -> Result<String> {
    let key = it.shown().await?.id().to_string();
    let said = it.unpublished("AwaitingTrust").await?;
    ensure!(said.contains("countersign keys adopt"), "{said}");
    it.until(
        "ruleset/countersign",
        "Programmed",
        ("False", "AwaitingTrust"),
    )
    .await?;
    ensure!(it.manifest().is_none(), "something is published");
    ensure!(it.secret().is_some(), "the key is in no Secret");
    Ok(key)
}

/// An edge that reads the folder into which the controller copies.
struct Edge {
    program: Program,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Edge {
    async fn start(it: &Installation, upstream: &Upstream) -> Result<Self> {
        let arguments = [
            "--rulesets",
            "published",
            "--scope",
            &it.shop,
            "--cluster",
            INSTALLATION,
            "--trust-root",
            "root/trust/1.json",
            "--target",
            "Service/orders",
            "--upstream",
            &upstream.url(),
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ];
        let program = Program::start("countersign-edge", &arguments, it.outside.path())?;
        let [address, admin] = ["listen", "admin"];
        let address = program.says("where it listens", |text| bound(text, address));
        let address = address.await?;
        let admin = program.says("where it tells", |text| bound(text, admin));
        let admin = admin.await?;
        Ok(Self {
            program,
            address,
            admin,
        })
    }

    async fn answers(&self, expected: u16) -> Result<()> {
        let answered = within(DEADLINE, "an answer", async || {
            let mut caller = Caller::new(self.address, Version::H1);
            let status = ask(&mut caller).await.ok()?;
            (status == expected).then_some(())
        });
        answered.await.with_context(|| self.program.text())
    }

    /// Waits until it has that ruleset in force, or a later one of the same trust.
    async fn serves(&self, trust: u64, serial: u64) -> Result<()> {
        let is_it = async || {
            let text = self.metrics().await.ok()?;
            let line = text
                .lines()
                .find(|line| line.starts_with("countersign_ruleset_serial"))?;
            let told: u64 = line.rsplit(' ').next()?.parse().ok()?;
            (told >= serial).then_some(())
        };
        let what = format!("trust {trust}, serial {serial}");
        let served = within(DEADLINE, &what, is_it);
        served.await.with_context(|| self.program.text())
    }

    async fn refuses(&self, reason: &str) -> Result<()> {
        let expected = format!("reason=\"{reason}\"");
        let refused = within(DEADLINE, reason, async || {
            self.metrics().await.ok()?.contains(&expected).then_some(())
        });
        refused.await.with_context(|| self.program.text())
    }

    async fn metrics(&self) -> Result<String> {
        let mut caller = Caller::new(self.admin, Version::H1);
        let url = format!("http://{}/metrics", self.admin);
        let answer = caller
            .send(Request::get(url).body(Full::<Bytes>::default())?)
            .await?;
        Ok(String::from_utf8(answer.body.to_vec())?)
    }
}

async fn ask(caller: &mut Caller) -> Result<u16> {
    let request = Request::get("http://orders.example.com/open").body(Full::<Bytes>::default())?;
    Ok(caller.send(request).await?.status.as_u16())
}

/// A caller who asks again and again.
struct Load {
    enough: Arc<AtomicBool>,
    caller: JoinHandle<Result<BTreeMap<u16, usize>>>,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let enough = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&enough);
        let caller = tokio::spawn(async move {
            let mut caller = Caller::new(address, Version::H1);
            let mut answers = BTreeMap::new();
            while !stop.load(Ordering::Relaxed) {
                *answers.entry(ask(&mut caller).await?).or_default() += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(answers)
        });
        Self { enough, caller }
    }

    async fn end(self) -> Result<BTreeMap<u16, usize>> {
        self.enough.store(true, Ordering::Relaxed);
        self.caller.await?
    }
}

/// What `countersign verify` says of a set that denies everything, signed by a key that was stolen.
async fn forged(it: &Installation, stolen: &SigningKey, trust: u64) -> Result<program::Ran> {
    let folder = it.outside.path().join(format!("forged-{trust}"));
    for version in 1..=trust {
        let store = Directory::new(folder.clone());
        let document = it.trust(version)?;
        let key = Key::Trust(version);
        let written = store.write(&key, &document, Expected::Absent).await;
        written?;
    }
    publish(&folder, &it.shop, stolen, trust).await?;
    let folder = folder.to_string_lossy();
    let words = [
        "verify",
        &folder,
        "--trust-root",
        "root/trust/1.json",
        "--cluster",
        INSTALLATION,
        "--scope",
        &it.shop,
    ];
    program::run("countersign", &words, it.outside.path()).await
}

/// Writes such a set, later than all that the controller has published.
async fn publish(folder: &Path, shop: &str, stolen: &SigningKey, trust: u64) -> Result<()> {
    let scope: Scope = shop.parse()?;
    let now = ground::now()?;
    let empty = Compiled {
        rules: Rules::empty(scope.clone()),
        keys: Keys::default(),
    };
    let issue = Issue {
        cluster: INSTALLATION.parse()?,
        scope: scope.clone(),
        scope_uid: String::new(),
        trust,
        serial: now.plus(86_400).0 * 1_000,
        issued_at: now,
        valid_for: 3_600,
        stale_for: 0,
        previous: None,
    };
    let published = sign::publish(&empty.rules, &empty.keys, issue, &[stolen])?;
    let store = Directory::new(folder.to_path_buf());
    for (digest, bytes) in &published.blobs {
        let key = Key::Blob(scope.clone(), digest.clone());
        store.write(&key, bytes, Expected::Any).await?;
    }
    let key = Key::Manifest(scope);
    store
        .write(&key, &published.manifest, Expected::Any)
        .await?;
    Ok(())
}
