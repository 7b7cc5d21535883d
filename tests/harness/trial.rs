//! The whole path in memory: manifests are read, compiled, signed, verified, and requests decided.

use crate::publish::Installation;
use countersign_enforcer::decision::{Challenge, Decision, Denial, RuleRef, Verdict};
use countersign_enforcer::request::Request;
use countersign_enforcer::session::{AuthenticationRequest, NoSession, Session};
use countersign_enforcer::store::{Enforcer, Target};
use countersign_policy::{Compilation, Resources, compile};
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::names::{ApplicationId, Scope};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::{Audited, Rules};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Ruleset;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What time it is: 2026-11-24T12:00:00Z.
pub const NOW: UnixTime = UnixTime(1_795_521_600);

/// What browsers are sent to log in with.
pub const NONCE: &str = "n";

/// An edge that is pinned to one application of one namespace.
#[derive(Debug)]
pub struct Trial {
    enforcer: Arc<Enforcer>,
    /// The one application, where it is pinned to one.
    place: Option<(Scope, ApplicationId)>,
    /// As long as nothing was revoked: where browsers logged in.
    before: Option<Enforcer>,
    now: UnixTime,
}

/// A request as it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The caller's address, where it is established.
    pub source: Option<IpAddr>,
    /// The whole body, where it was read.
    pub body: Option<&'a [u8]>,
    /// The session that a browser keeps.
    pub session: Option<&'a Session>,
}

/// A decision, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The reason's code.
    pub reason: String,
    /// The status of the answer; 200 where the request is let in.
    pub status: u16,
    /// The rules that decided, as `AccessPolicy/NAME/RULE`.
    pub rules: Vec<String>,
    /// What policies that are only observed would make of it.
    pub would: Option<Would>,
    /// What the answer asks of the caller.
    pub challenge: Option<Challenge>,
    /// Where a browser is sent to log in, as `KIND/NAME`.
    pub login: Option<String>,
    /// Why the login before it made no session.
    pub no_session: Option<&'static str>,
    /// What the upstream is told of the caller, where the request is let in.
    pub forward: Option<Vec<String>>,
    /// What a denied caller may read.
    pub disclose: String,
    /// The claims that an audit line may hold, and how.
    pub audited: BTreeMap<String, String>,
}

/// What would be decided, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Would {
    /// Whether it would be let in.
    pub allow: bool,
    /// The reason's code.
    pub reason: String,
    /// The rules that would decide.
    pub rules: Vec<String>,
}

/// Reads and compiles manifests whose providers have inline keys.
///
/// # Panics
/// If they cannot be read.
pub fn compiled(resources: &[Value]) -> Compilation {
    let resources = Resources::read(resources)
        .unwrap_or_else(|unreadable| panic!("they cannot be read: {unreadable:?}"));
    compile(&resources, &BTreeMap::new())
}

impl Trial {
    /// Puts what the manifests mean for a namespace in force at an edge in front of `KIND/NAME`.
    ///
    /// # Panics
    /// If the manifests cannot be read, or what comes of them is refused.
    pub fn of(resources: &[Value], scope: &str, target: &str) -> Self {
        Self::from(&compiled(resources), scope, target)
    }

    /// The same, of what was compiled. A namespace without a ruleset leaves the edge without one.
    ///
    /// # Panics
    /// If the ruleset is refused.
    pub fn from(compilation: &Compilation, scope: &str, target: &str) -> Self {
        Self::at(compilation, scope, target, NOW)
    }

    /// The same, at another time.
    ///
    /// # Panics
    /// If the ruleset is refused.
    pub fn at(compilation: &Compilation, scope: &str, target: &str, now: UnixTime) -> Self {
        let place: (Scope, ApplicationId) = (
            scope.parse().expect("a scope"),
            target.parse().expect("KIND/NAME"),
        );
        let target = Target::Application(place.1.clone());
        let enforcer = Enforcer::new(target, vec![place.0.clone()]);
        if let Some(compiled) = compilation.rulesets.get(&place.0) {
            enforcer.install(published(&compiled.rules, &compiled.keys, now));
        }
        Self {
            place: Some(place),
            ..Self::around(Arc::new(enforcer), now)
        }
    }

    /// The same, at an edge that finds the application by the host that is called.
    ///
    /// # Panics
    /// If the ruleset is refused.
    pub fn by_host(compilation: &Compilation, scope: &str) -> Self {
        let scope: Scope = scope.parse().expect("a scope");
        let enforcer = Enforcer::new(Target::ByHost, vec![scope.clone()]);
        if let Some(compiled) = compilation.rulesets.get(&scope) {
            enforcer.install(published(&compiled.rules, &compiled.keys, NOW));
        }
        Self::around(Arc::new(enforcer), NOW)
    }

    /// The same, around an enforcer with whatever it has in force.
    pub const fn around(enforcer: Arc<Enforcer>, now: UnixTime) -> Self {
        Self {
            enforcer,
            place: None,
            before: None,
            now,
        }
    }

