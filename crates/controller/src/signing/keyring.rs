//! The keys that a controller may sign with, and which of them trust lets it use.

use super::SigningService;
use countersign_ruleset::key::PublicKey;
use countersign_ruleset::names::Scope;
use countersign_ruleset::trust::Trust;
use std::sync::Arc;

/// Keys, the newest first.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    newest_first: Vec<Arc<dyn SigningService>>,
    /// Why there are none.
    none: Option<Arc<str>>,
}

impl Keyring {
    /// Of these keys, the newest first.
    pub fn new(newest_first: Vec<Arc<dyn SigningService>>) -> Self {
        Self {
            newest_first,
            none: None,
        }
    }

    /// Of no key, and why.
    pub fn none(why: &str) -> Self {
        Self {
            newest_first: Vec::new(),
            none: Some(why.into()),
        }
    }

    /// Why there is no key; `None` if there is one.
    pub fn lack(&self) -> Option<&str> {
        let why = self.none.as_deref().unwrap_or("no key is at hand yet");
        self.newest_first.is_empty().then_some(why)
    }

    /// The public keys, the newest first.
    pub fn public_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.newest_first.iter().map(|key| key.public_key())
    }

    /// The newest key that may sign the rulesets of a namespace: until a root has signed in a new key,
    /// the one before goes on.
    pub fn signer(&self, trust: &Trust, scope: &Scope) -> Option<&Arc<dyn SigningService>> {
        let delegation = trust.delegation(scope)?;
        let may = |key: &&Arc<dyn SigningService>| delegation.keys.contains(key.public_key());
        self.newest_first.iter().find(may)
    }

    /// The keys that no root has signed in: the newest, if it is not, is to be adopted.
    pub fn awaiting(&self, trust: Option<&Trust>) -> Option<&PublicKey> {
        let newest = self.public_keys().next()?;
        let is_known = trust.is_some_and(|trust| trust.key_ids().any(|id| id == newest.id()));
        (!is_known).then_some(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Keyring, SigningService};
    use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
    use countersign_ruleset::names::Scope;
    use countersign_ruleset::sign::{Signer, SigningKey};
    use countersign_ruleset::time::UnixTime;
    use countersign_ruleset::trust::{Delegation, Trust};
    use std::sync::Arc;

    fn key() -> Arc<SigningKey> {
        Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519).unwrap())
    }

    fn ring<const N: usize>(keys: [&Arc<SigningKey>; N]) -> Keyring {
        let own = |key: &Arc<SigningKey>| -> Arc<dyn SigningService> { key.clone() };
        Keyring::new(keys.into_iter().map(own).collect())
    }

    fn public(key: &SigningKey) -> PublicKey {
        Signer::public_key(key).clone()
    }

    fn scope(name: &str) -> Scope {
        name.parse().unwrap()
    }

    fn trust(root: &SigningKey, signing: &SigningKey) -> Trust {
        let end = UnixTime(1_800_000_000);
        Trust::first("prod".parse().unwrap(), public(root), public(signing), end)
    }

    fn chosen(ring: &Keyring, trust: &Trust, name: &str) -> Option<PublicKey> {
        let signer = ring.signer(trust, &scope(name));
        signer.map(|signer| signer.public_key().clone())
    }

    #[test]
    fn signs_with_the_newest_key_that_a_root_signed_in() {
        let [root, old, new] = [key(), key(), key()];
        let ring = ring([&new, &old]);
        let mut trust = trust(&root, &old);
        assert_eq!(chosen(&ring, &trust, "shop"), Some(public(&old)));
        assert_eq!(ring.awaiting(Some(&trust)), Some(&public(&new)));
        trust.rulesets[0].keys.push(public(&new));
        assert_eq!(chosen(&ring, &trust, "shop"), Some(public(&new)));
        assert_eq!(ring.awaiting(Some(&trust)), None);
    }

    #[test]
    fn without_trust_nothing_signs_and_the_key_waits() {
        let [root, own, other] = [key(), key(), key()];
        let ring = ring([&own]);
        assert_eq!(ring.awaiting(None), Some(&public(&own)));
        let trust = trust(&root, &other);
        assert_eq!(chosen(&ring, &trust, "shop"), None);
        assert_eq!(ring.awaiting(Some(&trust)), Some(&public(&own)));
        assert_eq!(Keyring::default().awaiting(None), None);
    }

    #[test]
    fn without_a_key_it_says_why() {
        assert_eq!(ring([&key()]).lack(), None);
        assert_eq!(Keyring::none("it is gone").lack(), Some("it is gone"));
        assert_eq!(Keyring::default().lack(), Some("no key is at hand yet"));
    }

    #[test]
    fn a_namespace_that_is_delegated_to_others_is_left_to_them() {
        let [root, own, other] = [key(), key(), key()];
        let ring = ring([&own]);
        let mut trust = trust(&root, &own);
        trust.rulesets.push(Delegation {
            scopes: vec!["shop".into()],
            keys: vec![public(&other)],
            threshold: 1,
            max_validity: 3_600,
        });
        assert_eq!(chosen(&ring, &trust, "shop"), None);
        assert_eq!(chosen(&ring, &trust, "ops"), Some(public(&own)));
    }
}
