//! Each key that is not used, beside one that is.

use crate::keys::{Freshness, KeySet, Misfit};
use crate::token::mint::{EDDSA, ES256, ES384, RSA};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::{Algorithm, PublicJwk};

fn misfit(jwk: PublicJwk) -> Option<Misfit> {
    let set = KeySet::admit(&[jwk], &Algorithm::ALL, Freshness::Inline);
    assert_eq!([set.len(), set.skipped().len()].iter().sum::<usize>(), 1);
    set.skipped().first().map(|skipped| skipped.misfit.clone())
}

fn text(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

fn octets(member: Option<String>) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(member.unwrap()).unwrap()
}

#[test]
fn takes_a_key_of_each_type() {
    for signer in [&ES256, &ES384, &EDDSA, &RSA] {
        assert_eq!(misfit(signer.jwk()), None);
    }
}

/// Attack 5: whoever reads the set could sign with it.
#[test]
fn skips_a_published_secret() {
    let secret = PublicJwk {
        kty: "oct".into(),
        alg: Some("HS256".into()),
        ..PublicJwk::default()
    };
    assert_eq!(misfit(secret), Some(Misfit::Symmetric));
}

#[test]
fn skips_an_incomplete_key() {
    for (jwk, member) in [
        (
            PublicJwk {
                crv: None,
                ..ES256.jwk()
            },
            "crv",
        ),
        (
            PublicJwk {
                x: None,
                ..ES256.jwk()
            },
            "x",
        ),
        (
            PublicJwk {
                y: None,
                ..ES256.jwk()
            },
            "y",
        ),
        (
            PublicJwk {
                crv: None,
                ..EDDSA.jwk()
            },
            "crv",
        ),
        (
            PublicJwk {
                x: None,
                ..EDDSA.jwk()
            },
            "x",
        ),
        (
            PublicJwk {
                n: None,
                ..RSA.jwk()
            },
            "n",
        ),
        (
            PublicJwk {
                e: None,
                ..RSA.jwk()
            },
            "e",
        ),
    ] {
        assert_eq!(misfit(jwk), Some(Misfit::Incomplete(member)));
    }
}

/// Attack 4: RFC 7517 §4.2 to §4.4.
#[test]
fn skips_a_key_for_another_use() {
    for usage in ["enc", "SIG", ""] {
        let jwk = PublicJwk {
            usage: Some(usage.into()),
            ..RSA.jwk()
        };
        assert_eq!(misfit(jwk), Some(Misfit::Use(usage.into())));
    }
    let operations = |list: &[&str]| {
        let key_ops = Some(list.iter().map(ToString::to_string).collect());
        misfit(PublicJwk {
            key_ops,
            ..RSA.jwk()
        })
    };
    for list in [
        &[][..],
        &["encrypt"],
        &["sign"],
        &["verify", "encrypt"],
        &["verify", "verify"],
        &["Verify"],
    ] {
        assert_eq!(operations(list), Some(Misfit::Operations(list.join(" "))));
    }
    assert_eq!(operations(&["verify"]), None);
    assert_eq!(operations(&["sign", "verify"]), None);
    assert_eq!(
        misfit(PublicJwk {
            usage: Some("sig".into()),
            ..RSA.jwk()
        }),
        None
    );
}

#[test]
fn skips_a_key_whose_alg_does_not_fit_its_type() {
    for (jwk, alg) in [
        (RSA.jwk(), "RSA-OAEP"),
        (RSA.jwk(), "ES256"),
        (RSA.jwk(), "HS256"),
        (RSA.jwk(), "rs256"),
        (RSA.jwk(), "none"),
        (ES256.jwk(), "ES384"),
        (ES256.jwk(), "EdDSA"),
        (EDDSA.jwk(), "ES256"),
    ] {
        let jwk = PublicJwk {
            alg: Some(alg.into()),
            ..jwk
        };
        assert_eq!(misfit(jwk), Some(Misfit::Algorithm(alg.into())));
    }
    for (jwk, alg) in [
        (RSA.jwk(), "PS512"),
        (ES384.jwk(), "ES384"),
        (EDDSA.jwk(), "EdDSA"),
    ] {
        assert_eq!(
            misfit(PublicJwk {
                alg: Some(alg.into()),
                ..jwk
            }),
            None
        );
    }
}

