//! What of a JWKS gets through.

use super::Jwks;
use proptest::prelude::{any, prop, proptest};
use serde_json::{Value, json};

fn ec() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

fn only(key: &Value) -> Jwks {
    Jwks::read(&json!({ "keys": [key] })).unwrap()
}

fn skipped(key: &Value) -> String {
    let jwks = only(key);
    assert!(jwks.keys.is_empty(), "{key}");
    jwks.skipped.into_iter().map(|(_, why)| why).collect()
}

#[test]
fn takes_the_public_members_and_drops_the_rest() {
    let key = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a", "use": "sig",
        "alg": "RS256", "key_ops": ["verify"], "x5c": ["MIIB"], "x5t": "abc", "x5t#S256": "abc",
        "x5u": "https://example.com/cert", "issuer": "https://example.com", "x": 7});
    let jwks = only(&key);
    let written = serde_json::to_value(&jwks.keys).unwrap();
    let expected = json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a", "use": "sig",
        "alg": "RS256", "key_ops": ["verify"]}]);
    assert_eq!(written, expected);
    assert!(jwks.skipped.is_empty() && jwks.repeated.is_empty());
}

#[test]
fn no_secret_gets_through_nor_into_a_message() {
    for name in super::PRIVATE {
        let key = with(
            with(ec(), name, json!("c2VjcmV0")),
            "kid",
            json!("c2VjcmV0"),
        );
        let why = skipped(&key);
        let expected =
            format!("it holds the private member `{name}`: whoever has read it can sign");
        assert_eq!(why, expected);
        assert_eq!(
            skipped(&with(ec(), name, Value::Null)),
            expected,
            "null is a value too"
        );
    }
    let why = skipped(&json!({"kty": "oct", "x": "c2VjcmV0"}));
    assert_eq!(why, "it is symmetric: whoever has read it can sign");
}

/// Attack 8: one key that does not fit must not take the set down.
#[test]
fn a_key_that_does_not_fit_is_skipped_by_itself() {
    let keys = [json!(7), ec(), json!({"kty": "AKP", "pub": "x"}), ec()];
    let jwks = Jwks::read(&json!({"keys": keys, "more": true})).unwrap();
    assert_eq!(jwks.keys.len(), 2);
    let expected = [
        (0, "expected an object".to_owned()),
        (2, "expected `kty` RSA, EC or OKP, got `AKP`".to_owned()),
    ];
    assert_eq!(jwks.skipped, expected);
}

#[test]
fn says_why_a_key_does_not_fit() {
    for (name, value, expected) in [
        (
            "kty",
            json!(1),
            "expected `kty` to be a text of 1 to 2048 characters",
        ),
        (
            "crv",
            json!("secp256k1"),
            "expected `crv` P-256 or P-384, got `secp256k1`",
        ),
        (
            "crv",
            json!(null),
            "expected `crv` to be a text of 1 to 2048 characters",
        ),
        ("use", json!("enc"), "expected `use` sig, got `enc`"),
        (
            "alg",
            json!("HS256"),
            "expected `alg` of an asymmetric signature, got `HS256`",
        ),
        (
            "alg",
            json!("none"),
            "expected `alg` of an asymmetric signature, got `none`",
        ),
        (
            "x",
            json!("a+b/"),
            "expected `x` in base64url without padding",
        ),
        (
            "y",
            json!("ab=="),
            "expected `y` in base64url without padding",
        ),
        (
            "y",
            json!(""),
            "expected `y` to be a text of 1 to 2048 characters",
        ),
        (
            "kid",
            json!(["a"]),
            "expected `kid` to be a text of 1 to 2048 characters",
        ),
        (
            "key_ops",
            json!("verify"),
            "expected `key_ops` to be a short list of texts",
        ),
        (
            "key_ops",
            json!([1]),
            "expected `key_ops` to be a short list of texts",
        ),
    ] {
        assert_eq!(
            skipped(&with(ec(), name, value.clone())),
            expected,
            "{name}: {value}"
        );
    }
    let okp = json!({"kty": "OKP", "crv": "X25519", "x": "AA"});
    assert_eq!(skipped(&okp), "expected `crv` Ed25519, got `X25519`");
    assert_eq!(
        skipped(&json!({"kty": "RSA", "n": "AA"})),
        "expected the member `e`"
    );
    assert_eq!(skipped(&json!({})), "expected the member `kty`");
}

#[test]
fn notes_a_name_that_two_keys_have_and_keeps_both() {
    let keys = [
        with(ec(), "kid", json!("a")),
        ec(),
        with(ec(), "kid", json!("a")),
    ];
    let jwks = Jwks::read(&json!({ "keys": keys })).unwrap();
    assert_eq!(jwks.keys.len(), 3);
    assert_eq!(
        jwks.repeated,
        [(2, "key 0 has the `kid` `a` too".to_owned())]
    );
}

#[test]
fn refuses_what_is_no_set_and_what_is_too_large() {
    let expected = "expected a JWKS: an object with a list `keys`";
    for document in [
        json!(null),
        json!([]),
        json!({}),
        json!({"keys": {}}),
        json!("{}"),
        ec(),
    ] {
        assert_eq!(
            Jwks::read(&document),
            Err(expected.to_owned()),
            "{document}"
        );
    }
    let many = |count| json!({"keys": vec![ec(); count]});
    assert_eq!(Jwks::read(&many(100)).map(|jwks| jwks.keys.len()), Ok(100));
    assert_eq!(
        Jwks::read(&many(101)),
        Err("expected at most 100 keys, got 101".into())
    );
    assert_eq!(Jwks::read(&json!({"keys": []})), Ok(Jwks::default()));
}

proptest! {
    #[test]
    fn reads_whatever_it_is_given(
        names in prop::collection::vec("kty|crv|x|y|n|e|d|kid|alg|use|key_ops|[a-z]{0,3}", 0..8),
        values in prop::collection::vec("EC|OKP|RSA|oct|P-256|Ed25519|\\PC{0,9}", 8),
        number in any::<i64>(),
    ) {
        let mut key = json!({});
        for (name, value) in names.iter().zip(values) {
            key[name] = if value.len() == 5 { json!(number) } else { json!(value) };
        }
        let jwks = Jwks::read(&json!({ "keys": [key] })).unwrap();
        assert!(jwks.keys.is_empty() != jwks.skipped.is_empty());
        assert!(jwks.keys.is_empty() || !names.iter().any(|name| name == "d"));
    }
}
