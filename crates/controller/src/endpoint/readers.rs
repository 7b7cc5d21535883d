//! Who may read what: decided by our own enforcer, from a policy in our own language.
//!
//! The policy is compiled in this process, signed with keys that live as long as it does, and opened
//! by the one verifier: there is no other way to put rules in force.

use super::acknowledgements::Pod;
use super::issuer::Issuer;
use countersign_enforcer::claims::Claims;
use countersign_enforcer::decision::{Decision, Denial, Verdict};
use countersign_enforcer::request::Request;
use countersign_enforcer::store::{Enforcer, Target};
use countersign_policy::diagnostic::{ResourceId, Severity};
use countersign_policy::{Compilation, Resources, compile};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::manifest::{BlobRef, Digest};
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::sign::{self, Issue, Publication, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::{DEFAULT_VALIDITY, Delegation, Root, Trust};
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, State, Verifier};
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The audience of a token that is good here, and nowhere else.
pub const AUDIENCE: &str = "countersign-controller";

/// The installation, the namespace and the host that the policy is about: names of no other thing.
const CLUSTER: &str = "endpoint.countersign.internal";
const SCOPE: &str = "countersign-endpoint";
const HOST: &str = "endpoint.countersign.internal";

/// For how long the policy holds without the cluster's keys being asked for anew: a day.
const VALIDITY: u64 = 86_400;

/// Decides who may read.
#[derive(Debug)]
pub struct Readers {
    enforcer: Enforcer,
    root: SigningKey,
    signing: SigningKey,
}

/// Why the policy could not be put in force.
#[derive(Debug, thiserror::Error)]
pub enum Unprepared {
    /// It does not compile with this issuer.
    #[error("the policy of the endpoint does not compile: {0}")]
    Policy(String),
    /// There are no keys to sign it with.
    #[error("no key could be made: {0}")]
    Key(String),
    /// The verifier refuses it.
    #[error("the policy of the endpoint is refused: {0}")]
    Refused(String),
}

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    /// The pod.
    pub(super) pod: Pod,
    /// The path that was decided on.
    pub(super) path: String,
}

/// Who may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turned {
    pub(super) status: StatusCode,
    pub(super) reason: String,
    /// What is wrong with the token, in the words of RFC 6750.
    pub(super) error: Option<&'static str>,
}

