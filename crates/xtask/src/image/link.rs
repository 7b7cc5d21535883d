//! Programs that need nothing of the machine they run on, so that an image can hold them alone.
//!
//! The C library is linked in. As a flag for all that cargo builds, this would not do: what runs in the
//! compiler, such as a derive, has to be loaded by it. It need only be said where a program is linked,
//! and so whatever the programs are made of is compiled once, for them and for the tests.

use crate::run;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// What cargo calls in place of rustc.
const WRAPPER: &str = include_str!("link.sh");

/// A program header's type for the path of who loads the libraries that a program needs.
const INTERPRETER: u32 = 3;

/// What cargo is told, so that it links our programs so; nothing where there is another C library than
/// GNU's.
///
/// # Errors
/// If it cannot be put where cargo finds it.
pub fn variables() -> Result<Vec<(&'static str, String)>> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return Ok(Vec::new());
    }
    // Its path is a part of what cargo calls the same build: it is beside what was built.
    let target = run::target()?;
    let wrapper = target.join("link.sh");
    if fs::read_to_string(&wrapper).ok().as_deref() != Some(WRAPPER) {
        let new = target.join(format!("link.sh.{}", std::process::id()));
        fs::write(&new, WRAPPER)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(&new, &wrapper)?;
    }
    Ok(vec![("RUSTC_WORKSPACE_WRAPPER", said(wrapper)?)])
}

fn said(path: PathBuf) -> Result<String> {
    let path = path.into_os_string().into_string();
    path.ok().context("the target folder's name is no text")
}

/// Whether a program of Linux, for 64 bits, needs nobody who loads libraries for it.
pub fn is_static(program: &[u8]) -> bool {
    headers(program).is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&INTERPRETER))
}

/// The types of its program headers; none of what is no such program.
fn headers(program: &[u8]) -> Option<Vec<u32>> {
    // ELF, 64 bits, the least byte first
    program.strip_prefix(b"\x7fELF\x02\x01")?;
    let at = usize::try_from(u64::from_le_bytes(bytes(program, 0x20)?)).ok()?;
    let size = usize::from(u16::from_le_bytes(bytes(program, 0x36)?));
    let count = usize::from(u16::from_le_bytes(bytes(program, 0x38)?));
    let kinds = (0..count).map(|number| {
        let at = at.checked_add(number.checked_mul(size)?)?;
        Some(u32::from_le_bytes(bytes(program, at)?))
    });
    kinds.collect()
}

fn bytes<const N: usize>(of: &[u8], at: usize) -> Option<[u8; N]> {
    of.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with headers of these types.
    fn program(kinds: &[u32]) -> Vec<u8> {
        let mut program = b"\x7fELF\x02\x01".to_vec();
        program.resize(0x40, 0);
        program[0x20] = 0x40;
        program[0x36] = 56;
        program[0x38] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            program.extend([&kind.to_le_bytes()[..], &[0; 52]].concat());
        }
        program
    }

    #[test]
    fn a_program_that_names_who_loads_its_libraries_is_found() {
        assert!(is_static(&program(&[1, 2, 1])));
        assert!(!is_static(&program(&[1, INTERPRETER, 2])));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken() {
        let whole = program(&[1, 2]);
        for size in [0, 5, 0x39, 0x40, whole.len() - 53] {
            assert!(!is_static(&whole[..size]), "{size}");
        }
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(&program(&[])));
    }

    #[test]
    fn this_test_is_loaded_by_somebody() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(!is_static(&this));
    }
}
