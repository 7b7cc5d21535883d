//! `countersign check`: what is wrong with manifests. It reaches no network.

use crate::Exit;
use crate::args::Check;
use crate::finding::{Finding, count, counted};
use crate::manifests::{self, Manifests};
use crate::report::Answer;
use countersign_controller::provider_keys;
use countersign_policy::compile;
use serde_json::json;
use std::collections::BTreeMap;

/// Checks.
pub(crate) fn run(args: &Check) -> Answer {
    match manifests::read(&args.folders) {
        Ok(manifests) => answer(&manifests),
        Err(findings) => unreadable(findings, "nothing was checked"),
    }
}

fn answer(manifests: &Manifests) -> Answer {
    let compilation = compile(&manifests.resources, &BTreeMap::new());
    // keys are not fetched here: that there are none says nothing of the manifests
    let found = compilation
        .diagnostics
        .iter()
        .filter(|one| !provider_keys::is_want_of_keys(one));
    let mut findings: Vec<Finding> = found.map(|one| manifests.finding(one)).collect();
    findings.extend(manifests.warnings.iter().cloned());
    let (resources, files) = (manifests.count(), manifests.files);
    let exit = if findings.iter().any(Finding::is_error) {
        Exit::Found
    } else {
        Exit::Fine
    };
    let what = counted(&findings).unwrap_or_else(|| "nothing is wrong".to_owned());
    let read = format!(
        "{} in {}",
        count(resources, "resource"),
        count(files, "file")
    );
    Answer {
        findings,
        lines: vec![format!("{read}: {what}")],
        json: json!({"resources": resources, "files": files}),
        exit,
    }
}

/// The answer where something cannot be read: then nothing else is done.
pub(crate) fn unreadable(findings: Vec<Finding>, consequence: &str) -> Answer {
    let what = counted(&findings).unwrap_or_default();
    Answer {
        findings,
        lines: vec![format!("{what}: {consequence}")],
        json: json!({"unreadable": true}),
        exit: Exit::Found,
    }
}
