//! The edge's audit lines, for people: one short line a decision.

use crate::report::Report;
use serde_json::Value;
use std::io::{self, Write};

/// The most bytes of a line that is waited for; a longer one is cut, and printed as it is.
const MAX_LINE: usize = 64 << 10;

/// Takes audit lines in JSON and prints them.
#[derive(Debug)]
pub(super) struct Lines {
    report: Report,
    begun: Vec<u8>,
}

impl Lines {
    /// Prints to that report.
    pub(super) const fn new(report: Report) -> Self {
        Self {
            report,
            begun: Vec::new(),
        }
    }

    fn print(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        match serde_json::from_str::<Value>(&text) {
            Ok(mut line) => {
                self.report.line(&short(&line));
                if let Some(members) = line.as_object_mut() {
                    members.insert("event".to_owned(), "decision".into());
                }
                self.report.event(&line);
            }
            Err(_) => self.report.line(&text),
        }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        while let Some(end) = self.begun.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            self.print(line.trim_ascii_end());
        }
        if self.begun.len() > MAX_LINE {
            let line = std::mem::take(&mut self.begun);
            self.print(&line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `12:00:05  403 NoRuleMatched  GET orders.example.com/v1/orders  ClusterTrustProvider/okta`
fn short(line: &Value) -> String {
    let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = text("time");
    let time = time.get(11..19).unwrap_or(time);
    // what is let in has the status that the service gives it
    let status = line.get("status").and_then(Value::as_u64);
    let status = status.map_or_else(String::new, |status| format!("{status} "));
    let called = format!("{} {}{}", text("method"), text("host"), text("path"));
    let rules = line.get("rules").and_then(Value::as_array);
    let rules: Vec<&str> = rules
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut parts = vec![format!("{time}  {status}{}", text("reason")), called];
    if !rules.is_empty() {
        parts.push(format!("by {}", rules.join(", ")));
    }
    if let Some(provider) = line.get("provider").and_then(Value::as_str) {
        parts.push(format!("of {provider}"));
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::short;
    use serde_json::json;

    #[test]
    fn a_decision_is_one_short_line() {
        let line = json!({
            "time": "2026-11-24T12:00:05Z", "id": "0", "verdict": "deny", "reason": "DeniedByRule",
            "status": 403, "rules": ["AccessPolicy/orders/nobody"], "method": "GET",
            "host": "orders.example.com", "path": "/v1", "provider": "ClusterTrustProvider/okta",
        });
        assert_eq!(
            short(&line),
            "12:00:05  403 DeniedByRule  GET orders.example.com/v1  by AccessPolicy/orders/nobody  of \
             ClusterTrustProvider/okta"
        );
        let bare = json!({"status": 400, "reason": "PathMalformed", "method": "GET"});
        assert_eq!(short(&bare), "  400 PathMalformed  GET ");
    }
}
