//! What is signed can be opened, what is too large is not signed, and a private key is not shown.

use super::{Issue, Signer, SigningKey, Unsigned, envelope, publish};
use crate::key::{KeyAlgorithm, PublicKey};
use crate::manifest::MAX_WRITTEN;
use crate::provider::Keys;
use crate::rules::Rules;
use crate::time::UnixTime;

fn issue(scope_uid: String) -> Issue {
    Issue {
        cluster: "prod".parse().unwrap(),
        scope: "shop".parse().unwrap(),
        scope_uid,
        trust: 1,
        serial: 1,
        issued_at: UnixTime(1_800_000_000),
        valid_for: 86_400,
        stale_for: 0,
        previous: None,
    }
}

fn published(scope_uid: String) -> Result<super::Publication, Unsigned> {
    let rules = Rules::empty("shop".parse().unwrap());
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    publish(&rules, &Keys::default(), issue(scope_uid), &[&key])
}

#[test]
fn refuses_a_manifest_that_a_kms_would_not_sign() {
    assert!(published(String::new()).is_ok());
    let refusal = published("u".repeat(MAX_WRITTEN)).unwrap_err();
    assert!(
        matches!(refusal, Unsigned::TooLarge { most: MAX_WRITTEN, got } if got > MAX_WRITTEN),
        "{refusal:?}"
    );
}

struct Broken(PublicKey);

impl Signer for Broken {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("no quota".to_owned())
    }
}

#[test]
fn a_signer_that_fails_signs_nothing() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let broken = Broken(key.public_key().clone());
    let refusal = envelope("x/y", b"{}", &[&key, &broken]).unwrap_err();
    assert_eq!(refusal.to_string(), "the signer failed: no quota");
}

#[test]
fn a_private_key_is_written_only_as_pem_and_read_again() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= 64));
        let again = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(key.public_key().algorithm(), algorithm);
        let shown = format!("{key:?}");
        let secret = pem.lines().nth(1).unwrap();
        assert!(
            shown.ends_with("redacted)") && !shown.contains(secret.get(..16).unwrap()),
            "{shown}"
        );
    }
    let public = SigningKey::from_seed(&[1; 32])
        .unwrap()
        .public_key()
        .to_pem();
    for other in [
        public.as_str(),
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ] {
        let refusal = SigningKey::from_pem(other).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "expected an Ed25519 or P-256 private key as PKCS#8 PEM"
        );
    }
}
