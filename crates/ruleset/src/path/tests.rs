//! Paths as attackers write them, and patterns as operators do.

use super::{CanonicalPath, Malformed, PathPattern, PatternMalformed};
use proptest::prelude::*;

fn canonical(raw: &str) -> Result<String, Malformed> {
    CanonicalPath::parse(raw.as_bytes())
        .map(|p| p.to_string())
        .map_err(|e| e.reason)
}

#[test]
fn one_spelling_for_one_path() {
    for (raw, expected) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/%61/%7Eb", "/a/~b"),
        ("/v1/orders%3Acancel", "/v1/orders:cancel"),
        ("/a%21%24%26%27%28%29%2A%2B%2C%3D%3a%40", "/a!$&'()*+,=:@"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b%5B", "/a%20b%5B"),
        ("/a/./b", "/a/b"),
        ("/a/%2E/b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/...", "/..."),
        ("/100%25", "/100%25"),
        ("/100%25x", "/100%25x"),
    ] {
        assert_eq!(canonical(raw).as_deref(), Ok(expected), "{raw}");
    }
}

#[test]
fn refuses_what_servers_read_differently() {
    for (raw, reason) in [
        ("", Malformed::NotAbsolute),
        ("*", Malformed::NotAbsolute),
        ("a/b", Malformed::NotAbsolute),
        ("//a", Malformed::EmptySegment),
        ("/a//", Malformed::EmptySegment),
        ("/public/..%2fadmin", Malformed::EncodedSlash),
        ("/a%2Fb", Malformed::EncodedSlash),
        ("/a\\b", Malformed::Backslash),
        ("/a%5cb", Malformed::Backslash),
        ("/a;v=1", Malformed::Semicolon),
        ("/a%3Bv", Malformed::Semicolon),
        ("/a%00", Malformed::Control),
        ("/a%0d%0a", Malformed::Control),
        ("/a%7f", Malformed::Control),
        ("/a%2", Malformed::BadEscape),
        ("/a%", Malformed::BadEscape),
        ("/a%zz", Malformed::BadEscape),
        ("/a%+1", Malformed::BadEscape),
        ("/a%252e", Malformed::DoubleEncoding),
        ("/a%25%32%65", Malformed::DoubleEncoding),
        ("/a%C0%AF", Malformed::NotUtf8),
        ("/a%ff", Malformed::NotUtf8),
        ("/a b", Malformed::RawByte),
        ("/a\u{e9}", Malformed::RawByte),
        ("/a\"", Malformed::RawByte),
        ("/a\u{0}", Malformed::RawByte),
        ("/a?b", Malformed::RawByte),
        ("/a#b", Malformed::Fragment),
        ("/..", Malformed::PastRoot),
        ("/a/../../b", Malformed::PastRoot),
        ("/%2e%2e/b", Malformed::PastRoot),
    ] {
        assert_eq!(canonical(raw), Err(reason), "{raw}");
    }
}

#[test]
fn a_refusal_says_what_and_where() {
    let refusal = CanonicalPath::parse(b"/a%2fb").unwrap_err().to_string();
    assert_eq!(
        refusal,
        "expected a path that every server reads alike, got an encoded slash at byte 2"
    );
}

fn covers(pattern: &str, path: &str) -> bool {
    let path = CanonicalPath::parse(path.as_bytes()).unwrap();
    pattern.parse::<PathPattern>().unwrap().matches(&path)
}

#[test]
fn patterns_cover_whole_segments() {
    for (pattern, path, expected) in [
        ("/", "/", true),
        ("/", "/a", false),
        ("/a", "/a", true),
        ("/a", "/a/", false),
        ("/a/", "/a/", true),
        ("/a/", "/a", false),
        ("/a", "/A", false),
        ("/a/**", "/a", true),
        ("/a/**", "/a/", true),
        ("/a/**", "/a/b/c", true),
        ("/a/**", "/ab", false),
        ("/public/**", "/publicity", false),
        ("/**", "/", true),
        ("/**", "/a/b", true),
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/", false),
        ("/a/*", "/a/b/c", false),
        ("/a/*/c", "/a/b/c", true),
        ("/*/**", "/", false),
        ("/*/**", "/a", true),
        ("/t/{x}/**", "/t/acme/1", true),
        ("/caf%C3%A9", "/caf%c3%a9", true),
    ] {
        assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn captures_are_decoded_once() {
    let pattern: PathPattern = "/{a}/x/{b}".parse().unwrap();
    let path = CanonicalPath::parse(b"/caf%C3%A9/x/100%25").unwrap();
    let captures = pattern.captures(&path).unwrap();
    assert_eq!(
        captures,
        [("a", "caf\u{e9}".to_owned()), ("b", "100%".to_owned())]
    );
    assert_eq!(pattern.capture_names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        pattern.captures(&CanonicalPath::parse(b"/a/y/b").unwrap()),
        None
    );
}

#[test]
fn refuses_patterns_that_mean_nothing_or_two_things() {
    let refused = |text: &str| text.parse::<PathPattern>().unwrap_err();
    assert_eq!(refused("/foo*"), PatternMalformed::NotWhole("foo*".into()));
    assert_eq!(refused("/{a"), PatternMalformed::NotWhole("{a".into()));
    assert_eq!(refused("/{}"), PatternMalformed::NotWhole("{}".into()));
    assert_eq!(refused("/**/a"), PatternMalformed::RestNotLast);
    assert_eq!(
        refused("/{a}/{a}"),
        PatternMalformed::CaptureTwice("a".into())
    );
    assert!(
        matches!(refused("v1"), PatternMalformed::Impossible(e) if e.reason == Malformed::NotAbsolute)
    );
    assert!(
        matches!(refused("/a//b"), PatternMalformed::Impossible(e) if e.reason == Malformed::EmptySegment)
    );
    assert_eq!(
        refused(&format!("/{}", "a".repeat(512))),
        PatternMalformed::TooLong(513)
    );
}

#[test]
fn a_pattern_that_is_not_canonical_is_told_its_spelling() {
    for (written, right) in [
        ("/%61/*/caf%c3%a9", "/a/*/caf%C3%A9"),
        ("/v1/orders%3Acancel", "/v1/orders:cancel"),
        ("/a/./{x}/../b", "/a/b"),
    ] {
        let refusal = written.parse::<PathPattern>().unwrap_err();
        let expected = PatternMalformed::NotCanonical {
            got: written.into(),
            canonical: right.into(),
        };
        assert_eq!(refusal, expected);
        assert!(right.parse::<PathPattern>().is_ok());
    }
}

proptest! {
    #[test]
    fn canonical_is_idempotent(raw in "/[a-zA-Z0-9%./;:_~ -]{0,24}|/(%[0-9a-fA-F]{2}|[a-z/.]){0,10}") {
        if let Ok(path) = CanonicalPath::parse(raw.as_bytes()) {
            prop_assert_eq!(CanonicalPath::parse(path.as_str().as_bytes()), Ok(path.clone()));
            prop_assert!(!path.as_str().contains("//"));
            prop_assert!(!path.segments().any(|s| s == "." || s == ".."));
        }
    }

    #[test]
    fn never_panics(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = CanonicalPath::parse(&raw);
        if let Ok(text) = std::str::from_utf8(&raw) {
            let _ = text.parse::<PathPattern>();
        }
    }
}
