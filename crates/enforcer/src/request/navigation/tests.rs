//! Who navigates and who is made to call, by what browsers and scripts send.

use crate::request::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

fn head(method: &str, fields: &[(&str, &str)]) -> (Method, Uri, HeaderMap) {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("orders.example.com"));
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    (method.parse().unwrap(), "/".parse().unwrap(), headers)
}

fn is_navigation(method: &str, fields: &[(&str, &str)]) -> bool {
    let (method, uri, headers) = head(method, fields);
    let request = Request::new(&method, &uri, &headers, None);
    request.unwrap().is_navigation()
}

fn may_be_forged(method: &str, fields: &[(&str, &str)]) -> bool {
    let (method, uri, headers) = head(method, fields);
    let request = Request::new(&method, &uri, &headers, None);
    request.unwrap().may_be_forged()
}

const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[test]
fn a_person_who_navigates_is_known_by_what_no_script_can_say() {
    let navigates = |fields: &[_]| is_navigation("GET", fields);
    assert!(navigates(&[NAVIGATE, DOCUMENT]));
    assert!(navigates(&[
        NAVIGATE,
        DOCUMENT,
        ("sec-fetch-site", "cross-site"),
        HTML
    ]));
    assert!(navigates(&[HTML]));
    assert!(navigates(&[
        ("accept", "application/xml"),
        ("accept", "Text/HTML; q=0.5")
    ]));
    for not in [
        &[][..],
        &[NAVIGATE],
        &[DOCUMENT],
        &[NAVIGATE, ("sec-fetch-dest", "iframe")],
        &[("sec-fetch-mode", "cors"), DOCUMENT],
        &[
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            HTML,
        ],
        &[NAVIGATE, NAVIGATE, DOCUMENT],
        &[NAVIGATE, DOCUMENT, DOCUMENT],
        &[("sec-fetch-mode", "Navigate"), DOCUMENT],
        &[NAVIGATE, DOCUMENT, ("authorization", "Basic YTpi")],
        // a browser that tells one of them tells all
        &[("sec-fetch-site", "none"), HTML],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[("accept", "text/html;q=0")],
        &[("accept", "text/html ; Q=0.000, */*")],
        &[("accept", "text/htmlx")],
        &[HTML, ("x-requested-with", "XMLHttpRequest")],
        &[HTML, ("origin", "https://orders.example.com")],
        &[HTML, ("upgrade", "websocket")],
        &[HTML, ("authorization", "Negotiate abc")],
        &[(
            "user-agent",
            "Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/140.0",
        )],
    ] {
        assert!(!navigates(not), "{not:?}");
    }
    for method in ["POST", "HEAD", "OPTIONS", "GETS"] {
        assert!(!is_navigation(method, &[NAVIGATE, DOCUMENT]), "{method}");
        assert!(!is_navigation(method, &[HTML]), "{method}");
    }
}

#[test]
fn another_page_may_have_had_the_browser_send_what_changes_something() {
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    for method in ["POST", "PUT", "DELETE", "PATCH", "purge"] {
        for own in [
            &[][..],
            &[site("same-origin")],
            &[site("none")],
            &[origin("https://orders.example.com")],
            &[origin("https://Orders.example.com:443")],
            // what the browser says of the page comes before what it names
            &[site("same-origin"), origin("https://evil.example")],
        ] {
            assert!(!may_be_forged(method, own), "{method} {own:?}");
        }
        for foreign in [
            &[site("cross-site")][..],
            &[site("same-site")],
            &[site("something-new")],
            &[site("same-origin"), site("same-origin")],
            &[site("cross-site"), origin("https://orders.example.com")],
            &[origin("https://evil.example")],
            &[origin("https://shop.example.com")],
            &[origin("https://orders.example.com.evil.example")],
            &[origin("null")],
            // on the way to a page that came by `http` anybody may have written it
            &[origin("http://orders.example.com")],
            // another port is another's, and browsers keep no sessions apart by it
            &[origin("https://orders.example.com:8443")],
            &[origin("app://orders.example.com")],
            &[origin("orders.example.com")],
            &[origin("https://orders.example.com/")],
            &[origin("")],
            &[
                origin("https://orders.example.com"),
                origin("https://orders.example.com"),
            ],
        ] {
            assert!(may_be_forged(method, foreign), "{method} {foreign:?}");
        }
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert!(!may_be_forged(
            method,
            &[site("cross-site"), origin("https://evil.example")]
        ));
    }
    for (host, origin) in [
        ("orders.example.com:8443", "https://orders.example.com:8443"),
        ("orders.example.com:443", "https://orders.example.com"),
        ("[::1]", "https://[::1]:443"),
        ("[::1]:8443", "https://[::1]:8443"),
    ] {
        let at = |host| {
            let (method, uri, mut headers) = head("POST", &[("origin", origin)]);
            headers.insert("host", HeaderValue::from_static(host));
            let request = Request::new(&method, &uri, &headers, None);
            request.unwrap().may_be_forged()
        };
        assert!(!at(host), "{host} {origin}");
        assert!(at("orders.example.com:81"), "{origin}");
        assert!(at("[::1]:81"), "{origin}");
    }
    let handshake = [("upgrade", "websocket"), origin("https://evil.example")];
    assert!(may_be_forged("GET", &handshake));
    assert!(!may_be_forged(
        "GET",
        &[handshake[0], origin("https://orders.example.com")]
    ));
}