impl Readers {
    /// Nobody may read until it is known whose tokens count.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn new() -> Result<Self, Unprepared> {
        let scope = name::<Scope>(SCOPE)?;
        let application = format!("Host/{HOST}");
        let target = Target::Application(name(&application)?);
        let key = || {
            let key = SigningKey::generate(KeyAlgorithm::Ed25519);
            key.map_err(|error| Unprepared::Key(error.to_string()))
        };
        Ok(Self {
            enforcer: Enforcer::new(target, vec![scope]),
            root: key()?,
            signing: key()?,
        })
    }

    /// Counts tokens of this issuer from now on, by these keys.
    ///
    /// # Errors
    /// If the policy cannot be put in force with them; what was stays.
    pub fn take(&self, issuer: &Issuer, now: UnixTime) -> Result<(), Unprepared> {
        let manifests = manifests(issuer);
        let resources = Resources::read(&manifests)
            .map_err(|unreadable| Unprepared::Policy(format!("{unreadable:?}")))?;
        let provider = ResourceId {
            kind: "ClusterTrustProvider".to_owned(),
            namespace: String::new(),
            name: "kubernetes".to_owned(),
        };
        let fetched = BTreeMap::from([(provider, issuer.keys.clone())]);
        let publication = self.sign(compile(&resources, &fetched), now)?;
        self.install(publication, now)
    }

    fn sign(&self, mut compilation: Compilation, now: UnixTime) -> Result<Publication, Unprepared> {
        let mut all = compilation.diagnostics.iter();
        if let Some(error) = all.find(|it| it.severity == Severity::Error) {
            return Err(Unprepared::Policy(error.message.clone()));
        }
        let scope = name::<Scope>(SCOPE)?;
        let compiled = compilation.rulesets.remove(&scope);
        let compiled =
            compiled.ok_or_else(|| Unprepared::Policy("nothing came of it".to_owned()))?;
        let issue = Issue {
            cluster: name(CLUSTER)?,
            scope,
            scope_uid: String::new(),
            trust: 1,
            serial: 1,
            issued_at: now,
            valid_for: VALIDITY.min(DEFAULT_VALIDITY),
            stale_for: 0,
            previous: None,
        };
        sign::publish(&compiled.rules, &compiled.keys, issue, &[&self.signing])
            .map_err(|error| Unprepared::Refused(error.to_string()))
    }

    fn install(&self, publication: Publication, now: UnixTime) -> Result<(), Unprepared> {
        let cluster = name::<Cluster>(CLUSTER)?;
        let refused = |error: &dyn std::fmt::Display| Unprepared::Refused(error.to_string());
        let document = Trust {
            cluster: cluster.clone(),
            version: 1,
            expires_at: now.plus(VALIDITY.saturating_mul(2)),
            root: Root {
                keys: vec![self.root.public_key().clone()],
                threshold: 1,
            },
            rulesets: vec![Delegation {
                scopes: vec!["*".to_owned()],
                keys: vec![self.signing.public_key().clone()],
                threshold: 1,
                max_validity: DEFAULT_VALIDITY,
            }],
        };
        let trust = sign::trust(&document, &[&self.root]).map_err(|error| refused(&error))?;
        let verifier = Verifier::start(&trust, Options::new(cluster), State::default());
        let mut verifier = verifier.map_err(|refusal| refused(&refusal))?;
        let scope = name::<Scope>(SCOPE)?;
        let cycle = verifier.accept(&scope, &mut InHand(publication), now, false);
        match cycle.outcome {
            Ok(Outcome::InForce(accepted)) => {
                self.enforcer.install(accepted.ruleset);
                Ok(())
            }
            Ok(Outcome::Unchanged) => Ok(()),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// Whether it is known whose tokens count, and still holds.
    pub fn are_known(&self, now: UnixTime) -> bool {
        self.enforcer.is_ready(now)
    }

    /// Decides a request. What is served is what was decided on: the path comes back as it was read.
    pub(super) fn admit(&self, parts: &Parts, now: UnixTime) -> Result<Reader, Turned> {
        let request = match Request::new(&parts.method, &parts.uri, &parts.headers, None) {
            Ok(request) => request,
            Err(malformed) => return Err(turned(&self.enforcer.refuse(malformed))),
        };
        let decision = self.enforcer.decide(&request, now);
        let pod = match &decision.verdict {
            Verdict::Permit(_) => decision.caller.as_ref().and_then(pod),
            Verdict::Deny(_) => return Err(turned(&decision)),
        };
        let pod = pod.ok_or_else(|| Turned {
            status: StatusCode::FORBIDDEN,
            reason: "NoPod".to_owned(),
            error: None,
        })?;
        let path = request.path().as_str().to_owned();
        Ok(Reader { pod, path })
    }
}

/// The pod that a token is bound to.
fn pod(claims: &Claims) -> Option<Pod> {
    let text = |member: &str| {
        let path = ["kubernetes.io", "pod", member].map(str::to_owned);
        let value = claims.claim(&path).known()?.as_str();
        value.map(str::to_owned)
    };
    Some(Pod {
        uid: text("uid")?,
        name: text("name")?,
    })
}

fn turned(decision: &Decision) -> Turned {
    let (status, error) = match &decision.verdict {
        Verdict::Deny(Denial::BadRequest) => (StatusCode::BAD_REQUEST, None),
        Verdict::Deny(Denial::Unauthenticated(challenge)) => {
            (StatusCode::UNAUTHORIZED, challenge.error)
        }
        Verdict::Deny(Denial::Login(login)) => (StatusCode::UNAUTHORIZED, login.challenge.error),
        Verdict::Deny(Denial::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, None),
        Verdict::Deny(Denial::Forbidden(_)) | Verdict::Permit(_) => (StatusCode::FORBIDDEN, None),
    };
    Turned {
        status,
        reason: decision.reason.as_str().to_owned(),
        error,
    }
}

/// The policy. A token must be bound to a pod, for one that is not outlives what it was made for. The
/// folder of trust documents is everybody's; `trust` may be a namespace as well, and its manifest is not.
fn manifests(issuer: &Issuer) -> [Value; 2] {
    let of_a_pod = r#"size(caller.claims["kubernetes.io"].pod.uid) > 0"#;
    let own = r#"caller.claims["kubernetes.io"].namespace == path.scope"#;
    let document = r#"path.document != "manifest.json""#;
    let from = json!([{"providerRef": {"name": "kubernetes"}}]);
    [
        json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
            "metadata": {"name": "kubernetes"},
            "spec": {"type": "Kubernetes", "issuer": issuer.name},
        }),
        json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"name": "endpoint", "namespace": SCOPE},
            "spec": {
                "hosts": [HOST],
                "audiences": [AUDIENCE],
                "rules": [
                    {
                        "name": "own-namespace", "from": from,
                        "to": [{"methods": ["GET", "HEAD"], "paths": ["/v1/{scope}/**"]}],
                        "when": format!("{own} && {of_a_pod}"),
                    },
                    {
                        "name": "trust", "from": from,
                        "to": [{"methods": ["GET", "HEAD"], "paths": ["/v1/trust/{document}"]}],
                        "when": format!("{document} && {of_a_pod}"),
                    },
                ],
            },
        }),
    ]
}

/// A name that stands in this file.
fn name<T: std::str::FromStr>(text: &str) -> Result<T, Unprepared>
where
    T::Err: std::fmt::Display,
{
    let bad = |error: T::Err| Unprepared::Policy(error.to_string());
    text.parse().map_err(bad)
}

/// What was just signed.
struct InHand(Publication);

impl Carrier for InHand {
    fn trust(&mut self, _version: u64) -> Fetched {
        Fetched::NotFound
    }

    fn manifest(&mut self, _scope: &Scope) -> Fetched {
        Fetched::Bytes(self.0.manifest.clone())
    }

    fn blob(&mut self, _scope: &Scope, blob: &BlobRef) -> Fetched {
        let is = |(digest, _): &&(Digest, Vec<u8>)| *digest == blob.digest;
        let found = self.0.blobs.iter().find(is);
        found.map_or(Fetched::NotFound, |(_, bytes)| {
            Fetched::Bytes(bytes.clone())
        })
    }
}
