//! Google Cloud KMS as a signer, against a stand-in for its interface: what it answers counts only if it is right.

use anyhow::{Context, Result, ensure};
use countersign_controller::signing::SigningService;
use countersign_controller::signing::kms::{
    Google, KmsEndpoint, KmsKey, KmsKeyName, KmsKeys, Patience,
};
use countersign_ruleset::key::KeyAlgorithm;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::kms::{Fault, Kms, NAME};

const MESSAGE: &[u8] = b"what a manifest says";

const TRIES: u32 = 3;

fn google(kms: &Kms) -> Result<Arc<Google>> {
    let endpoint: KmsEndpoint = kms.url().parse()?;
    let patience = Patience {
        tries: TRIES,
        each: Duration::from_secs(20),
        pause: Duration::from_millis(1),
    };
    Ok(Arc::new(Google::new(
        Some(endpoint),
        patience,
        Instant::now,
    )?))
}

async fn key(kms: &Kms) -> Result<KmsKey> {
    Ok(KmsKey::open(google(kms)?, NAME.parse()?).await?)
}

/// Why there is no signature.
async fn refusal(key: &KmsKey) -> Result<String> {
    let refused = key.sign(MESSAGE).await.err();
    let said = refused.context("it is signed")?;
    ensure!(said.starts_with(NAME), "{said}");
    Ok(said)
}

#[tokio::test]
async fn signs_by_either_algorithm_and_asks_for_one_token() -> Result<()> {
    for (p256, algorithm) in [
        (true, KeyAlgorithm::EcdsaP256),
        (false, KeyAlgorithm::Ed25519),
    ] {
        let kms = Kms::start(p256).await?;
        let key = key(&kms).await?;
        assert_eq!(key.public_key().algorithm(), algorithm);
        for message in [MESSAGE, b"", &[7; 4_096]] {
            let signature = key.sign(message).await.map_err(anyhow::Error::msg)?;
            ensure!(key.public_key().verifies(message, &signature));
            ensure!(!key.public_key().verifies(b"another", &signature));
        }
        assert_eq!((kms.asked(), kms.tokens()), (3, 1));
    }
    Ok(())
}

#[tokio::test]
async fn takes_no_signature_that_is_not_wholly_right() -> Result<()> {
    let other_key = "what was signed is not by the key";
    let other_name = "expected an answer of";
    for p256 in [true, false] {
        let kms = Kms::start(p256).await?;
        let key = key(&kms).await?;
        for (fault, tries, expected) in [
            (Fault::OtherKey, 1, other_key),
            (Fault::OtherName, 1, other_name),
            (
                Fault::Damaged,
                TRIES,
                "the signature was damaged on its way",
            ),
            (
                Fault::NotHeld,
                TRIES,
                "what is to be signed was damaged on its way",
            ),
        ] {
            kms.fail(fault, u32::MAX);
            let said = refusal(&key).await?;
            ensure!(said.contains(expected), "{fault:?}: {said}");
            assert_eq!(kms.asked(), tries, "{fault:?}");
        }
        // damage passes
        kms.fail(Fault::Damaged, 1);
        key.sign(MESSAGE).await.map_err(anyhow::Error::msg)?;
        assert_eq!(kms.asked(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn asks_again_where_that_may_help_and_not_for_ever() -> Result<()> {
    let kms = Kms::start(true).await?;
    let key = key(&kms).await?;
    for (status, tries) in [(429, TRIES), (503, TRIES), (403, 1), (404, 1), (302, 1)] {
        kms.fail(Fault::Status(status), u32::MAX);
        let said = refusal(&key).await?;
        ensure!(said.contains(&format!("got {status}")), "{said}");
        assert_eq!(kms.asked(), tries, "{status}");
    }
    for status in [429, 503] {
        kms.fail(Fault::Status(status), TRIES - 1);
        key.sign(MESSAGE).await.map_err(anyhow::Error::msg)?;
        assert_eq!(kms.asked(), TRIES, "{status}");
    }
    // a token that is not taken any more is replaced by another
    assert_eq!(kms.tokens(), 1);
    kms.end_token();
    key.sign(MESSAGE).await.map_err(anyhow::Error::msg)?;
    assert_eq!(kms.tokens(), 3);
    Ok(())
}

#[tokio::test]
async fn waits_for_no_answer_for_ever() -> Result<()> {
    let kms = Kms::start(true).await?;
    let endpoint: KmsEndpoint = kms.url().parse()?;
    let patience = Patience {
        tries: 2,
        each: Duration::from_secs(1),
        pause: Duration::from_millis(1),
    };
    let google = Google::new(Some(endpoint), patience, Instant::now)?;
    let key = KmsKey::open(Arc::new(google), NAME.parse()?).await?;
    kms.fail(Fault::Never, u32::MAX);
    let said = refusal(&key).await?;
    ensure!(
        said.ends_with("expected an answer within 1000 ms, got none"),
        "{said}"
    );
    assert_eq!(kms.asked(), 2);
    // and nobody listens there any more
    let url = kms.url();
    drop(kms);
    let said = refusal(&key).await?;
    ensure!(said.contains("127.0.0.1"), "{url}: {said}");
    Ok(())
}

#[tokio::test]
async fn an_older_version_that_is_gone_is_left_out_and_none_is_an_error() -> Result<()> {
    let kms = Kms::start(false).await?;
    let gone: KmsKeyName = NAME.replace("Versions/1", "Versions/7").parse()?;
    let here: KmsKeyName = NAME.parse()?;
    for names in [[here.clone(), gone.clone()], [gone.clone(), here]] {
        let keyring = KmsKeys::new(google(&kms)?, &names).keyring().await?;
        assert_eq!(keyring.public_keys().count(), 1);
    }
    let none = KmsKeys::new(google(&kms)?, &[gone]).keyring().await.err();
    let said = none.context("an error")?.to_string();
    ensure!(
        said.ends_with("there is no such version of a key"),
        "{said}"
    );
    Ok(())
}

/// What is printed of it holds no token.
#[tokio::test]
async fn no_token_can_be_printed() -> Result<()> {
    let kms = Kms::start(true).await?;
    let key = key(&kms).await?;
    key.sign(MESSAGE).await.map_err(anyhow::Error::msg)?;
    let printed = format!("{key:#?}");
    ensure!(
        printed.contains("Access") && !printed.contains("token-1"),
        "{printed}"
    );
    Ok(())
}
