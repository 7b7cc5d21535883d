//! The way from rules to what is in force, in memory: signed by a real key, opened by the one verifier.

use countersign_ruleset::envelope::Verified;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::manifest::{BlobRef, Digest};
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, Publication, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{DEFAULT_VALIDITY, Delegation, Root, Trust};
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, Ruleset, State, Verifier};
use std::collections::BTreeMap;

/// A root and a signing key, and the trust document that binds them.
#[derive(Debug)]
pub struct Installation {
    cluster: Cluster,
    signing: SigningKey,
    trust: Vec<u8>,
}

impl Installation {
    /// Makes the keys and signs the first trust document.
    ///
    /// # Panics
    /// If there is no randomness.
    pub fn new(now: UnixTime) -> Self {
        let cluster: Cluster = "tests".parse().expect("a cluster's name");
        let root = SigningKey::generate(KeyAlgorithm::Ed25519).expect("randomness");
        let signing = SigningKey::generate(KeyAlgorithm::EcdsaP256).expect("randomness");
        let document = Trust {
            cluster: cluster.clone(),
            version: 1,
            expires_at: now.plus(86_400),
            root: Root {
                keys: vec![root.public_key().clone()],
                threshold: 1,
            },
            rulesets: vec![Delegation {
                scopes: vec!["*".to_owned()],
                keys: vec![signing.public_key().clone()],
                threshold: 1,
                max_validity: DEFAULT_VALIDITY,
            }],
        };
        let trust = sign::trust(&document, &[&root]).expect("it is signed");
        Self {
            cluster,
            signing,
            trust,
        }
    }

    /// Signs a ruleset and opens it again, as an edge would that starts now.
    ///
    /// # Errors
    /// If the verifier refuses it.
    ///
    /// # Panics
    /// If it cannot be signed.
    pub fn publish(
        &self,
        rules: &Rules,
        keys: &Keys,
        now: UnixTime,
    ) -> Result<Verified<Ruleset>, Refusal> {
        let issue = Issue {
            cluster: self.cluster.clone(),
            scope: rules.scope.clone(),
            scope_uid: String::new(),
            trust: 1,
            serial: 1,
            issued_at: now,
            valid_for: 3_600,
            stale_for: 0,
            previous: None,
        };
        let published = sign::publish(rules, keys, issue, &[&self.signing]).expect("it is signed");
        let mut carrier = Memory::of(published);
        let options = Options::new(self.cluster.clone());
        let mut verifier = Verifier::start(&self.trust, options, State::default())?;
        let cycle = verifier.accept(&rules.scope, &mut carrier, now, false);
        match cycle.outcome? {
            Outcome::InForce(accepted) => Ok(accepted.ruleset),
            Outcome::Unchanged => unreachable!("nothing was in force before"),
        }
    }
}

/// A publication that lies in memory.
struct Memory {
    manifest: Vec<u8>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Memory {
    fn of(published: Publication) -> Self {
        Self {
            manifest: published.manifest,
            blobs: BTreeMap::from(published.blobs),
        }
    }
}

impl Carrier for Memory {
    fn trust(&mut self, _version: u64) -> Fetched {
        Fetched::NotFound
    }

    fn manifest(&mut self, _scope: &Scope) -> Fetched {
        Fetched::Bytes(self.manifest.clone())
    }

    fn blob(&mut self, _scope: &Scope, blob: &BlobRef) -> Fetched {
        let stored = self.blobs.get(&blob.digest).cloned();
        stored.map_or(Fetched::NotFound, Fetched::Bytes)
    }
}
