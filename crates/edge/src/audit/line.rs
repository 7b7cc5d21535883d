//! One record as one line of JSON.

use super::record::Record;
use countersign_enforcer::decision::RuleRef;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::{ApplicationId, ProviderId};
use countersign_ruleset::rules::Audited;
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// The longest path that a line holds; of a longer one the rest is cut off, and said to be.
const LONGEST_PATH: usize = 2_048;

/// The longest method; every registered one is shorter.
const LONGEST_METHOD: usize = 32;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: String,
    id: String,
    verdict: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    rules: Vec<Rule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    would: Option<Would<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ruleset: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<&'a str>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    path_cut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    claims: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IpAddr>,
}

#[derive(Serialize)]
struct Rule<'a> {
    policy: &'a str,
    rule: &'a str,
}

#[derive(Serialize)]
struct Would<'a> {
    verdict: &'static str,
    reason: &'static str,
    rules: Vec<Rule<'a>>,
}

/// The line, without its end.
///
/// # Errors
/// Never, as far as is known: all of it is text and numbers.
pub(super) fn of(record: &Record) -> serde_json::Result<String> {
    let called = record.called.as_ref();
    let path = called.map(|(_, path)| path.as_str());
    let shown = path.map(|path| cut(path, LONGEST_PATH));
    serde_json::to_string(&Line {
        time: record.at.to_string(),
        id: record.id.to_string(),
        verdict: verdict(record.permitted),
        reason: record.reason,
        status: record.status,
        rules: rules(&record.rules),
        would: record.would.as_ref().map(|would| Would {
            verdict: verdict(would.allow),
            reason: would.reason.as_str(),
            rules: rules(&would.rules),
        }),
        scope: record.ruleset.as_ref().map(|it| it.scope.as_str()),
        serial: record.ruleset.as_ref().map(|it| it.serial),
        ruleset: record.ruleset.as_ref().map(|it| it.digest.as_str()),
        application: record.application.as_ref().map(ApplicationId::as_str),
        method: cut(record.method.as_str(), LONGEST_METHOD),
        host: called.map(|(host, _)| host.as_str()),
        path: shown,
        path_cut: shown != path,
        provider: record.provider.as_ref().map(ProviderId::as_str),
        claims: claims(record),
        actor: record.actor.as_deref(),
        source: record.source,
    })
}

const fn verdict(permitted: bool) -> &'static str {
    if permitted { "allow" } else { "deny" }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Methods and canonical paths are ASCII, so that every place is the end of a character.
fn cut(text: &str, longest: usize) -> &str {
    text.get(..longest).unwrap_or(text)
}

fn rules(rules: &[RuleRef]) -> Vec<Rule<'_>> {
    let told = rules.iter().map(|it| Rule {
        policy: it.policy.as_str(),
        rule: it.rule.as_str(),
    });
    told.collect()
}

fn claims(record: &Record) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, form, value) in &record.claims {
        let value = match form {
            Audited::Plain => value.clone(),
            Audited::Hash => Value::String(hashed(record.provider.as_ref(), value)),
        };
        shown.insert(name.clone(), value);
    }
    shown
}

/// Salted by the provider: the same value of two providers is not seen to be the same.
fn hashed(provider: Option<&ProviderId>, value: &Value) -> String {
    let provider = provider.map_or("", ProviderId::as_str);
    let text = value.as_str().map_or_else(|| value.to_string(), Into::into);
    let digest = Digest::of(format!("{provider}\0{text}").as_bytes());
    format!("sha256:{}", digest.as_str())
}
