//! A case: a request as somebody sends it, and the decision that is expected of it.

use crate::cast::{Cast, Order, at};
use crate::trial::{Outcome, Sent, Trial};
use countersign_ruleset::time::UnixTime;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A request, and what becomes of it. The form is described in `vectors/decisions/README.md`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// `METHOD URL`, the path as it is sent.
    pub request: String,
    /// Headers beside `Host` and `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, OneOrMany>,
    /// The caller's address, where it is established.
    #[serde(default)]
    pub source: Option<IpAddr>,
    /// The scheme of `Authorization`, if not `Bearer`.
    #[serde(default)]
    pub scheme: Option<String>,
    /// The header that carries the token, if not `Authorization`; there it stands alone.
    #[serde(default)]
    pub carrier: Option<String>,
    /// The token.
    #[serde(default)]
    pub token: Option<Order>,
    /// The ID token of a login, whose session the browser keeps. Its times count from the login.
    #[serde(default)]
    pub session: Option<Order>,
    /// When and where that login was, if it was not made just now and here, and what it was asked for.
    #[serde(default)]
    pub logged_in: LoggedIn,
    /// The whole body: a text as it is, any other value as JSON. Where there is none it is not read.
    #[serde(default)]
    pub body: Option<Value>,
    /// What is expected.
    pub expect: Expect,
}

/// When and where a login was, and what it was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoggedIn {
    /// When: `now-3600`.
    pub at: Option<Value>,
    /// The application: `KIND/NAME`.
    pub of: Option<String>,
    /// What the login was asked to come with.
    pub asked: Challenge,
}

/// A header's value, or those of several fields of one name.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One field.
    One(String),
    /// Several fields.
    Many(Vec<String>),
}

/// What is expected. What is not said is not looked at, but for the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The reason's code.
    pub reason: String,
    /// The status of the answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// The rules that decided.
    #[serde(default)]
    pub rules: Option<Vec<String>>,
    /// What policies that are only observed would make of it.
    #[serde(default)]
    pub would: Option<Would>,
    /// What `WWW-Authenticate` asks for.
    #[serde(default)]
    pub challenge: Option<Challenge>,
    /// The provider at which a browser is to log in, as `KIND/NAME`.
    #[serde(default)]
    pub login: Option<String>,
    /// Why the login makes no session; where it is not written, it makes one.
    #[serde(default)]
    pub no_session: Option<String>,
    /// What the upstream is told of the caller, where the request is let in.
    #[serde(default)]
    pub forward: Option<Vec<String>>,
    /// What a denied caller may read.
    #[serde(default)]
    pub disclose: Option<String>,
    /// The claims that an audit line may hold, and how: `plain` or `hash`.
    #[serde(default)]
    pub audited: Option<BTreeMap<String, String>>,
}

/// What would be decided if what is only observed decided too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Would {
    /// Whether it would be let in.
    pub allow: bool,
    /// The reason's code.
    pub reason: String,
    /// The rules that would decide.
    #[serde(default)]
    pub rules: Option<Vec<String>>,
}

/// The members of a challenge (RFC 6750 §3, RFC 9470 §3). One that is not named is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Challenge {
    /// `error`.
    pub error: Option<String>,
    /// `scope`.
    pub scope: Vec<String>,
    /// `acr_values`.
    pub acr_values: Vec<String>,
    /// `max_age`, in seconds.
    pub max_age: Option<u64>,
}

