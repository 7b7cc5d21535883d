//! `countersign compile`: manifests to signed rulesets, for pipelines that publish with no controller.

use crate::args::Compile;
use crate::check::unreadable;
use crate::finding::{Finding, count, counted};
use crate::manifests::{self, Manifests};
use crate::publish::{self, Order, Published};
use crate::report::Answer;
use crate::{Clock, Exit, signing};
use anyhow::{Context, Result};
use countersign_controller::provider_keys;
use countersign_policy::Compiled;
use countersign_policy::diagnostic::{Code, Diagnostic, FieldPath, ResourceId, Severity};
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Refresh;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Compiles, signs and publishes.
pub(crate) fn run(args: &Compile, clock: Clock) -> Result<Answer> {
    let key = Arc::new(signing::read_key(&args.sign_with).context("--sign-with")?);
    let trust = signing::read_trust(&args.trust).context("--trust")?;
    let manifests = match manifests::read(&args.folders) {
        Ok(manifests) => manifests,
        Err(findings) => return Ok(unreadable(findings, "nothing was published")),
    };
    let now = (clock.seconds)();
    let mut lowered = {
        let http_on_loopback = args.danger_allow_http_issuers;
        let rules = Some(provider_keys::Rules {
            http_on_loopback,
            ..provider_keys::Rules::default()
        });
        lower(&manifests, http_on_loopback, rules, now)?
    };
    let uids = args.scope_uids.iter();
    let uids: BTreeMap<Scope, String> = uids
        .map(|pair| (pair.scope.clone(), pair.uid.clone()))
        .collect();
    let order = Order {
        cluster: &args.cluster,
        key: &key,
        trust: &trust,
        trust_folder: args.trust.parent(),
        out: &args.out,
        uids: &uids,
        valid_for: args.valid_for.0,
        stale_for: args.stale_for.0,
        now,
        milliseconds: (clock.milliseconds)(),
    };
    let kept = publish::keep(&mut lowered.rulesets, &lowered.failed, &order)?;
    provider_keys::tell_kept(&mut lowered.diagnostics, &kept);
    let published = publish::publish(&lowered.rulesets, &order)?;
    let found = lowered.diagnostics.iter();
    let mut findings: Vec<Finding> = found.map(|one| manifests.finding(one)).collect();
    findings.extend(manifests.warnings.iter().cloned());
    let mut lines: Vec<String> = published.iter().map(line).collect();
    lines.push(summary(&published, &findings));
    Ok(Answer {
        lines,
        json: json!({"published": published.iter().map(written).collect::<Vec<_>>()}),
        findings,
        exit: Exit::Fine,
    })
}

/// What is to be published, before keys that could not be fetched are looked for elsewhere.
pub(crate) struct Lowered {
    pub(crate) rulesets: BTreeMap<Scope, Compiled>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The providers whose keys could not be fetched.
    failed: BTreeSet<ResourceId>,
}

/// Compiles, with the keys that can be had, which are fetched only where rules say how; and all that
/// is wrong.
pub(crate) fn lower(
    manifests: &Manifests,
    http_on_loopback: bool,
    rules: Option<provider_keys::Rules>,
    now: UnixTime,
) -> Result<Lowered> {
    let mut refused = manifests.resources.insecure_providers();
    if http_on_loopback {
        refused.clear();
    }
    let mut sources = manifests.resources.key_sources();
    sources.retain(|source| !refused.contains(&source.resource));
    let fetched = rules.map(|rules| provider_keys::all(&sources, &rules, now));
    let fetched = fetched.transpose()?.unwrap_or_default();
    let mut compilation = countersign_policy::compile(&manifests.resources, &fetched.keys);
    compilation.diagnostics.retain(|one| {
        // of both it is said below why, and what to do
        let insecure = one.code == Code::InsecureIssuer && refused.contains(&one.resource);
        !insecure && !provider_keys::is_want_of_keys(one)
    });
    let failed = fetched.failed();
    compilation.diagnostics.extend(fetched.diagnostics);
    for provider in &refused {
        withhold(&mut compilation.rulesets, provider);
        compilation.diagnostics.push(insecure(provider));
    }
    compilation.diagnostics.sort();
    Ok(Lowered {
        rulesets: compilation.rulesets,
        diagnostics: compilation.diagnostics,
        failed,
    })
}

/// Leaves a provider without keys, inline ones included: whoever is on the way to it could be it.
fn withhold(rulesets: &mut BTreeMap<Scope, Compiled>, provider: &ResourceId) {
    let id = format!("{}/{}", provider.kind, provider.name);
    for (scope, compiled) in rulesets {
        let is_here = provider.namespace.is_empty() || provider.namespace == scope.as_str();
        let providers = compiled.keys.providers.iter_mut();
        for one in providers.filter(|one| is_here && one.id.as_str() == id) {
            one.keys.clear();
            one.refresh = Refresh::Never;
        }
    }
}

fn insecure(provider: &ResourceId) -> Diagnostic {
    Diagnostic {
        resource: provider.clone(),
        path: FieldPath::spec().name("issuer"),
        span: None,
        code: Code::InsecureIssuer,
        severity: Severity::Error,
        message: "expected an https issuer, got plain http: its tokens are answered 503".to_owned(),
        help: Some("for one machine only, there is --danger-allow-http-issuers".to_owned()),
    }
}

fn line(published: &Published) -> String {
    let Published {
        scope,
        serial,
        expires_at,
        ..
    } = published;
    let what = if published.emptied {
        "denies everything: it is no longer among the manifests".to_owned()
    } else {
        count(published.rules, "rule")
    };
    format!("{scope}: {what}; serial {serial}, until {expires_at}")
}

fn summary(published: &[Published], findings: &[Finding]) -> String {
    let what = format!("{} published", count(published.len(), "ruleset"));
    match counted(findings) {
        Some(counted) if findings.iter().any(Finding::is_error) => {
            format!("{what}, {counted}: what is wrong gives no access")
        }
        Some(counted) => format!("{what}, {counted}"),
        None => what,
    }
}

fn written(published: &Published) -> Value {
    json!({
        "scope": published.scope,
        "serial": published.serial,
        "digest": published.digest,
        "expiresAt": published.expires_at.to_string(),
        "rules": published.rules,
        "emptied": published.emptied,
    })
}
