//! Keys are one structure each, and verify what is theirs alone.

use super::{ED25519_PREFIX, KeyAlgorithm, P256_PREFIX, PublicKey};
use crate::sign::{Signer, SigningKey};

/// RFC 8032 §7.1, test 2.
const RFC8032_KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const RFC8032_MESSAGE: &[u8] = &[0x72];
const RFC8032_SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                                 085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn has_one_written_form() {
    let key = PublicKey::from_ed25519(&hex(RFC8032_KEY)).unwrap();
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(
        json,
        r#"{"algorithm":"Ed25519","spki":"MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="}"#
    );
    assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    assert_eq!(
        key.id().as_str(),
        "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170"
    );
}

#[test]
fn reads_and_writes_pem() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let pem = key.public_key().to_pem();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nM"), "{pem}");
        assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
        assert_eq!(PublicKey::from_pem(&pem).unwrap(), *key.public_key());
    }
}

#[test]
fn refuses_another_structure_length_or_curve() {
    let mut off_curve = [&P256_PREFIX[..], &[4], &[7; 64]].concat();
    let mut compressed = off_curve.clone();
    compressed[26] = 2;
    for (spki, expected) in [
        (vec![], "another structure"),
        (vec![0; 44], "another structure"),
        (
            [&ED25519_PREFIX[..], &[7; 31]].concat(),
            "another structure",
        ),
        (
            [&ED25519_PREFIX[..], &[7; 33]].concat(),
            "another structure",
        ),
        (compressed, "another structure"),
        (off_curve.clone(), "a point that is not on the curve"),
    ] {
        let refusal = PublicKey::from_spki(&spki).unwrap_err().to_string();
        assert!(refusal.ends_with(expected), "{refusal}");
    }
    off_curve.push(0);
    assert!(PublicKey::from_spki(&off_curve).is_err());
}

#[test]
fn refuses_a_text_that_is_no_key() {
    let spki = "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";
    let read = |algorithm: &str, spki: &str| {
        let json = format!(r#"{{"algorithm":"{algorithm}","spki":"{spki}"}}"#);
        serde_json::from_str::<PublicKey>(&json)
    };
    assert!(read("Ed25519", spki).is_ok());
    let other = read("EcdsaP256", spki).unwrap_err().to_string();
    assert!(other.contains("another algorithm"), "{other}");
    let url_safe = read("Ed25519", &spki.replace('+', "-")).unwrap_err();
    assert!(url_safe.to_string().contains("another base64"));
    for unknown in ["RSA", "none", "HS256"] {
        assert!(read(unknown, spki).is_err(), "{unknown}");
    }
    let private = PublicKey::from_pem("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----");
    assert!(private.unwrap_err().to_string().contains("another PEM"));
}

#[test]
fn verifies_what_rfc_8032_signs_and_nothing_near_it() {
    let key = PublicKey::from_ed25519(&hex(RFC8032_KEY)).unwrap();
    let signature = hex(RFC8032_SIGNATURE);
    assert!(key.verifies(RFC8032_MESSAGE, &signature));
    assert!(!key.verifies(b"s", &signature));
    assert!(!key.verifies(RFC8032_MESSAGE, &signature[..63]));
    assert!(!key.verifies(RFC8032_MESSAGE, &[&signature[..], &[0]].concat()));
    assert!(!key.verifies(RFC8032_MESSAGE, &[]));
    let other = SigningKey::from_seed(&[1; 32]).unwrap();
    assert!(!other.public_key().verifies(RFC8032_MESSAGE, &signature));
}

/// RFC 8032 §5.1.7: S must be below the order L, or every signature would have a twin.
#[test]
fn refuses_the_twin_of_an_ed25519_signature() {
    const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let key = PublicKey::from_ed25519(&hex(RFC8032_KEY)).unwrap();
    let mut twin = hex(RFC8032_SIGNATURE);
    let mut carry = 0;
    for (byte, add) in twin[32..].iter_mut().zip(hex(L)) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(!key.verifies(RFC8032_MESSAGE, &twin));
}

/// An ECDSA signature is ASN.1 DER, as a KMS gives it; r ‖ s is another form of the same numbers.
#[test]
fn ecdsa_signatures_are_der() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let signature = key.sign(b"rules").unwrap();
    assert_eq!(signature[0], 0x30);
    assert!(key.public_key().verifies(b"rules", &signature));
    assert!(!key.public_key().verifies(b"other", &signature));
    assert!(!key.public_key().verifies(b"rules", &fixed(&signature)));
    assert!(!key.public_key().verifies(b"rules", &[0; 64]));
}

/// r ‖ s of a DER signature.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut numbers = Vec::new();
    while let [0x02, length, tail @ ..] = rest {
        let (number, tail) = tail.split_at(usize::from(*length));
        let number = &number[number.len().saturating_sub(32)..];
        numbers.extend(std::iter::repeat_n(
            0,
            32_usize.saturating_sub(number.len()),
        ));
        numbers.extend_from_slice(number);
        rest = tail;
    }
    assert_eq!(numbers.len(), 64);
    numbers
}
