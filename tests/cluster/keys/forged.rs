//! Somebody who may write ConfigMaps, and nothing else, shows a key of their own for a root key to sign.

use super::{Installation, KEYS, READY};
use anyhow::{Result, ensure};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::sign::{Signer, SigningKey};
use serde_json::json;
use std::time::Duration;
use tests::controller::{DEADLINE, INSTALLATION, NAMESPACE};
use tests::program::within;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_only_a_config_map_shows_is_not_signed_in() -> Result<()> {
    let Some(it) = Installation::new().await? else {
        return Ok(());
    };
    let mut controller = it.controller(&[]).await?;
    let own = it.shown().await?;
    // while nobody is there to put it right
    controller.program.signal("TERM").await?;
    controller.program.end().await?;
    let theirs = forge(&it)?;
    let refused = it.keys(&["adopt", "--cluster", INSTALLATION]).await?;
    let said = refused.text();
    for part in [own.id().as_str(), &theirs, "nothing was signed"] {
        ensure!(refused.code != Some(0) && said.contains(part), "{said}");
    }
    ensure!(
        !it.outside.path().join("root").exists(),
        "something was signed"
    );

    // the controller puts it right, and says so
    let controller = it.controller(&[]).await?;
    let logged = |text: &str| {
        text.contains("keys were shown that are not ours")
            .then_some(())
    };
    controller
        .program
        .says("whose key it was not", logged)
        .await?;
    let own_again = within(DEADLINE, "its own key", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (it.shown().await.ok()? == own).then_some(())
    });
    own_again.await?;
    let id = own.id().to_string();
    let told = |text: &str| text.contains(&id).then_some(());
    controller.program.says("the id of its key", told).await?;
    it.expect_keys(&["adopt", "--cluster", INSTALLATION])
        .await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    a_key_that_waits_is_not_joined_by_others(&it).await
}

/// Shows another key; its id.
fn forge(it: &Installation) -> Result<String> {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let public = key.public_key();
    let id = public.id().to_string();
    it.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": NAMESPACE, "name": KEYS, "annotations": {
            "countersign.dev/newest": id,
        }},
        "data": {format!("{id}.pem"): public.to_pem()},
    }))?;
    Ok(id)
}

/// Whoever asks again and again gets one key, until a root has signed it in.
async fn a_key_that_waits_is_not_joined_by_others(it: &Installation) -> Result<()> {
    let first = it.shown().await?;
    ask(it, "1")?;
    let second = within(DEADLINE, "a new key", async || {
        it.shown().await.ok().filter(|key| *key != first)
    });
    let second = second.await?;
    ask(it, "2")?;
    // it is the key that waits which is taken
    it.expect_keys(&["rotate"]).await?;
    let two = it.signed_under(2).await?;
    assert_eq!(two.signers, [second.id().to_string()]);
    Ok(())
}

fn ask(it: &Installation, word: &str) -> Result<()> {
    let word = format!("countersign.dev/rotate={word}");
    let arguments = [
        "annotate",
        "--overwrite",
        "--namespace",
        NAMESPACE,
        "configmap",
        KEYS,
        &word,
    ];
    it.cluster.kubectl(&arguments, "")?;
    Ok(())
}
