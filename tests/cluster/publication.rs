//! ConfigMaps of a real API server as the primary store: its conditions, its watch, its copies.

use countersign_controller::publication::{
    Authority, ClockRule, ConfigMaps, Document, Expected, Key, Kind, Mirrors, Moment, Mounted,
    NotPublished, Published, Publisher, Shelf, Store, Terms, WriteError, shelf,
};
use countersign_controller::signing::{Keyring, SigningService};
use countersign_policy::{Compiled, Resources, compile};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::names::Scope;
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tests::cluster::Cluster;
use tokio::time::timeout;

const NOW: UnixTime = UnixTime(1_795_521_600);

/// How long the API server may take to tell of a change.
const PATIENCE: Duration = Duration::from_secs(20);

fn at(seconds: u64) -> Moment {
    let now = NOW.plus(seconds);
    Moment {
        now,
        milliseconds: now.0 * 1_000,
    }
}

fn scope(name: &str) -> Scope {
    name.parse().expect("a scope")
}

/// What comes of a policy for a host of the namespace.
fn compiled(scope: &Scope, host: &str) -> Compiled {
    let policy = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"name": "orders", "namespace": scope},
        "spec": {"hosts": [format!("{host}.example.com")], "rules": [
            {"name": "health", "from": [{"anyone": true}], "to": [{"paths": ["/healthz"]}]},
        ]},
    });
    let resources = Resources::read(&[policy]).expect("resources");
    let mut compilation = compile(&resources, &std::collections::BTreeMap::new());
    compilation.rulesets.remove(scope).expect("a ruleset")
}

/// Who publishes: one root, one key, one trust document.
struct Installation {
    trust: Vec<u8>,
    key: Arc<SigningKey>,
}

impl Installation {
    fn new() -> Self {
        let make = || SigningKey::generate(KeyAlgorithm::Ed25519).expect("a key");
        let (root, key) = (make(), Arc::new(make()));
        let public = |key: &SigningKey| Signer::public_key(key).clone();
        let cluster = "prod".parse().expect("a name");
        let end = NOW.plus(400 * 86_400);
        let document = Trust::first(cluster, public(&root), public(&key), end);
        let trust = sign::trust(&document, &[&root]).expect("a signature");
        Self { trust, key }
    }

    fn publisher(&self, store: Arc<dyn Store>) -> Publisher {
        let key: Arc<dyn SigningService> = Arc::<SigningKey>::clone(&self.key);
        let authority = Authority {
            cluster: "prod".parse().expect("a name"),
            trust: vec![Document {
                place: "trust/1.json".into(),
                bytes: self.trust.clone(),
            }],
            keyring: Keyring::new(vec![key]),
        };
        let terms = Terms {
            valid_for: 86_400,
            stale_for: 0,
            smallest_age: 3_600,
            clock: ClockRule::Strict,
        };
        Publisher::new(store, authority, terms)
    }
}

async fn publish(
    publisher: &Publisher,
    scope: &Scope,
    host: &str,
    when: Moment,
) -> Result<Published, NotPublished> {
    let what = compiled(scope, host);
    publisher
        .publish(scope, Some("uid-1"), Some(&what), when)
        .await
}

async fn store(cluster: &Cluster) -> (Arc<ConfigMaps>, String) {
    let namespace = cluster.namespace("published").await.expect("a namespace");
    let client = cluster.client().await.expect("a client");
    (Arc::new(ConfigMaps::new(client, &namespace)), namespace)
}

/// Bytes that no compression makes fewer.
fn noise(length: usize) -> Vec<u8> {
    let next = |state: &u64| {
        let state = state.wrapping_mul(6_364_136_223_846_793_005);
        Some(state.wrapping_add(1))
    };
    let states = std::iter::successors(Some(1_u64), next);
    states
        .map(|state| state.to_be_bytes()[0])
        .take(length)
        .collect()
}

