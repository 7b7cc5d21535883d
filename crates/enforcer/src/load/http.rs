//! A server as a carrier: a controller's endpoint, or any that serves files.
//!
//! Nothing it says is believed but for what is signed. It is told the token if there is one, and the
//! place of what is in force; no redirect is followed, so nobody else is.

use super::place::Endpoint;
use super::remote::{Known, Waited};
use ::http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use ::http::{HeaderMap, Method, Request, StatusCode};
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Fetched, Order, Wanted};
use hyper::Response;
use hyper::body::Incoming;
use std::time::Duration;

mod answer;
mod client;

use answer::{read, refusal};
use client::Clients;

/// How long something small may take.
const SMALL: Duration = Duration::from_secs(10);

/// How long a blob may take: 64 MiB at 1 MiB/s.
const LARGE: Duration = Duration::from_secs(64);

/// How long a server is asked to hold a request open.
const WAIT: Duration = Duration::from_secs(50);

/// What asks for it (RFC 7240 §4.3).
const PREFER: HeaderValue = HeaderValue::from_static("wait=50");

/// The header that says what is in force here.
const IN_FORCE: &str = "countersign-in-force";

/// A server that is asked.
#[derive(Debug)]
pub(super) struct Http {
    endpoint: Endpoint,
    clients: Clients,
}

impl Http {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let clients = Clients::new(endpoint.plain);
        Self { endpoint, clients }
    }

    /// Its name in reports.
    pub(super) fn name(&self) -> &str {
        self.endpoint.root()
    }

    /// What is wanted of a scope.
    pub(super) async fn fetch(&self, scope: &Scope, wanted: &Wanted, known: &mut Known) -> Fetched {
        if *wanted == Wanted::Manifest {
            return self.manifest(scope, known).await;
        }
        let deadline = match wanted {
            Wanted::Blob(_) => LARGE,
            Wanted::Manifest | Wanted::Trust(_) => SMALL,
        };
        let asked = async {
            let response = self.get(&wanted.path(scope), HeaderMap::new()).await?;
            body(response, wanted.most()).await
        };
        within(deadline, asked)
            .await
            .unwrap_or_else(Fetched::Failed)
    }

    async fn manifest(&self, scope: &Scope, known: &mut Known) -> Fetched {
        if !known.current {
            let asked = within(SMALL, self.ask(scope, known, HeaderMap::new())).await;
            if let Err(reason) = asked {
                return Fetched::Failed(reason);
            }
        }
        known.once()
    }

    /// Waits until there is another manifest than is known, and says what is in force here.
    pub(super) async fn wait(
        &self,
        scope: &Scope,
        known: &mut Known,
        in_force: Option<Order>,
    ) -> Waited {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", PREFER);
        let place = in_force.and_then(|order| HeaderValue::try_from(order.to_string()).ok());
        if let Some(place) = place {
            headers.insert(IN_FORCE, place);
        }
        let asked = within(WAIT.saturating_add(SMALL), self.ask(scope, known, headers)).await;
        asked.unwrap_or_else(|reason| {
            known.current = false;
            tracing::debug!(%scope, carrier = self.name(), reason, "a wait for a change ended early");
            Waited::Failed
        })
    }

    /// Asks for the manifest, unless it is the one that is known.
    async fn ask(
        &self,
        scope: &Scope,
        known: &mut Known,
        mut headers: HeaderMap,
    ) -> Result<Waited, String> {
        let etag = known.etag.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(etag)) = etag {
            headers.insert(IF_NONE_MATCH, etag);
        }
        let response = self.get(&Wanted::Manifest.path(scope), headers).await?;
        let held = answer::waited(&response);
        if response.status() == StatusCode::NOT_MODIFIED && known.etag.is_some() {
            known.current = true;
            return Ok(if held { Waited::Held } else { Waited::Unheld });
        }
        let etag = response.headers().get(ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok().map(str::to_owned));
        let fetched = body(response, Wanted::Manifest.most()).await?;
        let is_other = known.take(etag, fetched);
        Ok(match (is_other, held) {
            (true, _) => Waited::Changed,
            (false, true) => Waited::Held,
            (false, false) => Waited::Unheld,
        })
    }

    async fn get(&self, path: &str, headers: HeaderMap) -> Result<Response<Incoming>, String> {
        let client = self.clients.current(self.endpoint.ca.as_deref())?;
        let mut request = Request::new(client::nothing());
        *request.method_mut() = Method::GET;
        let url = self.endpoint.url(path);
        *request.uri_mut() = url
            .parse()
            .map_err(|_| format!("expected a URL, got `{url}`"))?;
        *request.headers_mut() = headers;
        if let Some(file) = &self.endpoint.token {
            let token = client::bearer(file)?;
            request
                .headers_mut()
                .insert(::http::header::AUTHORIZATION, token);
        }
        client
            .request(request)
            .await
            .map_err(|error| refusal(&error))
    }
}

/// The body of an answer that has one, up to `most` bytes.
async fn body(response: Response<Incoming>, most: u64) -> Result<Fetched, String> {
    match response.status() {
        StatusCode::OK => read(response.into_body(), most).await.map(Fetched::Bytes),
        // whoever says so does not know better either, and expiry bounds what can be kept from us
        StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Fetched::NotFound),
        status => Err(answer::unexpected(status)),
    }
}

async fn within<T>(
    deadline: Duration,
    asked: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let late = |_| {
        format!(
            "expected an answer within {} s, got none",
            deadline.as_secs()
        )
    };
    tokio::time::timeout(deadline, asked).await.map_err(late)?
}
