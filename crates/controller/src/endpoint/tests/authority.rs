//! An issuer of service-account tokens, as a cluster has one.

use super::{AUDIENCE, Issuer, NOW};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_policy::jwks::{FetchedKeys, Jwks};
use serde_json::{Value, json};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

pub(super) struct Authority(EcdsaKeyPair);

impl Authority {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(super) fn issuer(&self) -> Issuer {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "1", "x": x, "y": y});
        Issuer {
            name: ISSUER.to_owned(),
            keys: FetchedKeys {
                keys: Jwks::read(&json!({"keys": [key]})).unwrap().keys,
                jwks_url: format!("{ISSUER}/openid/v1/jwks"),
                fetched_at: NOW,
            },
        }
    }

    /// The projected token of a pod, for the endpoint.
    pub(super) fn token(&self, namespace: &str) -> String {
        self.mint(namespace, AUDIENCE, true)
    }

    pub(super) fn mint(&self, namespace: &str, audience: &str, bound: bool) -> String {
        let mut own = json!({
            "namespace": namespace,
            "serviceaccount": {"name": "orders", "uid": "sa"},
        });
        if bound {
            let uid = format!("uid-of-{namespace}");
            own["pod"] = json!({"name": "orders-1", "uid": uid});
        }
        let claims = json!({
            "iss": ISSUER, "aud": [audience], "exp": NOW.0 + 3_540, "iat": NOW.0 - 60, "nbf": NOW.0 - 60,
            "sub": format!("system:serviceaccount:{namespace}:orders"), "kubernetes.io": own,
        });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let head = encode(&json!({"alg": "ES256", "kid": "1"}));
        let signed = format!("{head}.{}", encode(&claims));
        let signature = self
            .0
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
