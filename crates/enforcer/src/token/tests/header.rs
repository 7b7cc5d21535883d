//! What a header may not say.

use super::Gate;
use crate::token::mint::{self, ES256, RSA};
use crate::token::{Invalid, Part};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::{Algorithm, Provider};
use serde_json::{Value, json};

fn with(name: &str, value: Value) -> String {
    let mut header = ES256.header();
    header[name] = value;
    header.to_string()
}

/// Attack 1 and 3: CVE-2015-2964. Case and blanks are letters like others.
#[test]
fn refuses_none_and_every_other_spelling() {
    let gate = Gate::new();
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!("es256"),
        json!("ES256 "),
        json!(" ES256"),
        json!("ES256\u{0}"),
        json!("HS256"),
        json!("ES512"),
        json!("ES256K"),
        json!("RSA-OAEP"),
        json!(null),
        json!(["ES256"]),
        json!(256),
        json!({}),
    ] {
        assert_eq!(
            gate.header(&with("alg", alg.clone())),
            Err(Invalid::AlgorithmNotAllowed),
            "{alg}"
        );
    }
    assert_eq!(
        gate.header(r#"{"typ":"at+jwt","kid":"es256"}"#),
        Err(Invalid::AlgorithmNotAllowed)
    );
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(with("alg", json!("none"))),
        URL_SAFE_NO_PAD.encode(mint::claims().to_string())
    );
    assert_eq!(gate.refuses(&unsigned), Invalid::AlgorithmNotAllowed);
    assert_eq!(gate.header(&with("alg", json!("ES256"))), Ok(()));
}

/// Attack 2: the public key, in whatever form, as the secret of a MAC.
#[test]
fn refuses_a_mac_made_with_a_public_key() {
    let jwk = RSA.jwk();
    let secrets = [
        serde_json::to_vec(&jwk).unwrap(),
        URL_SAFE_NO_PAD.decode(jwk.n.as_ref().unwrap()).unwrap(),
        jwk.n.clone().unwrap().into_bytes(),
    ];
    for alg in ["HS256", "RS256"] {
        let header = json!({"alg": alg, "kid": "rsa", "typ": "at+jwt"}).to_string();
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(mint::claims().to_string())
        );
        for secret in &secrets {
            let mac = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, secret),
                message.as_bytes(),
            );
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
            let refusal = if alg == "HS256" {
                Invalid::AlgorithmNotAllowed
            } else {
                Invalid::BadSignature
            };
            assert_eq!(Gate::new().refuses(&token), refusal);
        }
    }
}

#[test]
fn refuses_an_algorithm_that_is_not_the_providers() {
    let provider = |algorithms| Provider {
        algorithms,
        ..mint::provider()
    };
    let token = ES256.token(&mint::claims());
    Gate::of(provider(vec![Algorithm::ES256])).accepts(&token);
    let gate = Gate::of(provider(vec![Algorithm::RS256]));
    assert_eq!(gate.refuses(&token), Invalid::AlgorithmNotAllowed);
    assert_eq!(
        Gate::of(provider(vec![])).refuses(&token),
        Invalid::AlgorithmNotAllowed
    );
}

/// Attack 12: CVE-2025-59420, CVE-2026-32597.
#[test]
fn refuses_every_critical_header() {
    for crit in [
        json!(["b64"]),
        json!(["x"]),
        json!(["exp"]),
        json!([]),
        json!(null),
        json!("x"),
    ] {
        assert_eq!(
            Gate::new().header(&with("crit", crit)),
            Err(Invalid::CriticalHeader)
        );
    }
    assert_eq!(
        Gate::new().header(&with("x", json!(["an extension that may be ignored"]))),
        Ok(())
    );
}

/// Attack 13: RFC 7797 §7.
#[test]
fn refuses_an_unencoded_payload() {
    for b64 in [json!(false), json!(true), json!("false")] {
        assert_eq!(
            Gate::new().header(&with("b64", b64)),
            Err(Invalid::UnencodedPayload)
        );
    }
}

/// Attack 11: CVE-2018-0114. The attacker's key would verify the attacker's token.
#[test]
fn refuses_a_key_that_the_token_brings_along() {
    let stranger = mint::Signer::es256("es256");
    for (name, value) in [
        ("jwk", serde_json::to_value(stranger.jwk()).unwrap()),
        ("jku", json!("https://evil.example.com/jwks")),
        ("x5u", json!("https://evil.example.com/chain")),
        ("x5c", json!(["MIIB"])),
        ("jwk", json!(null)),
    ] {
        let token = stranger.sign(&with(name, value), &mint::claims().to_string());
        assert_eq!(Gate::new().refuses(&token), Invalid::EmbeddedKey(name));
    }
    // Fingerprints of certificates name a key and bring none.
    assert_eq!(Gate::new().header(&with("x5t#S256", json!("AAAA"))), Ok(()));
}

/// Attack 16: RFC 7519 §7.2.
#[test]
fn refuses_a_token_inside_a_token() {
    for cty in ["JWT", "jwt", "application/jwt"] {
        assert_eq!(
            Gate::new().header(&with("cty", json!(cty))),
            Err(Invalid::NestedToken)
        );
    }
    assert_eq!(Gate::new().header(&with("cty", json!("json"))), Ok(()));
}

#[test]
fn refuses_a_kid_or_typ_that_is_no_string() {
    let refusal = Err(Invalid::MalformedObject(Part::Header));
    for name in ["kid", "typ", "cty"] {
        for value in [json!(null), json!(1), json!(["es256"]), json!({"a": 1})] {
            assert_eq!(Gate::new().header(&with(name, value)), refusal, "{name}");
        }
    }
}

/// Attack 10: a name is looked up and nothing else is done with it.
#[test]
fn finds_no_key_for_a_kid_that_is_not_exactly_one() {
    for kid in [
        "ES256",
        "es256 ",
        " es256",
        "es25",
        "../es256",
        "es256' OR '1'='1",
        "https://evil",
        "\0",
        "es256\r\n",
        &"k".repeat(1_500),
    ] {
        let refusal = Gate::new().header(&with("kid", json!(kid))).unwrap_err();
        let Invalid::UnknownKey {
            provider,
            kid: named,
        } = refusal
        else {
            panic!("{kid}: {refusal}");
        };
        assert_eq!(provider.as_str(), "ClusterTrustProvider/okta");
        assert!(named.as_str().len() <= 120 && !named.as_str().contains(['\r', '\n', '\0']));
    }
}

/// Attack 14: RFC 8725 §3.11.
#[test]
fn refuses_another_kind_of_token_by_its_typ() {
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
        "application/logout+jwt",
        "",
        "at",
        "text/at+jwt",
        "application/application/at+jwt",
    ] {
        assert_eq!(
            Gate::new().header(&with("typ", json!(typ))),
            Err(Invalid::WrongTokenType),
            "{typ}"
        );
    }
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/AT+jwt",
    ] {
        assert_eq!(
            Gate::new().header(&with("typ", json!(typ))),
            Ok(()),
            "{typ}"
        );
    }
}
