//! One request: who asks is admitted first, then what is asked for is found, or waited for.

use super::Source;
use super::acknowledgements::{Acknowledgement, Acknowledgements};
use super::answer::{self, Answer};
use super::poll::{self, Waiting};
use super::readers::{Reader, Readers, Turned};
use bytes::Bytes;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Order;
use http::header::IF_NONE_MATCH;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::future::Future;
use std::sync::Arc;

/// The header by which an edge says what is in force there.
const IN_FORCE: &str = "countersign-in-force";

/// What every request is answered from.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) source: Arc<dyn Source>,
    pub(super) readers: Arc<Readers>,
    pub(super) acknowledgements: Arc<Acknowledgements>,
    pub(super) clock: fn() -> UnixTime,
    pub(super) waiting: Waiting,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Blob(Scope, Digest),
    Manifest(Scope),
    Trust(u64),
}

impl Exchange {
    /// Answers a request; one that waits is let go when `stopping` is over.
    pub(super) async fn answer(&self, parts: &Parts, stopping: impl Future<Output = ()>) -> Answer {
        let now = (self.clock)();
        let reader = match self.readers.admit(parts, now) {
            Ok(reader) => reader,
            Err(turned) => return turned_away(&turned),
        };
        match asked(&reader.path) {
            Some(Asked::Manifest(scope)) => {
                self.acknowledge(&scope, reader, &parts.headers, now);
                let answer = self.manifest(&scope, &parts.headers, stopping).await;
                // whoever may read no longer when the wait is over, is told nothing
                match self.readers.admit(parts, (self.clock)()) {
                    Ok(_) => answer,
                    Err(turned) => turned_away(&turned),
                }
            }
            Some(Asked::Blob(scope, digest)) => {
                let blob = self.source.blob(&scope, &digest);
                let found = |blob| answer::immutable(blob, "application/octet-stream");
                blob.map_or_else(nothing, found)
            }
            Some(Asked::Trust(version)) => {
                let document = self.source.trust(version);
                let found = |document| answer::immutable(document, "application/json");
                document.map_or_else(nothing, found)
            }
            None => nothing(),
        }
    }

    /// The pod comes from the token; the scope from the path, which the policy holds to the token's.
    fn acknowledge(&self, scope: &Scope, reader: Reader, headers: &HeaderMap, now: UnixTime) {
        let said = headers.get(IN_FORCE).and_then(|it| it.to_str().ok());
        let Some(order) = said.and_then(|it| it.parse::<Order>().ok()) else {
            return;
        };
        let acknowledgement = Acknowledgement {
            pod: reader.pod,
            order,
            seen_at: now,
        };
        self.acknowledgements.take(scope, acknowledgement);
    }

    async fn manifest(
        &self,
        scope: &Scope,
        headers: &HeaderMap,
        stopping: impl Future<Output = ()>,
    ) -> Answer {
        let there = self.source.manifest(scope);
        let known = headers.get(IF_NONE_MATCH).map(http::HeaderValue::as_bytes);
        let Some(wait) = poll::wait(headers) else {
            return tell(there, known);
        };
        let mut response = if is_known(there.as_ref(), known) {
            let held = poll::hold(wait, poll::chance());
            let waits = self.waiting.one();
            tokio::select! {
                () = self.source.changed(scope, there) => {
                    let release = self.waiting.release(poll::chance());
                    tokio::time::sleep(release).await;
                }
                () = tokio::time::sleep(held) => {}
                () = stopping => {}
            }
            drop(waits);
            tell(self.source.manifest(scope), known)
        } else {
            tell(there, known)
        };
        let applied = poll::applied(wait);
        response.headers_mut().insert("preference-applied", applied);
        response
    }
}

fn turned_away(turned: &Turned) -> Answer {
    if turned.status == StatusCode::UNAUTHORIZED {
        return answer::unauthenticated(&turned.reason, turned.error);
    }
    answer::problem(turned.status, &turned.reason)
}

/// Whether the caller has what there is: nothing, or those bytes.
fn is_known(there: Option<&Bytes>, known: Option<&[u8]>) -> bool {
    match (there, known) {
        (Some(there), Some(known)) => answer::tag(there).as_bytes() == known,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn tell(there: Option<Bytes>, known: Option<&[u8]>) -> Answer {
    match there {
        Some(there) if is_known(Some(&there), known) => answer::unchanged(answer::tag(&there)),
        Some(there) => answer::current(there),
        None => nothing(),
    }
}

fn nothing() -> Answer {
    answer::problem(StatusCode::NOT_FOUND, "NotFound")
}

/// What a path asks for. It is canonical; each part is parsed before anything is looked up by it.
fn asked(path: &str) -> Option<Asked> {
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let scope = parts.next()?;
    let what: Vec<&str> = parts.collect();
    match what.as_slice() {
        ["manifest.json"] => Some(Asked::Manifest(scope.parse().ok()?)),
        ["blobs", "sha256", digest] => Some(Asked::Blob(scope.parse().ok()?, digest.parse().ok()?)),
        [document] if scope == "trust" => {
            let version = document.strip_suffix(".json")?;
            let is_number =
                version.bytes().all(|c| c.is_ascii_digit()) && !version.starts_with('0');
            is_number.then(|| version.parse().ok().map(Asked::Trust))?
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn what_is_asked_for_is_parsed_before_it_is_looked_up() {
        let shop = || "shop".parse().unwrap();
        let digest = "0".repeat(64);
        assert_eq!(
            asked("/v1/shop/manifest.json"),
            Some(Asked::Manifest(shop()))
        );
        let blob = format!("/v1/shop/blobs/sha256/{digest}");
        let expected = Asked::Blob(shop(), digest.parse().unwrap());
        assert_eq!(asked(&blob), Some(expected));
        assert_eq!(asked("/v1/trust/12.json"), Some(Asked::Trust(12)));
        let namespace = Asked::Manifest("trust".parse().unwrap());
        assert_eq!(asked("/v1/trust/manifest.json"), Some(namespace));
        for other in [
            "/",
            "/v1/shop",
            "/v1/shop/",
            "/v1/Shop/manifest.json",
            "/v1/shop/manifest.json/",
            "/v1/shop/1.json",
            "/v1/shop/blobs/sha256/0",
            "/v1/trust/01.json",
            "/v1/trust/+1.json",
            "/v1/trust/.json",
            "/v2/shop/manifest.json",
        ] {
            assert_eq!(asked(other), None, "{other}");
        }
    }
}
