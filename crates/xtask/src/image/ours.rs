//! The project's own images: the controller's, and the edge's.
//!
//! ```text
//! countersign/controller   /countersign-controller  /countersign  /etc/ssl/certs/ca-certificates.crt
//! countersign/edge         /countersign-edge                      /etc/ssl/certs/ca-certificates.crt
//! ```
//!
//! What stands in front of traffic has no program beside it that signs.

use super::{Entry, archive, link, roots};
use crate::run;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// An image of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// What signs, and the commands for pipelines.
    Controller,
    /// What stands in front of a service.
    Edge,
}

impl Image {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Controller, Self::Edge];

    /// The part of its name that people know: after a registry, before a version.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Controller => "countersign/controller",
            Self::Edge => "countersign/edge",
        }
    }

    /// Its programs; the first is run.
    pub const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Controller => &["countersign-controller", "countersign"],
            Self::Edge => &["countersign-edge"],
        }
    }

    /// How it is built. Each image by itself: an edge that is built beside the controller would share its
    /// features, signing among them.
    const fn build(self) -> &'static [&'static str] {
        match self {
            Self::Controller => &[
                "--package",
                "countersign-controller",
                "--package",
                "countersign",
                "--features",
                "countersign-controller/aws,countersign-controller/azure,countersign-controller/gcp",
            ],
            Self::Edge => &["--package", "countersign-edge"],
        }
    }

    /// Its archive, of the programs in a folder, by a name such as `countersign/edge:1.2.3`.
    ///
    /// # Errors
    /// If a program is not there, or would not run without a C library beside it.
    pub fn archive(self, name: &str, programs: &Path) -> Result<Vec<u8>> {
        let mut files = Vec::new();
        for program in self.programs() {
            let path = programs.join(program);
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            ensure!(
                link::is_static(&bytes),
                "{} is not linked statically, as `cargo xtask` has it linked: no image could run it",
                path.display()
            );
            files.push((*program, bytes));
        }
        let roots = roots::pem();
        let mut entries: Vec<_> = files
            .iter()
            .map(|(path, bytes)| program(path, bytes))
            .collect();
        entries.push(Entry {
            path: roots::PATH,
            mode: 0o644,
            bytes: roots.as_bytes(),
        });
        let first = self.programs().first().copied().unwrap_or_default();
        Ok(archive(name, &format!("/{first}"), &entries))
    }
}

fn program<'a>(path: &'a str, bytes: &'a [u8]) -> Entry<'a> {
    Entry {
        path,
        mode: 0o755,
        bytes,
    }
}

/// What `cargo xtask image` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder for the archives, one for each image; without it, the build's own.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The version in the images' names; without it, that of the crates.
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    tag: String,
}

/// Builds the programs, and writes the images' archives, as `docker load`, `ctr images import`, `crane
/// push` and `skopeo copy docker-archive:` take them.
///
/// # Errors
/// If a program cannot be built, or an archive cannot be written.
pub fn write(arguments: &Arguments) -> Result<()> {
    let variables = link::variables()?;
    ensure!(
        !variables.is_empty(),
        "images are made on Linux with the GNU C library"
    );
    let programs = run::target()?.join("release");
    let out = arguments.out.as_deref().unwrap_or(&programs);
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    for image in Image::ALL {
        let build = [&["build", "--release", "--locked", "--bins"], image.build()].concat();
        run::cargo_with(&build, &variables)?;
        let name = format!("{}:{}", image.name(), arguments.tag);
        let archive = image.archive(&name, &programs)?;
        let file = out.join(format!("{}.tar", image.name().replace('/', "-")));
        fs::write(&file, &archive).with_context(|| file.display().to_string())?;
        let mebibytes = archive.len() >> 20;
        run::say(&format!("{name}: {}, {mebibytes} MiB", file.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_program_that_needs_libraries_is_not_taken() {
        let folder = TempDir::new().unwrap();
        fs::copy(
            std::env::current_exe().unwrap(),
            folder.path().join("countersign-edge"),
        )
        .unwrap();
        let refused = Image::Edge.archive("e:1", folder.path()).unwrap_err();
        assert!(
            refused.to_string().contains("is not linked statically"),
            "{refused}"
        );
    }

    #[test]
    fn what_is_not_built_is_named() {
        let folder = TempDir::new().unwrap();
        let refused = Image::Controller.archive("c:1", folder.path()).unwrap_err();
        assert!(refused.to_string().contains("countersign-controller"));
    }
}
