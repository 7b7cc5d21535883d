//! The signed forms, byte for byte: a change of any breaks every edge that runs, so none goes unseen.
//!
//! Each file in `golden/` is read, found to mean what the test says, and written again: the same
//! bytes must come out. `trust.json` and `envelope.json` are held beside the code that signs them.

use crate::digest::Digest;
use crate::envelope;
use crate::manifest::{MAX_WRITTEN, Manifest, PAYLOAD_TYPE};
use crate::names::ProviderId;
use crate::provider::{Keys, Provider};
use crate::rules::Rules;
use crate::sign::{Issue, Signer, SigningKey, publish};
use crate::time::UnixTime;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../golden/rules.json");
const KEYS: &str = include_str!("../golden/keys.json");
const MANIFEST: &str = include_str!("../golden/manifest.json");

/// A provider that says all that one can say.
pub(crate) fn provider() -> Provider {
    let keys = Keys::from_bytes(KEYS.trim_end().as_bytes()).unwrap();
    keys.providers.into_iter().next().unwrap()
}

#[test]
fn the_rules_have_one_byte_form() {
    let rules: Rules = serde_json::from_str(RULES).unwrap();
    let written = String::from_utf8(rules.to_bytes().unwrap()).unwrap();
    assert_eq!(written, RULES.trim_end());
    assert_eq!(Rules::from_bytes(written.as_bytes()), Ok(rules.clone()));
    let named: Vec<_> = rules
        .providers()
        .into_iter()
        .map(ProviderId::as_str)
        .collect();
    assert_eq!(
        named,
        [
            "ClusterTrustProvider/kubernetes",
            "ClusterTrustProvider/okta",
            "TrustProvider/partner"
        ]
    );
    assert_eq!(rules.rules().count(), 7);
}

/// Whatever can be said is said in the file: a name that is missing here would not be held.
#[test]
fn the_rules_say_all_that_rules_can_say() {
    for member in [
        "anyone",
        "identity",
        "missing",
        "role",
        "unknown", // entries
        "actors",
        "anyOf",
        "claim",
        "clients",
        "emailDomains",
        "emails",
        "groups",
        "serviceAccounts",
        "subjects", // matchers
        "hosts",
        "methods",
        "paths",
        "corsPreflight",
        "mcp",
        "tools", // to
        "scopes",
        "acrValues",
        "amr",
        "maxAuthAge",
        "proofOfPossession", // require
        "sections",
        "section",
        "accepted",
        "matches",
        "login",
        "forward",
        "disclose",
        "audiences",
        "mode",
        "expiresAt",
        "boundary",
        "deny",
        "roles",
        "audit",
        "hash",
        "plain", // the frame
        "jti",
        "key",
        "sid",
        "subject",
        "issuedBefore",
        "until", // revocations
        "all",
        "any",
        "bound",
        "capture",
        "caller",
        "compare",
        "contains",
        "endsWith",
        "every",
        "exists",
        "has",
        "in",
        "inCidr",
        "list",
        "literal",
        "not",
        "request",
        "select",
        "size",
        "startsWith", // conditions
    ] {
        assert!(RULES.contains(&format!("\"{member}\"")), "{member}");
    }
}

#[test]
fn the_keys_have_one_byte_form() {
    let keys: Keys = serde_json::from_str(KEYS).unwrap();
    let written = String::from_utf8(keys.to_bytes().unwrap()).unwrap();
    assert_eq!(written, KEYS.trim_end());
    assert_eq!(Keys::from_bytes(written.as_bytes()), Ok(keys.clone()));
    assert_eq!(keys.providers[0].keys.len(), 2);
    let client = keys.providers[0].client.as_ref().unwrap();
    assert_eq!(
        (client.id.as_str(), client.scopes.as_slice()),
        ("dashboards", &["email".to_owned(), "openid".into()][..])
    );
    assert_eq!(keys.providers[1].client, None);
    let vouched = keys.providers[1].claims.email.as_ref();
    let vouched = vouched.and_then(|email| email.verified_subjects.as_deref());
    assert_eq!(vouched, Some("accounts.google.com:"));
}

/// Ed25519 signs one message in one way, so even the digest of a publication can be held.
#[test]
fn a_publication_has_one_byte_form() {
    let rules = Rules::from_bytes(RULES.trim_end().as_bytes()).unwrap();
    let keys = Keys::from_bytes(KEYS.trim_end().as_bytes()).unwrap();
    let issue = Issue {
        cluster: "prod".parse().unwrap(),
        scope: "shop".parse().unwrap(),
        scope_uid: "9d5a0f3e-6c1b-4c7e-8a55-0d8f3c1e2b47".into(),
        trust: 3,
        serial: 1_795_485_600_000,
        issued_at: UnixTime(1_795_485_600),
        valid_for: 86_400,
        stale_for: 3_600,
        previous: Some(Digest::of(b"the one before")),
    };
    let key = SigningKey::from_seed(&[2; 32]).unwrap();
    let published = publish(&rules, &keys, issue, &[&key]).unwrap();
    let signers = envelope::Signers {
        keys: &[key.public_key().clone()],
        threshold: 1,
    };
    let none = BTreeSet::new();
    let payload = envelope::open(&published.manifest, PAYLOAD_TYPE, signers, 8_192, &none).unwrap();
    assert_eq!(published.digest, Digest::of(&payload));
    assert!(payload.len() <= MAX_WRITTEN);
    let payload = String::from_utf8(payload.into_inner()).unwrap();
    assert_eq!(payload, MANIFEST.trim_end());
    let manifest: Manifest = serde_json::from_str(&payload).unwrap();
    let [keys, rules] = manifest.blobs.as_slice() else {
        panic!("{manifest:?}")
    };
    assert_eq!(keys.digest, Digest::of(KEYS.trim_end().as_bytes()));
    assert_eq!(rules.digest, Digest::of(RULES.trim_end().as_bytes()));
}
