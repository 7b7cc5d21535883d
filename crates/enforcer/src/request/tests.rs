//! Heads of requests: one authority, one path, at most one credential, and none of it printed.

use super::{KNOWN, Malformed, Request};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

fn read(target: &str, headers: &[(&str, &str)]) -> Result<(String, String, bool), Malformed> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    let uri: Uri = target.parse().unwrap();
    let request = Request::new(&Method::GET, &uri, &map, None)?;
    let bearer = request.bearer.is_some();
    Ok((
        request.host().to_string(),
        request.path().to_string(),
        bearer,
    ))
}

const HOST: (&str, &str) = ("host", "a.example");

#[test]
fn takes_exactly_one_authority() {
    assert_eq!(read("/x", &[HOST]).unwrap().0, "a.example");
    assert_eq!(read("http://A.example:80/x", &[]).unwrap().0, "a.example");
    assert_eq!(read("http://a.example/x", &[HOST]).unwrap().0, "a.example");
    assert_eq!(read("/x", &[]), Err(Malformed::AuthorityMissing));
    assert_eq!(read("/x", &[HOST, HOST]), Err(Malformed::AuthorityTwice));
    assert_eq!(
        read("http://b.example/x", &[HOST]),
        Err(Malformed::AuthorityTwice)
    );
    assert_eq!(
        read("/x", &[("host", "a b")]),
        Err(Malformed::AuthorityInvalid)
    );
    assert_eq!(
        read("/x", &[("host", "")]),
        Err(Malformed::AuthorityInvalid)
    );
}

#[test]
fn neither_token_nor_cookie_is_printed() {
    let uri: Uri = "/x?access_token=secret-query".parse().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        HOST,
        ("authorization", "Bearer secret-token"),
        ("cookie", "session=secret-cookie"),
        ("x-goog-iap-jwt-assertion", "secret-assertion"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let request = Request::new(&Method::GET, &uri, &headers, None).unwrap();
    for printed in [format!("{request:?}"), format!("{request:#?}")] {
        assert!(!printed.contains("secret"), "{printed}");
        assert!(printed.contains("a.example"), "{printed}");
    }
}

/// A server that makes it upper-case would do what a Deny of DELETE forbids.
#[test]
fn a_known_method_has_one_spelling() {
    let uri: Uri = "http://a.example/x".parse().unwrap();
    let headers = HeaderMap::new();
    let refusal = |method: &str| {
        let method: Method = method.parse().unwrap();
        Request::new(&method, &uri, &headers, None).err()
    };
    let case = Some(Malformed::MethodCase);
    for known in KNOWN {
        let expected = (known == "CONNECT").then_some(Malformed::TargetForm);
        assert_eq!(refusal(known), expected, "{known}");
        assert_eq!(refusal(&known.to_ascii_lowercase()), case, "{known}");
        let (first, rest) = known.split_at(1);
        let mixed = format!("{first}{}", rest.to_ascii_lowercase());
        assert_eq!(refusal(&mixed), case, "{mixed}");
    }
    for other in ["PROPFIND", "propfind", "purge", "DELETES", "delete_", "G"] {
        assert_eq!(refusal(other), None, "{other}");
    }
}

#[test]
fn takes_a_path_and_no_other_form() {
    assert_eq!(read("/a/../b?q=/../c", &[HOST]).unwrap().1, "/b");
    assert_eq!(read("*", &[HOST]), Err(Malformed::TargetForm));
    let refusal = read("/a%2fb", &[HOST]).unwrap_err();
    assert_eq!(refusal.as_str(), "PathMalformed");
    let uri: Uri = "a.example:443".parse().unwrap();
    let headers = HeaderMap::new();
    let refusal = Request::new(&Method::CONNECT, &uri, &headers, None).unwrap_err();
    assert_eq!(refusal, Malformed::TargetForm);
}

#[test]
fn takes_at_most_one_credential() {
    let with = |values: &[&str]| {
        let fields = values.iter().map(|value| ("authorization", *value));
        let fields: Vec<_> = [HOST].into_iter().chain(fields).collect();
        read("/", &fields).map(|(_, _, bearer)| bearer)
    };
    for bearer in ["Bearer abc", "bearer abc", "BEARER  abc"] {
        assert_eq!(with(&[bearer]), Ok(true), "{bearer}");
    }
    for other in ["Basic YTpi", "Negotiate x", "x", ""] {
        assert_eq!(with(&[other]), Ok(false), "{other}");
    }
    for bad in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,Bearer b",
        "Basic x, Bearer y",
    ] {
        assert_eq!(with(&[bad]), Err(Malformed::CredentialMalformed), "{bad}");
    }
    assert_eq!(
        with(&["Bearer a", "Bearer a"]),
        Err(Malformed::CredentialTwice)
    );
    assert_eq!(
        with(&["Basic a", "Bearer a"]),
        Err(Malformed::CredentialTwice)
    );
}

#[test]
fn a_provider_may_have_a_header_of_its_own_but_two_credentials_are_refused() {
    let uri: Uri = "/".parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a.example"));
    headers.insert("x-assertion", HeaderValue::from_static("abc"));
    let own = || std::iter::once("x-assertion");
    let request = Request::new(&Method::GET, &uri, &headers, None).unwrap();
    let (credential, header) = request.credential(own()).unwrap().unwrap();
    assert_eq!((credential.0, header), ("abc", Some("x-assertion")));
    assert_eq!(format!("{credential:?}"), "Credential(redacted)");
    headers.insert("authorization", HeaderValue::from_static("Bearer abc"));
    let request = Request::new(&Method::GET, &uri, &headers, None).unwrap();
    assert_eq!(
        request.credential(own()).unwrap_err(),
        Malformed::CredentialTwice
    );
    headers.remove("authorization");
    headers.append("x-assertion", HeaderValue::from_static("abc"));
    let request = Request::new(&Method::GET, &uri, &headers, None).unwrap();
    assert_eq!(
        request.credential(own()).unwrap_err(),
        Malformed::CredentialTwice
    );
}
