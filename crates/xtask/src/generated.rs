//! The files that are made from the code, so that no page promises what the code does not do.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;

pub mod chart;
pub mod commands;
pub mod crds;
pub mod diagnostics;
pub mod reasons;

/// The command that writes the files, named in each of them and wherever one is found to differ.
pub const COMMAND: &str = "cargo xtask generate";

/// Folders that hold generated files only, so that one nobody makes any longer is found.
const FOLDERS: [&str; 2] = ["charts/countersign/files/crds", "crds"];

/// A file as the code would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its path from the workspace's root.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// Every generated file.
///
/// # Errors
/// If a type cannot be written in its file's form.
pub fn all() -> Result<Vec<Generated>> {
    let parts = [
        chart::files()?,
        crds::files()?,
        commands::files()?,
        diagnostics::files()?,
        reasons::files()?,
    ];
    Ok(parts.concat())
}

/// The paths of the files that are missing, other than the code would have them, or made no longer.
///
/// # Errors
/// If a file is there but cannot be read.
pub fn differing(files: &[Generated]) -> Result<Vec<String>> {
    let mut differing = left_over(files)?;
    for file in files {
        match fs::read_to_string(crate::root().join(&file.path)) {
            Ok(text) if text == file.text => {}
            Ok(_) => differing.push(file.path.clone()),
            Err(error) if error.kind() == ErrorKind::NotFound => differing.push(file.path.clone()),
            Err(error) => return Err(error).with_context(|| file.path.clone()),
        }
    }
    differing.sort();
    Ok(differing)
}

/// What to tell whoever has files that differ.
pub fn outdated(paths: &[String]) -> String {
    format!(
        "not as the code would have it: {}; run `{COMMAND}`",
        paths.join(", ")
    )
}

/// Writes the files, and removes those made no longer.
///
/// # Errors
/// If a file cannot be written.
pub fn write(files: &[Generated]) -> Result<()> {
    for path in left_over(files)? {
        fs::remove_file(crate::root().join(&path)).context(path)?;
    }
    for file in files {
        let path = crate::root().join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| file.path.clone())?;
        }
        fs::write(path, &file.text).with_context(|| file.path.clone())?;
    }
    Ok(())
}

fn left_over(files: &[Generated]) -> Result<Vec<String>> {
    let made: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut left = Vec::new();
    for folder in FOLDERS {
        let entries = match fs::read_dir(crate::root().join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).context(folder),
        };
        for entry in entries {
            let path = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            if !made.contains(path.as_str()) {
                left.push(path);
            }
        }
    }
    Ok(left)
}
