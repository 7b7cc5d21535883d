//! Size, parts, encoding: what is refused before anything is read.

use super::Gate;
use crate::token::mint::{self, ES256};
use crate::token::{Compact, Invalid, MAX_TOKEN, Part};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;

/// A token with a claim that makes it `size` octets long, or a few less.
fn padded(size: usize) -> String {
    let token = |length: usize| {
        let filler = "x".repeat(length);
        ES256.token(&mint::claims_with(&json!({ "filler": filler })))
    };
    let room = size - token(1).len();
    token(room / 4 * 3)
}

#[test]
fn refuses_more_than_sixteen_kibibytes() {
    let largest = padded(MAX_TOKEN);
    assert!(
        (MAX_TOKEN - 8..=MAX_TOKEN).contains(&largest.len()),
        "{}",
        largest.len()
    );
    Gate::new().accepts(&largest);
    assert_eq!(
        Gate::new().refuses(&padded(MAX_TOKEN + 64)),
        Invalid::TooLarge
    );
    assert_eq!(Gate::new().refuses(&"a".repeat(1 << 20)), Invalid::TooLarge);
}

#[test]
fn refuses_a_header_of_more_than_two_kibibytes() {
    let header = |length: usize| {
        let mut header = ES256.header();
        header["x"] = json!("x".repeat(length));
        header.to_string()
    };
    assert_eq!(Gate::new().header(&header(1_900)), Ok(()));
    assert_eq!(Gate::new().header(&header(2_048)), Err(Invalid::TooLarge));
    assert_eq!(Gate::new().header(&header(9_000)), Err(Invalid::TooLarge));
}

