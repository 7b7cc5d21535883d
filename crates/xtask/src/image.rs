//! A container image FROM scratch, as `docker save` would write it, made without Docker.
//!
//! The bytes depend on what is in it alone: no time, no owner, no order of a folder.

use aws_lc_rs::digest::{SHA256, digest};

pub mod link;
pub mod ours;
mod roots;

/// Who runs what is in an image, and owns nothing of it: a user and a group without a name.
const USER: &str = "65532:65532";

/// The size of a tar archive's blocks.
const BLOCK: usize = 512;

/// A file of an image.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its path, without a leading `/`.
    pub path: &'a str,
    /// What may be done with it: `0o755` for a program.
    pub mode: u32,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// The archive of an image with one layer, for this machine's kind of processor, run by nobody's user.
pub fn archive(name: &str, entrypoint: &str, entries: &[Entry<'_>]) -> Vec<u8> {
    let layer = tar(entries);
    let digest = digest(&SHA256, &layer);
    let digest = crate::hex(digest.as_ref());
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let config = format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{"Entrypoint":["{entrypoint}"],"User":"{USER}"}},"rootfs":{{"type":"layers","diff_ids":["sha256:{digest}"]}}}}"#
    );
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":["{name}"],"Layers":["layer.tar"]}}]"#);
    let plain = |path, bytes| Entry {
        path,
        mode: 0o644,
        bytes,
    };
    tar(&[
        plain("manifest.json", manifest.as_bytes()),
        plain("config.json", config.as_bytes()),
        plain("layer.tar", &layer),
    ])
}

fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        tar.extend(header(entry));
        tar.extend(entry.bytes);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len().saturating_add(BLOCK.saturating_mul(2)), 0);
    tar
}

/// A header of POSIX.1-1988 (`ustar`).
fn header(entry: &Entry<'_>) -> Vec<u8> {
    let (mode, size) = (entry.mode, entry.bytes.len());
    let before = [
        field(entry.path, 100),
        field(&format!("{mode:07o}"), 8),
        field("0000000", 8), // whose it is: root's
        field("0000000", 8),
        field(&format!("{size:011o}"), 12),
        field("00000000000", 12), // when: never
    ];
    let after = [
        field("0", 1), // a plain file
        field("", 100),
        field("ustar", 6),
        field("00", 2),
        field("", 247),
    ];
    let (before, after) = (before.concat(), after.concat());
    // The sum of the bytes, its own place counted as blanks.
    let bytes = before.iter().chain(b"        ").chain(&after);
    let sum: u64 = bytes.map(|byte| u64::from(*byte)).sum();
    [before, field(&format!("{sum:06o}\0 "), 8), after].concat()
}

fn field(text: &str, size: usize) -> Vec<u8> {
    let mut field = text.as_bytes().to_vec();
    field.resize(size, 0);
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn tar_reads_what_is_written() {
        let entries = [
            Entry {
                path: "etc/a",
                mode: 0o644,
                bytes: b"hello",
            },
            Entry {
                path: "b",
                mode: 0o755,
                bytes: &[7; 600],
            },
        ];
        let listed = listed(&tar(&entries));
        assert!(
            listed.contains("-rw-r--r-- 0/0") && listed.contains("5 1970-01-01"),
            "{listed}"
        );
        assert!(
            listed.contains("-rwxr-xr-x 0/0") && listed.contains("600 1970-01-01"),
            "{listed}"
        );
    }

    #[test]
    fn an_image_names_its_only_layer() {
        let entry = Entry {
            path: "b",
            mode: 0o755,
            bytes: b"b",
        };
        let image = archive("localhost/b:1", "/b", &[entry]);
        assert_eq!(image, archive("localhost/b:1", "/b", &[entry]));
        let text = String::from_utf8_lossy(&image);
        assert!(text.contains(r#""Entrypoint":["/b"],"User":"65532:65532""#));
        assert_eq!(listed(&image).lines().count(), 3);
    }

    fn listed(tar: &[u8]) -> String {
        let mut command = Command::new("tar");
        command.args(["--list", "--verbose", "--numeric-owner", "--file=-"]);
        command.env("TZ", "UTC");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(tar).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }
}
