//! What to try: requests to each application, each with the decision that the engine gives on it.
//!
//! They are made from the rules, decided by the very enforcer that is in force, and told apart by what
//! decided: one of each kind is shown.

use super::cast::{Cast, Person};
use super::issuer::Issuer;
use super::tokens::Tokens;
use countersign_enforcer::decision::Decision;
use countersign_enforcer::request::Request;
use countersign_enforcer::store::Enforcer;
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::names::Scope;
use countersign_ruleset::path::{PathPattern, Segment};
use countersign_ruleset::rules::{Application, Entry, Mode, Rule, Rules};
use countersign_ruleset::time::UnixTime;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The most requests that are shown of one application.
const SHOWN: usize = 12;

/// The most applications for which it is said what to try.
const APPLICATIONS: usize = 12;

/// The most requests and people that are put together for one application.
const REQUESTS: usize = 24;
const PEOPLE: usize = 32;

/// One request, and what is decided on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Try {
    /// The host.
    pub(super) host: String,
    /// The method.
    pub(super) method: String,
    /// The path.
    pub(super) path: String,
    /// Who calls; `None` is nobody.
    pub(super) who: Option<Who>,
    /// The status of the answer.
    pub(super) status: u16,
    /// Why.
    pub(super) reason: String,
    /// The rules that decided.
    pub(super) rules: Vec<String>,
}

/// Who calls, and how a token is had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    /// The name.
    pub(super) name: String,
    /// The provider, in short.
    pub(super) provider: String,
    /// What the provider says of them.
    pub(super) about: String,
    /// The header for the token, if it is not `Authorization`.
    pub(super) header: Option<String>,
}

/// Who decides, on whom, and when.
#[derive(Debug)]
pub(super) struct Scene<'s> {
    /// The engine.
    pub(super) enforcer: &'s Enforcer,
    /// Who makes tokens.
    pub(super) issuer: &'s Issuer,
    /// Who there is.
    pub(super) cast: &'s Cast,
    /// Now.
    pub(super) now: UnixTime,
}

/// What to try, by application: of the first, if there are many.
pub(super) fn all(
    rulesets: &BTreeMap<Scope, Rules>,
    scene: &Scene<'_>,
) -> BTreeMap<String, Vec<Try>> {
    let applications = rulesets.iter().flat_map(|(scope, rules)| {
        let applications = rules.applications.iter();
        applications.map(move |application| (scope, rules, application))
    });
    let tries = applications.filter_map(|(scope, rules, application)| {
        let host = host_of(application)?;
        let title = format!("{} in {scope}", application.id);
        Some((title, of_application(application, rules, &host, scene)))
    });
    tries.take(APPLICATIONS).collect()
}

/// A host by which it can be called; one of a single label may be another namespace's too.
fn host_of(application: &Application) -> Option<String> {
    let hosts = application.hosts.iter().map(HostPattern::as_str);
    let long = hosts.clone().find(|host| host.contains('.'));
    let host = long.or_else(|| hosts.clone().next())?;
    let any = host
        .strip_prefix("*.")
        .map(|parent| format!("www.{parent}"));
    Some(any.unwrap_or_else(|| host.to_owned()))
}

fn of_application(
    application: &Application,
    rules: &Rules,
    host: &str,
    scene: &Scene<'_>,
) -> Vec<Try> {
    let mut callers: Vec<Option<&Person>> = vec![None];
    let scope = &rules.scope;
    let known = scene.cast.people.iter().filter(|person| {
        person.scope == *scope || !person.provider.as_str().starts_with("TrustProvider/")
    });
    let here = known.clone().filter(|person| person.scope == *scope);
    let elsewhere = known.filter(|person| person.scope != *scope);
    callers.extend(here.chain(elsewhere).take(PEOPLE).map(Some));
    let tokens: Vec<_> = callers
        .into_iter()
        .filter_map(|who| scene.caller(who))
        .collect();
    let (mut seen, mut let_in) = (BTreeSet::new(), BTreeSet::new());
    let mut tries = Vec::new();
    for (method, path) in requests(application, rules) {
        for caller in &tokens {
            let Some(decided) = scene.decide(host, &method, &path, caller) else {
                continue;
            };
            let is_new = seen.insert((decided.reason.clone(), decided.own_rules()));
            let is_someone_new = decided.status == 200 && let_in.insert(decided.who.clone());
            if is_new || is_someone_new {
                tries.push(decided);
            }
        }
    }
    tries.sort_by_key(|one| one.status);
    shown(tries)
}

/// The first of those that are let in, and the first of those that are not.
fn shown(tries: Vec<Try>) -> Vec<Try> {
    let (allowed, denied): (Vec<_>, Vec<_>) = tries.into_iter().partition(|one| one.status == 200);
    let half = SHOWN / 2;
    let room = SHOWN.saturating_sub(
        allowed
            .len()
            .min(SHOWN.saturating_sub(denied.len().min(half))),
    );
    let denied: Vec<_> = denied.into_iter().take(room).collect();
    let room = SHOWN.saturating_sub(denied.len());
    allowed.into_iter().take(room).chain(denied).collect()
}

