//! Publications one after another, by two publishers at once, and after what can go wrong in between.

use super::{Moment, Publisher};
use crate::publication::conformance::scope;
use crate::publication::{
    Authority, Chain, ClockRule, Copied, Directory, Document, NotPublished, Published, Store, Terms,
};
use crate::signing::{Keyring, SigningService};
use countersign_enforcer::load::Directory as Carrier;
use countersign_policy::diagnostic::ResourceId;
use countersign_policy::jwks::FetchedKeys;
use countersign_policy::{Compiled, Resources, compile};
use countersign_ruleset::key::{KeyAlgorithm, PublicKey};
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Options, Outcome, Ruleset, State, Verifier};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

mod faults;
pub(in crate::publication) mod faulty;
mod fence;
mod meaning;
mod primary;
mod sealed;

const NOW: UnixTime = UnixTime(1_795_521_600);
const SERIAL: u64 = 1_795_521_600_000;
pub(in crate::publication) const HOUR: u64 = 3_600;

/// An installation, whose store is a folder.
pub(in crate::publication) struct World {
    folder: tempfile::TempDir,
    root: SigningKey,
    key: Arc<SigningKey>,
    document: Trust,
    pub(in crate::publication) trust: Vec<u8>,
}

fn key() -> SigningKey {
    SigningKey::generate(KeyAlgorithm::Ed25519).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    Signer::public_key(key).clone()
}

pub(in crate::publication) fn at(seconds: u64) -> Moment {
    let now = NOW.plus(seconds);
    Moment {
        now,
        milliseconds: now.0.saturating_mul(1_000),
    }
}

/// What comes of a policy for a host, and of a provider whose keys were fetched then.
fn compiled(host: &str, fetched_at: Option<u64>) -> Compiled {
    let id = ResourceId {
        kind: "ClusterTrustProvider".into(),
        namespace: String::new(),
        name: "okta".into(),
    };
    let resources = [
        json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": id.kind,
            "metadata": {"name": id.name},
            "spec": {"type": "OIDC", "issuer": "https://id.example.com"},
        }),
        json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"name": "orders", "namespace": "shop"},
            "spec": {"hosts": [format!("{host}.example.com")], "rules": [
                {"name": "staff", "from": [{"providerRef": {"name": id.name}}]},
            ]},
        }),
    ];
    let fetched = fetched_at.map(|seconds| FetchedKeys {
        keys: Vec::new(),
        jwks_url: "https://id.example.com/keys".into(),
        fetched_at: NOW.plus(seconds),
    });
    let fetched: BTreeMap<_, _> = fetched.map(|keys| (id, keys)).into_iter().collect();
    let compilation = compile(&Resources::read(&resources).unwrap(), &fetched);
    let compiled = &compilation.rulesets[&scope("shop")];
    let (rules, keys) = (compiled.rules.clone(), compiled.keys.clone());
    Compiled { rules, keys }
}

impl World {
    pub(in crate::publication) fn new() -> Self {
        let (root, key) = (key(), Arc::new(key()));
        let end = NOW.plus(400 * 86_400);
        let cluster = "prod".parse().unwrap();
        let document = Trust::first(cluster, public(&root), public(&key), end);
        let trust = sign::trust(&document, &[&root]).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            root,
            key,
            document,
            trust,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("published")
    }

    pub(in crate::publication) fn store(&self) -> Directory {
        Directory::new(self.path())
    }

    pub(in crate::publication) fn publisher(&self) -> Publisher {
        self.over(Arc::new(self.store()))
    }

    pub(in crate::publication) fn over(&self, store: Arc<impl Store + 'static>) -> Publisher {
        Publisher::new(store, self.authority(), terms())
    }

    pub(in crate::publication) fn authority(&self) -> Authority {
        let key: Arc<dyn SigningService> = Arc::<SigningKey>::clone(&self.key);
        Authority {
            cluster: "prod".parse().unwrap(),
            trust: vec![Document {
                place: "trust/1.json".to_owned(),
                bytes: self.trust.clone(),
            }],
            keyring: Keyring::new(vec![key]),
        }
    }

    /// Trust 2, with another signing key.
    pub(in crate::publication) fn rotated(&mut self) -> Vec<u8> {
        self.key = Arc::new(key());
        self.document.version = 2;
        self.document.rulesets[0].keys = vec![public(&self.key)];
        sign::trust(&self.document, &[&self.root]).unwrap()
    }

    pub(in crate::publication) fn manifest(&self) -> Vec<u8> {
        fs::read(self.path().join("shop/manifest.json")).unwrap()
    }
}

fn terms() -> Terms {
    Terms {
        valid_for: 24 * HOUR,
        stale_for: 0,
        smallest_age: HOUR,
        clock: ClockRule::Strict,
    }
}

pub(in crate::publication) async fn publish(
    publisher: &Publisher,
    host: &str,
    when: Moment,
) -> Result<Published, NotPublished> {
    say(publisher, &compiled(host, None), when).await
}

async fn say(
    publisher: &Publisher,
    what: &Compiled,
    when: Moment,
) -> Result<Published, NotPublished> {
    let shop = scope("shop");
    publisher
        .publish(&shop, Some("uid-1"), Some(what), when)
        .await
}

/// What an edge that starts now would put in force.
fn taken(world: &World, when: Moment) -> Result<Ruleset, Refusal> {
    let options = Options::new("prod".parse().unwrap());
    let mut verifier = Verifier::start(&world.trust, options, State::default()).unwrap();
    let mut carrier = Carrier::new(world.path());
    let cycle = verifier.accept(&scope("shop"), &mut carrier, when.now, false);
    match cycle.outcome? {
        Outcome::InForce(accepted) => Ok(accepted.ruleset.into_inner()),
        Outcome::Unchanged => panic!("nothing was in force"),
    }
}

/// What a mirror is to hold.
pub(in crate::publication) async fn copied(world: &World, when: Moment) -> Copied {
    let (shop, store) = (scope("shop"), world.store());
    let documents = world.authority().trust;
    let cluster = "prod".parse().unwrap();
    let mut chain = Chain::open(&cluster, &documents, &store).await.unwrap();
    chain.follow(&store).await.unwrap();
    let mut last = chain.read(&shop, &store, when.now).await.unwrap().unwrap();
    Copied {
        chain: Arc::new(chain),
        scope: shop,
        whole: last.whole.take().unwrap(),
        last,
    }
}
