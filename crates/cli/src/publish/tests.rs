//! Publications on a real disk: one after another, over foreign ones, and after a key was withdrawn.

use super::{Order, Published, publish};
use crate::publish::scopes;
use countersign_enforcer::load::Directory;
use countersign_policy::Compiled;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{Delegation, Trust};
use countersign_ruleset::verifier::{Options, Outcome, Ruleset, State, Verifier};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_795_521_600);
const SERIAL: u64 = 1_795_521_600_000;

struct World {
    folder: tempfile::TempDir,
    cluster: Cluster,
    root: SigningKey,
    key: Arc<SigningKey>,
    document: Trust,
    trust: Vec<u8>,
    uids: BTreeMap<Scope, String>,
    valid_for: u64,
    now: UnixTime,
}

impl World {
    fn new() -> Self {
        let cluster: Cluster = "prod".parse().unwrap();
        let root = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let publics = [&root, &key].map(|key| key.public_key().clone());
        let [root_public, key_public] = publics;
        let expires_at = NOW.plus(400 * 86_400);
        let document = Trust::first(cluster.clone(), root_public, key_public, expires_at);
        let trust = sign::trust(&document, &[&root]).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            cluster,
            root,
            key: Arc::new(key),
            document,
            trust,
            uids: BTreeMap::new(),
            valid_for: 3_600,
            now: NOW,
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("published")
    }

    fn publish(&self, names: &[&str]) -> Result<Vec<Published>, String> {
        let compiled = |name: &&str| {
            let scope = scope(name);
            let rules = Rules::empty(scope.clone());
            let keys = Keys::default();
            (scope, Compiled { rules, keys })
        };
        let order = Order {
            cluster: &self.cluster,
            key: &self.key,
            trust: &self.trust,
            trust_folder: Some(self.folder.path()),
            out: &self.out(),
            uids: &self.uids,
            valid_for: self.valid_for,
            stale_for: 0,
            now: self.now,
            milliseconds: self.now.0.saturating_mul(1_000),
        };
        let rulesets = names.iter().map(compiled).collect();
        publish(&rulesets, &order).map_err(|error| format!("{error:#}"))
    }

    fn verify(&self, name: &str) -> Result<Ruleset, String> {
        let options = Options::new(self.cluster.clone());
        let mut verifier = Verifier::start(&self.trust, options, State::default()).unwrap();
        let mut carrier = Directory::new(self.out());
        let cycle = verifier.accept(&scope(name), &mut carrier, self.now, false);
        match cycle.outcome {
            Ok(Outcome::InForce(accepted)) => Ok(accepted.ruleset.into_inner()),
            Ok(Outcome::Unchanged) => panic!("nothing was in force"),
            Err(refusal) => Err(refusal.as_str().to_owned()),
        }
    }

    /// The next trust document, with a new signing key in place of the old one.
    fn rotate(&mut self) {
        self.key = Arc::new(SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        self.document.version = 2;
        self.document.rulesets[0].keys = vec![self.key.public_key().clone()];
        let bytes = sign::trust(&self.document, &[&self.root]).unwrap();
        let path = self
            .folder
            .path()
            .join(format!("{}.json", self.document.version));
        fs::write(path, bytes).unwrap();
    }

    fn delegate(&mut self, names: &[&str], key: &SigningKey) {
        self.document.rulesets.push(Delegation {
            scopes: names.iter().map(|&name| name.to_owned()).collect(),
            keys: vec![key.public_key().clone()],
            threshold: 1,
            max_validity: 86_400,
        });
        self.trust = sign::trust(&self.document, &[&self.root]).unwrap();
    }
}

fn scope(name: &str) -> Scope {
    name.parse().unwrap()
}

#[test]
fn what_is_published_is_what_an_edge_takes() {
    let world = World::new();
    let published = world.publish(&["ops", "shop"]).unwrap();
    assert_eq!(published.len(), 2);
    for one in &published {
        let ruleset = world.verify(one.scope.as_str()).unwrap();
        assert_eq!(ruleset.manifest.serial, SERIAL);
        assert_eq!(ruleset.digest, one.digest);
        assert_eq!(ruleset.manifest.expires_at, one.expires_at);
        assert_eq!(ruleset.manifest.previous, None);
    }
    assert_eq!(
        fs::read(world.out().join("trust/1.json")).unwrap(),
        world.trust
    );
}

#[test]
fn serials_grow_though_the_clock_stands_still_or_goes_back() {
    let mut world = World::new();
    world.publish(&["shop"]).unwrap();
    let first = world.verify("shop").unwrap();
    world.publish(&["shop"]).unwrap();
    let second = world.verify("shop").unwrap();
    assert_eq!(second.manifest.serial, SERIAL + 1);
    assert_eq!(second.manifest.previous, Some(first.digest));
    world.now = NOW.minus(60);
    assert_eq!(world.publish(&["shop"]).unwrap()[0].serial, SERIAL + 2);
    world.now = NOW.plus(60);
    assert_eq!(world.publish(&["shop"]).unwrap()[0].serial, SERIAL + 60_000);
}

#[test]
fn an_expired_ruleset_is_the_last_one_all_the_same() {
    let mut world = World::new();
    world.publish(&["ops", "shop"]).unwrap();
    world.now = NOW.plus(30 * 86_400);
    assert_eq!(world.verify("shop"), Err("Expired".to_owned()));
    let published = world.publish(&["shop", "ops"]).unwrap();
    assert!(
        published
            .iter()
            .all(|one| one.serial == SERIAL + 30 * 86_400_000)
    );
    let again = world.verify("shop").unwrap();
    assert!(again.manifest.previous.is_some());
}

#[test]
fn a_namespace_that_is_gone_is_denied_and_not_forgotten() {
    let world = World::new();
    world.publish(&["ops", "shop"]).unwrap();
    let published = world.publish(&["shop"]).unwrap();
    let ops = published
        .iter()
        .find(|one| one.scope == scope("ops"))
        .unwrap();
    assert!(ops.emptied);
    let ruleset = world.verify("ops").unwrap();
    assert_eq!(ruleset.rules, Rules::empty(scope("ops")));
    assert_eq!(ruleset.manifest.serial, SERIAL + 1);
}

#[test]
fn what_another_publisher_wrote_is_neither_followed_nor_overwritten() {
    let (world, other) = (World::new(), World::new());
    other.publish(&["shop"]).unwrap();
    fs::create_dir_all(world.out()).unwrap();
    fs::rename(other.out().join("shop"), world.out().join("shop")).unwrap();
    let path = world.out().join("shop/manifest.json");
    let before = fs::read(&path).unwrap();
    for names in [&["shop"][..], &["ops", "shop"], &["ops"]] {
        let refusal = world.publish(names).unwrap_err();
        assert!(
            refusal.contains("cannot be verified: UnknownKey: "),
            "{refusal}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(!world.out().join("ops").exists(), "all or nothing");
        assert!(!world.out().join("trust").exists(), "all or nothing");
    }
    fs::write(&path, "{").unwrap();
    let refusal = world.publish(&["shop"]).unwrap_err();
    assert!(
        refusal.contains("cannot be verified: Malformed: "),
        "{refusal}"
    );
}

#[test]
fn a_key_that_was_withdrawn_leaves_no_gap_and_no_way_to_stop_its_successor() {
    let mut world = World::new();
    world.now = NOW.plus(9_000_000_000);
    world.document.expires_at = world.now.plus(86_400);
    world.trust = sign::trust(&world.document, &[&world.root]).unwrap();
    world.publish(&["shop"]).unwrap();
    let stolen = world.verify("shop").unwrap();
    world.now = world.now.minus(3_600);
    world.rotate();
    let published = world.publish(&["shop"]).unwrap();
    assert!(
        published[0].serial < stolen.manifest.serial,
        "serials begin anew"
    );
    let ruleset = world.verify("shop").unwrap();
    assert_eq!(ruleset.manifest.trust, 2);
    assert_eq!(ruleset.manifest.previous, Some(stolen.digest));
    assert!(world.out().join("trust/2.json").exists());
}

#[test]
fn signs_only_what_the_trust_document_lets_the_key_sign() {
    let mut world = World::new();
    let own = std::mem::replace(
        &mut world.key,
        Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519).unwrap()),
    );
    let refusal = world.publish(&["shop"]).unwrap_err();
    assert!(
        refusal.starts_with("expected a key that trust document 1 delegates for `shop` ("),
        "{refusal}"
    );
    assert!(!world.out().exists(), "nothing was written");
    world.key = own;
    world.publish(&["ops", "shop"]).unwrap();

