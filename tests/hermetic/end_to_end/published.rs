//! What is published is verified by the edge's own verifier, and whatever is changed in it is refused.

use super::manifests;
use anyhow::{Context, Result};
use std::fs;
use tests::ground::Ground;

const VERIFY: &str = "verify published --trust-root keys/trust/1.json --cluster tests --scope shop";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_compiled_verifies() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let verified = ground.run(VERIFY).await?;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(
        verified
            .text()
            .contains("shop: 1 application, 2 rules, 1 provider"),
        "{verified:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anothers_keys_and_another_cluster_are_refused_by_name() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    for (cluster, reason) in [("tests", "UnknownKey"), ("other", "WrongCluster")] {
        let made = ground
            .run(&format!(
                "keys generate --cluster {cluster} --out {cluster}-keys"
            ))
            .await?;
        assert_eq!(made.code, Some(0), "{made:?}");
        let words =
            format!("verify published --trust-root {cluster}-keys/trust/1.json --cluster tests");
        let verified = ground.run(&words).await?;
        assert_eq!(verified.code, Some(1), "{verified:?}");
        assert!(verified.text().contains(reason), "{verified:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_blob_is_refused_by_name_and_published_again() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let blobs = ground.path("published/shop/blobs/sha256");
    let blob = fs::read_dir(blobs)?.next().context("a blob")??.path();
    let mut bytes = fs::read(&blob)?;
    *bytes.last_mut().context("a byte")? ^= 1;
    fs::write(&blob, bytes)?;
    let verified = ground.run(VERIFY).await?;
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.text().contains("BlobDigest"), "{verified:?}");
    // what is not what its name says is not there: whoever may sign puts it back
    let compiled = ground.compile().await?;
    assert_eq!(compiled.code, Some(0), "{compiled:?}");
    let verified = ground.run(VERIFY).await?;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_signature_is_refused_by_name() -> Result<()> {
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    let manifest = ground.path("published/shop/manifest.json");
    let text = fs::read_to_string(&manifest)?;
    let (before, after) = text.split_once("\"sig\":\"").context("a signature")?;
    let other = if after.starts_with('A') { "B" } else { "A" };
    let changed = format!(
        "{before}\"sig\":\"{other}{}",
        after.get(1..).context("a byte")?
    );
    fs::write(&manifest, changed)?;
    let verified = ground.run(VERIFY).await?;
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.text().contains("BadSignature"), "{verified:?}");
    Ok(())
}

/// No private key is ever said or published, and none lies open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_keys_stay_where_they_are() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new().await?;
    ground.publish(&manifests("support")).await?;
    for name in ["keys/root.pem", "keys/signing.pem"] {
        let mode = fs::metadata(ground.path(name))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let secret = fs::read_to_string(ground.path(name))?;
        let secret = secret
            .lines()
            .nth(1)
            .context("a line of the key")?
            .to_owned();
        for path in [
            "published/shop/manifest.json",
            "keys/trust/1.json",
            "published/trust/1.json",
        ] {
            assert!(
                !fs::read_to_string(ground.path(path))?.contains(&secret),
                "{path}"
            );
        }
    }
    let again = ground
        .run("keys generate --cluster tests --out keys")
        .await?;
    assert_ne!(again.code, Some(0), "keys were overwritten: {again:?}");
    Ok(())
}
