//! `countersign explain`: why a request would be allowed or denied, by the edge's own enforcer.

use crate::args::Explain;
use crate::check::unreadable;
use crate::compile::lower;
use crate::finding::Finding;
use crate::manifests::{self, Manifests};
use crate::report::Answer;
use crate::{Clock, Exit, Misused};
use anyhow::{Context, Result, anyhow};
use countersign_controller::provider_keys;
use countersign_enforcer::explain::Explanation;
use countersign_enforcer::mcp::MAX_BODY;
use countersign_enforcer::request::Request;
use countersign_enforcer::store::{Enforcer, Target};
use countersign_policy::Compiled;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

mod force;

/// The most bytes of a token's file; an edge takes no longer head.
const MAX_TOKEN: usize = 64 << 10;

/// Explains. Whatever keeps it from that is a misuse: 1 says that the request is denied.
pub(crate) fn run(args: &Explain, clock: Clock) -> Result<Answer> {
    explain(args, clock).map_err(|error| Misused(format!("{error:#}")).into())
}

fn explain(args: &Explain, clock: Clock) -> Result<Answer> {
    let now = args.at.unwrap_or_else(|| (clock.seconds)());
    let mut sent = Sent::read(args)?;
    let manifests = match manifests::read(&args.folders) {
        Ok(manifests) => manifests,
        Err(findings) => {
            let unreadable = unreadable(findings, "nothing was explained");
            return Ok(Answer {
                exit: Exit::Usage,
                ..unreadable
            });
        }
    };
    let http_on_loopback = args.danger_allow_http_issuers;
    // keys are for tokens: where none can be there, nobody is asked, and nobody's silence reported
    let may_have_a_token = args.token_file.is_some() || !args.headers.is_empty();
    let rules = may_have_a_token.then_some(provider_keys::Rules {
        http_on_loopback,
        ..provider_keys::Rules::default()
    });
    let lowered = lower(&manifests, http_on_loopback, rules, now)?;
    let (scope, compiled) = called(args, &lowered.rulesets)?;
    sent.go_to(compiled)?;
    let target = Target::Application(args.target.clone());
    let enforcer = Enforcer::new(target, vec![scope.clone()]);
    enforcer.install(force::put(compiled, now)?);
    let explanation = sent.explain(&enforcer, now);
    let found = lowered.diagnostics.iter();
    Ok(answer(
        &explanation,
        found.map(|one| manifests.finding(one)).collect(),
        &manifests,
    )?)
}

fn answer(
    explanation: &Explanation,
    mut findings: Vec<Finding>,
    manifests: &Manifests,
) -> Result<Answer, serde_json::Error> {
    findings.extend(manifests.warnings.iter().cloned());
    Ok(Answer {
        findings,
        lines: vec![explanation.to_string()],
        json: serde_json::to_value(explanation)?,
        exit: if explanation.allowed {
            Exit::Fine
        } else {
            Exit::Denied
        },
    })
}

/// The ruleset of the one namespace that has the target.
fn called<'r>(
    args: &Explain,
    rulesets: &'r BTreeMap<Scope, Compiled>,
) -> Result<(&'r Scope, &'r Compiled)> {
    if let Some(scope) = &args.scope {
        let found = rulesets.get_key_value(scope);
        return found.ok_or_else(|| {
            let there = rulesets.keys().map(Scope::as_str);
            anyhow!(
                "expected --scope to be one of {}, got `{scope}`",
                listed(there)
            )
        });
    }
    let has = |(_, compiled): &(&Scope, &Compiled)| {
        let mut applications = compiled.rules.applications.iter();
        applications.any(|application| application.id == args.target)
    };
    let found: Vec<_> = rulesets.iter().filter(has).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let all = rulesets.values().flat_map(|it| &it.rules.applications);
            let there = listed(all.map(|application| application.id.as_str()));
            Err(anyhow!(
                "expected --target to be one that a policy names, of {there}, got `{}`",
                args.target
            ))
        }
        several => {
            let scopes = listed(several.iter().map(|(scope, _)| scope.as_str()));
            Err(anyhow!(
                "expected --scope, for {} is in {scopes}",
                args.target
            ))
        }
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// The request, as it would arrive.
struct Sent<'a> {
    args: &'a Explain,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl<'a> Sent<'a> {
    fn read(args: &'a Explain) -> Result<Self> {
        let line = args.request.trim();
        let (method, url) = line
            .split_once(' ')
            .ok_or_else(|| anyhow!("expected --request \"METHOD URL\", got `{line}`"))?;
        let method = method.parse();
        let mut headers = HeaderMap::new();
        for header in &args.headers {
            let (name, value) = field(header)?;
            headers.append(name, value);
        }
        if let Some(path) = &args.token_file {
            headers.append(AUTHORIZATION, token(path).context("--token-file")?);
        }
        let body = args.body.as_deref().map(|path| read(path, MAX_BODY));
        Ok(Self {
            args,
            method: method.with_context(|| format!("--request: `{line}`"))?,
            uri: url
                .parse()
                .with_context(|| format!("--request: `{line}`"))?,
            headers,
            body: body.transpose().context("--body")?,
        })
    }

    /// A URL without a host means the target's own.
    fn go_to(&mut self, compiled: &Compiled) -> Result<()> {
        if self.uri.authority().is_some() || self.headers.contains_key(HOST) {
            return Ok(());
        }
        let mut applications = compiled.rules.applications.iter();
        let called = applications.find(|application| application.id == self.args.target);
        let hosts = called.map(|application| application.hosts.as_slice());
        let mut exact = hosts
            .into_iter()
            .flatten()
            .filter(|host| host.wildcard().is_none());
        let host = exact
            .next()
            .ok_or_else(|| anyhow!("expected a host in --request, got none"))?;
        self.headers
            .insert(HOST, HeaderValue::from_str(host.as_str())?);
        Ok(())
    }

    fn explain(&self, enforcer: &Enforcer, now: UnixTime) -> Explanation {
        let source = self.args.source;
        match Request::new(&self.method, &self.uri, &self.headers, source) {
            Ok(request) => {
                let request = match &self.body {
                    Some(body) => request.with_body(body),
                    None => request,
                };
                enforcer.explain(&request, now)
            }
            Err(malformed) => Explanation::of(&enforcer.refuse(malformed)),
        }
    }
}

/// The value is not quoted where it is refused: it may be a token.
fn field(header: &str) -> Result<(HeaderName, HeaderValue)> {
    let expected = || anyhow!("expected -H \"Name: value\", got another text");
    let (name, value) = header.split_once(':').ok_or_else(expected)?;
    let name: HeaderName = name.trim().parse().map_err(|_| expected())?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| expected())?;
    Ok((name, value))
}

fn token(path: &Path) -> Result<HeaderValue> {
    let bytes = Zeroizing::new(read(path, MAX_TOKEN)?);
    let mut line = Zeroizing::new(b"Bearer ".to_vec());
    line.extend_from_slice(bytes.trim_ascii());
    let mut value = HeaderValue::from_bytes(&line)
        .map_err(|_| anyhow!("expected one token in {}, got other bytes", path.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let what = || path.display().to_string();
    let file = File::open(path).with_context(what)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most)?.saturating_add(1);
    file.take(limit)
        .read_to_end(&mut bytes)
        .with_context(what)?;
    if bytes.len() > most {
        return Err(anyhow!(
            "expected at most {most} bytes in {}, got more",
            what()
        ));
    }
    Ok(bytes)
}
