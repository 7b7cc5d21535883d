//! Manifests: folders of YAML and JSON, each resource with the place of every field in its file.
//!
//! What cannot be read is found whole, not only the first of it; and then nothing is compiled.

use crate::finding::{File, Finding, Place};
use countersign_policy::diagnostic::{Diagnostic, FieldPath, Severity, Step};
use countersign_policy::resources::{Resources, Unreadable};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod folder;
mod layout;
mod scalar;
#[cfg(test)]
mod tests;
mod verbatim;
mod yaml;

use layout::Caret;
use yaml::{Document, Older};

/// The most bytes of a file.
const MAX_FILE: u64 = 8 << 20;

/// Resources and where they are written.
#[derive(Debug)]
pub(crate) struct Manifests {
    /// What is said.
    pub(crate) resources: Resources,
    /// What is read otherwise by others.
    pub(crate) warnings: Vec<Finding>,
    /// How many files were read.
    pub(crate) files: usize,
    written: Vec<Written>,
}

/// One resource, as it is written.
#[derive(Debug)]
struct Written {
    file: Arc<File>,
    document: Arc<Document>,
    /// Where in the document it is: the items of a List are resources.
    inside: FieldPath,
}

/// Reads all manifests of folders and files.
///
/// # Errors
/// All that cannot be read.
pub(crate) fn read(folders: &[PathBuf]) -> Result<Manifests, Vec<Finding>> {
    let found = folder::walk(folders)?;
    let mut findings = Vec::new();
    let mut written = Vec::new();
    for path in &found {
        match read_file(path) {
            Ok(resources) => written.extend(resources),
            Err(finding) => findings.push(*finding),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    if written.is_empty() {
        return Err(folders.iter().map(|folder| empty(folder)).collect());
    }
    let values: Vec<Value> = written.iter().map(|w| w.value().clone()).collect();
    match Resources::read(&values) {
        Ok(resources) => {
            let warnings = older(&written, &resources);
            Ok(Manifests {
                resources,
                warnings,
                files: found.len(),
                written,
            })
        }
        Err(unreadable) => Err(unreadable
            .iter()
            .map(|one| refused(one, &written))
            .collect()),
    }
}

impl Manifests {
    /// A diagnostic with its place.
    pub(crate) fn finding(&self, diagnostic: &Diagnostic) -> Finding {
        let mut all = self.written.iter().enumerate();
        let written = all.find(|(n, _)| self.resources.id_of(*n) == Some(&diagnostic.resource));
        let caret = Caret::of(diagnostic.code);
        let place = written.map(|(_, written)| {
            let inside = diagnostic.span.map(|span| span.start..span.end);
            let exact = inside.and_then(|inside| written.within(&diagnostic.path, &inside));
            exact.unwrap_or_else(|| written.place(&diagnostic.path, caret))
        });
        Finding {
            code: diagnostic.code.id(),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            resource: Some(diagnostic.resource.clone()),
            path: Some(diagnostic.path.clone()),
            place,
        }
    }

    /// How many resources have a part in policies.
    pub(crate) fn count(&self) -> usize {
        let ours = |n: &usize| self.resources.id_of(*n).is_some();
        (0..self.written.len()).filter(ours).count()
    }
}

impl Written {
    fn value(&self) -> &Value {
        self.at(self.inside.steps())
    }

    fn at(&self, steps: &[Step]) -> &Value {
        let mut value = &self.document.value;
        for step in steps {
            value = match step {
                Step::Name(name) => value.get(name),
                Step::Index(index) => value.get(index),
            }
            .unwrap_or(&Value::Null);
        }
        value
    }

    /// The place of a stretch of a field's text, where the file has it as it is read.
    fn within(&self, path: &FieldPath, stretch: &Range<usize>) -> Option<Place> {
        let steps = [self.inside.steps(), path.steps()].concat();
        let read = self.at(&steps).as_str()?;
        let scalar = self.document.layout.locate(&steps, Caret::Value);
        let span = verbatim::place(&self.file.text, &scalar, read, stretch)?;
        Some(Place {
            span: Some(layout::first_line(&self.file.text, span)),
            file: Arc::clone(&self.file),
        })
    }

    fn place(&self, path: &FieldPath, caret: Caret) -> Place {
        let steps = [self.inside.steps(), path.steps()].concat();
        let span = self.document.layout.locate(&steps, caret);
        Place {
            span: Some(layout::first_line(&self.file.text, span)),
            file: Arc::clone(&self.file),
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<Written>, Box<Finding>> {
    let file = |text: String| {
        Arc::new(File {
            path: path.display().to_string(),
            text,
        })
    };
    let text = read_text(path).map_err(|message| {
        let place = Place::whole(file(String::new()));
        Box::new(Finding::unreadable(place, message, None))
    })?;
    let file = file(text);
    match yaml::documents(&file.text) {
        Ok(documents) => Ok(documents
            .into_iter()
            .flat_map(|d| resources(&file, d))
            .collect()),
        Err(broken) => {
            let template = file.text.contains("{{").then(|| {
                "a template is no manifest yet: render it first, as by `helm template`".to_owned()
            });
            let place = Place {
                span: Some(layout::first_line(&file.text, broken.span)),
                file,
            };
            let help = template.or(broken.help);
            Err(Box::new(Finding::unreadable(place, broken.message, help)))
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(format!("expected at most {} MiB, got more", MAX_FILE >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("expected UTF-8, got another byte at {at}")
    })
}

/// A document's resources: itself, or the items of a List, as `kubectl get` prints one.
fn resources(file: &Arc<File>, document: Document) -> Vec<Written> {
    let is_list = document.value.get("kind").and_then(Value::as_str) == Some("List");
    let items = document.value.get("items").and_then(Value::as_array);
    let insides = match items {
        Some(items) if is_list => {
            let items_path = FieldPath::default().name("items");
            (0..items.len()).map(|n| items_path.index(n)).collect()
        }
        _ => vec![FieldPath::default()],
    };
    let document = Arc::new(document);
    let written = |inside| Written {
        file: Arc::clone(file),
        document: Arc::clone(&document),
        inside,
    };
    insides.into_iter().map(written).collect()
}

/// An empty folder is more likely a wrong one than the wish that everything be denied.
fn empty(folder: &Path) -> Finding {
    let file = Arc::new(File {
        path: folder.display().to_string(),
        text: String::new(),
    });
    let help = "name the folder that holds the manifests; files end in .yaml, .yml or .json";
    let message = "expected at least one manifest, got none";
    Finding::unreadable(Place::whole(file), message, Some(help.to_owned()))
}

fn refused(unreadable: &Unreadable, all: &[Written]) -> Finding {
    let written = all.get(unreadable.index);
    let place = written.map(|written| written.place(&unreadable.path, Caret::Value));
    Finding {
        code: "Unreadable",
        severity: Severity::Error,
        message: unreadable.message.clone(),
        help: None,
        resource: unreadable.resource.clone(),
        path: Some(unreadable.path.clone()),
        place,
    }
}

/// What kubectl, which reads YAML 1.1, takes for something else, in resources of ours.
fn older(written: &[Written], resources: &Resources) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut seen = BTreeSet::new();
    for (n, written) in written.iter().enumerate() {
        let Some(id) = resources.id_of(n) else {
            continue;
        };
        for Older { span, reading } in &written.document.older {
            // the items of one List share a document
            if !seen.insert((&written.file.path, span.start)) {
                continue;
            }
            let place = Place {
                file: Arc::clone(&written.file),
                span: Some(span.clone()),
            };
            let text = written.file.text.get(span.clone()).unwrap_or_default();
            findings.push(Finding {
                code: "YamlVersion",
                severity: Severity::Warning,
                message: format!("`{text}` is read as {reading} by kubectl (YAML 1.1)"),
                help: Some(format!("put it in quotes: \"{text}\"")),
                resource: Some(id.clone()),
                path: None,
                place: Some(place),
            });
        }
    }
    findings
}