    // a namespace of another team, in the same folder: its ruleset is not emptied by ours
    let team = Arc::new(SigningKey::generate(KeyAlgorithm::Ed25519).unwrap());
    let mut divided = World::new();
    divided.delegate(&["ops"], &team);
    let (published, ours) = (divided.publish(&["shop"]).unwrap(), divided.key);
    assert_eq!(published.len(), 1);
    divided.key = team;
    assert_eq!(divided.publish(&["ops"]).unwrap().len(), 1);
    assert!(divided.publish(&["shop"]).is_err());
    divided.key = ours;
    let published = divided.publish(&["shop"]).unwrap();
    assert_eq!(published.len(), 1, "{published:?}");
}

#[test]
fn says_no_longer_than_the_root_allows() {
    let mut world = World::new();
    for (valid_for, good) in [(7 * 86_400, true), (7 * 86_400 + 1, false), (0, false)] {
        world.valid_for = valid_for;
        assert_eq!(world.publish(&["shop"]).is_ok(), good, "{valid_for}");
    }
    world.valid_for = 3_600;
    world.now = world.document.expires_at;
    let refusal = world.publish(&["ops"]).unwrap_err();
    assert!(
        refusal.contains("trust document 1 expired at "),
        "{refusal}"
    );
}

#[test]
fn the_trust_of_another_cluster_or_another_root_is_refused() {
    let mut world = World::new();
    world.cluster = "stage".parse().unwrap();
    let refusal = world.publish(&["shop"]).unwrap_err();
    assert!(
        refusal.starts_with("expected a trust document of the cluster `stage`"),
        "{refusal}"
    );
    world.cluster = "prod".parse().unwrap();
    world.publish(&["shop"]).unwrap();

    let path = world.out().join("trust/1.json");
    let other = World::new();
    fs::write(&path, &other.trust).unwrap();
    let refusal = world.publish(&["shop"]).unwrap_err();
    assert!(
        refusal.contains("another trust document 1 is published there"),
        "{refusal}"
    );
    assert_eq!(fs::read(&path).unwrap(), other.trust);
}

#[test]
fn a_namespace_s_uid_is_kept_until_another_is_said() {
    let mut world = World::new();
    world.publish(&["shop"]).unwrap();
    assert_eq!(world.verify("shop").unwrap().manifest.scope_uid, "");
    world.uids.insert(scope("shop"), "0b5c".to_owned());
    world.publish(&["shop"]).unwrap();
    world.uids.clear();
    world.publish(&["shop"]).unwrap();
    assert_eq!(world.verify("shop").unwrap().manifest.scope_uid, "0b5c");
    world.uids.insert(scope("shpo"), "0b5c".to_owned());
    let refusal = world.publish(&["shop"]).unwrap_err();
    assert!(refusal.contains("got `shpo`"), "{refusal}");
    assert_eq!(scopes(&world.out()).unwrap().len(), 1);
}
