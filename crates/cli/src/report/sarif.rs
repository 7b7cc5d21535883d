//! Findings as SARIF 2.1.0, which code scanning reads.

use crate::finding::Finding;
use countersign_policy::diagnostic::Code;
use serde_json::{Value, json};

/// The log of one run.
pub(crate) fn log(findings: &[Finding]) -> Value {
    let rules = Code::ALL.iter().map(|code| {
        json!({
            "id": code.id(),
            "name": code.as_str(),
            "shortDescription": {"text": code.meaning().trim()},
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "countersign",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = if finding.is_error() {
        "error"
    } else {
        "warning"
    };
    let text = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "level": level,
        "message": {"text": text},
        "locations": [],
    });
    if let Some(place) = &finding.place {
        let mut physical = json!({"artifactLocation": {"uri": place.file.path}});
        if let (Some((line, column)), Value::Object(members)) = (place.position(), &mut physical) {
            let mut region = json!({"startLine": line, "startColumn": column});
            if let (Some(end), Value::Object(members)) = (place.end_column(), &mut region) {
                members.insert("endColumn".into(), end.into());
            }
            members.insert("region".into(), region);
        }
        if let Value::Object(members) = &mut result {
            members.insert("locations".into(), json!([{"physicalLocation": physical}]));
        }
    }
    result
}
