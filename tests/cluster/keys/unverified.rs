//! Something is published that the controller cannot verify: it is not covered up, with or without a key.

use super::{Installation, KEYS, Manifest, READY};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, SigningKey};
use serde_json::json;
use tests::controller::{INSTALLATION, NAMESPACE};
use tests::ground;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_verified_is_neither_overwritten_nor_a_reason_to_make_a_key() -> Result<()> {
    let Some(it) = Installation::new().await? else {
        return Ok(());
    };
    let strange = publish_strangely(&it)?;
    let controller = it.controller(&[]).await?;
    let refused = "no key is made while something is published that cannot be verified";
    let logged = |text: &str| text.contains(refused).then_some(());
    controller
        .program
        .says("why it makes no key", logged)
        .await?;
    ensure!(it.secret().is_none(), "a key was made");
    // not even for who asks
    let asked = "countersign.dev/rotate=1";
    let ask = [
        "annotate",
        "--namespace",
        NAMESPACE,
        "configmap",
        KEYS,
        asked,
    ];
    it.cluster.kubectl(&ask, "")?;
    it.unpublished("AwaitingTrust").await?;
    ensure!(it.secret().is_none(), "a key was made");
    assert_eq!(it.manifest().as_ref(), Some(&strange));

    // once it is gone, there is a key; and once there is trust, it is published
    remove(&it)?;
    it.shown().await?;
    it.expect_keys(&["adopt", "--cluster", INSTALLATION])
        .await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;

    let own = it.manifest().context("a manifest")?;
    remove(&it)?;
    let strange = publish_strangely(&it)?;
    it.allow("/other")?;
    let said = it.unpublished("NotPublished").await?;
    ensure!(said.contains("cannot be verified"), "{said}");
    assert_eq!(it.manifest().as_ref(), Some(&strange));
    remove(&it)?;
    it.allow("/open")?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    let after = it.manifest().context("a manifest")?;
    ensure!(
        after.serial > own.serial && after.signers == own.signers,
        "{after:?}"
    );
    Ok(())
}

fn remove(it: &Installation) -> Result<()> {
    let name = format!("ruleset-{}", it.shop);
    let arguments = ["delete", "--namespace", NAMESPACE, "configmap", &name];
    it.cluster.kubectl(&arguments, "")?;
    Ok(())
}

/// A ruleset that no key of ours has signed.
fn publish_strangely(it: &Installation) -> Result<Manifest> {
    let scope: Scope = it.shop.parse()?;
    let now = ground::now()?;
    let issue = Issue {
        cluster: INSTALLATION.parse()?,
        scope: scope.clone(),
        scope_uid: String::new(),
        trust: 1,
        serial: 1,
        issued_at: now,
        valid_for: 3_600,
        stale_for: 0,
        previous: None,
    };
    let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let rules = Rules::empty(scope.clone());
    let published = sign::publish(&rules, &Keys::default(), issue, &[&key])?;
    let manifest = STANDARD.encode(published.manifest);
    it.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": NAMESPACE, "name": format!("ruleset-{scope}"), "labels": {
            "countersign.dev/published": "manifest", "countersign.dev/scope": scope,
        }},
        "binaryData": {"manifest.json": manifest},
    }))?;
    Manifest::read(&manifest).context("what was just written")
}
