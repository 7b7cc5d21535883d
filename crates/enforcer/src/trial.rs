//! Requests tried by a whole enforcer: its ruleset is signed, carried and verified as any other.

use crate::decision::Decision;
use crate::request::Request;
use crate::session::Session;
use crate::store::{Enforcer, Target};
use crate::token::mint;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::envelope::Verified;
use countersign_ruleset::manifest::BlobRef;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::{Keys, Provider};
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{Issue, Publication, Signer, SigningKey, publish, trust};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, Outcome, Ruleset, State, Verifier};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};

pub(crate) const APPLICATION: &str = "Service/orders";
pub(crate) const AUDIENCE: &str = "https://orders.example.com";
pub(crate) const OKTA: &str = "ClusterTrustProvider/okta";

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

/// A ruleset of an hour, to be served on for another half.
pub(crate) fn verified(rules: &Rules, keys: &Keys, serial: u64) -> Verified<Ruleset> {
    let key = |seed| SigningKey::from_seed(&[seed; 32]).unwrap();
    let (root, signing) = (key(1), key(2));
    let document = Trust::first(
        "prod".parse().unwrap(),
        root.public_key().clone(),
        signing.public_key().clone(),
        mint::NOW.plus(86_400),
    );
    let issue = Issue {
        cluster: "prod".parse().unwrap(),
        scope: rules.scope.clone(),
        scope_uid: String::new(),
        trust: 1,
        serial,
        issued_at: mint::NOW,
        valid_for: 3_600,
        stale_for: 1_800,
        previous: None,
    };
    let published = publish(rules, keys, issue, &[&signing]).unwrap();
    let pinned = trust(&document, &[&root]).unwrap();
    let options = Options::new("prod".parse().unwrap());
    let mut verifier = Verifier::start(&pinned, options, State::default()).unwrap();
    let mut carrier = Memory(published);
    match verifier
        .accept(&rules.scope, &mut carrier, mint::NOW, false)
        .outcome
    {
        Ok(Outcome::InForce(accepted)) => accepted.ruleset,
        other => panic!("{other:?}"),
    }
}

/// The rules of one application, from its policies and the cluster's.
pub(crate) fn rules(policies: &Value, guardrails: &Value) -> Rules {
    let application = json!({
        "id": APPLICATION, "hosts": ["orders.example.com"], "sections": [], "policies": policies,
        "forward": ["Email"], "disclose": "Reason"
    });
    let rules = json!({
        "scope": "shop", "applications": [application], "guardrails": guardrails, "roles": {},
        "revocations": [], "audit": {}
    });
    serde_json::from_value(rules).unwrap()
}

pub(crate) fn policy(name: &str, rules: &Value) -> Value {
    json!({"id": format!("AccessPolicy/{name}"), "mode": "Enforce", "audiences": [AUDIENCE], "rules": rules})
}

/// A rule; what `more` says is added, or put in the place of what is there.
pub(crate) fn rule(name: &str, effect: &str, from: Value, more: &Value) -> Value {
    let mut rule = json!({"name": name, "effect": effect, "from": null, "to": [{}]});
    rule["from"] = Value::Array(vec![from]);
    for (member, value) in more.as_object().unwrap() {
        rule[member] = value.clone();
    }
    rule
}

/// An entry of callers of the one provider.
pub(crate) fn okta(all: &Value) -> Value {
    json!({"identity": {"provider": OKTA, "all": all}})
}

/// An enforcer before the one application.
pub(crate) struct Trial(pub(crate) Enforcer);

impl Trial {
    /// Of one policy with these rules.
    pub(crate) fn of(list: &Value) -> Self {
        Self::with(
            &json!([policy("orders", list)]),
            &json!([]),
            vec![mint::provider()],
        )
    }

    pub(crate) fn with(policies: &Value, guardrails: &Value, providers: Vec<Provider>) -> Self {
        Self::ruling(&rules(policies, guardrails), providers)
    }

    pub(crate) fn ruling(rules: &Rules, providers: Vec<Provider>) -> Self {
        let target = Target::Application(APPLICATION.parse().unwrap());
        let enforcer = Enforcer::new(target, vec!["shop".parse().unwrap()]);
        enforcer.install(verified(rules, &Keys { providers }, 1));
        Self(enforcer)
    }

    pub(crate) fn get(&self, path: &str) -> Decision {
        self.call("GET", path, &[])
    }

    pub(crate) fn by(&self, path: &str, claims: &Value) -> Decision {
        self.with_token("GET", path, &mint::ES256.token(claims))
    }

    pub(crate) fn with_token(&self, method: &str, path: &str, token: &str) -> Decision {
        self.call(
            method,
            path,
            &[("authorization", &format!("Bearer {token}"))],
        )
    }

    pub(crate) fn call(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Decision {
        self.at(method, path, fields, mint::NOW)
    }

    pub(crate) fn at(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        now: UnixTime,
    ) -> Decision {
        self.with_session(method, path, fields, None, now)
    }

    pub(crate) fn with_session(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        session: Option<&Session>,
        now: UnixTime,
    ) -> Decision {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        if !headers.contains_key("host") {
            headers.insert("host", HeaderValue::from_static("orders.example.com"));
        }
        let (method, uri): (Method, Uri) = (method.parse().unwrap(), path.parse().unwrap());
        match Request::new(&method, &uri, &headers, None) {
            Ok(request) => {
                let request = match session {
                    Some(session) => request.with_session(session),
                    None => request,
                };
                self.0.decide(&request, now)
            }
            Err(malformed) => self.0.refuse(malformed),
        }
    }
}

/// Status, reason and rules of a decision, for a table.
pub(crate) fn told(decision: &Decision) -> (u16, &'static str, Vec<&str>) {
    let rules = decision.rules.iter().map(|it| it.rule.as_str());
    (decision.status(), decision.reason.as_str(), rules.collect())
}
