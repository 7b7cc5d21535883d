//! Revocations and audited claims.

use super::{flawed, invalid, lowered, okta};
use crate::diagnostic::Code;
use countersign_ruleset::rules::{Audited, Revocation, Revoked};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

fn revoking(list: &Value) -> Value {
    okta(&json!({ "revocations": list }))
}

fn audited(claims: &Value) -> Value {
    okta(&json!({"audit": {"claims": claims}}))
}

#[test]
fn reads_what_is_revoked() {
    let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let (lowered, found) = lowered(&revoking(&json!([
        {"sub": "ana", "issuedBefore": "2026-11-24T02:00:00Z"},
        {"sid": "s"},
        {"jti": "j", "until": "2026-11-24T02:00:00Z"},
        {"key": thumbprint},
    ])));
    assert_eq!(found, []);
    let at = Some(UnixTime(1_795_485_600));
    let of = |revoked, issued_before, until| Revocation {
        provider: "ClusterTrustProvider/id".parse().unwrap(),
        revoked,
        issued_before,
        until,
    };
    let expected = [
        of(Revoked::Subject("ana".into()), at, None),
        of(Revoked::Sid("s".into()), None, None),
        of(Revoked::Jti("j".into()), None, at),
        of(Revoked::Key(thumbprint.into()), None, None),
    ];
    assert_eq!(lowered.revocations, expected);
}

/// What was meant may be any token: so none counts.
#[test]
fn a_revocation_that_cannot_be_read_makes_the_provider_invalid() {
    for (written, path, code) in [
        (json!({}), "spec.revocations[0]", Code::Exclusive),
        (json!(null), "spec.revocations[0]", Code::UnreadableValue),
        (
            json!({"sub": "a", "jti": "b"}),
            "spec.revocations[0]",
            Code::Exclusive,
        ),
        (
            json!({"until": "2026-11-24T02:00:00Z"}),
            "spec.revocations[0]",
            Code::Exclusive,
        ),
        (
            json!({"sub": null}),
            "spec.revocations[0].sub",
            Code::UnreadableValue,
        ),
        (
            json!({"sub": ""}),
            "spec.revocations[0].sub",
            Code::InvalidValue,
        ),
        (
            json!({"key": "short"}),
            "spec.revocations[0].key",
            Code::InvalidValue,
        ),
        (
            json!({"sub": "a", "subject": "b"}),
            "spec.revocations[0].subject",
            Code::UnknownField,
        ),
    ] {
        let found = invalid(&revoking(&json!([written, {"sub": "good"}])));
        assert_eq!(found, [(path.to_owned(), code)], "{written}");
    }
}

/// Without the bound it revokes more, and never less.
#[test]
fn a_bound_that_cannot_be_read_is_no_bound() {
    for (name, value) in [
        ("until", json!("tomorrow")),
        ("until", json!(null)),
        ("issuedBefore", json!(1_795_485_600)),
    ] {
        let written = revoking(&json!([{"sub": "ana", name: value}]));
        let (lowered, found) = lowered(&written);
        assert_eq!(found.len(), 1, "{name}: {value}");
        let revocation = &lowered.revocations[0];
        assert_eq!((revocation.issued_before, revocation.until), (None, None));
    }
}

#[test]
fn reads_what_audit_lines_may_hold() {
    let (lowered, found) = lowered(&audited(&json!([
        {"name": "sub", "as": "plain"}, {"name": "email", "as": "hash"},
        {"name": "sub", "as": "hash"},
    ])));
    assert_eq!(found, []);
    let expected = [
        ("email".to_owned(), Audited::Hash),
        ("sub".to_owned(), Audited::Hash),
    ];
    assert_eq!(
        lowered.audit.into_iter().collect::<Vec<_>>(),
        expected,
        "twice: what shows less"
    );
}

#[test]
fn an_audited_claim_that_cannot_be_read_is_not_shown() {
    for written in [
        json!(null),
        json!({}),
        json!({"name": "sub"}),
        json!({"name": "sub", "as": "Plain"}),
        json!({"name": null, "as": "plain"}),
        json!({"name": "sub", "as": "plain", "hash": true}),
    ] {
        let (lowered, found) = lowered(&audited(&json!([written])));
        assert!(lowered.audit.is_empty() && !found.is_empty(), "{written}");
        assert!(lowered.provider.is_some(), "and restricts nothing");
    }
    let (lowered, _) = lowered(&okta(&json!({
        "audit": {"claims": [{"name": "sub", "as": "plain"}], "claim": []}
    })));
    assert!(lowered.audit.is_empty());
    let (_, found) = flawed(&okta(&json!({"audit": null})));
    assert_eq!(found, [("spec.audit".to_owned(), Code::UnreadableValue)]);
}
