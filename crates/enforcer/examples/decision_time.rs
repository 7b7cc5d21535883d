//! Measures a decision and the verification of a token, under rulesets of 10 and of 1,000 policies.
//!
//! `cargo run --profile ci -p countersign-enforcer --example decision_time`

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_enforcer::request::Request;
use countersign_enforcer::store::{Enforcer, Target};
use countersign_enforcer::token::{Compact, Providers, verify};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::manifest::BlobRef;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{Issue, Publication, Signer, SigningKey, publish, trust};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, Ruleset, State, Verifier};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NOW: UnixTime = UnixTime(1_800_000_000);
const ISSUER: &str = "https://id.example.com";
const PROVIDER: &str = "ClusterTrustProvider/okta";
const ROUNDS: usize = 2_001;

#[expect(clippy::print_stdout, reason = "it is what a measurement is for")]
fn main() -> Result<()> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let keys: Keys = serde_json::from_value(keys(&key))?;
    for policies in [10, 1_000] {
        let rules: Rules = serde_json::from_value(rules(policies))?;
        let enforcer = Enforcer::new(
            Target::Application("Service/orders".parse()?),
            vec!["shop".parse()?],
        );
        enforcer.install(verified(&rules, &keys)?);
        let (method, uri) = (
            Method::GET,
            format!("/p{}/orders/7", policies / 2).parse::<Uri>()?,
        );
        let token = token(&key, 0)?;
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("orders.example.com"));
        let anonymous = median(|_| {
            let request = Request::new(&method, &uri, &headers, None);
            black_box(
                request
                    .map(|request| enforcer.decide(&request, NOW).is_permitted())
                    .ok(),
            );
        });
        headers.insert("authorization", format!("Bearer {token}").parse()?);
        let request = Request::new(&method, &uri, &headers, None)?;
        if !enforcer.decide(&request, NOW).is_permitted() {
            return Err("the request that is measured must be let in".into());
        }
        let known = median(|_| {
            black_box(enforcer.decide(&request, NOW).is_permitted());
        });
        println!(
            "{policies:>5} policies: without a token {anonymous:>6} ns, with a known one {known:>6} ns"
        );
    }
    let providers = Providers::new(keys, &[]);
    let tokens: Vec<String> = (0..ROUNDS).map(|n| token(&key, n)).collect::<Result<_>>()?;
    let new = median(|n| {
        let compact = Compact::new(tokens.get(n).map_or("", String::as_str));
        black_box(verify(compact, |issuer| providers.by_issuer(issuer), NOW).is_ok());
    });
    println!("verification of a new token (ES256): {new} ns");
    Ok(())
}

/// The median of so many rounds, in nanoseconds.
fn median(mut round: impl FnMut(usize)) -> u128 {
    let mut times: Vec<u128> = (0..ROUNDS)
        .map(|n| {
            let begin = Instant::now();
            round(n);
            begin.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// So many policies on one application, each with a path and a group of its own.
fn rules(policies: usize) -> Value {
    let policy = |n: usize| {
        json!({
            "id": format!("AccessPolicy/p{n}"), "mode": "Enforce",
            "audiences": ["https://orders.example.com"],
            "rules": [{
                "name": "callers", "effect": "Allow", "to": [{"paths": [format!("/p{n}/orders/**")]}],
                "from": [{"identity": {"provider": PROVIDER, "all": [{"groups": [format!("g{n}"), "staff"]}]}}]
            }, {
                "name": "guests", "effect": "Deny", "to": [{"paths": [format!("/p{n}/**")]}],
                "from": [{"identity": {"provider": PROVIDER, "all": [{"groups": ["guests"]}]}}]
            }]
        })
    };
    json!({
        "scope": "shop",
        "applications": [{
            "id": "Service/orders", "hosts": ["orders.example.com"], "sections": [],
            "policies": (0..policies).map(policy).collect::<Vec<_>>(), "forward": [], "disclose": "Code"
        }],
        "guardrails": [], "roles": {}, "revocations": [], "audit": {}
    })
}

fn keys(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at_checked(32).unwrap_or_default();
    json!({"providers": [{
        "id": PROVIDER, "issuers": [ISSUER], "algorithms": ["ES256"], "tokenTypes": ["AccessToken"],
        "forms": [{"tokenType": "AccessToken", "typ": ["at+jwt"], "present": [], "absent": []}],
        "maxLifetime": 3_600, "clockSkew": 30,
        "claims": {
            "groups": {"path": ["groups"], "whenAbsent": "Unknown", "overage": []},
            "client": [["azp"]], "scopes": [["scope"]]
        },
        "refresh": "Never", "maxStale": 0,
        "keys": [{
            "kty": "EC", "kid": "k", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)
        }]
    }]})
}

fn token(key: &EcdsaKeyPair, n: usize) -> Result<String> {
    let claims = json!({
        "iss": ISSUER, "sub": format!("user-{n}"), "aud": "https://orders.example.com",
        "iat": NOW.0, "exp": NOW.plus(3_600), "azp": "dashboards", "scope": "orders:read",
        "groups": ["staff", "order-support", "everyone"]
    });
    let header = json!({"alg": "ES256", "kid": "k", "typ": "at+jwt"});
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
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

fn verified(rules: &Rules, keys: &Keys) -> Result<Verified<Ruleset>> {
    let root = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let signing = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let document = Trust::first(
        "bench".parse()?,
        root.public_key().clone(),
        signing.public_key().clone(),
        NOW.plus(86_400),
    );
    let issue = Issue {
        cluster: "bench".parse()?,
        scope: rules.scope.clone(),
        scope_uid: String::new(),
        trust: 1,
        serial: 1,
        issued_at: NOW,
        valid_for: 3_600,
        stale_for: 0,
        previous: None,
    };
    let published = publish(rules, keys, issue, &[&signing])?;
    let pinned = trust(&document, &[&root])?;
    let options = Options::new("bench".parse()?);
    let mut verifier = Verifier::start(&pinned, options, State::default())?;
    let cycle = verifier.accept(&rules.scope, &mut Memory(published), NOW, false);
    match cycle.outcome? {
        Outcome::InForce(accepted) => Ok(accepted.ruleset),
        Outcome::Unchanged => Err("nothing was in force before".into()),
    }
}
