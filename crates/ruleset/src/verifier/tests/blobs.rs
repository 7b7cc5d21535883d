//! Steps 8 and 9: the blobs are what was signed, and what was signed can be run.

use super::world::World;
use super::{accepted, refused};
use crate::digest::Digest;
use crate::manifest::{BlobName, Encoding, MAX_BLOB, Manifest, Unfit};
use crate::provider::Keys;
use crate::refusal::{Refusal, Unrunnable};
use crate::rules;
use crate::time::UnixTime;

#[test]
fn refuses_blobs_that_are_not_exactly_rules_and_keys() {
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 4] = [
        (|m| m.blobs.clear(), ""),
        (|m| drop(m.blobs.pop()), "keys"),
        (|m| m.blobs[0].name = BlobName::Rules, "rules, rules"),
        (|m| m.blobs.push(m.blobs[0].clone()), "keys, rules, keys"),
    ];
    for (change, names) in cases {
        let mut world = World::new();
        world.change(change);
        assert_eq!(refused(&mut world), Unfit::Blobs(names.into()).into());
    }
    let mut world = World::new();
    world.change(|m| m.blobs.reverse());
    accepted(&mut world);
}

#[test]
fn refuses_blobs_that_are_too_large_before_any_is_fetched() {
    type Change = fn(&mut Manifest);
    let changes: [Change; 3] = [
        |m| m.blobs[0].size = MAX_BLOB + 1,
        |m| m.blobs[1].size = MAX_BLOB + 1,
        |m| m.blobs[1].decoded_size = MAX_BLOB + 1,
    ];
    for change in changes {
        let mut world = World::new();
        world.change(change);
        world.carrier.blobs.clear();
        assert_eq!(refused(&mut world), Unfit::TooLarge(MAX_BLOB + 1).into());
    }
}

#[test]
fn refuses_a_blob_that_cannot_be_had() {
    let mut world = World::new();
    let refusal = |world: &World, reason: &str| Refusal::BlobMissing {
        name: BlobName::Keys,
        digest: world.manifest.blobs[0].digest.clone(),
        reason: reason.into(),
    };
    world.carrier.failing = Some("the blob");
    let failed = refusal(&world, "connection reset");
    assert_eq!(refused(&mut world), failed);
    world.carrier.failing = None;
    let blobs = std::mem::take(&mut world.carrier.blobs);
    let none = refusal(&world, "there is none");
    assert_eq!(refused(&mut world), none);
    world.carrier.blobs = blobs;
    accepted(&mut world);
}

/// The keys are asked for first, so a fault of each blob is a fault of the keys.
fn spoil(world: &mut World, spoil: fn(&mut Vec<u8>)) -> Vec<u8> {
    let digest = &world.manifest.blobs[0].digest;
    let bytes = world.carrier.blobs.get_mut(digest).unwrap();
    spoil(bytes);
    bytes.clone()
}

#[test]
fn refuses_a_blob_of_another_length() {
    type Spoil = fn(&mut Vec<u8>);
    let cases: [Spoil; 2] = [|bytes| bytes.push(b' '), |bytes| bytes.truncate(1)];
    for change in cases {
        let mut world = World::new();
        let got = u64::try_from(spoil(&mut world, change).len()).unwrap();
        let expected = world.manifest.blobs[0].size;
        let name = BlobName::Keys;
        assert_eq!(
            refused(&mut world),
            Refusal::BlobSize {
                name,
                expected,
                got
            }
        );
    }
}

#[test]
fn refuses_a_blob_of_another_digest() {
    let mut world = World::new();
    let got = Digest::of(&spoil(&mut world, |bytes| bytes[0] ^= 1));
    let expected = world.manifest.blobs[0].digest.clone();
    let name = BlobName::Keys;
    assert_eq!(
        refused(&mut world),
        Refusal::BlobDigest {
            name,
            expected,
            got
        }
    );
}

