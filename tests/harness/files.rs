//! The workspace's own files, as a clone has them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders whose files are the project's; everything else in the root is taken file by file.
const FOLDERS: [&str; 8] = [
    ".ci", ".cargo", "charts", "crates", "crds", "docs", "examples", "tests",
];

/// A text of the workspace.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path from the root, with `/` between its parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The workspace's root.
pub fn root() -> PathBuf {
    xtask::root()
}

/// Every text of the workspace. What is no UTF-8 is no text.
///
/// # Errors
/// If a folder or file cannot be read.
pub fn all() -> io::Result<Vec<File>> {
    let root = root();
    let mut files = Vec::new();
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        if path.is_file() {
            read(&root, &path, &mut files)?;
        }
    }
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            walk(&root, &folder, &mut files)?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The Rust files under a folder, by their path from the root.
///
/// # Errors
/// If a folder or file cannot be read.
pub fn rust(under: &str) -> io::Result<Vec<File>> {
    let mut files = all()?;
    files.retain(|file| file.path.starts_with(under) && file.is_rust());
    Ok(files)
}

impl File {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    /// Whether its name ends so.
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|e| e == extension)
    }

    /// Its name without folder and extension.
    pub fn stem(&self) -> &str {
        let stem = Path::new(&self.path).file_stem();
        stem.and_then(|stem| stem.to_str()).unwrap_or_default()
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, files)?;
        } else {
            read(root, &path, files)?;
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path, files: &mut Vec<File>) -> io::Result<()> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    if let Ok(text) = String::from_utf8(fs::read(path)?) {
        files.push(File {
            path: relative.to_string_lossy().replace('\\', "/"),
            text,
        });
    }
    Ok(())
}
