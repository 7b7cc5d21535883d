//! Trust for trying things out: a root key that is made, signs once, and is forgotten.

use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use countersign_ruleset::names::Cluster;
use countersign_ruleset::sign::{self, SigningKey, Unsigned};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;

/// For how long such trust holds: 30 days.
const HOLDS: u64 = 30 * 86_400;

/// The first trust document, signed inside the cluster. The root key is gone when this returns: nobody
/// can steal it, and nobody can sign the next document, so keys cannot be rotated. That is why it is
/// no way to run anything that matters.
///
/// # Errors
/// If no key can be made.
pub fn evaluation_trust(
    cluster: Cluster,
    signing: PublicKey,
    now: UnixTime,
) -> Result<Vec<u8>, Unsigned> {
    let root = SigningKey::generate(KeyAlgorithm::Ed25519);
    let root = root.map_err(|error| Unsigned::Signer(error.to_string()))?;
    let public = sign::Signer::public_key(&root).clone();
    let document = Trust::first(cluster, public, signing, now.plus(HOLDS));
    sign::trust(&document, &[&root])
}

#[cfg(test)]
mod tests {
    use super::evaluation_trust;
    use countersign_ruleset::key::KeyAlgorithm;
    use countersign_ruleset::sign::{Signer, SigningKey};
    use countersign_ruleset::time::UnixTime;
    use countersign_ruleset::trust::Trust;

    #[test]
    fn each_has_a_root_of_its_own_and_holds_for_a_month() {
        let now = UnixTime(1_795_521_600);
        let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let public = key.public_key().clone();
        let [one, two] = [(), ()].map(|()| {
            let bytes = evaluation_trust("prod".parse().unwrap(), public.clone(), now).unwrap();
            Trust::open_pinned(&bytes).unwrap().into_inner()
        });
        assert_eq!(one.rulesets[0].keys, [public]);
        assert_eq!(one.expires_at, now.plus(30 * 86_400));
        assert_ne!(one.root, two.root);
    }
}
