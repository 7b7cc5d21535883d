//! One request: read, decided, written down, and then sent on or turned away.

use crate::answer::{self, Told};
use crate::audit::{Audit, Entry};
use crate::body::{AnyBody, Passing, whole};
use crate::config::{Clock, Limits};
use crate::connection::{InFlight, Tie};
use crate::id::DecisionId;
use crate::metrics::Metrics;
use crate::proxy::{self, Onward, Way};
use crate::source::TrustedProxies;
use crate::upstream::{Pool, Unanswered};
use countersign_enforcer::decision::{Decision, Verdict};
use countersign_enforcer::request;
use countersign_enforcer::store::Enforcer;
use countersign_ruleset::rules::Forward;
use futures::FutureExt;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// What every request is decided and sent on with.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) enforcer: Arc<Enforcer>,
    pub(crate) clock: Clock,
    pub(crate) proxies: TrustedProxies,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) audit: Audit,
    pub(crate) pool: Pool,
    pub(crate) limits: Limits,
}

/// A request that was decided, before it is known by anyone but the edge.
struct Decided {
    decision: Decision,
    called: Option<(String, String)>,
    source: Option<IpAddr>,
}

impl Exchange {
    /// Answers a request. A panic on the way is a denial: it must end neither the edge nor a caller's
    /// doubt of whether he was let in.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        held: InFlight,
    ) -> Response<AnyBody> {
        let id = DecisionId::random();
        let grpc = answer::is_grpc(request.headers());
        let answered = AssertUnwindSafe(self.answer(request, peer, held.tie(), id, grpc));
        let response = answered.catch_unwind().await.unwrap_or_else(|_| {
            self.metrics.panics.inc();
            tracing::error!(decision = %id, "a request was denied for it ended in a panic");
            failed("InternalError", StatusCode::SERVICE_UNAVAILABLE, grpc, id)
        });
        response.map(|body| Passing::new(body, held).boxed_unsync())
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        held: &Tie,
        id: DecisionId,
        grpc: bool,
    ) -> Response<AnyBody> {
        let (mut parts, body) = request.into_parts();
        // HTTP/1.1 was counted while it was read
        if parts.headers.len() > self.limits.header_count {
            self.metrics.refused_heads.inc();
            tracing::debug!(decision = %id, %peer, "a head had too many fields");
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return failed("HeadersTooLarge", status, grpc, id);
        }
        let decided = self.decide(&parts, peer);
        let realm = decided.called.as_ref().map(|(host, _)| host.as_str());
        let denied = answer::denial(&decided.decision, realm, grpc, id);
        let onward = if denied.is_none() {
            let trusted = self.proxies.trusts(peer);
            onward(&mut parts, &decided, &Way { peer, trusted }, &self.pool, id)
        } else {
            None
        };
        self.write_down(id, &parts, decided);
        match (denied, onward) {
            (Some(denied), _) => denied,
            (None, Some(onward)) => self.send_on(onward, body, held, grpc, id).await,
            (None, None) => failed("UpstreamUnreachable", StatusCode::BAD_GATEWAY, grpc, id),
        }
    }

    fn decide(&self, parts: &Parts, peer: IpAddr) -> Decided {
        let source = self.proxies.source(peer, &parts.headers);
        match request::Request::new(&parts.method, &parts.uri, &parts.headers, source) {
            Ok(request) => Decided {
                // this edge keeps no sessions
                decision: self
                    .enforcer
                    .decide(&request, (self.clock)())
                    .without_login(),
                called: Some((request.host().to_string(), request.path().to_string())),
                source,
            },
            Err(malformed) => Decided {
                decision: self.enforcer.refuse(malformed),
                called: None,
                source,
            },
        }
    }

    /// Before anything reaches the upstream: what is let in is on its way to the log.
    fn write_down(&self, id: DecisionId, parts: &Parts, decided: Decided) {
        let decision = &decided.decision;
        self.metrics
            .decided(decision.is_permitted(), decision.reason.as_str());
        if let Some(would) = &decision.would {
            self.metrics.observed(would.allow);
        }
        if let Verdict::Permit(permit) = &decision.verdict
            && permit.forward().contains(&Forward::Assertion)
            && self.metrics.unsigned()
        {
            tracing::error!(
                "a policy asks for an assertion, and this edge has no key to sign one with: the upstream gets none"
            );
        }
        self.audit.record(Entry {
            id,
            at: (self.clock)(),
            decision: decided.decision,
            method: parts.method.clone(),
            called: decided.called,
            source: decided.source,
        });
    }

    async fn send_on(
        &self,
        onward: Onward,
        body: Incoming,
        held: &Tie,
        grpc: bool,
        id: DecisionId,
    ) -> Response<AnyBody> {
        match proxy::send(&self.pool, onward, body, self.limits.answer_time, held, id).await {
            Ok(response) => response,
            Err(unanswered) => {
                tracing::warn!(decision = %id, error = %unanswered, upstream = %self.pool.upstream());
                let (reason, status) = match unanswered {
                    Unanswered::Broken(_) => ("UpstreamUnreachable", StatusCode::BAD_GATEWAY),
                    Unanswered::TooLate => ("UpstreamTimeout", StatusCode::GATEWAY_TIMEOUT),
                };
                self.metrics.upstream_failed(reason);
                failed(reason, status, grpc, id)
            }
        }
    }
}

/// The request as it is sent on; only a permit makes one.
fn onward(
    parts: &mut Parts,
    decided: &Decided,
    way: &Way,
    pool: &Pool,
    id: DecisionId,
) -> Option<Onward> {
    let Verdict::Permit(permit) = &decided.decision.verdict else {
        return None;
    };
    let (host, path) = decided.called.as_ref()?;
    let caller = decided.decision.caller.as_ref();
    Onward::new(parts, permit, caller, (host, path), way, pool, id)
}

fn failed(
    reason: &'static str,
    status: StatusCode,
    grpc: bool,
    id: DecisionId,
) -> Response<AnyBody> {
    let told = Told {
        status,
        reason,
        detail: None,
        challenge: None,
    };
    answer::answer(&told, grpc, id)
}

/// An answer without a body, such as the one that begins a tunnel.
pub(crate) fn empty(response: Response<()>) -> Response<AnyBody> {
    response.map(|()| whole(""))
}