/// A request for each thing that a rule speaks of, and one that none does. Those come first that are not
/// for everyone.
fn requests(application: &Application, rules: &Rules) -> Vec<(String, String)> {
    let enforced = application
        .policies
        .iter()
        .filter(|policy| policy.mode == Mode::Enforce);
    let own = enforced.flat_map(|policy| &policy.rules);
    let guardrails = rules.guardrails.iter();
    let theirs = guardrails.flat_map(|g| g.deny.iter().chain(g.boundary.iter().flatten()));
    let mut all: Vec<&Rule> = own.chain(theirs).collect();
    all.sort_by_key(|rule| rule.from.contains(&Entry::Anyone));
    let mut requests = Vec::new();
    for to in all.iter().flat_map(|rule| &rule.to) {
        if to.cors_preflight || to.mcp.is_some() || to.unknown {
            continue;
        }
        let method = to.methods.as_ref().and_then(|methods| methods.first());
        let method = method.map_or("GET", String::as_str);
        let path = to.paths.as_ref().and_then(|paths| paths.first());
        let request = (
            method.to_owned(),
            path.map_or_else(|| "/".to_owned(), example),
        );
        if requests.len() < REQUESTS && !requests.contains(&request) {
            requests.push(request);
        }
    }
    requests.push(("GET".to_owned(), "/somewhere-else".to_owned()));
    requests
}

/// A path that the pattern covers.
fn example(pattern: &PathPattern) -> String {
    let mut path = String::new();
    for segment in pattern.segments() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Any | Segment::Rest => path.push('7'),
            Segment::Capture(name) => path.push_str(name),
        }
    }
    if path.is_empty() {
        "/".to_owned()
    } else {
        path
    }
}

/// Someone with a token.
struct Caller {
    who: Option<Who>,
    headers: HeaderMap,
}

impl Scene<'_> {
    fn caller(&self, person: Option<&Person>) -> Option<Caller> {
        let mut headers = HeaderMap::new();
        let Some(person) = person else {
            return Some(Caller { who: None, headers });
        };
        let provider = self.cast.provider_of(person)?;
        let token = self
            .issuer
            .token(person, provider, &self.cast.audiences, self.now)
            .ok()?;
        let (name, value) = match &provider.header {
            Some(own) => (own.parse::<HeaderName>().ok()?, token.reveal().to_owned()),
            None => (AUTHORIZATION, format!("Bearer {}", token.reveal())),
        };
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
        let id = provider.id.as_str();
        let who = Who {
            name: person.name.clone(),
            provider: id.split_once('/').map_or(id, |(_, name)| name).to_owned(),
            about: person.about.clone(),
            header: provider.header.clone(),
        };
        Some(Caller {
            who: Some(who),
            headers,
        })
    }

    fn decide(&self, host: &str, method: &str, path: &str, caller: &Caller) -> Option<Try> {
        let parsed: Method = method.parse().ok()?;
        let uri: Uri = path.parse().ok()?;
        let mut headers = caller.headers.clone();
        headers.insert(HOST, HeaderValue::try_from(host).ok()?);
        // as the edge sees whoever calls it on this machine
        let source = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let decision = match Request::new(&parsed, &uri, &headers, source) {
            Ok(request) => self.enforcer.decide(&request, self.now),
            Err(malformed) => self.enforcer.refuse(malformed),
        };
        Some(Try {
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            who: caller.who.clone(),
            status: decision.status(),
            reason: decision.reason.as_str().to_owned(),
            rules: rules_of(&decision),
        })
    }
}

fn rules_of(decision: &Decision) -> Vec<String> {
    let rules = decision.rules.iter();
    rules
        .map(|one| format!("{}/{}", one.policy, one.rule))
        .collect()
}

impl Try {
    /// The rules that tell it from others: of what is let in, not by which boundary.
    fn own_rules(&self) -> Vec<String> {
        let boundary = |rule: &str| rule.starts_with("ClusterAccessPolicy/") && self.status == 200;
        self.rules
            .iter()
            .filter(|rule| !boundary(rule))
            .cloned()
            .collect()
    }

    /// What is decided, and on whom.
    pub(super) fn says(&self) -> String {
        let who = match &self.who {
            None => "nobody".to_owned(),
            Some(who) => format!("{} ({}: {})", who.name, who.provider, who.about),
        };
        let by = if self.rules.is_empty() {
            String::new()
        } else {
            format!(" by {}", self.rules.join(", "))
        };
        format!("{who}: {} {}{by}", self.status, self.reason)
    }

    /// The command that does it.
    pub(super) fn curl(&self, edge: SocketAddr, tokens: &Tokens) -> String {
        let method = match self.method.as_str() {
            "GET" => String::new(),
            "HEAD" => " -I".to_owned(),
            method => format!(" -X {method}"),
        };
        let token = self.who.as_ref().map_or_else(String::new, |who| {
            format!(" -H '@{}'", tokens.path(who).display())
        });
        let (host, path) = (&self.host, &self.path);
        format!("curl{method} -H 'Host: {host}'{token} 'http://{edge}{path}'")
    }

    /// The form for programs.
    pub(super) fn written(&self, edge: SocketAddr, tokens: &Tokens) -> Value {
        json!({
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "as": self.who.as_ref().map(|who| &who.name),
            "provider": self.who.as_ref().map(|who| &who.provider),
            "status": self.status,
            "reason": self.reason,
            "rules": self.rules,
            "curl": self.curl(edge, tokens),
        })
    }
}
