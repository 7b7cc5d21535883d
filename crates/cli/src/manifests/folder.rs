//! The files of a folder, in one order on every machine, and none outside it.

use crate::finding::{File, Finding, Place};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most files.
const MAX_FILES: usize = 10_000;

/// The deepest that folders may stand inside each other.
const MAX_DEPTH: usize = 32;

/// What tools keep beside manifests and is none.
const NO_MANIFESTS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Chart.yaml"];

/// Every manifest of the folders, and the files that are named themselves.
pub(super) fn walk(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<Finding>> {
    let mut walk = Walk::default();
    for folder in folders {
        match fs::canonicalize(folder) {
            Ok(root) if root.is_dir() => {
                walk.seen.insert(root.clone());
                walk.folder(folder, &root, 0);
            }
            Ok(file) => walk.add(folder, file),
            Err(error) => walk.refuse(folder, &error),
        }
    }
    if walk.files.len() > MAX_FILES {
        let message = format!(
            "expected at most {MAX_FILES} files, got {}",
            walk.files.len()
        );
        let folder = folders.first().map(PathBuf::as_path);
        walk.find(folder.unwrap_or(Path::new("")), message, None);
    }
    if walk.findings.is_empty() {
        Ok(walk.files)
    } else {
        Err(walk.findings)
    }
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    /// Each file once, by whatever names it is there: a mounted ConfigMap has two of each.
    seen: BTreeSet<PathBuf>,
    findings: Vec<Finding>,
}

impl Walk {
    fn folder(&mut self, path: &Path, root: &Path, depth: usize) {
        if path.join("Chart.yaml").is_file() {
            let message = "expected manifests, got a Helm chart".to_owned();
            let help = "render it first: helm template CHART --output-dir FOLDER".to_owned();
            return self.find(path, message, Some(help));
        }
        if depth > MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} folders inside each other");
            return self.find(path, message, None);
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut names = match entries {
            Ok(entries) => entries
                .iter()
                .map(fs::DirEntry::file_name)
                .collect::<Vec<_>>(),
            Err(error) => return self.refuse(path, &error),
        };
        names.sort();
        for name in names {
            if self.files.len() > MAX_FILES {
                return;
            }
            // .git, .github, and the hidden halves of a mounted ConfigMap
            if !name.as_encoded_bytes().starts_with(b".") {
                self.entry(&path.join(&name), root, depth);
            }
        }
    }

    fn entry(&mut self, path: &Path, root: &Path, depth: usize) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.refuse(path, &error),
        };
        let is_folder = real.is_dir();
        if !is_folder && !is_manifest(path) {
            return;
        }
        // a pipe would be waited for, for ever
        if !is_folder && !real.is_file() {
            return self.find(path, "expected a file, got something else".to_owned(), None);
        }
        // What leads out of the folder is not what was reviewed; left out, it could be a Deny.
        if !real.starts_with(root) {
            let message = format!("leads out of the folder, to {}", real.display());
            let help = Some("copy it, or name that place as well".to_owned());
            return self.find(path, message, help);
        }
        if !is_folder {
            self.add(path, real);
        } else if self.seen.insert(real) {
            self.folder(path, root, depth.saturating_add(1));
        }
    }

    fn add(&mut self, path: &Path, real: PathBuf) {
        if self.seen.insert(real) {
            self.files.push(path.to_path_buf());
        }
    }

    fn refuse(&mut self, path: &Path, error: &io::Error) {
        self.find(path, format!("cannot be read: {error}"), None);
    }

    fn find(&mut self, path: &Path, message: String, help: Option<String>) {
        let file = Arc::new(File {
            path: path.display().to_string(),
            text: String::new(),
        });
        let finding = Finding::unreadable(Place::whole(file), message, help);
        self.findings.push(finding);
    }
}

fn is_manifest(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let ends = [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| name.ends_with(end));
    let other = name.ends_with(".access-test.yaml") || NO_MANIFESTS.contains(&name);
    ends && !other
}
