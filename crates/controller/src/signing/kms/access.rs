//! The access token of the machine's own account, as the metadata server gives it.
//!
//! On GKE with Workload Identity that is the account of the pod, and no key of it lies in any file.

use super::NotByKms;
use super::ask::{Client, Place};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::Full;
use serde::Deserialize;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Both ways: whoever asks could not have been made to by a URL alone, and whoever answers knows it.
const FLAVOR: &str = "metadata-flavor";

/// For how long before its end a token is not used any more.
const SPARE: u64 = 60;

/// The token that is held.
pub(super) struct Access {
    place: Place,
    clock: fn() -> Instant,
    held: Mutex<Option<Token>>,
}

/// A token that can be sent and not be shown.
#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: Instant,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: u64,
    token_type: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Access {
    pub(super) const fn new(place: Place, clock: fn() -> Instant) -> Self {
        Self {
            place,
            clock,
            held: Mutex::new(None),
        }
    }

    /// The header that carries a token, which holds for a minute more at least.
    pub(super) async fn header(&self, client: &Client) -> Result<HeaderValue, NotByKms> {
        let now = (self.clock)();
        if let Some(token) = self.held().clone().filter(|token| token.until > now) {
            return Ok(token.header);
        }
        let asked = self.ask(client, now).await;
        let token = asked.map_err(|why| NotByKms::NoToken(Box::new(why)))?;
        let header = token.header.clone();
        *self.held() = Some(token);
        Ok(header)
    }

    /// It was not taken.
    pub(super) fn forget(&self) {
        *self.held() = None;
    }

    async fn ask(&self, client: &Client, now: Instant) -> Result<Token, NotByKms> {
        let request = Request::get(PATH).header(FLAVOR, "Google");
        let request = request.body(Full::<Bytes>::default());
        let request = request.map_err(|_| NotByKms::Malformed("a request"))?;
        let answer = client.ask(&self.place, request).await?;
        if !is_google(answer.headers()) {
            return Err(NotByKms::Malformed("the header Metadata-Flavor: Google"));
        }
        let given: Given = serde_json::from_slice(answer.body())
            .map_err(|_| NotByKms::Malformed("an access token and its time"))?;
        if !given.token_type.eq_ignore_ascii_case("bearer") {
            return Err(NotByKms::Malformed("a bearer token"));
        }
        let text = Zeroizing::new(given.access_token);
        let text = Zeroizing::new(format!("Bearer {}", *text));
        let mut header = HeaderValue::from_str(&text)
            .map_err(|_| NotByKms::Malformed("a token that a header can carry"))?;
        header.set_sensitive(true);
        let holds = Duration::from_secs(given.expires_in.saturating_sub(SPARE));
        let until = now.checked_add(holds).unwrap_or(now);
        Ok(Token { header, until })
    }

    fn held(&self) -> MutexGuard<'_, Option<Token>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_google(headers: &HeaderMap) -> bool {
    headers.get(FLAVOR).is_some_and(|value| value == "Google")
}
