//! Rulesets on a real disk: published, changed, spoilt, and taken up again after a restart.

use super::{Loader, News, Place, Report, Sources, watch};
use crate::store::{Enforcer, Target};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{Issue, Signer, SigningKey, publish, trust};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{DEFAULT_VALIDITY, Delegation, Root, Trust};
use countersign_ruleset::verifier::Options;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

mod gate;
#[cfg(feature = "http")]
pub(super) mod server;

const NOW: UnixTime = UnixTime(1_800_000_000);

struct Disk {
    folder: tempfile::TempDir,
    root: SigningKey,
    signing: SigningKey,
    document: Trust,
    trust: Vec<u8>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Disk {
    fn new() -> Self {
        let root = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let signing = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let document = Trust {
            cluster: "prod".parse().unwrap(),
            version: 1,
            expires_at: NOW.plus(86_400),
            root: Root {
                keys: vec![root.public_key().clone()],
                threshold: 1,
            },
            rulesets: vec![Delegation {
                scopes: vec!["*".into()],
                keys: vec![signing.public_key().clone()],
                threshold: 1,
                max_validity: DEFAULT_VALIDITY,
            }],
        };
        let trust = trust(&document, &[&root]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            root,
            signing,
            document,
            trust,
            told: Arc::default(),
        }
    }

    fn publish(&self, serial: u64, stale_for: u64) {
        self.publish_of(serial, stale_for, "r");
    }

    /// With a role of that name, so that the rules are others.
    fn publish_of(&self, serial: u64, stale_for: u64, role: &str) {
        self.publish_as(&self.signing, (serial, stale_for), role);
    }

    fn publish_as(&self, signer: &SigningKey, (serial, stale_for): (u64, u64), role: &str) {
        let issue = Issue {
            cluster: "prod".parse().unwrap(),
            scope: "shop".parse().unwrap(),
            scope_uid: String::new(),
            trust: 1,
            serial,
            issued_at: NOW,
            valid_for: 3600,
            stale_for,
            previous: None,
        };
        let mut rules = Rules::empty("shop".parse().unwrap());
        let role = format!("AccessRole/{role}").parse().unwrap();
        rules.roles.insert(role, Vec::new());
        let published = publish(&rules, &Keys::default(), issue, &[signer]).unwrap();
        let scope = self.folder.path().join("published/shop");
        fs::create_dir_all(scope.join("blobs/sha256")).unwrap();
        for (digest, bytes) in &published.blobs {
            fs::write(scope.join("blobs/sha256").join(digest.as_str()), bytes).unwrap();
        }
        fs::write(scope.join("next"), published.manifest).unwrap();
        fs::rename(scope.join("next"), scope.join("manifest.json")).unwrap();
    }

    fn start(&self, wall: UnixTime) -> (Loader, Arc<Enforcer>) {
        let places = vec![self.folder.path().join("published").into()];
        self.start_with(places, wall)
    }

    fn start_with(&self, places: Vec<Place>, wall: UnixTime) -> (Loader, Arc<Enforcer>) {
        let target = Target::ByHost;
        let scopes = vec!["shop".parse().unwrap()];
        let enforcer = Arc::new(Enforcer::new(target, scopes.clone()));
        let told = Arc::clone(&self.told);
        let observer = move |report: &Report| {
            let mut news = match &report.news {
                News::InForce { serial } => serial.to_string(),
                News::Refused(refusal) => refusal.as_str().to_owned(),
                News::Unchanged => "unchanged".to_owned(),
            };
            if report.withdrawn {
                news.push_str(", withdrawn");
            }
            if !report.persisted {
                news.push_str(", not persisted");
            }
            told.lock().unwrap().push(news);
        };
        let sources = Sources {
            trust_root: self.trust.clone(),
            options: Options::new("prod".parse().unwrap()),
            scopes,
            places,
            state: Some(self.folder.path().join("state")),
        };
        let loader = Loader::start(sources, Arc::clone(&enforcer), Arc::new(observer), wall);
        (loader.unwrap(), enforcer)
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

#[test]
fn puts_in_force_what_is_published_and_keeps_it_when_spoilt() {
    let disk = Disk::new();
    let (mut loader, enforcer) = disk.start(NOW);
    assert_eq!(disk.told(), ["NotFound"], "nothing is remembered");
    loader.cycle(NOW);
    assert!(!enforcer.is_ready(NOW));
    disk.publish(1, 0);
    loader.cycle(NOW);
    assert!(enforcer.is_ready(NOW));
    fs::write(disk.folder.path().join("published/shop/manifest.json"), "{").unwrap();
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["NotFound", "1", "Malformed"]);
    assert!(enforcer.is_ready(NOW));
    assert!(
        !enforcer.is_ready(NOW.plus(3600)),
        "past its term it is not served"
    );
}

#[test]
fn a_restart_needs_no_publisher_and_keeps_its_floor() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let old = fs::read(disk.folder.path().join("published/shop/manifest.json")).unwrap();
    disk.publish(2, 0);
    disk.start(NOW).0.cycle(NOW);
    fs::remove_dir_all(disk.folder.path().join("published")).unwrap();
    disk.told();
    let (mut loader, enforcer) = disk.start(NOW);
    assert_eq!(disk.told(), ["2"]);
    assert!(enforcer.is_ready(NOW));
    disk.publish(1, 0);
    fs::write(disk.folder.path().join("published/shop/manifest.json"), old).unwrap();
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["RolledBack"]);
}