#[tokio::test]
async fn the_api_server_lets_one_of_two_writers_go_on_and_holds_what_is_large() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (store, _) = store(cluster).await;
    let key = Key::Manifest(scope("shop"));
    assert_eq!(store.read(&key).await, Ok(None));
    let first = store
        .write(&key, b"1", Expected::Absent)
        .await
        .expect("it is written");
    assert_eq!(
        store.write(&key, b"2", Expected::Absent).await,
        Err(WriteError::Conflict)
    );
    let expected = Expected::Version(first);
    let third = store
        .write(&key, b"3", expected.clone())
        .await
        .expect("it is written");
    assert_eq!(
        store.write(&key, b"4", expected).await,
        Err(WriteError::Conflict)
    );
    let there = store
        .read(&key)
        .await
        .expect("an answer")
        .expect("a manifest");
    assert_eq!((&*there.bytes, there.version), (&b"3"[..], third));

    // seven parts, and one more whose name is as long as names get
    let large = noise(6_000_000);
    let long = scope(&"s".repeat(63));
    for (scope, bytes) in [(scope("shop"), &large[..]), (long, b"small")] {
        let blob = Key::Blob(scope.clone(), Digest::of(bytes));
        for expected in [Expected::Absent, Expected::Any] {
            store
                .write(&blob, bytes, expected)
                .await
                .expect("it is written");
        }
        let there = store.read(&blob).await.expect("an answer").expect("a blob");
        assert!(there.bytes == bytes);
        let blobs = store.blobs(&scope).await.expect("an answer");
        assert_eq!(blobs, BTreeSet::from([Digest::of(bytes)]));
        store.remove(&blob).await.expect("it is removed");
        assert_eq!(store.read(&blob).await, Ok(None));
        assert!(store.blobs(&scope).await.expect("an answer").is_empty());
    }
    let scopes = store.scopes().await.expect("an answer");
    assert_eq!(scopes, BTreeSet::from([scope("shop")]));
}

#[tokio::test]
async fn trust_that_kubectl_has_put_there_is_never_changed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (store, namespace) = store(cluster).await;
    let literal = "--from-literal=1.json=one";
    let make = [
        "create",
        "configmap",
        "countersign-trust",
        literal,
        "--namespace",
        &namespace,
    ];
    cluster.kubectl(&make, "").expect("it is made");
    let first = store.read(&Key::Trust(1)).await.expect("an answer");
    assert_eq!(first.expect("trust").bytes, b"one");
    for expected in [Expected::Absent, Expected::Any] {
        let other = store.write(&Key::Trust(1), b"other", expected).await;
        assert_eq!(other, Err(WriteError::Conflict));
    }
    // two that write two documents at once do not lose one
    let (second, third) = (Key::Trust(2), Key::Trust(3));
    let (a, b) = tokio::join!(
        store.write(&second, b"two", Expected::Absent),
        store.write(&third, b"three", Expected::Absent),
    );
    a.and(b).expect("both are written");
    for (version, text) in [(1, "one"), (2, "two"), (3, "three")] {
        let there = store.read(&Key::Trust(version)).await.expect("an answer");
        assert_eq!(there.expect("trust").bytes, text.as_bytes());
    }
}

