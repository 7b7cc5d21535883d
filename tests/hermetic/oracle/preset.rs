//! The oracle's reading of providers: which there are, and what a type says where a resource does not.

use super::World;
use serde_json::{Value, json};

/// A provider, with what its type says where its resource does not.
pub(crate) struct Provider {
    /// `KIND/NAME`.
    pub(crate) id: String,
    pub(crate) spec: Value,
}

impl Provider {
    pub(crate) fn is_namespaced(&self) -> bool {
        self.id.starts_with("TrustProvider/")
    }

    fn of(resource: &Value) -> Self {
        let mut spec = preset(resource["spec"]["type"].as_str().unwrap_or_default());
        for (name, value) in resource["spec"].as_object().into_iter().flatten() {
            if name == "claims" {
                for (name, value) in value.as_object().into_iter().flatten() {
                    spec["claims"][name] = value.clone();
                }
            } else {
                spec[name] = value.clone();
            }
        }
        let id = |one: &Value| one.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (id(&resource["kind"]), id(&resource["metadata"]["name"]));
        Self {
            id: format!("{kind}/{name}"),
            spec,
        }
    }
}

/// 38: the table, as the providers document it. `first`: the first of these that is there.
fn preset(name: &str) -> Value {
    let email = json!({"path": ["email"], "verifiedBy": {"path": ["email_verified"]}});
    let actor = json!({"path": ["act", "sub"]});
    match name {
        "Google" => json!({
            "issuer": "https://accounts.google.com", "issuerAliases": ["accounts.google.com"], "tokenTypes": ["IDToken"], "maxLifetime": "1h",
            "tenant": ["hd"], "shared": true,
            "claims": {
                "email": {"path": ["email"], "verifiedBy": {"path": ["email_verified"]}, "domain": {"path": ["hd"]}},
                "client": {"path": ["azp"]}, "actor": actor,
            },
        }),
        "GitHubActions" => json!({
            "issuer": "https://token.actions.githubusercontent.com", "tokenTypes": ["IDToken"],
            "maxLifetime": "6h", "tenant": ["repository_owner_id"], "shared": true, "claims": {"actor": actor},
        }),
        "Kubernetes" => json!({
            "issuer": "https://kubernetes.default.svc.cluster.local", "tokenTypes": ["WorkloadToken"],
            "maxLifetime": "1h", "claims": {},
        }),
        "Entra" => json!({
            "tokenTypes": ["AccessToken"], "maxLifetime": "24h", "tenant": ["tid"],
            "claims": {
                "groups": {"path": ["groups"]},
                "email": {"path": ["email"], "verifiedBy": {"path": ["xms_edov"]}},
                "client": {"first": [["azp"], ["appid"]]}, "actor": actor, "scopes": {"first": [["scp"]]},
            },
        }),
        _ => json!({
            "tokenTypes": ["AccessToken"], "maxLifetime": "24h",
            "claims": {
                "groups": {"path": ["groups"]}, "email": email, "actor": actor,
                "client": {"first": [["azp"], ["client_id"]]}, "scopes": {"first": [["scope"], ["scp"]]},
            },
        }),
    }
}

impl World {
    /// The provider of that name; one of a namespace only for that namespace. Two of one level with one
    /// issuer conflict, both; one of a namespace may not claim an issuer that the cluster has.
    pub(crate) fn provider(&self, id: &str, namespace: Option<&str>) -> Option<Provider> {
        let (kind, name) = id.split_once('/')?;
        let namespace = if kind == "TrustProvider" {
            Some(namespace?)
        } else {
            None
        };
        let provider = Provider::of(self.named(kind, name, namespace)?);
        let others = self.resources.iter().filter(|other| {
            let meta = &other["metadata"];
            let rival = other["kind"] == "ClusterTrustProvider"
                || (other["kind"] == kind && meta["namespace"].as_str() == namespace);
            rival && (other["kind"] != kind || meta["name"] != name)
        });
        let mut issuers = others.map(|other| Provider::of(other).spec["issuer"].clone());
        (!issuers.any(|issuer| issuer == provider.spec["issuer"])).then_some(provider)
    }

    /// Every provider that counts in a namespace.
    pub(crate) fn providers<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = Provider> + 'a {
        self.resources.iter().filter_map(move |one| {
            let id = format!(
                "{}/{}",
                one["kind"].as_str()?,
                one["metadata"]["name"].as_str()?
            );
            let own = one["metadata"]
                .get("namespace")
                .is_none_or(|own| own == namespace);
            let provider = one["kind"].as_str()?.ends_with("TrustProvider") && own;
            provider.then(|| self.provider(&id, Some(namespace)))?
        })
    }
}
