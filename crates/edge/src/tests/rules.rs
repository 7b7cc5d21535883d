//! The rules of these tests, signed by a key and opened by the one verifier.

use super::issuer;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::manifest::BlobRef;
use countersign_ruleset::names::Scope;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{Issue, Publication, Signer, SigningKey, publish, trust};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, Ruleset, State, Verifier};
use serde_json::{Value, json};

/// When the tests take place.
pub(super) const NOW: UnixTime = UnixTime(1_795_485_600);
pub(super) const APPLICATION: &str = "Service/orders";
pub(super) const AUDIENCE: &str = "https://orders.example.com";
pub(super) const HOST: &str = "orders.example.com";
pub(super) const PROVIDER: &str = "ClusterTrustProvider/okta";

/// The time of these tests, which stands still.
pub(super) const fn now() -> UnixTime {
    NOW
}

/// What may be changed of the rules.
pub(super) struct Said {
    pub(super) forward: Value,
    pub(super) disclose: &'static str,
    pub(super) audit: Value,
    pub(super) login: Option<&'static str>,
    pub(super) serial: u64,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            forward: json!([]),
            disclose: "Code",
            audit: json!({}),
            login: None,
            serial: 1,
        }
    }
}

fn rule(name: &str, effect: &str, from: &Value, path: &str) -> Value {
    json!({"name": name, "effect": effect, "from": [from], "to": [{"paths": [path]}]})
}

fn okta(all: &Value) -> Value {
    json!({"identity": {"provider": PROVIDER, "all": all}})
}

fn rules(said: &Said) -> Rules {
    let anyone = json!("anyone");
    let mut scoped = rule("scoped", "Allow", &okta(&json!([])), "/scoped/**");
    scoped["require"] = json!({
        "scopes": ["orders:read", "orders:write"], "acrValues": [], "amr": [],
        "proofOfPossession": false, "unknown": false
    });
    let rules = json!([
        rule(
            "admins",
            "Allow",
            &okta(&json!([{"groups": ["admin"]}])),
            "/admin/**"
        ),
        rule("callers", "Allow", &okta(&json!([])), "/mine/**"),
        rule("open", "Allow", &anyone, "/open/**"),
        rule("orders", "Allow", &anyone, "/shop.Orders/**"),
        scoped,
        rule("shut", "Deny", &anyone, "/open/shut/**"),
    ]);
    let policy = json!({
        "id": "AccessPolicy/orders", "mode": "Enforce", "audiences": [AUDIENCE], "rules": rules
    });
    let application = json!({
        "id": APPLICATION, "hosts": [HOST], "sections": [], "policies": [policy],
        "forward": said.forward, "disclose": said.disclose, "login": said.login
    });
    let rules = json!({
        "scope": "shop", "applications": [application], "guardrails": [], "roles": {},
        "revocations": [], "audit": said.audit
    });
    serde_json::from_value(rules).unwrap()
}

/// A publication in memory.
struct Memory(Publication);

impl Carrier for Memory {
    fn trust(&mut self, _: u64) -> Fetched {
        Fetched::NotFound
    }

    fn manifest(&mut self, _: &Scope) -> Fetched {
        Fetched::Bytes(self.0.manifest.clone())
    }

    fn blob(&mut self, _: &Scope, blob: &BlobRef) -> Fetched {
        let found = |it: &&(Digest, Vec<u8>)| it.0 == blob.digest;
        let bytes = self.0.blobs.iter().find(found);
        bytes.map_or(Fetched::NotFound, |it| Fetched::Bytes(it.1.clone()))
    }
}

/// The rules as an edge gets them.
pub(super) fn verified(said: &Said) -> Verified<Ruleset> {
    let key = |seed| SigningKey::from_seed(&[seed; 32]).unwrap();
    let (root, signing) = (key(1), key(2));
    let document = Trust::first(
        "prod".parse().unwrap(),
        root.public_key().clone(),
        signing.public_key().clone(),
        NOW.plus(86_400),
    );
    let rules = rules(said);
    let issue = Issue {
        cluster: "prod".parse().unwrap(),
        scope: rules.scope.clone(),
        scope_uid: String::new(),
        trust: 1,
        serial: said.serial,
        issued_at: NOW,
        valid_for: 3_600,
        stale_for: 0,
        previous: None,
    };
    let published = publish(&rules, &issuer::keys(), issue, &[&signing]).unwrap();
    let pinned = trust(&document, &[&root]).unwrap();
    let options = Options::new("prod".parse().unwrap());
    let mut verifier = Verifier::start(&pinned, options, State::default()).unwrap();
    let mut carrier = Memory(published);
    let cycle = verifier.accept(&rules.scope, &mut carrier, NOW, false);
    match cycle.outcome {
        Ok(Outcome::InForce(accepted)) => accepted.ruleset,
        other => panic!("{other:?}"),
    }
}
