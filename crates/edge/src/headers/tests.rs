//! Each field that must not pass is seen to be taken away, and its harmless neighbour to pass.

use super::{
    connection_has, strip_forged, strip_forwarded, strip_hop_by_hop, strip_trailers, takes_trailers,
};
use http::{HeaderMap, HeaderName, HeaderValue};

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn identity_fields_are_taken_away_in_every_spelling() {
    for name in [
        "x-countersign-user",
        "X-Countersign-User",
        "x_countersign_user",
        "x-countersign_user",
        "X_COUNTERSIGN-EMAIL",
        "x.countersign.user",
        "x-countersign-",
        "x-countersign-anything-new",
    ] {
        let mut headers = map(&[(name, "admin"), ("x-counter", "1")]);
        strip_forged(&mut headers);
        assert_eq!(names(&headers), ["x-counter"], "{name}");
    }
}

#[test]
fn what_would_undo_the_decision_is_taken_away() {
    for name in [
        "X-Original-URL",
        "x_original_url",
        "X-Rewrite-Url",
        "X-HTTP-Method-Override",
        "x-http-method",
    ] {
        let mut headers = map(&[(name, "/admin"), ("x-original", "1")]);
        strip_forged(&mut headers);
        assert_eq!(names(&headers), ["x-original"], "{name}");
    }
}

#[test]
fn of_what_weighs_only_the_right_spelling_passes() {
    let mut headers = map(&[
        ("content_length", "1"),
        ("transfer_encoding", "chunked"),
        ("x_forwarded_for", "192.0.2.1"),
        ("authorization_", "x"),
        ("content-length", "2"),
        ("x-forwarded-for", "192.0.2.2"),
        ("my_own_field", "x"),
    ]);
    strip_forged(&mut headers);
    let kept = [
        "authorization_",
        "content-length",
        "my_own_field",
        "x-forwarded-for",
    ];
    assert_eq!(names(&headers), kept);
}

#[test]
fn connection_names_fields_away_but_none_that_weighs() {
    let mut headers = map(&[
        ("connection", "x-hop, Keep-Alive"),
        (
            "connection",
            "Authorization,x-countersign-user , x-forwarded-for, Host",
        ),
        ("x-hop", "1"),
        ("keep-alive", "5"),
        ("te", "gzip"),
        ("proxy-authorization", "Basic x"),
        ("authorization", "Bearer x"),
        ("x-countersign-user", "ours"),
        ("x-forwarded-for", "192.0.2.1"),
        ("host", "a.example"),
        ("trailer", "x-checksum"),
    ]);
    strip_hop_by_hop(&mut headers);
    let kept = [
        "authorization",
        "host",
        "trailer",
        "x-countersign-user",
        "x-forwarded-for",
    ];
    assert_eq!(names(&headers), kept);
}

#[test]
fn proxies_words_are_taken_away_as_one_family() {
    let mut headers = map(&[
        ("forwarded", "for=x"),
        ("x-forwarded-for", "x"),
        ("x-forwarded-host", "x"),
        ("x_forwarded_proto", "https"),
        ("x-real-ip", "x"),
        ("x-forward", "x"),
    ]);
    strip_forwarded(&mut headers);
    assert_eq!(names(&headers), ["x-forward"]);
}

#[test]
fn a_trailer_says_nothing_that_a_head_may_not() {
    let mut trailers = map(&[
        ("grpc-status", "0"),
        ("x-checksum", "1"),
        ("X-Countersign-User", "admin"),
        ("x_countersign_user", "admin"),
        ("authorization", "Bearer x"),
        ("content_length", "1"),
        ("transfer-encoding", "chunked"),
        ("host", "b.example"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-original-url", "/admin"),
    ]);
    strip_trailers(&mut trailers);
    assert_eq!(names(&trailers), ["grpc-status", "x-checksum"]);
}

#[test]
fn reads_lists_over_several_fields() {
    let headers = map(&[
        ("connection", "close, UPGRADE"),
        ("te", "gzip;q=0.5"),
        ("te", " trailers"),
    ]);
    assert!(connection_has(&headers, "upgrade"));
    assert!(!connection_has(&headers, "up"));
    assert!(takes_trailers(&headers));
    assert!(!takes_trailers(&map(&[("te", "trailersx")])));
}