impl Case {
    /// Sends it, its token made out for the audience unless it says otherwise.
    ///
    /// # Panics
    /// If it is no request.
    pub fn play(&self, trial: &Trial, cast: &Cast, audience: &str) -> Outcome {
        let (method, target) = self.request.split_once(' ').expect("METHOD URL");
        let mut headers = HeaderMap::new();
        for (name, values) in &self.headers {
            match values {
                OneOrMany::One(value) => append(&mut headers, name, value),
                OneOrMany::Many(all) => all.iter().for_each(|v| append(&mut headers, name, v)),
            }
        }
        if let Some(order) = &self.token {
            let token = cast.token(order, audience, trial.now());
            let scheme = self.scheme.as_deref().unwrap_or("Bearer");
            match &self.carrier {
                Some(carrier) => append(&mut headers, carrier, &token),
                None => append(&mut headers, "authorization", &format!("{scheme} {token}")),
            }
        }
        let (parts, ()) = Request::builder()
            .method(method)
            .uri(target)
            .body(())
            .unwrap_or_else(|error| panic!("{}: {error}", self.title))
            .into_parts();
        let body = self.body.as_ref().map(|body| match body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let session = self.session.as_ref().map(|order| {
            let now = trial.now();
            let when = self.logged_in.at.as_ref();
            let when = when.and_then(|when| at(when, now)?.as_u64());
            let when = when.map_or(now, UnixTime);
            let id_token = cast.id_token(order, when);
            let asked = countersign_enforcer::decision::Challenge {
                acr_values: self.logged_in.asked.acr_values.clone(),
                max_age: self.logged_in.asked.max_age,
                ..Default::default()
            };
            trial.log_in_better(&id_token, self.logged_in.of.as_deref(), &asked, when)
        });
        let mut outcome = trial.answer(&Sent {
            method: &parts.method,
            uri: &parts.uri,
            headers: &headers,
            source: self.source,
            session: session.as_ref().and_then(|session| session.as_ref().ok()),
            body: body.as_ref().map(String::as_bytes),
        });
        outcome.no_session = session.and_then(Result::err).map(|none| none.as_str());
        outcome
    }

    /// Sends it, and says what was expected and what came instead; nothing if all is as expected.
    ///
    /// # Panics
    /// If it is no request.
    pub fn fault(&self, trial: &Trial, cast: &Cast, audience: &str) -> Option<String> {
        let got = Expect::from(self.play(trial, cast, audience));
        let expected = &self.expect;
        (expected.beside(&got) != got)
            .then(|| format!("{}: expected {expected}, got {got}", self.title))
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    let name: HeaderName = name.parse().expect("a header's name");
    let value = HeaderValue::from_str(value).expect("a header's value");
    headers.append(name, value);
}

impl Expect {
    /// What is expected, with what is not looked at as it came.
    #[must_use]
    pub fn beside(&self, got: &Self) -> Self {
        let mut expected = self.clone();
        expected.status = expected.status.or(got.status);
        expected.rules = expected.rules.or_else(|| got.rules.clone());
        expected.challenge = expected.challenge.or_else(|| got.challenge.clone());
        expected.login = expected.login.or_else(|| got.login.clone());
        expected.forward = expected.forward.or_else(|| got.forward.clone());
        expected.disclose = expected.disclose.or_else(|| got.disclose.clone());
        expected.audited = expected.audited.or_else(|| got.audited.clone());
        match (&mut expected.would, &got.would) {
            (Some(would), Some(got)) => {
                would.rules = would.rules.take().or_else(|| got.rules.clone());
            }
            (would @ None, got) => would.clone_from(got),
            (Some(_), None) => {}
        }
        expected
    }
}

impl From<Outcome> for Expect {
    fn from(outcome: Outcome) -> Self {
        let would = outcome.would.map(|would| Would {
            allow: would.allow,
            reason: would.reason,
            rules: Some(would.rules),
        });
        let challenge = outcome.challenge.map(|challenge| Challenge {
            error: challenge.error.map(str::to_owned),
            scope: challenge.scope,
            acr_values: challenge.acr_values,
            max_age: challenge.max_age,
        });
        Self {
            reason: outcome.reason,
            status: Some(outcome.status),
            rules: Some(outcome.rules),
            would,
            challenge,
            login: outcome.login,
            no_session: outcome.no_session.map(str::to_owned),
            forward: outcome.forward,
            disclose: Some(outcome.disclose),
            audited: Some(outcome.audited),
        }
    }
}

/// As an answer reads: `403 InsufficientScope`, and what is beside it.
impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        f.write_str(&self.reason)?;
        if let Some(rules) = self.rules.as_ref().filter(|rules| !rules.is_empty()) {
            write!(f, " by {}", rules.join(" and "))?;
        }
        if let Some(would) = &self.would {
            write!(f, ", would be {}", would.reason)?;
            if let Some(rules) = would.rules.as_ref().filter(|rules| !rules.is_empty()) {
                write!(f, " by {}", rules.join(" and "))?;
            }
        }
        if let Some(forward) = self.forward.as_ref().filter(|all| !all.is_empty()) {
            write!(f, ", tells {}", forward.join(" and "))?;
        }
        if let Some(disclose) = &self.disclose {
            write!(f, ", discloses {disclose}")?;
        }
        if let Some(audited) = self.audited.as_ref().filter(|all| !all.is_empty()) {
            write!(f, ", audits {audited:?}")?;
        }
        if let Some(provider) = &self.login {
            write!(f, ", logs in at {provider}")?;
        }
        if let Some(none) = &self.no_session {
            write!(f, ", without a session: {none}")?;
        }
        match &self.challenge {
            None => Ok(()),
            Some(challenge) => write!(f, ", asks for {challenge:?}"),
        }
    }
}
