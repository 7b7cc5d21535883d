//! A directory as a carrier. It needs no trust: what it holds is taken for what is signed.

use countersign_ruleset::manifest::{self, BlobRef};
use countersign_ruleset::names::Scope;
use countersign_ruleset::trust;
use countersign_ruleset::verifier::{Carrier, Fetched};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// `trust/N.json`, `SCOPE/manifest.json`, `SCOPE/blobs/sha256/DIGEST`.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// A carrier over the directory.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Carrier for Directory {
    fn trust(&mut self, version: u64) -> Fetched {
        read(
            &self.0.join("trust").join(format!("{version}.json")),
            trust::MAX_BYTES,
        )
    }

    fn manifest(&mut self, scope: &Scope) -> Fetched {
        read(
            &self.0.join(scope.as_str()).join("manifest.json"),
            manifest::MAX_BYTES,
        )
    }

    fn blob(&mut self, scope: &Scope, blob: &BlobRef) -> Fetched {
        let path = self
            .0
            .join(scope.as_str())
            .join("blobs/sha256")
            .join(blob.digest.as_str());
        read(&path, usize::try_from(blob.size).unwrap_or(usize::MAX))
    }
}

/// Reads one byte more than may be there at most, so that too much is seen and never held.
pub(super) fn read(path: &Path, cap: usize) -> Fetched {
    // to open a pipe would wait for whoever writes into it, which may be nobody
    let opened = match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(io::Error::other("expected a file, got something else"))
        }
        Ok(_) => File::open(path),
        Err(error) => Err(error),
    };
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Fetched::NotFound,
        Err(error) => return Fetched::Failed(format!("{}: {error}", path.display())),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    match file.take(most).read_to_end(&mut bytes) {
        Ok(_) => Fetched::Bytes(bytes),
        Err(error) => Fetched::Failed(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::Directory;
    use countersign_ruleset::verifier::{Carrier, Fetched};
    use std::fs;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    /// What cannot end must not be read, and a pipe that nobody writes into not even be opened.
    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let trust = folder.path().join("trust");
        fs::create_dir(&trust).unwrap();
        fs::write(trust.join("1.json"), b"trust").unwrap();
        let made = Command::new("mkfifo").arg(trust.join("2.json")).status();
        assert!(made.unwrap().success());
        fs::create_dir(trust.join("3.json")).unwrap();
        let _socket = UnixListener::bind(trust.join("4.json")).unwrap();
        let mut carrier = Directory::new(folder.path().to_owned());
        assert_eq!(carrier.trust(1), Fetched::Bytes(b"trust".to_vec()));
        for version in 2..=4 {
            let path = trust.join(format!("{version}.json"));
            let reason = format!("{}: expected a file, got something else", path.display());
            assert_eq!(carrier.trust(version), Fetched::Failed(reason));
        }
        assert_eq!(carrier.trust(5), Fetched::NotFound);
    }
}