    /// The same, with logins from before anything was revoked.
    ///
    /// # Panics
    /// If the ruleset is refused.
    #[must_use]
    pub fn with_logins(mut self, compilation: &Compilation) -> Self {
        if let Some((scope, _)) = &self.place
            && let Some(compiled) = compilation.rulesets.get(scope)
        {
            let mut rules = compiled.rules.clone();
            rules.revocations.clear();
            let before = Enforcer::new(Target::ByHost, vec![scope.clone()]);
            before.install(published(&rules, &compiled.keys, self.now));
            self.before = Some(before);
        }
        self
    }

    /// Logs somebody in, by the ID token that came of it, here or at another application; the login was
    /// asked for nothing but to be one.
    ///
    /// # Errors
    /// If that makes no session.
    ///
    /// # Panics
    /// If the other is no application's name.
    pub fn log_in(
        &self,
        id_token: &str,
        other: Option<&str>,
        at: UnixTime,
    ) -> Result<Session, NoSession> {
        self.log_in_better(id_token, other, &Challenge::default(), at)
    }

    /// The same, of a login that was asked to come with more.
    ///
    /// # Errors
    /// If that makes no session.
    ///
    /// # Panics
    /// If the other is no application's name.
    pub fn log_in_better(
        &self,
        id_token: &str,
        other: Option<&str>,
        challenge: &Challenge,
        at: UnixTime,
    ) -> Result<Session, NoSession> {
        let other = other.map(|name| name.parse().expect("KIND/NAME"));
        let (scope, application) = self.place.as_ref().ok_or(NoSession::WithoutLogin)?;
        let place = (scope, other.as_ref().unwrap_or(application));
        let enforcer = self.before.as_ref().unwrap_or(&self.enforcer);
        let request = AuthenticationRequest {
            nonce: NONCE,
            challenge,
        };
        enforcer.log_in(place, id_token, request, at)
    }

    /// The one application, where it is pinned to one, and its namespace.
    pub const fn place(&self) -> Option<&(Scope, ApplicationId)> {
        self.place.as_ref()
    }

    /// What time it is there.
    pub const fn now(&self) -> UnixTime {
        self.now
    }

    /// Decides a request, of which only the head is looked at.
    pub fn decide(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Outcome {
        self.answer(&Sent {
            method,
            uri,
            headers,
            source: None,
            body: None,
            session: None,
        })
    }

    /// Decides a request.
    pub fn answer(&self, sent: &Sent<'_>) -> Outcome {
        let request = Request::new(sent.method, sent.uri, sent.headers, sent.source);
        let request = request.map(|request| match sent.body {
            Some(body) => request.with_body(body),
            None => request,
        });
        let request = request.map(|request| match sent.session {
            Some(session) => request.with_session(session),
            None => request,
        });
        let decision = match request {
            Ok(request) => self.enforcer.decide(&request, self.now),
            Err(malformed) => self.enforcer.refuse(malformed),
        };
        Outcome::of(&decision)
    }
}

impl Outcome {
    fn of(decision: &Decision) -> Self {
        let challenge = match &decision.verdict {
            Verdict::Deny(Denial::Unauthenticated(challenge)) => Some(challenge.clone()),
            Verdict::Deny(Denial::Forbidden(challenge)) => challenge.clone(),
            Verdict::Deny(Denial::Login(login)) => Some(login.challenge.clone()),
            _ => None,
        };
        Self {
            reason: decision.reason.as_str().to_owned(),
            status: decision.status(),
            rules: names(&decision.rules),
            would: decision.would.as_ref().map(|would| Would {
                allow: would.allow,
                reason: would.reason.as_str().to_owned(),
                rules: names(&would.rules),
            }),
            challenge,
            no_session: None,
            login: match &decision.verdict {
                Verdict::Deny(Denial::Login(login)) => Some(login.provider.to_string()),
                Verdict::Deny(_) | Verdict::Permit(_) => None,
            },
            forward: match &decision.verdict {
                Verdict::Permit(permit) => Some(
                    permit
                        .forward()
                        .iter()
                        .map(|it| format!("{it:?}"))
                        .collect(),
                ),
                Verdict::Deny(_) => None,
            },
            disclose: format!("{:?}", decision.disclose),
            audited: audited(decision),
        }
    }
}

/// As resources write it.
fn audited(decision: &Decision) -> BTreeMap<String, String> {
    let claims = decision.audited.as_deref().into_iter().flatten();
    let written = |form: &Audited| match form {
        Audited::Hash => "hash".to_owned(),
        Audited::Plain => "plain".to_owned(),
    };
    claims
        .map(|(name, form)| (name.clone(), written(form)))
        .collect()
}

fn published(rules: &Rules, keys: &Keys, now: UnixTime) -> Verified<Ruleset> {
    let ruleset = Installation::new(now).publish(rules, keys, now);
    ruleset.expect("the verifier takes what was compiled")
}

/// As `KIND/NAME/RULE`.
fn names(rules: &[RuleRef]) -> Vec<String> {
    let name = |rule: &RuleRef| format!("{}/{}", rule.policy, rule.rule);
    rules.iter().map(name).collect()
}
