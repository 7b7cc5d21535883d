//! What an edge tells of itself: health and metrics on a port, rulesets and decisions on a socket.
//!
//! An application shares loopback with its sidecar, so a port tells nothing that it may not know. Who
//! may open the unix socket is said by its folder's permissions.

use crate::audit::Recent;
use crate::body::{AnyBody, whole};
use crate::config::Clock;
use crate::metrics::Metrics;
use crate::news::{News, label};
use crate::upstream::Upstream;
use countersign_enforcer::store::{Enforcer, ScopeStatus};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Standing;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long the upstream may take to accept a connection before the edge is not ready.
const ACCEPTS_WITHIN: Duration = Duration::from_secs(1);

/// What is told of.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) enforcer: Arc<Enforcer>,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) news: News,
    pub(crate) recent: Recent,
    pub(crate) clock: Clock,
    pub(crate) stopping: AtomicBool,
}

/// Through which door somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The TCP port.
    Port,
    /// The unix socket.
    Socket,
}

impl Admin {
    pub(crate) async fn answer<B>(&self, request: &Request<B>, door: Door) -> Response<AnyBody> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "expected GET\n");
        }
        match (request.uri().path(), door) {
            ("/healthz", _) => text(StatusCode::OK, "alive\n"),
            ("/readyz", _) => self.ready().await,
            ("/metrics", _) => self.numbers(),
            ("/ruleset", Door::Socket) => json_of(&self.rulesets()),
            ("/decisions", Door::Socket) => self.decisions(),
            _ => text(
                StatusCode::NOT_FOUND,
                "expected /healthz, /readyz or /metrics\n",
            ),
        }
    }

    /// Ready is: not stopping, a ruleset in force for every scope, the upstream accepting.
    async fn ready(&self) -> Response<AnyBody> {
        let unready = |why| text(StatusCode::SERVICE_UNAVAILABLE, why);
        if self.stopping.load(Ordering::Relaxed) {
            return unready("stopping\n");
        }
        if !self.enforcer.is_ready((self.clock)()) {
            return unready("not every scope has a ruleset in force\n");
        }
        if !self.upstream.accepts(ACCEPTS_WITHIN).await {
            return unready("the upstream does not accept connections\n");
        }
        text(StatusCode::OK, "ready\n")
    }

    fn numbers(&self) -> Response<AnyBody> {
        let now = (self.clock)();
        for status in self.enforcer.status(now) {
            let scope = label(&status.scope);
            let (serial, holds, left) =
                status.in_force.map_or((0, 0, 0), |(id, term, standing)| {
                    let holds = i64::from(standing != Standing::Expired);
                    (
                        whole_number(id.serial),
                        holds,
                        whole_number(term.end.since(now)),
                    )
                });
            self.metrics.serial.get_or_create(&scope).set(serial);
            self.metrics.in_force.get_or_create(&scope).set(holds);
            self.metrics.expires_in.get_or_create(&scope).set(left);
        }
        let mut response = Response::new(whole(self.metrics.text()));
        let kind = HeaderValue::from_static(METRICS);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    fn rulesets(&self) -> Value {
        let status = self.enforcer.status((self.clock)());
        status.iter().map(|status| self.ruleset(status)).collect()
    }

    fn ruleset(&self, status: &ScopeStatus) -> Value {
        let in_force = status.in_force.as_ref().map(|(id, term, standing)| {
            let at = |time: UnixTime| time.to_string();
            json!({
                "serial": id.serial,
                "digest": id.digest,
                "standing": format!("{standing:?}"),
                "expiresAt": at(term.end),
                "servedUntil": at(term.served_until),
            })
        });
        let refusals = self.news.refusals(&status.scope).into_iter();
        let refused: Vec<Value> = refusals
            .map(|(carrier, refusal)| {
                json!({"carrier": carrier, "reason": refusal.reason, "message": refusal.message})
            })
            .collect();
        json!({"scope": status.scope, "inForce": in_force, "refused": refused})
    }

    fn decisions(&self) -> Response<AnyBody> {
        let mut lines = String::new();
        for line in self.recent.lines() {
            lines.push_str(&line);
            lines.push('\n');
        }
        let mut response = Response::new(whole(lines));
        let kind = HeaderValue::from_static("application/x-ndjson");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn whole_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn text(status: StatusCode, text: &'static str) -> Response<AnyBody> {
    let mut response = Response::new(whole(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn json_of(value: &Value) -> Response<AnyBody> {
    let mut response = Response::new(whole(format!("{value}\n")));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
