//! The sample service: answers with what reached it, so that what an edge sends on can be seen.

use super::loopback::{self, Answer};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// Serves until it is dropped.
pub(super) fn serve(listener: TcpListener) -> loopback::Serving {
    loopback::serve(listener, |request| {
        let answer = answer(&request);
        async move { answer }
    })
}

fn answer<B>(request: &Request<B>) -> Answer {
    let told = json!({
        "service": "the sample service of `countersign dev`",
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "query": request.uri().query(),
        "headers": headers(request.headers()),
    });
    loopback::json(StatusCode::OK, &told)
}

/// Every header that reached it, but no credential.
fn headers(headers: &HeaderMap) -> Value {
    let mut told = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter().map(|value| {
            if [AUTHORIZATION, COOKIE].contains(name) {
                "(it came, and is not shown)".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            }
        });
        let values: Vec<String> = values.collect();
        told.insert(name.to_string(), json!(values.join(", ")));
    }
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::headers;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    #[test]
    fn shows_what_came_and_no_credential() {
        let mut map = HeaderMap::new();
        map.insert("x-countersign-user", HeaderValue::from_static("ana"));
        map.append("accept", HeaderValue::from_static("a"));
        map.append("accept", HeaderValue::from_static("b"));
        map.insert("authorization", HeaderValue::from_static("Bearer abc"));
        let told = headers(&map);
        assert_eq!(told["x-countersign-user"], json!("ana"));
        assert_eq!(told["accept"], json!("a, b"));
        assert!(!told.to_string().contains("abc"));
    }
}
