//! What is shown, and what is taken of it.

use super::{
    ConfigMap, Keyring, NEWEST, NotShown, ROTATE, ROTATED, asked, expect_key, is_shown, key_of,
    wanted,
};
use crate::signing::SigningService;
use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use countersign_ruleset::sign::{Signer, SigningKey};
use kube::api::ObjectMeta;
use std::sync::Arc;

fn key() -> PublicKey {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    Signer::public_key(&key).clone()
}

fn shown(newest: &str, keys: &[(&str, &PublicKey)]) -> ConfigMap {
    let keys = keys.iter();
    ConfigMap {
        metadata: ObjectMeta {
            annotations: Some([(NEWEST.into(), newest.into())].into()),
            ..ObjectMeta::default()
        },
        data: Some(
            keys.map(|(id, key)| (format!("{id}.pem"), key.to_pem()))
                .collect(),
        ),
        ..ConfigMap::default()
    }
}

#[test]
fn a_key_is_taken_only_under_its_own_name() {
    let [one, two] = [key(), key()];
    let [first, second] = [&one, &two].map(|key| key.id().to_string());
    let both = [(first.as_str(), &one), (second.as_str(), &two)];
    assert_eq!(key_of(&shown(&second, &both)).unwrap(), two);
    let exchanged = [(first.as_str(), &two)];
    for map in [
        shown(&first, &exchanged),
        shown(&first, &[]),
        shown("x", &both),
    ] {
        assert!(matches!(key_of(&map), Err(NotShown::Unfit)), "{map:?}");
    }
    assert!(matches!(key_of(&ConfigMap::default()), Err(NotShown::None)));
}

/// A key that is lost is not made anew because somebody asked for one long ago.
#[test]
fn a_word_asks_once_whatever_becomes_of_the_secret() {
    let one: Arc<dyn SigningService> =
        Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519).unwrap());
    let ring = Keyring::new(vec![one]);
    let map = |words: &[(&str, &str)]| {
        let mut map = shown("x", &[]);
        let annotations = map.metadata.annotations.get_or_insert_default();
        annotations.extend(
            words
                .iter()
                .map(|(name, word)| ((*name).into(), (*word).into())),
        );
        map
    };
    assert_eq!(asked(&ConfigMap::default()), None);
    assert_eq!(asked(&map(&[(ROTATE, "1")])), Some("1"));
    assert_eq!(asked(&map(&[(ROTATE, "2"), (ROTATED, "1")])), Some("2"));
    assert_eq!(asked(&map(&[(ROTATE, "2"), (ROTATED, "2")])), None);
    // what is shown next says what was answered: by the Secret, or if it is gone, as before
    for (words, held, expected) in [
        (&[][..], None, None),
        (&[(ROTATE, "1")], None, None),
        (&[(ROTATE, "1")], Some("1"), Some("1")),
        (&[(ROTATE, "2"), (ROTATED, "2")], None, Some("2")),
        (&[(ROTATE, "2"), (ROTATED, "2")], Some("1"), Some("2")),
        (&[(ROTATE, "2"), (ROTATED, "1")], Some("1"), Some("1")),
    ] {
        let map = map(words);
        let next = wanted(&ring, Some(&map), held);
        let said = next.annotations.get(ROTATED).map(String::as_str);
        assert_eq!(said, expected, "{words:?} {held:?}");
    }
}

/// Whoever may write ConfigMaps could show a key of their own for a root key to sign.
#[test]
fn takes_no_key_that_is_only_shown() {
    let key = key();
    let id = key.id().to_string();
    assert_eq!(expect_key(key.clone(), Some(id.clone())).unwrap(), key);
    let other = expect_key(key.clone(), Some("ab".repeat(32))).unwrap_err();
    let said = other.to_string();
    assert!(matches!(other, NotShown::Other { .. }), "{said}");
    assert!(said.contains("nothing was signed"), "{said}");
    let unvouched = expect_key(key, None).unwrap_err().to_string();
    assert!(
        unvouched.contains(&id) && unvouched.contains("--key-id"),
        "{unvouched}"
    );
}

#[test]
fn what_somebody_else_has_put_there_is_not_taken_for_shown() {
    let key = Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519).unwrap());
    let public = Signer::public_key(&*key).clone();
    let ring = Keyring::new(vec![key]);
    let id = public.id().to_string();
    let wanted = wanted(&ring, None, None);
    assert!(is_shown(&shown(&id, &[(&id, &public)]), &wanted));
    let theirs = self::key();
    let other = theirs.id().to_string();
    for map in [
        shown(&other, &[(&other, &theirs)]),
        shown(&other, &[(&other, &theirs), (&id, &public)]),
        shown(&id, &[(&id, &theirs)]),
        ConfigMap::default(),
    ] {
        assert!(!is_shown(&map, &wanted), "{map:?}");
    }
}