#[test]
fn refuses_a_blob_that_decodes_to_another_length() {
    let mut world = World::new();
    world.change(|m| m.blobs[1].decoded_size += 1);
    let rules = world.manifest.blobs[1].clone();
    assert_eq!(
        (rules.name, rules.encoding),
        (BlobName::Rules, Encoding::Identity)
    );
    let (name, expected, got) = (rules.name, rules.decoded_size, rules.size);
    assert_eq!(
        refused(&mut world),
        Refusal::BlobDecoded {
            name,
            expected,
            got
        }
    );
}

fn unrunnable(world: &mut World) -> Unrunnable {
    match refused(world) {
        Refusal::RulesInvalid(unrunnable) => unrunnable,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refuses_rules_and_keys_that_are_not_what_their_type_promises() {
    let mut world = World::new();
    world.put(BlobName::Rules, b"{}".to_vec());
    let refusal = unrunnable(&mut world);
    let Unrunnable::Invalid { name, because } = refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(name, BlobName::Rules);
    assert!(matches!(because, rules::Invalid::Malformed(_)));
    let mut world = World::new();
    world.put(BlobName::Keys, br#"{"providers":[ ]}"#.to_vec());
    let (name, because) = (BlobName::Keys, rules::Invalid::NotCanonical);
    assert_eq!(
        unrunnable(&mut world),
        Unrunnable::Invalid { name, because }
    );
}

#[test]
fn refuses_rules_that_name_a_provider_without_keys() {
    let mut world = World::new();
    let role = r#"{"AccessRole/a":[{"identity":{"provider":"TrustProvider/gone","all":[]}}]}"#;
    let text = world.rules_text();
    let text = text.replace(r#""roles":{}"#, &format!(r#""roles":{role}"#));
    world.put(BlobName::Rules, text.into_bytes());
    let gone = "TrustProvider/gone".parse().unwrap();
    assert_eq!(unrunnable(&mut world), Unrunnable::ProviderUnknown(gone));
}

/// Nor would there be anything to log in as.
#[test]
fn refuses_a_login_at_a_provider_without_keys() {
    let mut world = World::new();
    let mut rules: rules::Rules = serde_json::from_str(&world.rules_text()).unwrap();
    let gone: crate::names::ProviderId = "TrustProvider/gone".parse().unwrap();
    rules.applications.push(rules::Application {
        id: "Host/orders.example.com".parse().unwrap(),
        hosts: vec![],
        accepted: false,
        pending: None,
        sections: vec![],
        policies: vec![],
        login: Some(gone.clone()),
        forward: vec![],
        disclose: rules::Disclose::Code,
    });
    world.put(BlobName::Rules, rules.to_bytes().unwrap());
    assert_eq!(
        unrunnable(&mut world),
        Unrunnable::ProviderUnknown(gone.clone())
    );
    let mut provider = crate::golden::provider();
    provider.id = gone;
    provider.fetched_at = None;
    let providers = vec![provider];
    world.put(BlobName::Keys, Keys { providers }.to_bytes().unwrap());
    accepted(&mut world);
}

#[test]
fn refuses_rules_of_another_scope() {
    let mut world = World::new();
    let text = world.rules_text();
    let text = text.replace(r#""scope":"shop""#, r#""scope":"ops""#);
    world.put(BlobName::Rules, text.into_bytes());
    let (expected, got) = ("shop".parse().unwrap(), "ops".parse().unwrap());
    assert_eq!(unrunnable(&mut world), Unrunnable::Scope { expected, got });
}

/// A signer that stamps them later than now would make them count as fresh for longer.
#[test]
fn refuses_keys_that_were_fetched_after_the_ruleset_was_issued() {
    let mut world = World::new();
    let issued_at = world.manifest.issued_at;
    let mut provider = crate::golden::provider();
    provider.fetched_at = Some(issued_at.plus(1));
    let mut keys = Keys {
        providers: vec![provider],
    };
    world.put(BlobName::Keys, keys.to_bytes().unwrap());
    let refusal = Unrunnable::KeysFromTheFuture {
        provider: keys.providers[0].id.clone(),
        fetched_at: UnixTime(issued_at.0 + 1),
    };
    assert_eq!(unrunnable(&mut world), refusal);
    keys.providers[0].fetched_at = Some(issued_at);
    world.put(BlobName::Keys, keys.to_bytes().unwrap());
    accepted(&mut world);
}
