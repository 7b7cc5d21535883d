//! Trust documents: what may follow what, and what a document may not say.

use super::{Delegation, Distrusted, Fault, MAX_VALIDITY, Root, Trust};
use crate::envelope::Unopened;
use crate::key::PublicKey;
use crate::sign::{Signer, SigningKey, trust};
use crate::time::UnixTime;
use std::collections::BTreeSet;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn public(seeds: &[u8]) -> Vec<PublicKey> {
    seeds
        .iter()
        .map(|&seed| key(seed).public_key().clone())
        .collect()
}

fn document(version: u64, root: &[u8], signing: &[u8]) -> Trust {
    Trust {
        cluster: "prod".parse().unwrap(),
        version,
        expires_at: UnixTime(2_000_000_000),
        root: Root {
            keys: public(root),
            threshold: 1,
        },
        rulesets: vec![Delegation {
            scopes: vec!["*".into()],
            keys: public(signing),
            threshold: 1,
            max_validity: super::DEFAULT_VALIDITY,
        }],
    }
}

fn signed(document: &Trust, by: &[u8]) -> Vec<u8> {
    let keys: Vec<SigningKey> = by.iter().map(|&seed| key(seed)).collect();
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key }).collect();
    trust(document, &signers).unwrap()
}

fn fault(change: impl FnOnce(&mut Trust)) -> Fault {
    let mut trust = document(1, &[1], &[2]);
    change(&mut trust);
    match Trust::open_pinned(&signed(&trust, &[1])) {
        Err(Distrusted::Invalid(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn has_one_byte_form() {
    let bytes = signed(&document(1, &[1], &[2]), &[1]);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        include_str!("../../golden/trust.json").trim_end()
    );
}

#[test]
fn the_next_is_signed_by_the_old_root_and_by_its_own() {
    let first = Trust::open_pinned(&signed(&document(1, &[1], &[2]), &[1])).unwrap();
    let next = document(2, &[3], &[4]);
    let none = BTreeSet::new();
    assert_eq!(
        *first.open_next(&signed(&next, &[1, 3]), &none).unwrap(),
        next
    );
    for by in [&[1][..], &[3], &[2, 4]] {
        let refusal = first.open_next(&signed(&next, by), &none).unwrap_err();
        assert!(
            matches!(refusal, Distrusted::Unopened(Unopened::UnknownKey(_))),
            "{by:?}"
        );
    }
}

#[test]
fn a_signing_key_cannot_appoint_its_successor() {
    let first = Trust::open_pinned(&signed(&document(1, &[1], &[2]), &[1])).unwrap();
    let stolen = document(2, &[2], &[2]);
    let refusal = first
        .open_next(&signed(&stolen, &[2]), &BTreeSet::new())
        .unwrap_err();
    assert!(
        matches!(refusal, Distrusted::Unopened(Unopened::UnknownKey(_))),
        "{refusal:?}"
    );
}

#[test]
fn an_exact_scope_beats_the_star() {
    let mut trust = document(1, &[1], &[2]);
    trust.rulesets.push(Delegation {
        scopes: vec!["shop".into()],
        ..trust.rulesets[0].clone()
    });
    trust.rulesets[1].keys = public(&[3]);
    let of = |scope: &str| {
        trust
            .delegation(&scope.parse().unwrap())
            .unwrap()
            .keys
            .clone()
    };
    assert_eq!(of("shop"), public(&[3]));
    assert_eq!(of("ops"), public(&[2]));
    trust.rulesets.remove(0);
    assert!(trust.delegation(&"ops".parse().unwrap()).is_none());
}

#[test]
fn refuses_what_a_document_may_not_say() {
    assert!(Trust::open_pinned(&signed(&document(1, &[1], &[2]), &[1])).is_ok());
    assert_eq!(fault(|t| t.version = 0), Fault::Version);
    assert_eq!(fault(|t| t.rulesets[0].scopes = vec![]), Fault::NoScope);
    assert_eq!(
        fault(|t| t.rulesets[0].scopes = vec!["a/b".into()]),
        Fault::NotAScope("a/b".into())
    );
    assert_eq!(
        fault(|t| t.rulesets[0].keys = public(&[1])),
        Fault::RootSignsRulesets(key(1).public_key().id().clone())
    );
    assert_eq!(
        fault(|t| {
            let mut again = t.rulesets[0].clone();
            again.keys = public(&[3]);
            t.rulesets.push(again);
        }),
        Fault::ScopeTwice("*".into())
    );
    assert_eq!(
        fault(|t| t.rulesets[0].scopes = vec!["shop".into(), "shop".into()]),
        Fault::ScopeTwice("shop".into())
    );
}

#[test]
fn refuses_a_group_that_nobody_or_anybody_could_speak_for() {
    assert_eq!(
        fault(|t| t.root.keys = public(&[1, 1])),
        Fault::KeyTwice("root")
    );
    assert_eq!(
        fault(|t| t.rulesets[0].keys = public(&[2, 2])),
        Fault::KeyTwice("rulesets")
    );
    for threshold in [0, 2] {
        let (of, keys) = ("rulesets", 1);
        let refusal = Fault::Threshold {
            of,
            keys,
            threshold,
        };
        assert_eq!(fault(|t| t.rulesets[0].threshold = threshold), refusal);
    }
    assert_eq!(
        fault(|t| t.rulesets[0].keys = vec![]),
        Fault::Threshold {
            of: "rulesets",
            keys: 0,
            threshold: 1
        }
    );
    let (of, got) = ("root", 9);
    assert_eq!(
        fault(|t| t.root.keys = public(&[1, 10, 11, 12, 13, 14, 15, 16, 17])),
        Fault::TooManyKeys { of, got }
    );
}

#[test]
fn refuses_a_validity_without_beginning_or_end() {
    for seconds in [0, MAX_VALIDITY + 1, u64::from(u32::MAX)] {
        let refusal = fault(|t| t.rulesets[0].max_validity = seconds);
        assert_eq!(refusal, Fault::Validity(seconds));
    }
    let mut longest = document(1, &[1], &[2]);
    longest.rulesets[0].max_validity = MAX_VALIDITY;
    assert!(Trust::open_pinned(&signed(&longest, &[1])).is_ok());
}

#[test]
fn refuses_what_cannot_follow() {
    let first = Trust::open_pinned(&signed(&document(1, &[1], &[2]), &[1])).unwrap();
    let follow = |bytes: &[u8]| first.open_next(bytes, &BTreeSet::new()).unwrap_err();
    for got in [0, 1, 3] {
        let refusal = follow(&signed(&document(got, &[1], &[2]), &[1]));
        assert_eq!(refusal, Distrusted::OutOfOrder { expected: 2, got });
    }
    let mut other = document(2, &[1], &[2]);
    other.cluster = "other".parse().unwrap();
    let (expected, got) = ("prod".parse().unwrap(), "other".parse().unwrap());
    assert_eq!(
        follow(&signed(&other, &[1])),
        Distrusted::WrongCluster { expected, got }
    );
    let two = serde_json::to_string(&document(2, &[1], &[2])).unwrap();
    let more = two.replacen('{', r#"{"more":1,"#, 1);
    let bytes = crate::sign::envelope(super::PAYLOAD_TYPE, more.as_bytes(), &[&key(1)]).unwrap();
    assert!(matches!(
        follow(&bytes),
        Distrusted::Malformed(crate::json::Malformed::Shape { .. })
    ));
    let most = super::MAX_BYTES;
    let got = most + 1;
    assert_eq!(
        follow(&vec![b' '; got]),
        Distrusted::Unopened(Unopened::TooLarge { most, got })
    );
}
