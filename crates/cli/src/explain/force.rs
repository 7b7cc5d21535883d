//! A ruleset in force in this process alone: signed by a key of the moment, opened by the one verifier.

use crate::keys::DEV;
use anyhow::{Result, bail};
use countersign_policy::Compiled;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::manifest::BlobRef;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::sign::{self, Issue, Publication, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, Ruleset, State, Verifier};

/// For how long it holds: as long as one request takes.
const VALID_FOR: u64 = 60;

/// Signs and verifies what was compiled. There is no other way to put it in force.
pub(super) fn put(compiled: &Compiled, now: UnixTime) -> Result<Verified<Ruleset>> {
    let cluster: Cluster = DEV.parse()?;
    let root = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let [root_public, public] = [&root, &key].map(|key| key.public_key().clone());
    let document = Trust::first(cluster.clone(), root_public, public, now.plus(VALID_FOR));
    let trust = sign::trust(&document, &[&root])?;
    let scope = compiled.rules.scope.clone();
    let issue = Issue {
        cluster: cluster.clone(),
        scope: scope.clone(),
        scope_uid: String::new(),
        trust: 1,
        serial: 1,
        issued_at: now,
        valid_for: VALID_FOR,
        stale_for: 0,
        previous: None,
    };
    let mut published = InMemory(sign::publish(
        &compiled.rules,
        &compiled.keys,
        issue,
        &[&key],
    )?);
    let mut verifier = Verifier::start(&trust, Options::new(cluster), State::default())?;
    match verifier
        .accept(&scope, &mut published, now, false)
        .outcome?
    {
        Outcome::InForce(accepted) => Ok(accepted.ruleset),
        Outcome::Unchanged => bail!("nothing was in force before"),
    }
}

struct InMemory(Publication);

impl Carrier for InMemory {
    fn trust(&mut self, _: u64) -> Fetched {
        Fetched::NotFound
    }

    fn manifest(&mut self, _: &Scope) -> Fetched {
        Fetched::Bytes(self.0.manifest.clone())
    }

    fn blob(&mut self, _: &Scope, blob: &BlobRef) -> Fetched {
        let mut blobs = self.0.blobs.iter();
        let found = blobs.find(|(digest, _)| *digest == blob.digest);
        found.map_or(Fetched::NotFound, |(_, bytes)| {
            Fetched::Bytes(bytes.clone())
        })
    }
}
