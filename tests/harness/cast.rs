//! Who plays in a set of resources: an issuer with a key of its own for each provider.

use crate::issuer::Issuer;
use countersign_policy::preset::Preset;
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The providers' issuers, by the providers' names.
#[derive(Debug, Default)]
pub struct Cast {
    players: BTreeMap<String, Player>,
}

#[derive(Debug)]
struct Player {
    issuer: Issuer,
    url: String,
    /// As whom browsers log in there.
    client: String,
}

/// A token to be issued: what is usual, and what is otherwise.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Order {
    /// The provider whose token it is.
    pub by: String,
    /// The provider whose key signs, if it is another's.
    pub signed_by: Option<String>,
    /// Members of the header; null takes one out.
    pub header: Map<String, Value>,
    /// Claims. A time may be written as `now+60`.
    pub claims: Map<String, Value>,
    /// Claims that are left out.
    pub without: Vec<String>,
    /// How it is signed.
    pub signature: Signature,
    /// What is sent in place of a token.
    pub raw: Option<String>,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
pub enum Signature {
    /// By the provider's private key.
    #[default]
    Own,
    /// By a MAC with its public key.
    Mac,
    /// Not at all: what follows the last dot is empty.
    None,
}

impl Cast {
    /// Gives each provider that has no `keys` the public key of an issuer, whose `kid` is the
    /// provider's name; where it names no issuer, its type's plays, and where it names no
    /// `algorithms`, it may sign as the issuer here does.
    pub fn of(resources: &mut [Value]) -> Self {
        let mut cast = Self::default();
        for resource in resources {
            let kind = resource["kind"].as_str().unwrap_or_default();
            if !kind.ends_with("TrustProvider") || resource["spec"].get("keys").is_some() {
                continue;
            }
            let name = resource["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let issuer = Issuer::ed25519(&name);
            let spec = &mut resource["spec"];
            spec["keys"] = json!({"inline": issuer.jwks()});
            if spec.get("algorithms").is_none() {
                spec["algorithms"] = json!([issuer.algorithm()]);
            }
            let preset = spec["type"].as_str().and_then(Preset::named);
            let by_type = preset.and_then(|preset| preset.issuer);
            let url = spec["issuer"].as_str().or(by_type);
            let url = url.unwrap_or_default().to_owned();
            let client = spec["client"]["id"].as_str().unwrap_or_default().to_owned();
            cast.players.insert(
                name,
                Player {
                    issuer,
                    url,
                    client,
                },
            );
        }
        cast
    }

    /// Issues a token for an audience.
    ///
    /// # Panics
    /// If no such provider plays.
    pub fn token(&self, order: &Order, audience: &str, now: UnixTime) -> String {
        if let Some(raw) = &order.raw {
            return raw.clone();
        }
        let player = self.player(&order.by);
        let signer = order
            .signed_by
            .as_ref()
            .map_or(player, |by| self.player(by));
        let mut header = json!({"alg": "EdDSA", "kid": order.by, "typ": "at+jwt"});
        for (name, value) in &order.header {
            if let (Some(header), true) = (header.as_object_mut(), value.is_null()) {
                header.remove(name);
            } else {
                header[name] = value.clone();
            }
        }
        let mut claims = json!({
            "iss": player.url, "sub": "ana", "aud": audience, "iat": now.0 - 60, "exp": now.0 + 600,
        });
        for (name, value) in &order.claims {
            claims[name] = at(value, now).unwrap_or_else(|| value.clone());
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|name, _| !order.without.contains(name));
        }
        let [header, claims] = [header.to_string(), claims.to_string()];
        match order.signature {
            Signature::Own => signer.issuer.sign(&header, &claims),
            Signature::Mac => signer.issuer.mac(&header, &claims),
            Signature::None => {
                let signed = signer.issuer.sign(&header, &claims);
                let end = signed.rfind('.').unwrap_or_default();
                format!("{}.", signed.get(..end).unwrap_or_default())
            }
        }
    }

    /// Issues the ID token of a login: for the provider's client, and of the type that it is.
    ///
    /// # Panics
    /// If no such provider plays.
    pub fn id_token(&self, order: &Order, now: UnixTime) -> String {
        let mut order = order.clone();
        order.header.entry("typ").or_insert_with(|| json!("JWT"));
        let nonce = || json!(crate::trial::NONCE);
        order.claims.entry("nonce").or_insert_with(nonce);
        let client = self.player(&order.by).client.clone();
        self.token(&order, &client, now)
    }

    fn player(&self, name: &str) -> &Player {
        self.players
            .get(name)
            .unwrap_or_else(|| panic!("no provider `{name}` plays"))
    }
}

/// A time that is written as `now`, `now+60`, `now-60`.
pub fn at(value: &Value, now: UnixTime) -> Option<Value> {
    let rest = value.as_str()?.strip_prefix("now")?;
    let shift: i64 = if rest.is_empty() {
        0
    } else {
        rest.parse().ok()?
    };
    Some(json!(now.0.saturating_add_signed(shift)))
}