/// A trust document that no longer names the key that signed: 503, and also after a restart.
#[test]
fn what_a_removed_key_signed_goes_out_of_force() {
    let disk = Disk::new();
    disk.publish(1, 600);
    let (mut loader, enforcer) = disk.start(NOW);
    loader.cycle(NOW);
    assert!(enforcer.is_ready(NOW));
    let mut next = disk.document.clone();
    next.version = 2;
    let other = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    next.rulesets[0].keys = vec![other.public_key().clone()];
    let folder = disk.folder.path().join("published/trust");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("2.json"), trust(&next, &[&disk.root]).unwrap()).unwrap();
    disk.told();
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["RemovedKey, withdrawn"]);
    assert!(!enforcer.is_ready(NOW));
    let (_, enforcer) = disk.start(NOW);
    assert_eq!(disk.told(), ["RemovedKey"]);
    assert!(!enforcer.is_ready(NOW));
}

#[test]
fn a_restart_serves_on_what_is_stale_and_no_first_start_does() {
    let disk = Disk::new();
    disk.publish(1, 600);
    disk.start(NOW).0.cycle(NOW);
    disk.told();
    let late = NOW.plus(3_600);
    let (mut loader, enforcer) = disk.start(late);
    assert_eq!(disk.told(), ["1"]);
    assert!(enforcer.is_ready(late));
    loader.cycle(late);
    assert_eq!(disk.told(), ["unchanged"]);
    fs::remove_dir_all(disk.folder.path().join("state")).unwrap();
    disk.start(late).0.cycle(late);
    assert_eq!(disk.told(), ["NotFound", "Expired"]);
}

/// What is in force is on the disk before it is in force, and nobody else may read it.
#[test]
fn what_is_kept_is_whole_private_and_of_one_ruleset() {
    let disk = Disk::new();
    disk.publish(1, 0);
    disk.publish_of(2, 0, "r2");
    let (mut loader, _) = disk.start(NOW);
    loader.cycle(NOW);
    disk.publish_of(3, 0, "r3");
    loader.cycle(NOW);
    let state = disk.folder.path().join("state");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let blobs = state.join("shop/blobs/sha256");
    assert_eq!(
        fs::read_dir(&blobs).unwrap().count(),
        2,
        "those of one ruleset"
    );
    for file in ["state.json", "shop/manifest.json"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    assert_eq!((mode(&state), mode(&blobs)), (0o700, 0o700));
    let published = disk.folder.path().join("published/shop/manifest.json");
    assert_eq!(
        fs::read(state.join("shop/manifest.json")).unwrap(),
        fs::read(published).unwrap()
    );
}

/// M11: a revocation in it matters more than a floor that could not be written.
#[test]
fn what_cannot_be_kept_is_put_in_force_all_the_same_and_told() {
    let disk = Disk::new();
    disk.publish(1, 0);
    // a file where the folder should be
    fs::write(disk.folder.path().join("state"), "").unwrap();
    let (mut loader, enforcer) = disk.start(NOW);
    disk.told();
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["1, not persisted"]);
    assert!(enforcer.is_ready(NOW));
}

#[test]
fn of_two_directories_the_newest_that_verifies_is_in_force() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let baked = disk.folder.path().join("baked");
    fs::rename(disk.folder.path().join("published"), &baked).unwrap();
    disk.publish(2, 0);
    let (mut loader, enforcer) = disk.start(NOW);
    let baked = super::Local::Directory(super::Directory::new(baked));
    loader.local.insert(0, baked);
    disk.told();
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["1", "2"]);
    let status = enforcer.status(NOW);
    assert_eq!(status[0].in_force.as_ref().unwrap().0.serial, 2);
    loader.cycle(NOW);
    assert_eq!(disk.told(), ["RolledBack", "unchanged"]);
    assert!(enforcer.is_ready(NOW));
}

#[test]
fn an_unreadable_state_is_a_missing_one() {
    let disk = Disk::new();
    disk.publish(1, 0);
    disk.start(NOW).0.cycle(NOW);
    fs::write(disk.folder.path().join("state/state.json"), "{").unwrap();
    disk.told();
    let (_, enforcer) = disk.start(NOW);
    assert!(
        enforcer.is_ready(NOW),
        "the ruleset is signed, so it may be taken up"
    );
}

#[test]
fn a_change_is_seen_without_a_poll() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let (mut loader, enforcer) = disk.start(NOW);
    let (seen, serials) = mpsc::channel();
    let gate = Arc::get_mut(&mut loader.gate).unwrap();
    gate.tell(Arc::new(move |report: &Report| {
        if let News::InForce { serial } = report.news {
            let _ = seen.send(serial);
        }
    }));
    let running = watch(loader, || NOW, Duration::from_hours(1)).unwrap();
    let patience = Duration::from_secs(20);
    assert_eq!(serials.recv_timeout(patience), Ok(1));
    disk.publish(2, 0);
    assert_eq!(serials.recv_timeout(patience), Ok(2));
    assert!(enforcer.is_ready(NOW));
    drop(running);
    disk.publish(3, 0);
    assert!(
        serials.recv_timeout(patience).is_err(),
        "a watch that is dropped has ended"
    );
}
