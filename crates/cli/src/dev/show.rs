//! What `countersign dev` says: where everything is, what to try, what has changed.

use super::stage::Staged;
use super::tokens::Tokens;
use super::tries::{Try, Who};
use crate::finding::{Finding, count, counted};
use crate::publish::Published;
use crate::report::Report;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The edge.
    pub(super) edge: SocketAddr,
    /// The issuer.
    pub(super) issuer: SocketAddr,
    /// The service behind the edge.
    pub(super) upstream: String,
}

/// Says where everything is.
pub(super) fn places(report: &Report, places: &Places, folder: &Path) {
    let Places {
        edge,
        issuer,
        upstream,
    } = places;
    report.line(&format!("edge      http://{edge}, before {upstream}"));
    report.line(&format!(
        "issuer    http://{issuer}, who there is: http://{issuer}/people"
    ));
    report.line(&format!("watching  {}", folder.display()));
    report.event(&json!({
        "event": "started",
        "edge": format!("http://{edge}"),
        "issuer": format!("http://{issuer}"),
        "upstream": upstream,
        "folder": folder,
    }));
}

/// Says what is wrong with the folder.
pub(super) fn staged(report: &Report, staged: &Staged, is_in_force: bool) {
    match staged {
        Staged::Unreadable(findings) => {
            report.findings(findings);
            let kept = if is_in_force {
                "what was in force stays in force"
            } else {
                "nothing is in force: every request is answered 503"
            };
            let what = counted(findings).unwrap_or_default();
            report.line(&format!("{what}: {kept}"));
            report.event(&json!({"event": "unreadable"}));
        }
        Staged::Published { findings, .. } => {
            report.findings(findings);
            if findings.iter().any(Finding::is_error) {
                let counted = counted(findings).unwrap_or_default();
                report.line(&format!("{counted}: what is wrong gives no access"));
            }
        }
    }
}

/// Says what is in force.
pub(super) fn in_force(report: &Report, published: &[Published], before: &[Published]) {
    for one in published {
        let was = before.iter().find(|was| was.scope == one.scope);
        report.line(&line(one, was));
        report.event(&json!({
            "event": "inForce",
            "scope": one.scope,
            "serial": one.serial,
            "rules": one.rules,
        }));
    }
}

fn line(one: &Published, was: Option<&Published>) -> String {
    let (scope, serial) = (&one.scope, one.serial);
    let rules = count(one.rules, "rule");
    let changed = match was {
        Some(was) if was.rules != one.rules => format!(" (there were {})", was.rules),
        _ => String::new(),
    };
    if one.emptied {
        return format!(
            "in force  {scope}: nothing, as it is gone: everything is denied; serial {serial}"
        );
    }
    format!("in force  {scope}: {rules}{changed}, serial {serial}")
}

/// Says that the edge did not put in force in time what was published.
pub(super) fn late(report: &Report, why: &str) {
    report.line(&format!("not in force: {why}"));
    report.event(&json!({"event": "notInForce", "because": why}));
}

/// Says that somebody has no token, and why.
pub(super) fn without_token(report: &Report, who: &Who, why: &anyhow::Error) {
    report.line(&format!("{} has no token: {why:#}", who.name));
}

/// Says what to try, where that is other than before.
pub(super) fn tries(
    report: &Report,
    tries: &BTreeMap<String, Vec<Try>>,
    before: &BTreeMap<String, Vec<Try>>,
    edge: SocketAddr,
    tokens: &Tokens,
) {
    for (application, tries) in tries {
        if before.get(application) == Some(tries) {
            continue;
        }
        report.line(&format!("\n{application}"));
        for one in tries {
            report.line(&format!("  # {}", one.says()));
            report.line(&format!("  {}", one.curl(edge, tokens)));
            let mut event = one.written(edge, tokens);
            if let Some(members) = event.as_object_mut() {
                members.insert("event".to_owned(), json!("try"));
                members.insert("application".to_owned(), json!(application));
            }
            report.event(&event);
        }
    }
}
