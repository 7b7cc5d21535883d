//! No change of a good token says anything else, and nothing at all makes the reader stop.

use super::Gate;
use crate::token::mint::{self, EDDSA, ES256, RSA};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::sync::LazyLock;

static GATE: LazyLock<Gate> = LazyLock::new(Gate::new);
static TOKENS: LazyLock<[String; 3]> =
    LazyLock::new(|| [&ES256, &EDDSA, &RSA].map(|signer| signer.token(&mint::claims())));

/// Each octet of a token in turn, with a few other octets in its place.
#[test]
fn no_octet_of_a_token_can_be_another() {
    for token in TOKENS.iter() {
        GATE.accepts(token);
        for at in 0..token.len() {
            for other in [b'A', b'_', b'.', b'=', b'"', token.as_bytes()[at] ^ 1] {
                let mut octets = token.clone().into_bytes();
                if octets[at] == other {
                    continue;
                }
                octets[at] = other;
                let changed = String::from_utf8(octets).unwrap();
                assert!(
                    GATE.verify(&changed).is_err(),
                    "octet {at} became {}",
                    char::from(other)
                );
            }
        }
    }
}

#[test]
fn no_end_of_a_token_can_be_left_out() {
    for token in TOKENS.iter() {
        for end in 0..token.len() {
            assert!(GATE.verify(&token[..end]).is_err(), "cut at {end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_changes_at_once_are_refused(
        which in 0..3_usize,
        changes in vec((any::<proptest::sample::Index>(), 0x20..0x7f_u8), 1..6),
    ) {
        let mut octets = TOKENS[which].clone().into_bytes();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        let changed = String::from_utf8(octets).unwrap();
        prop_assert!(changed == TOKENS[which] || GATE.verify(&changed).is_err());
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,300}") {
        prop_assert!(GATE.verify(&text).is_err());
    }

    #[test]
    fn any_three_parts_are_refused(header in vec(any::<u8>(), 0..80), claims in vec(any::<u8>(), 0..200), signature in vec(any::<u8>(), 0..300)) {
        let parts = [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        prop_assert!(GATE.verify(&parts.join(".")).is_err());
    }

    #[test]
    fn any_claims_that_are_signed_are_read_without_stopping(value in "\\PC{0,40}", name in "[a-z_]{1,12}", number in any::<f64>()) {
        for value in [serde_json::json!(value), serde_json::json!(number), serde_json::json!([value, number])] {
            let mut claims = mint::claims();
            claims[&name] = value;
            if let Ok(claims) = GATE.verify(&ES256.token(&claims)) {
                let _ = (claims.clues([]), claims.scopes(), claims.amr(), claims.auth_time());
            }
        }
    }
}
