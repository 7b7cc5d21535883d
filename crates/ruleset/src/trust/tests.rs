//! Trust documents: what may follow what, and what a document may not say.

use super::{Delegation, Distrusted, Root, Trust};
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
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    trust(document, &signers).unwrap()
}

fn refusal(document: &Trust) -> String {
    let by: Vec<u8> = vec![1];
    match Trust::open_pinned(&signed(document, &by)) {
        Err(Distrusted::Invalid(reason)) => reason,
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
    let base = || document(1, &[1], &[2]);
    let with = |change: fn(&mut Trust)| {
        let mut trust = base();
        change(&mut trust);
        refusal(&trust)
    };
    assert!(Trust::open_pinned(&signed(&base(), &[1])).is_ok());
    assert_eq!(with(|t| t.version = 0), "expected a version from 1, got 0");
    assert!(with(|t| t.root.keys = public(&[1, 1])).contains("listed twice"));
    assert!(with(|t| t.rulesets[0].threshold = 0).contains("expected a threshold of 1 to 1"));
    assert!(with(|t| t.rulesets[0].threshold = 2).contains("expected a threshold of 1 to 1"));
    assert!(with(|t| t.rulesets[0].keys = public(&[1])).contains("may not sign rulesets"));
    assert!(with(|t| t.rulesets[0].scopes = vec![]).contains("names no scope"));
    assert!(with(|t| t.rulesets[0].scopes = vec!["a/b".into()]).contains("expected a scope"));
    assert!(with(|t| t.rulesets.push(t.rulesets[0].clone())).contains("two delegations"));
    assert!(with(|t| t.rulesets[0].max_validity = 401 * 86_400).contains("expected a validity"));
    let many: fn(&mut Trust) = |t| t.root.keys = public(&[1, 10, 11, 12, 13, 14, 15, 16, 17]);
    assert!(with(many).contains("at most 8 keys"));
}