/// CVE-2025-27144, CVE-2025-30204: dots are counted and never collected.
#[test]
fn refuses_any_number_of_parts_but_three() {
    let good = ES256.token(&mint::claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    Gate::new().accepts(&good);
    for text in [
        "",
        "a",
        "ya29.opaque",
        signed,
        &format!("{good}."),
        &".".repeat(16_000),
    ] {
        assert_eq!(Gate::new().refuses(text), Invalid::NotAJwt, "{text}");
    }
    assert_eq!(
        Gate::new().refuses(&format!("{good}.{signed}.x")),
        Invalid::NotAJwt
    );
    let json = format!(r#"{{"payload":"{signed}","signatures":[]}}"#).replace('.', "");
    assert_eq!(Gate::new().refuses(&json), Invalid::NotAJwt);
}

/// CVE-2026-29000: an encrypted token is no signed one.
#[test]
fn refuses_five_parts_as_encrypted() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    assert_eq!(
        Gate::new().refuses(&format!("{header}..aXY.Y3Q.dGFn")),
        Invalid::Encrypted
    );
}

#[test]
fn refuses_a_second_spelling_of_the_same_octets() {
    let good = ES256.token(&mint::claims_with(&json!({"pad": "~~~~~~"})));
    Gate::new().accepts(&good);
    let parts: Vec<&str> = good.split('.').collect();
    let octets = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let respelt = |part: usize, text: String| {
        let mut parts = parts.clone();
        parts[part] = &text;
        Gate::new().refuses(&parts.join("."))
    };
    for (at, part) in [(0, Part::Header), (1, Part::Claims), (2, Part::Signature)] {
        let refusal = Invalid::NotBase64Url(part);
        let text = parts[at];
        assert_eq!(respelt(at, format!("{text}=")), refusal, "padding");
        assert_eq!(respelt(at, format!(" {text}")), refusal, "a blank");
        assert_eq!(respelt(at, format!("{text}\n")), refusal, "a line break");
        assert_eq!(respelt(at, format!("é{text}")), refusal, "another letter");
    }
    let claims = octets(parts[1]);
    let standard = STANDARD_NO_PAD.encode(&claims);
    assert_ne!(standard, parts[1]);
    assert_eq!(
        respelt(1, standard),
        Invalid::NotBase64Url(Part::Claims),
        "standard alphabet"
    );
    // An ES256 signature is 64 octets: its last letter has four bits to spare.
    let (last, before) = parts[2].as_bytes().split_last().unwrap();
    let spare = char::from(*last + 1);
    let spelling = format!("{}{spare}", std::str::from_utf8(before).unwrap());
    assert_eq!(
        respelt(2, spelling),
        Invalid::NotBase64Url(Part::Signature),
        "spare bits"
    );
}

#[test]
fn refuses_what_is_not_quite_json() {
    for claims in [
        "",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{}x",
        "{'iss':'x'}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{/**/}",
        "\u{feff}{}",
        "{\"a\":01}",
        "{\"a\":\"\t\"}",
    ] {
        let token = ES256.sign(&ES256.header().to_string(), claims);
        assert_eq!(
            Gate::new().refuses(&token),
            Invalid::MalformedObject(Part::Claims),
            "{claims}"
        );
        let token = ES256.sign(claims, &mint::claims().to_string());
        assert_eq!(
            Gate::new().refuses(&token),
            Invalid::MalformedObject(Part::Header),
            "{claims}"
        );
    }
    let message = format!("{}.", URL_SAFE_NO_PAD.encode(ES256.header().to_string()));
    for octets in [
        &b"{\"sub\":\"\xff\"}"[..],
        b"\xff\xfe{\0}\0",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ] {
        let token = format!("{message}{}.AAAA", URL_SAFE_NO_PAD.encode(octets));
        assert_eq!(
            Gate::new().refuses(&token),
            Invalid::MalformedObject(Part::Claims)
        );
    }
}

#[test]
fn refuses_what_is_nested_deeper_than_sixteen_levels() {
    let nested = |levels: usize| {
        let value = format!("{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        let claims = mint::claims().to_string();
        ES256.sign(
            &ES256.header().to_string(),
            &format!("{{\"x\":{value},{}", &claims[1..]),
        )
    };
    Gate::new().accepts(&nested(16));
    assert_eq!(
        Gate::new().refuses(&nested(17)),
        Invalid::MalformedObject(Part::Claims)
    );
    assert_eq!(
        Gate::new().refuses(&nested(5_000)),
        Invalid::MalformedObject(Part::Claims)
    );
}

/// RFC 8725 §2.4: of two readers one believes the first, the other the last.
#[test]
fn refuses_a_member_that_occurs_twice_however_it_is_spelt() {
    let claims = mint::claims().to_string();
    for more in [
        r#"{"sub":"root","#,
        r#"{"s\u0075b":"root","#,
        r#"{"x":{"a":1,"a":2},"#,
        r#"{"x":[{"a":1,"\u0061":2}],"#,
    ] {
        let token = ES256.sign(
            &ES256.header().to_string(),
            &format!("{more}{}", &claims[1..]),
        );
        assert_eq!(
            Gate::new().refuses(&token),
            Invalid::DuplicateMember(Part::Claims),
            "{more}"
        );
    }
    let header = ES256.header().to_string();
    for more in [
        r#"{"alg":"none","#,
        r#"{"\u0061lg":"none","#,
        r#"{"x":1,"x":2,"#,
    ] {
        let header = format!("{more}{}", &header[1..]);
        let refusal = Invalid::DuplicateMember(Part::Header);
        assert_eq!(Gate::new().header(&header), Err(refusal), "{more}");
    }
}

/// A text must not become a list of groups, nor hide a member that is there twice.
#[test]
fn refuses_a_member_that_the_reader_would_act_on() {
    let raw = json!({ "$serde_json::private::RawValue": r#"["admins"]"# });
    let token = ES256.token(&mint::claims_with(&json!({ "groups": raw })));
    assert_eq!(
        Gate::new().refuses(&token),
        Invalid::MalformedObject(Part::Claims)
    );
    let text = json!({ "RawValue": r#"["admins"]"# });
    Gate::new().accepts(&ES256.token(&mint::claims_with(&json!({ "other": text }))));
}

#[test]
fn a_token_is_not_printed() {
    assert_eq!(format!("{:?}", Compact::new("a.b.c")), "Compact(5 octets)");
}
