//! A controller whose key is in a KMS: no Secret is made, and a root signs it in like any other.

use super::{Installation, READY};
use anyhow::{Result, ensure};
use countersign_ruleset::key::KeyAlgorithm;
use tests::controller::INSTALLATION;
use tests::kms::{Fault, Kms, NAME};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_a_kms_is_adopted_and_signs() -> Result<()> {
    let Some(it) = Installation::new().await? else {
        return Ok(());
    };
    let kms = Kms::start(true).await?;
    let flags = ["--sign-with-kms", NAME, "--danger-kms-endpoint", &kms.url()];
    let _controller = it.controller(&flags).await?;
    it.unpublished("AwaitingTrust").await?;
    let shown = it.shown().await?;
    assert_eq!(shown.algorithm(), KeyAlgorithm::EcdsaP256);
    // no Secret says that the key is the controller's
    let refused = it.keys(&["adopt", "--cluster", INSTALLATION]).await?;
    ensure!(
        refused.text().contains("name it with --key-id"),
        "{refused:?}"
    );
    ensure!(
        !it.outside.path().join("root").exists(),
        "something was signed"
    );
    let id = shown.id().as_str();
    it.expect_keys(&["adopt", "--cluster", INSTALLATION, "--key-id", id])
        .await?;
    it.until("accesspolicy/orders", "Ready", READY).await?;
    let one = it.signed_under(1).await?;
    assert_eq!(one.signers, [shown.id().to_string()]);
    ensure!(it.secret().is_none(), "a Secret was made");

    // a KMS that refuses is said, and what is published stays
    kms.fail(Fault::Status(403), u32::MAX);
    it.allow("/other")?;
    let said = it.unpublished("NotPublished").await?;
    ensure!(said.contains("roles/cloudkms.signerVerifier"), "{said}");
    assert_eq!(it.manifest(), Some(one));
    kms.fail(Fault::Status(503), 1);
    it.until("accesspolicy/orders", "Ready", READY).await?;
    Ok(())
}
