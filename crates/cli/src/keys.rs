//! `countersign keys`: the keys that rulesets are signed with, and the document that binds them.

use crate::args::Generate;
use crate::report::Answer;
use crate::{Exit, Misused};
use anyhow::{Context, Result};
use countersign_ruleset::names::Cluster;
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{MAX_VALIDITY, Trust};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

mod sign_in;
mod signed;
mod trusted;

pub(crate) use sign_in::{adopt, rotate, withdraw};

/// The cluster whose trust `countersign dev` makes, and no production edge takes.
pub(crate) const DEV: &str = "dev";

/// Makes root.pem, signing.pem and trust/1.json, or nothing.
pub(crate) fn generate(args: &Generate, now: UnixTime) -> Result<Answer> {
    expect_own_name(&args.cluster)?;
    let [root_path, signing_path] = ["root.pem", "signing.pem"].map(|name| args.out.join(name));
    let trust_path = args.out.join("trust/1.json");
    for path in [&root_path, &signing_path, &trust_path] {
        anyhow::ensure!(
            fs::symlink_metadata(path).is_err(),
            "expected no {}, got one: keys are never overwritten; name another folder with --out",
            path.display()
        );
    }
    let root = SigningKey::generate(args.algorithm.into())?;
    let signing = SigningKey::generate(args.algorithm.into())?;
    let keys = [&root, &signing].map(|key| key.public_key().clone());
    let [root_public, signing_public] = keys;
    let expires_at = now.plus(MAX_VALIDITY);
    let signing_id = signing_public.id().to_string();
    let document = Trust::first(
        args.cluster.clone(),
        root_public,
        signing_public,
        expires_at,
    );
    let trust = sign::trust(&document, &[&root])?;

    let trust_folder = args.out.join("trust");
    fs::create_dir_all(&trust_folder).with_context(|| trust_folder.display().to_string())?;
    create(&root_path, root.to_pem()?.as_bytes(), 0o600)?;
    create(&signing_path, signing.to_pem()?.as_bytes(), 0o600)?;
    create(&trust_path, &trust, 0o644)?;
    Ok(Answer {
        findings: Vec::new(),
        lines: vec![
            format!(
                "{}: signs trust documents; keep it offline",
                root_path.display()
            ),
            format!(
                "{}: signs rulesets, until {expires_at}",
                signing_path.display()
            ),
            format!(
                "{}: pin it at every edge, with --trust-root",
                trust_path.display()
            ),
        ],
        json: json!({
            "cluster": args.cluster,
            "root": root_path,
            "signing": signing_path,
            "trust": trust_path,
            "keyID": signing_id,
            "expiresAt": expires_at.to_string(),
        }),
        exit: Exit::Fine,
    })
}

/// Refuses the name that edges refuse.
fn expect_own_name(cluster: &Cluster) -> Result<(), Misused> {
    if cluster.as_str() == DEV {
        return Err(Misused(format!(
            "expected a cluster of your own, got `{DEV}`: that is what `countersign dev` signs as, and \
             edges refuse it"
        )));
    }
    Ok(())
}

/// Writes a file that must not be there yet.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod first {
    use super::generate;
    use crate::args::{Algorithm, Generate};
    use crate::{Exit, Misused};
    use countersign_ruleset::sign::{Signer, SigningKey};
    use countersign_ruleset::time::UnixTime;
    use countersign_ruleset::trust::Trust;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const NOW: UnixTime = UnixTime(1_795_521_600);

    fn args(folder: &tempfile::TempDir, cluster: &str, algorithm: Algorithm) -> Generate {
        Generate {
            cluster: cluster.parse().unwrap(),
            out: folder.path().join("keys"),
            algorithm,
        }
    }

    #[test]
    fn makes_keys_that_only_their_owner_reads_and_the_trust_that_binds_them() {
        for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
            let folder = tempfile::tempdir().unwrap();
            let answer = generate(&args(&folder, "prod", algorithm), NOW).unwrap();
            assert_eq!(answer.exit, Exit::Fine);
            let read =
                |name: &str| fs::read_to_string(folder.path().join("keys").join(name)).unwrap();
            let key = |name| SigningKey::from_pem(&read(name)).unwrap();
            let (root, signing) = (key("root.pem"), key("signing.pem"));
            let trust = Trust::open_pinned(read("trust/1.json").as_bytes()).unwrap();
            assert_eq!(trust.root.keys, [root.public_key().clone()]);
            assert_eq!(trust.rulesets[0].keys, [signing.public_key().clone()]);
            for name in ["root.pem", "signing.pem"] {
                let path = folder.path().join("keys").join(name);
                let mode = fs::metadata(path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{name}");
            }
        }
    }

    #[test]
    fn never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(&folder, "prod", Algorithm::Ed25519);
        generate(&args, NOW).unwrap();
        let before = fs::read(args.out.join("root.pem")).unwrap();
        let refusal = generate(&args, NOW).unwrap_err().to_string();
        assert!(refusal.contains("keys are never overwritten"), "{refusal}");
        fs::remove_file(args.out.join("signing.pem")).unwrap();
        fs::remove_file(args.out.join("trust/1.json")).unwrap();
        generate(&args, NOW).unwrap_err();
        assert_eq!(fs::read(args.out.join("root.pem")).unwrap(), before);
        assert!(!args.out.join("signing.pem").exists(), "all or nothing");
    }

    #[test]
    fn the_name_that_edges_refuse_is_refused_here() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = generate(&args(&folder, "dev", Algorithm::Ed25519), NOW).unwrap_err();
        assert!(refusal.is::<Misused>(), "{refusal}");
    }
}
