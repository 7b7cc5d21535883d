//! What a server answers, read up to a limit; and why it is no answer, in words that stay the same.

use ::http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::error::Error;

/// No more than `most` bytes, which is one too many: so too much is seen as that.
pub(super) async fn read(mut body: Incoming, most: u64) -> Result<Vec<u8>, String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| refusal(&error))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        bytes.extend_from_slice(&data);
        if bytes.len() >= most {
            bytes.truncate(most);
            break;
        }
    }
    Ok(bytes)
}

/// Whether the server says that it waited, or would have (RFC 7240 §3).
pub(super) fn waited<B>(response: &Response<B>) -> bool {
    says_wait(response.headers())
}

fn says_wait(headers: &HeaderMap) -> bool {
    let fields = headers.get_all("preference-applied").iter();
    let mut words = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    words.any(|word| {
        let name = word.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("wait")
    })
}

/// Why a status is no answer.
pub(super) fn unexpected(status: StatusCode) -> String {
    let hint = match status {
        StatusCode::UNAUTHORIZED => ": is there a --rulesets-token, and is it for this server?",
        StatusCode::FORBIDDEN => ": the token is not for this scope",
        status if status.is_redirection() => ": redirects are not followed; name the place itself",
        _ => "",
    };
    format!("expected the status 200, got {status}{hint}")
}

/// An error with all that caused it, for the outermost says only that there was one.
pub(super) fn refusal(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{says_wait, unexpected};
    use ::http::{HeaderMap, HeaderValue, StatusCode};

    #[test]
    fn a_server_says_whether_it_waits() {
        for (field, expected) in [
            ("wait=50", true),
            ("respond-async, Wait=5", true),
            ("return=minimal", false),
            ("waiting", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("preference-applied", HeaderValue::from_static(field));
            assert_eq!(says_wait(&headers), expected, "{field}");
        }
        assert!(!says_wait(&HeaderMap::new()));
    }

    #[test]
    fn a_status_says_what_to_look_at() {
        assert!(unexpected(StatusCode::FOUND).contains("not followed"));
        assert!(unexpected(StatusCode::UNAUTHORIZED).contains("--rulesets-token"));
        let plain = "expected the status 200, got 500 Internal Server Error";
        assert_eq!(unexpected(StatusCode::INTERNAL_SERVER_ERROR), plain);
    }
}
