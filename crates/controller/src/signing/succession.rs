//! Which trust document follows on which: the first, one with a key more, one with a key less.

use countersign_ruleset::key::{KeyId, PublicKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{MAX_VALIDITY, Trust};

/// Why there is no next document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuccessor {
    /// It would be the same.
    #[error("trust document {version} holds the key {id} already")]
    Held {
        /// The document.
        version: u64,
        /// The key.
        id: KeyId,
    },
    /// Nobody could sign any more.
    #[error(
        "the key {0} is the only one for some namespaces: add another first, or nobody could sign \
         their rulesets"
    )]
    Last(KeyId),
    /// There is no such key.
    #[error("trust document {version} holds no key {id}")]
    NotHeld {
        /// The document.
        version: u64,
        /// The key.
        id: String,
    },
    /// The root would be the one who signs every hour.
    #[error("the key {0} is a root key: those sign no rulesets")]
    Root(KeyId),
}

/// The next document, in which a key may sign beside the others of every namespace that nobody else
/// is named for.
pub fn with(trust: &Trust, key: &PublicKey, now: UnixTime) -> Result<Trust, NoSuccessor> {
    let mut next = successor(trust, now);
    if trust.root.keys.contains(key) {
        return Err(NoSuccessor::Root(key.id().clone()));
    }
    for delegation in &mut next.rulesets {
        let is_for_all = delegation.scopes.iter().any(|scope| scope == "*");
        if is_for_all && !delegation.keys.contains(key) {
            delegation.keys.push(key.clone());
        }
    }
    if next.rulesets == trust.rulesets {
        return Err(NoSuccessor::Held {
            version: trust.version,
            id: key.id().clone(),
        });
    }
    Ok(next)
}

/// The next document, without a key, named by its id or the begin of it. What it signed is refused by
/// every edge that has taken the document, so what is published must be signed anew by another first.
pub fn without(trust: &Trust, id: &str, now: UnixTime) -> Result<Trust, NoSuccessor> {
    let mut next = successor(trust, now);
    let is_it = |key: &PublicKey| id.len() >= 8 && key.id().as_str().starts_with(id);
    let mut gone = None;
    for delegation in &mut next.rulesets {
        let found = delegation.keys.iter().find(|key| is_it(key)).cloned();
        delegation.keys.retain(|key| !is_it(key));
        let left = u32::try_from(delegation.keys.len()).unwrap_or(u32::MAX);
        if let Some(key) = &found
            && left < delegation.threshold
        {
            return Err(NoSuccessor::Last(key.id().clone()));
        }
        gone = gone.or(found);
    }
    if gone.is_none() {
        return Err(NoSuccessor::NotHeld {
            version: trust.version,
            id: id.to_owned(),
        });
    }
    Ok(next)
}

fn successor(trust: &Trust, now: UnixTime) -> Trust {
    Trust {
        version: trust.version.saturating_add(1),
        expires_at: now.plus(MAX_VALIDITY),
        ..trust.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{NoSuccessor, with, without};
    use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
    use countersign_ruleset::sign::{self, Signer, SigningKey};
    use countersign_ruleset::time::UnixTime;
    use countersign_ruleset::trust::{Delegation, MAX_VALIDITY, Trust};
    use std::collections::BTreeSet;

    const NOW: UnixTime = UnixTime(1_795_521_600);

    fn key() -> SigningKey {
        SigningKey::generate(KeyAlgorithm::Ed25519).unwrap()
    }

    fn public(key: &SigningKey) -> PublicKey {
        key.public_key().clone()
    }

    fn first(root: &SigningKey, signing: &SigningKey) -> Trust {
        Trust::first("prod".parse().unwrap(), public(root), public(signing), NOW)
    }

    #[test]
    fn keys_come_and_go_in_documents_that_edges_follow() {
        let [root, old, new] = [key(), key(), key()];
        let one = first(&root, &old);
        let two = with(&one, &public(&new), NOW).unwrap();
        assert_eq!((two.version, two.expires_at), (2, NOW.plus(MAX_VALIDITY)));
        assert_eq!(two.rulesets[0].keys, [public(&old), public(&new)]);
        let id = public(&old).id().to_string();
        let three = without(&two, id.get(..12).unwrap(), NOW).unwrap();
        assert_eq!(three.rulesets[0].keys, [public(&new)]);
        let mut trust = one;
        for next in [two, three] {
            let bytes = sign::trust(&next, &[&root]).unwrap();
            trust = trust
                .open_next(&bytes, &BTreeSet::new())
                .unwrap()
                .into_inner();
        }
        assert_eq!(trust.version, 3);
    }

    #[test]
    fn says_why_there_is_no_next() {
        let [root, old, new] = [key(), key(), key()];
        let one = first(&root, &old);
        let id = |key: &SigningKey| public(key).id().clone();
        let held = NoSuccessor::Held {
            version: 1,
            id: id(&old),
        };
        assert_eq!(with(&one, &public(&old), NOW), Err(held));
        assert_eq!(
            with(&one, &public(&root), NOW),
            Err(NoSuccessor::Root(id(&root)))
        );
        assert_eq!(
            without(&one, id(&old).as_str(), NOW),
            Err(NoSuccessor::Last(id(&old)))
        );
        for other in [
            id(&new).to_string(),
            String::new(),
            id(&old).as_str().get(..7).unwrap().to_owned(),
        ] {
            let not_held = NoSuccessor::NotHeld {
                version: 1,
                id: other.clone(),
            };
            assert_eq!(without(&one, &other, NOW), Err(not_held));
        }
    }

    #[test]
    fn a_team_s_own_delegation_is_left_alone() {
        let [root, old, team, new] = [key(), key(), key(), key()];
        let mut one = first(&root, &old);
        one.rulesets.push(Delegation {
            scopes: vec!["shop".into()],
            keys: vec![public(&team)],
            threshold: 1,
            max_validity: 3_600,
        });
        let two = with(&one, &public(&new), NOW).unwrap();
        assert_eq!(two.rulesets[1], one.rulesets[1]);
    }
}
