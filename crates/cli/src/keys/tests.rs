//! Trust documents that follow on each other, in a folder and where they are published.

use super::trusted::{Folder, Trusted};
use super::{adopt, rotate, withdraw};
use crate::args::{Adopt, Algorithm, InCluster, Rotate, Withdraw};
use crate::{Clock, signing};
use countersign_controller::publication::{Directory, Key, Store};
use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use countersign_ruleset::sign::{Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const CLOCK: Clock = Clock {
    seconds: || UnixTime(1_795_521_600),
    milliseconds: || 1_795_521_600_000,
};

fn nowhere() -> InCluster {
    InCluster {
        namespace: "nowhere".into(),
        kubeconfig: None,
        context: Some("none of that name".into()),
    }
}

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn keys(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    /// A controller's key: its public half lies in a file.
    fn shown(&self, name: &str) -> (PublicKey, PathBuf) {
        let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let path = self.0.path().join(name);
        fs::write(&path, key.public_key().to_pem()).unwrap();
        (key.public_key().clone(), path)
    }

    fn adopt(&self, public_key: &Path, cluster: Option<&str>) -> Result<String, String> {
        self.adopt_by_id(public_key, cluster, None)
    }

    fn adopt_by_id(
        &self,
        public_key: &Path,
        cluster: Option<&str>,
        key_id: Option<&str>,
    ) -> Result<String, String> {
        let answer = adopt(
            &Adopt {
                keys: self.keys(),
                cluster: cluster.map(|name| name.parse().unwrap()),
                public_key: Some(public_key.to_owned()),
                key_id: key_id.map(Into::into),
                place: nowhere(),
            },
            CLOCK,
        );
        answer
            .map(|answer| answer.lines.join("\n"))
            .map_err(|error| format!("{error:#}"))
    }

    fn withdraw(&self, key: &PublicKey) -> Result<(), String> {
        let withdrawn = withdraw(
            &Withdraw {
                keys: self.keys(),
                key_id: key.id().as_str().get(..16).unwrap().into(),
                stolen: false,
                offline: true,
                place: nowhere(),
            },
            CLOCK,
        );
        withdrawn.map(drop).map_err(|error| format!("{error:#}"))
    }

    /// The keys that sign by each document, as an edge follows them.
    fn followed(&self) -> Vec<Vec<PublicKey>> {
        let read = |version: usize| fs::read(self.keys().join(format!("trust/{version}.json")));
        let mut trust = Trust::open_pinned(&read(1).unwrap()).unwrap().into_inner();
        let mut all = vec![trust.rulesets[0].keys.clone()];
        while let Ok(bytes) = read(all.len().saturating_add(1)) {
            trust = trust
                .open_next(&bytes, &BTreeSet::new())
                .unwrap()
                .into_inner();
            all.push(trust.rulesets[0].keys.clone());
        }
        all
    }
}

#[test]
fn keys_come_and_go_in_documents_that_an_edge_follows() {
    let world = World::new();
    let (one, one_file) = world.shown("one.pem");
    let (two, two_file) = world.shown("two.pem");
    world.adopt(&one_file, Some("prod")).unwrap();
    world.adopt(&two_file, None).unwrap();
    world.withdraw(&one).unwrap();
    let expected = [vec![one.clone()], vec![one, two.clone()], vec![two.clone()]];
    assert_eq!(world.followed(), expected);
    let last = world.withdraw(&two).unwrap_err();
    assert!(
        last.contains("is the only one for some namespaces"),
        "{last}"
    );
    assert_eq!(world.followed().len(), 3);
}

#[test]
fn to_adopt_twice_signs_once() {
    let world = World::new();
    let (_, file) = world.shown("one.pem");
    world.adopt(&file, Some("prod")).unwrap();
    let said = world.adopt(&file, Some("prod")).unwrap();
    assert!(said.contains("trust document 1: holds the key"), "{said}");
    assert_eq!(world.followed().len(), 1);
}

#[test]
fn signs_in_no_other_key_than_was_meant() {
    let world = World::new();
    let (key, file) = world.shown("one.pem");
    let (other, _) = world.shown("two.pem");
    let refusal = world.adopt_by_id(&file, Some("prod"), Some(other.id().as_str()));
    assert!(refusal.unwrap_err().ends_with("nothing was signed"));
    assert!(!world.keys().exists());
    world
        .adopt_by_id(&file, Some("prod"), Some(key.id().as_str()))
        .unwrap();
}

#[test]
fn a_document_names_one_cluster_for_ever() {
    let world = World::new();
    let (_, file) = world.shown("one.pem");
    let (_, next) = world.shown("two.pem");
    let missing = world.adopt(&file, None).unwrap_err();
    assert!(missing.starts_with("expected --cluster"), "{missing}");
    let dev = world.adopt(&file, Some("dev")).unwrap_err();
    assert!(dev.contains("edges refuse it"), "{dev}");
    world.adopt(&file, Some("prod")).unwrap();
    let other = world.adopt(&next, Some("staging")).unwrap_err();
    assert!(other.starts_with("expected --cluster prod"), "{other}");
}

#[test]
fn only_the_documents_own_root_signs_the_next() {
    let world = World::new();
    let (_, file) = world.shown("one.pem");
    let (_, next) = world.shown("two.pem");
    world.adopt(&file, Some("prod")).unwrap();
    let other = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    fs::write(world.keys().join("root.pem"), other.to_pem().unwrap()).unwrap();
    let refusal = world.adopt(&next, None).unwrap_err();
    assert!(
        refusal.starts_with("expected a root key of the trust document"),
        "{refusal}"
    );
    assert_eq!(world.followed().len(), 1);
}

#[test]
fn a_rotation_makes_a_key_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let (one, file) = world.shown("one.pem");
    world.adopt(&file, Some("prod")).unwrap();
    let new_key = world.0.path().join("signing-2.pem");
    let rotation = Rotate {
        keys: world.keys(),
        new_key: Some(new_key.clone()),
        algorithm: Algorithm::P256,
        place: nowhere(),
    };
    rotate(&rotation, CLOCK).unwrap();
    let made = signing::read_key(&new_key).unwrap();
    assert_eq!(
        fs::metadata(&new_key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(world.followed()[1], [one, made.public_key().clone()]);
    rotate(&rotation, CLOCK).unwrap_err();
    assert_eq!(world.followed().len(), 2, "a key is never overwritten");
}

/// Whoever may write where trust is published could have put a document of their own there.
#[test]
fn vouches_for_no_document_that_only_the_store_has() {
    let [world, stranger] = [World::new(), World::new()];
    let (_, file) = stranger.shown("one.pem");
    stranger.adopt(&file, Some("prod")).unwrap();
    let published = Directory::new(stranger.keys());
    let read = |folder| {
        let folder = Folder(folder);
        let published: &dyn Store = &published;
        let read = Trusted::read(&folder, Some(published));
        signing::runtime().unwrap().block_on(read)
    };
    let refusal = read(world.keys()).err().unwrap().to_string();
    assert!(
        refusal.starts_with("expected the trust documents that are published"),
        "{refusal}"
    );
    let own = read(stranger.keys()).unwrap();
    assert_eq!(own.latest().unwrap().version, 1);
    // what is written there is what was signed here
    let copy = Directory::new(world.0.path().join("published"));
    let folder = Folder(stranger.keys());
    let written = own.write(&folder, Some(&copy));
    let runtime = signing::runtime().unwrap();
    runtime.block_on(written).unwrap();
    let there = runtime
        .block_on(copy.read(&Key::Trust(1)))
        .unwrap()
        .unwrap();
    assert_eq!(
        there.bytes,
        fs::read(stranger.keys().join("trust/1.json")).unwrap()
    );
}
