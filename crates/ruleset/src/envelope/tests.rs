//! Each way in which an envelope stays closed, and that it opens.

use super::{Signers, Unopened, open};
use crate::key::{KeyAlgorithm, PublicKey};
use crate::sign::{Signer, SigningKey, envelope};
use proptest::prelude::*;
use std::collections::BTreeSet;

const TYPE: &str = "application/vnd.countersign.manifest.v1+json";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn signed(payload: &[u8], by: &[&SigningKey]) -> Vec<u8> {
    let signers: Vec<&dyn Signer> = by.iter().map(|&key| key as &dyn Signer).collect();
    envelope(TYPE, payload, &signers).unwrap()
}

fn opened(bytes: &[u8], keys: &[PublicKey], threshold: u32) -> Result<Vec<u8>, Unopened> {
    let signers = Signers { keys, threshold };
    open(bytes, TYPE, signers, 4096, &BTreeSet::new()).map(super::Verified::into_inner)
}

#[test]
fn opens_to_the_bytes_that_were_signed() {
    let keys = [key(1).public_key().clone()];
    assert_eq!(opened(&signed(b"{}", &[&key(1)]), &keys, 1).unwrap(), b"{}");
}

#[test]
fn opens_under_a_key_of_a_kms() {
    let kms = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let again = SigningKey::from_pem(&kms.to_pem().unwrap()).unwrap();
    let keys = [kms.public_key().clone()];
    assert_eq!(opened(&signed(b"{}", &[&again]), &keys, 1).unwrap(), b"{}");
}

#[test]
fn has_one_byte_form() {
    let text = String::from_utf8(signed(b"{\"a\":1}", &[&key(1)])).unwrap();
    assert_eq!(text, include_str!("../../golden/envelope.json").trim_end());
}

#[test]
fn an_unknown_member_changes_nothing() {
    let text = String::from_utf8(signed(b"{}", &[&key(1)])).unwrap();
    let more = text.replacen('{', r#"{"more":[1],"#, 1);
    assert!(opened(more.as_bytes(), &[key(1).public_key().clone()], 1).is_ok());
}

#[test]
fn refuses_too_much_before_reading_it() {
    let refusal = opened(&vec![b'x'; 4097], &[], 1).unwrap_err();
    assert_eq!(
        refusal,
        Unopened::TooLarge {
            most: 4096,
            got: 4097
        }
    );
}

#[test]
fn refuses_what_is_malformed() {
    let keys = [key(1).public_key().clone()];
    let text = String::from_utf8(signed(b"{}", &[&key(1)])).unwrap();
    for bad in [
        String::new(),
        "[]".into(),
        text.replacen('{', r#"{"payload":"e30=","#, 1),
        text.replace("e30=", "e30"),
        text.replace("e30=", "e31="),
        text.replace("e30=", "e 30="),
        r#"{"payloadType":"x","payload":"","signatures":[]}"#.into(),
    ] {
        let refusal = opened(bad.as_bytes(), &keys, 1).unwrap_err();
        assert!(
            matches!(refusal, Unopened::Malformed(_)),
            "{bad}: {refusal:?}"
        );
    }
    let nine: Vec<SigningKey> = (1..10).map(key).collect();
    let refusal = opened(&signed(b"{}", &nine.iter().collect::<Vec<_>>()), &keys, 1).unwrap_err();
    assert_eq!(
        refusal,
        Unopened::Malformed("expected 1 to 8 signatures, got 9".into())
    );
}

#[test]
fn refuses_a_payload_of_another_type_though_it_is_signed() {
    let other = envelope("application/json", b"{}", &[&key(1)]).unwrap();
    let refusal = opened(&other, &[key(1).public_key().clone()], 1).unwrap_err();
    assert!(matches!(refusal, Unopened::WrongPayloadType { got, .. } if got == "application/json"));
}

#[test]
fn one_key_counts_once_however_often_it_signs() {
    let keys = [key(1).public_key().clone(), key(2).public_key().clone()];
    let twice = signed(b"{}", &[&key(1), &key(1)]);
    let refusal = opened(&twice, &keys, 2).unwrap_err();
    assert_eq!(
        refusal,
        Unopened::ThresholdNotMet {
            threshold: 2,
            got: 1
        }
    );
    assert!(opened(&signed(b"{}", &[&key(1), &key(2)]), &keys, 2).is_ok());
}

#[test]
fn a_threshold_of_zero_is_one() {
    let refusal = opened(&signed(b"{}", &[&key(9)]), &[], 0).unwrap_err();
    assert!(matches!(refusal, Unopened::UnknownKey(_)));
}

#[test]
fn tells_a_bad_signature_from_a_removed_and_an_unknown_key() {
    let (one, two) = (key(1), key(2));
    let keys = [one.public_key().clone()];
    let text = String::from_utf8(signed(b"{}", &[&one])).unwrap();
    let tampered = text.replace("e30=", "e31e");
    let refusal = opened(tampered.as_bytes(), &keys, 1).unwrap_err();
    assert_eq!(
        refusal,
        Unopened::BadSignature(one.public_key().id().to_string())
    );

    let by_two = signed(b"{}", &[&two]);
    let id = two.public_key().id().clone();
    assert_eq!(
        opened(&by_two, &keys, 1).unwrap_err(),
        Unopened::UnknownKey(id.to_string())
    );
    let seen = BTreeSet::from([id.clone()]);
    let refusal = open(
        &by_two,
        TYPE,
        Signers {
            keys: &keys,
            threshold: 1,
        },
        4096,
        &seen,
    );
    assert_eq!(refusal.unwrap_err(), Unopened::RemovedKey(id.to_string()));
}

#[test]
fn a_key_id_in_the_envelope_proves_nothing() {
    let (one, two) = (key(1), key(2));
    let text = String::from_utf8(signed(b"{}", &[&two])).unwrap();
    let forged = text.replace(
        two.public_key().id().as_str(),
        one.public_key().id().as_str(),
    );
    let refusal = opened(forged.as_bytes(), &[one.public_key().clone()], 1).unwrap_err();
    assert!(matches!(refusal, Unopened::BadSignature(_)));
}

proptest! {
    #[test]
    fn no_byte_can_be_changed(at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<bool>()) {
        let keys = [key(1).public_key().clone()];
        let mut bytes = signed(b"{\"a\":1}", &[&key(1)]);
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
        // what is outside payload, type and signature says nothing; inside, each bit counts
        if let Ok(payload) = opened(&bytes, &keys, 1) {
            prop_assert_eq!(payload, b"{\"a\":1}");
        }
    }
}
