//! Real tokens for tests: keys that are made once, signed by aws-lc-rs.

use super::Trusted;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_ruleset::provider::{
    Algorithm, ClaimPaths, EmailClaim, GroupsClaim, Provider, PublicJwk, Refresh, TokenForm,
    TokenType, WhenAbsent,
};
use countersign_ruleset::rules::Revocation;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// When the tests take place.
pub(crate) const NOW: UnixTime = UnixTime(1_795_485_600);

/// Who signs in the tests.
pub(crate) const ISSUER: &str = "https://id.example.com";

/// A key pair with a `kid`.
pub(crate) struct Signer {
    kid: &'static str,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair, usize),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

pub(crate) static ES256: LazyLock<Signer> = LazyLock::new(|| Signer::es256("es256"));
pub(crate) static ES384: LazyLock<Signer> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    Signer {
        kid: "es384",
        pair: Pair::Ec(pair, 48),
    }
});
pub(crate) static EDDSA: LazyLock<Signer> = LazyLock::new(|| Signer {
    kid: "eddsa",
    pair: Pair::Ed(Ed25519KeyPair::generate().unwrap()),
});
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer {
    kid: "rsa",
    pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
});

impl Signer {
    pub(crate) fn es256(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self {
            kid,
            pair: Pair::Ec(pair, 32),
        }
    }

    /// The public key, with no more than it needs.
    pub(crate) fn jwk(&self) -> PublicJwk {
        let text = |octets: &[u8]| Some(URL_SAFE_NO_PAD.encode(octets));
        let jwk = PublicJwk {
            kid: Some(self.kid.into()),
            ..PublicJwk::default()
        };
        match &self.pair {
            Pair::Ec(pair, size) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(*size);
                let crv = if *size == 32 { "P-256" } else { "P-384" };
                PublicJwk {
                    kty: "EC".into(),
                    crv: Some(crv.into()),
                    x: text(x),
                    y: text(y),
                    ..jwk
                }
            }
            Pair::Ed(pair) => {
                let x = text(pair.public_key().as_ref());
                PublicJwk {
                    kty: "OKP".into(),
                    crv: Some("Ed25519".into()),
                    x,
                    ..jwk
                }
            }
            Pair::Rsa(pair) => {
                let n = text(
                    pair.public_key()
                        .modulus()
                        .big_endian_without_leading_zero(),
                );
                let e = text(
                    pair.public_key()
                        .exponent()
                        .big_endian_without_leading_zero(),
                );
                PublicJwk {
                    kty: "RSA".into(),
                    n,
                    e,
                    ..jwk
                }
            }
        }
    }

    /// The header of a plain token of this key.
    pub(crate) fn header(&self) -> Value {
        let alg = match &self.pair {
            Pair::Ec(_, 32) => "ES256",
            Pair::Ec(..) => "ES384",
            Pair::Ed(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        };
        json!({"alg": alg, "kid": self.kid, "typ": "at+jwt"})
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// A token with this header and these claims, whatever they are.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let alg = serde_json::from_str::<Value>(header).ok();
        let alg = alg.and_then(|header| header["alg"].as_str().map(ToOwned::to_owned));
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.signature(alg.as_deref(), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn signature(&self, alg: Option<&str>, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match alg {
                    Some("RS384") => &signature::RSA_PKCS1_SHA384,
                    Some("RS512") => &signature::RSA_PKCS1_SHA512,
                    Some("PS256") => &signature::RSA_PSS_SHA256,
                    Some("PS384") => &signature::RSA_PSS_SHA384,
                    Some("PS512") => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut octets = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut octets).unwrap();
                octets
            }
        }
    }
}

/// The claims of a plain access token, issued a minute ago for an hour.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "ana",
        "aud": "https://orders.example.com",
        "iat": NOW.0 - 60,
        "exp": NOW.0 + 3_540,
        "groups": ["staff", "order-support"],
        "email": "Ana@Example.com",
        "email_verified": true,
        "azp": "dashboards",
        "scope": "openid orders:read",
        "jti": "token-1",
        "sid": "session-1",
    })
}

/// The claims of [`claims`] with some set anew; `null` takes one away.
pub(crate) fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A provider of access tokens with the keys above.
pub(crate) fn provider() -> Provider {
    let path = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    Provider {
        id: "ClusterTrustProvider/okta".parse().unwrap(),
        issuers: vec![ISSUER.into(), "https://id.example.com/alias/".into()],
        header: None,
        algorithms: Algorithm::ALL.to_vec(),
        token_types: vec![TokenType::AccessToken],
        forms: vec![
            TokenForm {
                token_type: TokenType::AccessToken,
                typ: vec!["at+jwt".into()],
                present: vec![],
                absent: vec![],
            },
            TokenForm {
                token_type: TokenType::IDToken,
                typ: vec!["jwt".into(), String::new()],
                present: vec![vec![path(&["nonce"]), path(&["at_hash"])]],
                absent: vec![path(&["scope"])],
            },
        ],
        tenants: None,
        max_lifetime: 3_600,
        clock_skew: 30,
        claims: ClaimPaths {
            groups: Some(GroupsClaim {
                path: path(&["groups"]),
                when_absent: WhenAbsent::Unknown,
                overage: vec![path(&["_claim_names", "groups"]), path(&["hasgroups"])],
            }),
            email: Some(EmailClaim {
                path: path(&["email"]),
                verified_by: Some(path(&["email_verified"])),
                verified_subjects: None,
                domain: None,
            }),
            client: vec![path(&["azp"]), path(&["client_id"])],
            actor: Some(path(&["act", "sub"])),
            scopes: vec![path(&["scp"]), path(&["scope"])],
        },
        jwks_url: None,
        discovered: false,
        refresh: Refresh::Never,
        max_stale: 86_400,
        client: None,
        fetched_at: None,
        keys: [&ES256, &ES384, &EDDSA, &RSA]
            .map(|signer| signer.jwk())
            .to_vec(),
    }
}

/// The provider, made ready.
pub(crate) fn trusted(provider: Provider, revocations: &[Revocation]) -> Arc<Trusted> {
    Arc::new(Trusted::new(provider, revocations))
}
