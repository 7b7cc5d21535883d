//! Other people's vectors, through our admission of keys, our header and our check of signatures.

use crate::keys::{Freshness, KeySet};
use crate::token::mint::NOW;
use crate::token::{Compact, Invalid, header::Header};
use countersign_ruleset::provider::{Algorithm, PublicJwk};
use serde_json::{Map, Value};

const SIGNATURES: &str =
    include_str!("../../../../../tests/vectors/wycheproof/json_web_signature_test.json");
const KEYS: &str = include_str!("../../../../../tests/vectors/wycheproof/json_web_key_test.json");
const CRYPTO: &str =
    include_str!("../../../../../tests/vectors/wycheproof/json_web_crypto_test.json");

/// What a provider publishes of these keys. An edge has no other members to look at.
fn published(keys: &Value) -> Vec<PublicJwk> {
    const MEMBERS: [&str; 10] = [
        "kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e",
    ];
    let list = keys.get("keys").and_then(Value::as_array).cloned();
    list.unwrap_or_else(|| vec![keys.clone()])
        .iter()
        .filter_map(Value::as_object)
        .map(|jwk| {
            let public = |name: &&str| jwk.get(*name).map(|it| ((*name).to_owned(), it.clone()));
            let public: Map<_, _> = MEMBERS.iter().filter_map(public).collect();
            serde_json::from_value(Value::Object(public)).unwrap()
        })
        .collect()
}

/// Steps 1 to 8, 17 and 18: all but the claims, which these vectors do not have.
fn verifies(token: &str, keys: &KeySet) -> Result<(), Invalid> {
    let parts = Compact::new(token).open()?;
    let header = Header::read(&parts.header)?;
    let key = keys
        .find(header.kid.as_deref(), header.algorithm, NOW, |_| false)
        .map_err(|_| Invalid::BadSignature)?;
    let good = key.verify(header.algorithm, parts.signed, &parts.signature);
    if good {
        Ok(())
    } else {
        Err(Invalid::BadSignature)
    }
}

/// Runs a file, and says how many tokens were let through of how many.
fn run(file: &str) -> (usize, usize) {
    let file: Value = serde_json::from_str(file).unwrap();
    let (mut accepted, mut all) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        // A MAC's key is only ever private.
        let public = group.get("public").filter(|key| !key.is_null());
        let keys = published(public.unwrap_or(&group["private"]));
        let keys = KeySet::admit(&keys, &Algorithm::ALL, Freshness::Inline);
        for test in group["tests"].as_array().unwrap() {
            let Some(token) = test["jws"].as_str() else {
                continue;
            };
            let about = format!("{} {}: {}", test["tcId"], group["comment"], test["comment"]);
            all += 1;
            let outcome = verifies(token, &keys);
            if test["result"] == "valid" && is_ours(public, &test["comment"]) {
                assert_eq!(outcome, Ok(()), "{about}");
                accepted += 1;
            } else {
                assert!(outcome.is_err(), "{about}");
            }
        }
    }
    (accepted, all)
}

/// What the vectors call valid and no provider here may sign with: MACs and P-521; and the examples
/// of RFC 7520 §4.2 with a key whose `alg` is PS256, under which they are PS384.
fn is_ours(public: Option<&Value>, comment: &Value) -> bool {
    public.is_some_and(|key| key["crv"] != "P-521" && comment != "Figure20")
}

#[test]
fn agrees_with_wycheproof_on_signatures() {
    assert_eq!(run(SIGNATURES), (32, 401));
}

#[test]
fn agrees_with_wycheproof_on_keys() {
    assert_eq!(run(KEYS), (1, 26));
}

#[test]
fn agrees_with_wycheproof_on_keys_of_every_kind() {
    assert_eq!(run(CRYPTO), (2, 48));
}

#[test]
fn agrees_with_the_examples_of_the_rfcs() {
    let example = |file: &str| {
        let file: Value = serde_json::from_str(file).unwrap();
        let keys = published(&file["input"]["key"]);
        let keys = KeySet::admit(&keys, &Algorithm::ALL, Freshness::Inline);
        verifies(file["output"]["compact"].as_str().unwrap(), &keys)
    };
    macro_rules! cookbook {
        ($name:literal) => {
            example(include_str!(concat!(
                "../../../../../tests/vectors/jose-cookbook/",
                $name
            )))
        };
    }
    assert_eq!(cookbook!("4_1.rsa_v15_signature.json"), Ok(()));
    assert_eq!(cookbook!("4_2.rsa-pss_signature.json"), Ok(()));
    assert_eq!(cookbook!("curve25519_jws.json"), Ok(()));
    let mac = cookbook!("4_4.hmac-sha2_integrity_protection.json");
    assert_eq!(mac, Err(Invalid::AlgorithmNotAllowed));
    // Its claims have blanks and a question mark: it is refused as what it is not.
    assert!(cookbook!("hmac-sha2_b64_false.json").is_err());
}
