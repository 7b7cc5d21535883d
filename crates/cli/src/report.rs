//! The one place that prints: answers for people or for programs, colour only on a terminal.

use crate::args::Output;
use crate::finding::{Finding, show};
use crate::{Exit, Misused};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

mod junit;
mod sarif;

/// What a command has to say.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
    /// The answer for people, line by line.
    pub(crate) lines: Vec<String>,
    /// The answer for programs, but for the findings; an object.
    pub(crate) json: Value,
    /// How the command ends.
    pub(crate) exit: Exit,
}

impl Answer {
    /// The answer of a command that could not be carried out.
    pub(crate) fn failure(error: &anyhow::Error) -> Self {
        let exit = if error.is::<Misused>() {
            Exit::Usage
        } else {
            Exit::Found
        };
        let text = format!("{error:#}");
        Self {
            findings: Vec::new(),
            lines: vec![format!("error: {text}")],
            json: json!({"error": text}),
            exit,
        }
    }
}

/// Where answers go. A clone goes to the same place.
#[derive(Clone)]
pub(crate) struct Report {
    format: Output,
    colour: bool,
    out: Stream,
    err: Stream,
}

type Stream = Arc<Mutex<dyn Write + Send>>;

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Report({:?})", self.format)
    }
}

impl Report {
    /// A report on the terminal. What is no terminal gets no colour.
    pub(crate) fn terminal(format: Output) -> Self {
        Self {
            format,
            colour: true,
            out: Arc::new(Mutex::new(anstream::stdout())),
            err: Arc::new(Mutex::new(anstream::stderr())),
        }
    }

    /// Whether it is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format != Output::Text
    }

    /// Has what the edge logs printed, too: what went wrong, and nothing that goes well.
    pub(crate) fn logs() {
        let logs = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
            .with_ansi(false)
            .with_target(false)
            .with_writer(io::stderr);
        // Where there is a subscriber already, it hears them.
        drop(logs.try_init());
    }

    /// Prints a whole answer.
    pub(crate) fn answer(&self, answer: Answer) -> Exit {
        match self.format {
            Output::Text => {
                self.findings(&answer.findings);
                let stream = if matches!(answer.exit, Exit::Fine | Exit::Denied) {
                    &self.out
                } else {
                    &self.err
                };
                for line in &answer.lines {
                    print(stream, line);
                }
            }
            Output::Json => {
                let mut json = answer.json;
                if let Value::Object(members) = &mut json {
                    members.insert("findings".into(), written(&answer.findings));
                }
                print(&self.out, &json.to_string());
            }
            Output::Sarif => print(&self.out, &sarif::log(&answer.findings).to_string()),
            Output::Junit => print(&self.out, &junit::suite(&answer.findings)),
        }
        answer.exit
    }

    /// Prints a line for people.
    pub(crate) fn line(&self, text: &str) {
        if !self.is_json() {
            print(&self.out, text);
        }
    }

    /// Prints an event for programs.
    pub(crate) fn event(&self, event: &Value) {
        if self.is_json() {
            print(&self.out, &event.to_string());
        }
    }

    /// Prints findings by themselves.
    pub(crate) fn findings(&self, findings: &[Finding]) {
        if self.is_json() {
            if !findings.is_empty() {
                print(
                    &self.out,
                    &json!({"findings": written(findings)}).to_string(),
                );
            }
            return;
        }
        for finding in findings {
            print(&self.err, show(finding, self.colour).trim_end_matches('\n'));
            print(&self.err, "");
        }
    }
}

fn written(findings: &[Finding]) -> Value {
    let all = findings.iter().map(Finding::written);
    all.map(|finding| serde_json::to_value(finding).unwrap_or_default())
        .collect()
}

/// A reader that has gone is no failure of the command.
fn print(stream: &Stream, text: &str) {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let printed: io::Result<()> = writeln!(stream, "{text}").and_then(|()| stream.flush());
    drop(printed);
}
