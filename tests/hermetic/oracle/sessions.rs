//! Makes the sessions of scenes on the real path: by a login there, when the policy had it.

use super::pool::{HOST, NAMESPACE};
use super::scenes::resource;
use super::{MadeFor, Session, play};
use countersign_enforcer::session::Session as Made;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use tests::trial::{self, Trial};

/// Edges where somebody logged in, by who, as whose client and where.
static BEFORE: LazyLock<Mutex<BTreeMap<[String; 5], Arc<Trial>>>> = LazyLock::new(Mutex::default);

/// A session as a browser keeps it, of the application before which the edge stands now.
pub(crate) fn made(session: &Session, application: &str) -> Made {
    let (scope, application) = match session.made_for {
        MadeFor::ThisOne => (NAMESPACE, application),
        MadeFor::OtherApplication => (NAMESPACE, "Host/other.example.com"),
        MadeFor::OtherNamespace => ("ops", application),
    };
    let scopes = session.scopes.join(" ");
    let key = [&session.by, &session.client, &*scopes, scope, application].map(str::to_owned);
    let mut before = BEFORE.lock().expect("nobody failed before");
    let trial = before.entry(key).or_insert_with(|| {
        let client = json!({"id": session.client, "scopes": session.scopes});
        Arc::new(edge(&session.by, &client, (scope, application)))
    });
    let id_token = play::signed(&session.id_token);
    let when = UnixTime(session.made_at.unsigned_abs());
    let made = trial.log_in(&id_token, None, when);
    made.expect("a login that makes a session")
}

/// An edge in front of an application that has that login. What is revoked was not yet then, and
/// everybody was its tenant.
fn edge(id: &str, client: &Value, (scope, application): (&str, &str)) -> Trial {
    let mut provider = play::provider(id);
    if let Some(spec) = provider["spec"].as_object_mut() {
        spec.retain(|name, _| !["revocations", "tenants"].contains(&name.as_str()));
    }
    provider["spec"]["client"] = client.clone();
    if provider["metadata"].get("namespace").is_some() {
        provider["metadata"]["namespace"] = json!(scope);
    }
    let (kind, name) = (&provider["kind"], &provider["metadata"]["name"]);
    let login = json!({"providerRef": {"kind": kind, "name": name}});
    let rule: Value = json!({"name": "all", "from": [login]});
    let spec = json!({"hosts": [HOST], "login": login, "rules": [rule]});
    let policy = resource("AccessPolicy", Some(scope), "before", &spec);
    let mut compilation = trial::compiled(&[provider, policy]);
    let scope_name = scope.parse().expect("a scope");
    let compiled = compilation
        .rulesets
        .get_mut(&scope_name)
        .expect("it has one policy");
    for one in &mut compiled.rules.applications {
        one.id = application.parse().expect("KIND/NAME");
    }
    Trial::from(&compilation, scope, application)
}
