//! The Secret with the signing keys is removed: while the controller runs, and while it does not.

use super::{Installation, READY};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::controller::{Controller, DEADLINE, INSTALLATION};
use tests::program::within;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_lost_is_said_and_not_replaced_until_somebody_asks() -> Result<()> {
    let Some(it) = Installation::new().await? else {
        return Ok(());
    };
    let mut controller = it.controller(&[]).await?;
    let first = it.shown().await?;
    it.expect_keys(&["adopt", "--cluster", INSTALLATION])
        .await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    // asked for once, long ago
    it.expect_keys(&["rotate"]).await?;
    it.signed_under(2).await?;
    let kept = it.secret().context("the Secret")?;

    it.remove_secret()?;
    let published = says_that_it_is_gone(&it, &controller).await?;
    put_back(&it, &kept)?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    let again = it.manifest().context("a manifest")?;
    ensure!(
        again.serial > published,
        "what was written meanwhile counts"
    );

    controller.program.signal("TERM").await?;
    controller.program.end().await?;
    it.remove_secret()?;
    it.allow("/open")?;
    let controller = it.controller(&[]).await?;
    says_that_it_is_gone(&it, &controller).await?;
    let none = it.keys(&["adopt"]).await?;
    let said = none.text();
    ensure!(
        none.code == Some(1) && said.contains("has no signing key"),
        "{none:?}"
    );

    it.expect_keys(&["rotate"]).await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    let three = it.signed_under(3).await?;
    let newest = it.shown().await?;
    ensure!(newest != first, "the key is a new one");
    assert_eq!(three.signers, [newest.id().to_string()]);
    let secret = it.secret().context("a Secret")?;
    assert_eq!(
        secret["data"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    Ok(())
}

/// What is published stays as it is, no key is made, and everybody is told. The serial that stays.
async fn says_that_it_is_gone(it: &Installation, controller: &Controller) -> Result<u64> {
    let before = it.manifest().context("a manifest")?;
    let said = it.unpublished("NotPublished").await?;
    for part in [
        "countersign-signing-keys is gone",
        "countersign keys rotate",
    ] {
        ensure!(said.contains(part), "{said}");
    }
    let logged = |text: &str| {
        text.contains("the signing keys are not at hand")
            .then_some(())
    };
    controller.program.says("so in its log", logged).await?;
    // what is asked meanwhile is not published, and is not forgotten
    it.allow("/other")?;
    let observed = within(DEADLINE, "it is seen", async || {
        let said = it.unpublished("NotPublished").await.ok()?;
        said.contains("is gone").then_some(())
    });
    observed.await?;
    let after = it.manifest().context("a manifest")?;
    assert_eq!(after, before, "what is published holds until it expires");
    ensure!(it.secret().is_none(), "a key was made in silence");
    Ok(before.serial)
}

fn put_back(it: &Installation, kept: &Value) -> Result<()> {
    let mut secret = kept.clone();
    let metadata = secret["metadata"].as_object_mut().context("its metadata")?;
    for name in [
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(name);
    }
    it.apply(&secret)
}
