//! Each limit, from both sides.

use super::{object, unreadable};
use crate::resources::Resources;
use serde_json::{Value, json};

fn reads(kind: &str, spec: &Value) -> bool {
    Resources::read(&[object(kind, "a", spec)]).is_ok()
}

fn over(kind: &str, spec: &Value) -> (String, String) {
    let unreadable = unreadable(&object(kind, "a", spec));
    (unreadable.path.to_string(), unreadable.message)
}

/// A spec with a list of that many members in the place.
fn list(place: &str, count: usize) -> Value {
    let list = json!(vec![json!("x"); count]);
    place
        .rsplit('.')
        .fold(list, |inner, step| match step.strip_suffix("[]") {
            Some(name) => json!({ name: [inner] }),
            None => json!({ step: inner }),
        })
}

#[test]
fn a_list_has_at_most_so_many_members() {
    for (kind, place, most) in [
        ("AccessPolicy", "targetRefs", 16),
        ("AccessPolicy", "hosts", 16),
        ("AccessPolicy", "audiences", 16),
        ("AccessPolicy", "rules", 64),
        ("AccessPolicy", "rules[].from", 32),
        ("AccessPolicy", "rules[].to", 16),
        ("AccessPolicy", "rules[].to[].hosts", 16),
        ("AccessPolicy", "rules[].to[].methods", 16),
        ("AccessPolicy", "rules[].to[].paths", 64),
        ("AccessPolicy", "rules[].to[].mcp.methods", 64),
        ("AccessPolicy", "rules[].to[].mcp.tools", 256),
        ("AccessPolicy", "rules[].from[].groups", 256),
        ("AccessPolicy", "rules[].from[].emails", 256),
        ("AccessPolicy", "rules[].from[].claims", 8),
        ("AccessPolicy", "rules[].from[].claims[].path", 8),
        ("AccessPolicy", "rules[].from[].claims[].anyOf", 64),
        ("AccessRole", "members", 64),
        ("ClusterAccessPolicy", "boundary", 64),
        ("ClusterAccessPolicy", "deny", 64),
        ("ClusterAccessPolicy", "boundary[].from", 32),
        ("ClusterTrustProvider", "tenants", 64),
        ("ClusterTrustProvider", "audit.claims", 16),
        ("ClusterTrustProvider", "claims.groups.path", 8),
        ("ClusterTrustProvider", "revocations", 256),
        ("AccessPolicy", "misspelt", 256),
    ] {
        assert!(reads(kind, &list(place, most)), "{place}");
        let (path, message) = over(kind, &list(place, most + 1));
        assert_eq!(path, format!("spec.{}", place.replace("[]", "[0]")));
        assert_eq!(
            message,
            format!("expected at most {most} members, got {}", most + 1)
        );
    }
}

#[test]
fn a_text_has_at_most_so_many_characters() {
    let spec = |name: &str, count: usize| {
        let text = "é".repeat(count);
        match name {
            "to[0].paths[0]" => json!({"rules": [{"to": [{"paths": [text]}]}]}),
            name => json!({"rules": [{ name: text }]}),
        }
    };
    for (name, most) in [
        ("name", 63),
        ("when", 1_024),
        ("description", 1_024),
        ("to[0].paths[0]", 512),
    ] {
        assert!(reads("AccessPolicy", &spec(name, most)), "{name}");
        let message = format!("expected at most {most} characters, got {}", most + 1);
        let expected = (format!("spec.rules[0].{name}"), message);
        assert_eq!(over("AccessPolicy", &spec(name, most + 1)), expected);
    }
    // A provider's name is no rule's.
    let long = json!({"rules": [{"from": [{"providerRef": {"name": "a".repeat(253)}}]}]});
    assert!(reads("AccessPolicy", &long));
}

#[test]
fn inline_keys_have_at_most_64_kib_together() {
    let keys = |count: usize| json!({"keys": {"inline": {"keys": [{"kty": "RSA", "n": "A".repeat(count)}]}}});
    let around = json!({"keys": [{"kty": "RSA", "n": ""}]}).to_string().len();
    assert!(reads("ClusterTrustProvider", &keys(65_536 - around)));
    let (path, message) = over("ClusterTrustProvider", &keys(65_537 - around));
    assert_eq!(path, "spec.keys.inline");
    assert_eq!(message, "expected at most 65536 bytes, got 65537");
}

#[test]
fn any_text_any_object_and_any_depth_have_an_end() {
    let (path, message) = over("AccessPolicy", &json!({"mode": "a".repeat(65_537)}));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("spec.mode", "expected at most 65536 bytes, got 65537")
    );
    let many: Value = (0..257)
        .map(|n| (format!("f{n}"), json!(1)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(
        over("AccessPolicy", &many).1,
        "expected at most 256 members, got 257"
    );
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(
        over("AccessPolicy", &json!({"x": deep})).1,
        "expected at most 32 steps to a field, got 33"
    );
}