/// Attack 6: RFC 7518 §3.3.
#[test]
fn skips_rsa_keys_that_are_too_small_too_large_or_no_keys() {
    let modulus = |size: usize, first: u8, last: u8| {
        let mut n = vec![0xa5; size];
        n[0] = first;
        n[size - 1] = last;
        misfit(PublicJwk {
            n: Some(text(&n)),
            ..RSA.jwk()
        })
    };
    assert_eq!(modulus(128, 0x80, 1), Some(Misfit::Modulus(1_024)));
    assert_eq!(modulus(256, 0x7f, 1), Some(Misfit::Modulus(2_047)));
    assert_eq!(modulus(256, 0x80, 1), None);
    assert_eq!(modulus(1_024, 0xff, 1), None);
    assert_eq!(modulus(1_025, 0x01, 1), Some(Misfit::Modulus(8_193)));
    assert_eq!(modulus(256, 0x80, 2), Some(Misfit::Modulus(2_048)), "even");
    let exponent = |e: &[u8]| {
        misfit(PublicJwk {
            e: Some(text(e)),
            ..RSA.jwk()
        })
    };
    for e in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(exponent(e), Some(Misfit::Exponent), "{e:?}");
    }
    assert_eq!(exponent(&[3]), None);
    assert_eq!(exponent(&[1, 0, 1]), None);
}

#[test]
fn skips_rsa_numbers_with_a_second_spelling() {
    let jwk = RSA.jwk();
    let padded = [&[0], &octets(jwk.n.clone())[..]].concat();
    assert_eq!(
        misfit(PublicJwk {
            n: Some(text(&padded)),
            ..jwk.clone()
        }),
        Some(Misfit::Encoding("n"))
    );
    for e in ["AAEAAQ", "AQAB==", "AQAB ", "", "0"] {
        let jwk = PublicJwk {
            e: Some(e.into()),
            ..jwk.clone()
        };
        assert_eq!(misfit(jwk), Some(Misfit::Encoding("e")), "{e}");
    }
}

/// CVE-2017-15361; the key is Wycheproof's.
#[test]
fn skips_a_modulus_of_the_weak_generator() {
    let file = include_str!("../../../../../tests/vectors/wycheproof/json_web_key_test.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let groups = file["testGroups"].as_array().unwrap();
    let weak = groups
        .iter()
        .find(|group| group["comment"] == "jws_rsa_roca_key")
        .unwrap();
    let jwk: PublicJwk = serde_json::from_value(weak["public"]["keys"][0].clone()).unwrap();
    assert_eq!(misfit(jwk), Some(Misfit::WeakModulus));
}

/// Attack 7: RFC 7518 §6.2, RFC 8725 §3.4.
#[test]
fn skips_points_off_the_curve_and_curves_of_another_name() {
    let jwk = ES256.jwk();
    let mut off = octets(jwk.y.clone());
    off[31] ^= 1;
    assert_eq!(
        misfit(PublicJwk {
            y: Some(text(&off)),
            ..jwk.clone()
        }),
        Some(Misfit::NotOnCurve)
    );
    let zero = PublicJwk {
        x: Some(text(&[0; 32])),
        y: Some(text(&[0; 32])),
        ..jwk.clone()
    };
    assert_eq!(misfit(zero), Some(Misfit::NotOnCurve));
    let renamed = PublicJwk {
        crv: Some("P-384".into()),
        ..jwk.clone()
    };
    assert_eq!(misfit(renamed), Some(Misfit::Encoding("x")));
    for crv in ["secp256k1", "P-521", "p-256", "Ed25519"] {
        let jwk = PublicJwk {
            crv: Some(crv.into()),
            ..jwk.clone()
        };
        assert_eq!(misfit(jwk), Some(Misfit::Curve(crv.into())));
    }
    for crv in ["X25519", "Ed448", "P-256"] {
        let jwk = PublicJwk {
            crv: Some(crv.into()),
            ..EDDSA.jwk()
        };
        assert_eq!(misfit(jwk), Some(Misfit::Curve(crv.into())));
    }
    let short = octets(jwk.x.clone())[1..].to_vec();
    assert_eq!(
        misfit(PublicJwk {
            x: Some(text(&short)),
            ..jwk
        }),
        Some(Misfit::Encoding("x"))
    );
    let long = PublicJwk {
        x: Some(text(&[1; 33])),
        ..EDDSA.jwk()
    };
    assert_eq!(misfit(long), Some(Misfit::Encoding("x")));
}

/// Under the neutral point a signature verifies that nobody made: the check must come first.
#[test]
fn skips_an_ed25519_point_of_small_order() {
    use aws_lc_rs::signature::{ED25519, VerificationAlgorithm};
    let mut one = [0; 32];
    one[0] = 1;
    let forged = [&one[..], &[0; 32]].concat();
    assert!(ED25519.verify_sig(&one, b"anything", &forged).is_ok());
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut p_plus_one = minus_one;
    p_plus_one[0] = 0xee;
    let order_8 = "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU";
    let order_8: [u8; 32] = URL_SAFE_NO_PAD.decode(order_8).unwrap().try_into().unwrap();
    for point in [[0; 32], one, minus_one, p_plus_one, order_8] {
        for sign in [0, 0x80] {
            let mut point = point;
            point[31] |= sign;
            let jwk = PublicJwk {
                x: Some(text(&point)),
                ..EDDSA.jwk()
            };
            assert_eq!(misfit(jwk), Some(Misfit::SmallOrder));
        }
    }
}