/// Each replica serves what the leader has published, as soon as the API server tells of it.
#[tokio::test]
async fn what_is_published_is_on_every_shelf_and_can_be_mounted() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (store, namespace) = store(cluster).await;
    let client = cluster.client().await.expect("a client");
    let shop = scope(&cluster.namespace("shop").await.expect("a namespace"));
    let installation = Installation::new();
    let mounted = Box::new(Mounted::new(client.clone()));
    let mirrors = Arc::new(Mirrors::new(
        Arc::<ConfigMaps>::clone(&store),
        vec![mounted],
    ));
    let publisher = installation.publisher(Arc::<ConfigMaps>::clone(&store));
    let publisher = publisher.with_mirrors(Arc::clone(&mirrors));
    let copying = tokio::spawn(async move { mirrors.run().await });
    let on = Arc::new(Shelf::new("prod".parse().expect("a name"), None));
    let (followed, place) = (Arc::clone(&on), namespace.clone());
    let following = tokio::spawn(async move {
        shelf::follow(client, &place, followed, || NOW.plus(60)).await;
    });
    let mut offered = on.watch(&shop);
    for (seconds, host) in [(0, "orders"), (1, "bills")] {
        let published = publish(&publisher, &shop, host, at(seconds))
            .await
            .expect("it is published");
        let is_it = |offer: &Option<Arc<_>>| {
            let offer: Option<&countersign_controller::publication::OnShelf> = offer.as_deref();
            offer.is_some_and(|offer| offer.digest == published.digest)
        };
        let served = timeout(PATIENCE, offered.wait_for(is_it)).await;
        served.expect("in time").expect("the shelf is there");
    }
    let read = || {
        let name = "configmap/countersign-ruleset";
        let path = format!(
            "jsonpath={{.binaryData['{}']}}",
            format!("{shop}.manifest.json").replace('.', "\\.")
        );
        cluster.kubectl(
            &["get", name, "--namespace", shop.as_str(), "--output", &path],
            "",
        )
    };
    let expected = base64(&on.manifest(&shop).expect("a manifest"));
    let waited = timeout(PATIENCE, async {
        while read().ok().as_deref().map(str::trim) != Some(&expected) {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("it can be mounted in time");
    copying.abort();
    following.abort();
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// An etcd that is put back to an older copy shows an older ruleset than edges hold.
#[tokio::test]
async fn serials_grow_over_an_etcd_that_was_restored() {
    let Some(cluster) = Cluster::alone() else {
        return;
    };
    let (store, _) = store(&cluster).await;
    let shop = scope("shop");
    let installation = Installation::new();
    let publisher = installation.publisher(Arc::<ConfigMaps>::clone(&store));
    publish(&publisher, &shop, "orders", at(0))
        .await
        .expect("it is published");
    cluster.snapshot("then").expect("a copy");
    let lost = publish(&publisher, &shop, "bills", at(10))
        .await
        .expect("it is published");
    cluster.restore("then").expect("it is put back");
    // the copy says what is asked for, and is older than what edges hold
    let again = publish(&publisher, &shop, "orders", at(10))
        .await
        .expect("it is published");
    assert!(again.changed);
    assert_eq!(again.serial, lost.serial + 1);
    cluster.restore("then").expect("it is put back");
    let anew = installation.publisher(Arc::<ConfigMaps>::clone(&store));
    let other = publish(&anew, &shop, "bills", at(11))
        .await
        .expect("it is published");
    assert!(other.serial > again.serial);
}

/// A leader that does not know yet that it is none.
#[tokio::test]
async fn of_two_publishers_the_one_that_knows_an_older_state_is_told() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (store, _) = store(cluster).await;
    let shop = scope("shop");
    let installation = Installation::new();
    let [one, other] = [(); 2].map(|()| installation.publisher(Arc::<ConfigMaps>::clone(&store)));
    publish(&one, &shop, "orders", at(0))
        .await
        .expect("it is published");
    let mut serials = BTreeSet::new();
    for round in 1..=5 {
        let [own, its] = ["a", "b"].map(|name| format!("{name}{round}"));
        let (a, b) = tokio::join!(
            publish(&one, &shop, &own, at(round)),
            publish(&other, &shop, &its, at(round)),
        );
        assert!(a.is_ok() || b.is_ok());
        for result in [a, b] {
            match result {
                Ok(published) => {
                    assert!(serials.insert(published.serial), "one serial, one ruleset");
                }
                Err(error) => assert_eq!(error.kind(), Kind::Conflict, "{error}"),
            }
        }
    }
}
