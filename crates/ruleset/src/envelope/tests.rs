//! Each way in which an envelope stays closed, and that it opens.

use super::{NoEnvelope, Signers, Unopened, open};
use crate::json::Malformed;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::sign::{Signer, SigningKey, envelope};
use proptest::prelude::*;
use std::collections::BTreeSet;

const TYPE: &str = "application/vnd.countersign.manifest.v1+json";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn signed(payload: &[u8], by: &[&SigningKey]) -> Vec<u8> {
    let mut signers: Vec<&dyn Signer> = Vec::new();
    for key in by {
        signers.push(*key);
    }
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

fn malformed(text: &str) -> NoEnvelope {
    let keys = [key(1).public_key().clone()];
    match opened(text.as_bytes(), &keys, 1) {
        Err(Unopened::Malformed(malformed)) => malformed,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn refuses_what_is_no_json_of_an_envelope() {
    type Is = fn(&Malformed) -> bool;
    let text = String::from_utf8(signed(b"{}", &[&key(1)])).unwrap();
    let cases: [(String, Is); 4] = [
        (String::new(), |m| matches!(m, Malformed::NotJson { .. })),
        ("[]".into(), |m| matches!(m, Malformed::Shape { .. })),
        (text.replacen('{', r#"{"payload":"e30=","#, 1), |m| {
            matches!(m, Malformed::DuplicateMember { .. })
        }),
        (text.replacen('{', r#"{"more":[[[[[[[[]]]]]]]],"#, 1), |m| {
            matches!(m, Malformed::TooDeep { most: 8, .. })
        }),
    ];
    for (text, is) in cases {
        match malformed(&text) {
            NoEnvelope::Json(refusal) if is(&refusal) => {}
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn refuses_base64_that_could_have_been_written_otherwise() {
    let text = String::from_utf8(signed(b"{}", &[&key(1)])).unwrap();
    for other in ["e30", "e31=", "e 30=", "e30=\\n", "e30=="] {
        let text = text.replace("e30=", other);
        assert_eq!(malformed(&text), NoEnvelope::Base64("payload"), "{other}");
    }
    let unpadded = text.replace("==\"}]", "\"}]");
    assert_ne!(unpadded, text);
    assert_eq!(malformed(&unpadded), NoEnvelope::Base64("sig"));
}

/// Each costs a verification, so there are few.
#[test]
fn refuses_no_signature_and_more_than_eight() {
    let of = |count: u8| {
        let keys: Vec<SigningKey> = (1..=count).map(key).collect();
        signed(b"{}", &keys.iter().collect::<Vec<_>>())
    };
    for count in [0, 9] {
        let text = String::from_utf8(of(count)).unwrap();
        assert_eq!(malformed(&text), NoEnvelope::Signatures(count.into()));
    }
    assert!(opened(&of(8), &[key(8).public_key().clone()], 1).is_ok());
}

#[test]
fn either_alphabet_is_read() {
    let payload = [0xfb, 0xff];
    let text = String::from_utf8(signed(&payload, &[&key(1)])).unwrap();
    let other = text.replace("\"+/8=\"", "\"-_8=\"");
    assert_ne!(other, text);
    let keys = [key(1).public_key().clone()];
    assert_eq!(opened(other.as_bytes(), &keys, 1).unwrap(), payload);
}

#[test]
fn a_strangers_text_is_cut_and_stays_on_one_line() {
    let text = String::from_utf8(signed(b"{}", &[&key(1)])).unwrap();
    let id = key(1).public_key().id().to_string();
    let forged = text.replace(&id, &format!("a\\n{}", "x".repeat(200)));
    let refusal = opened(forged.as_bytes(), &[], 1).unwrap_err();
    let Unopened::UnknownKey(name) = refusal else {
        panic!("{refusal:?}")
    };
    assert!(name.starts_with("a\\nxx") && name.len() == 81, "{name}");
}

#[test]
fn refuses_a_payload_of_another_type_though_it_is_signed() {
    let other = envelope("application/json", b"{}", &[&key(1)]).unwrap();
    let refusal = opened(&other, &[key(1).public_key().clone()], 1).unwrap_err();
    let got = "application/json".into();
    assert_eq!(
        refusal,
        Unopened::WrongPayloadType {
            expected: TYPE,
            got
        }
    );
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
    let id = key(9).public_key().id().to_string();
    assert_eq!(refusal, Unopened::UnknownKey(id));
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
        Unopened::BadSignature(one.public_key().id().clone())
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
    assert_eq!(refusal.unwrap_err(), Unopened::RemovedKey(id));
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
    let id = one.public_key().id().clone();
    assert_eq!(refusal, Unopened::BadSignature(id));
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
