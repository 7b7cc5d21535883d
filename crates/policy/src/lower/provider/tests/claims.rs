//! Where claims are, and what a mistake there takes away.

use super::{flawed, good, invalid, lowered, okta, spec, without};
use crate::diagnostic::{Code, Severity};
use countersign_ruleset::provider::{EmailClaim, WhenAbsent};
use serde_json::{Value, json};

fn claims(more: &Value) -> Value {
    okta(&json!({ "claims": more }))
}

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

#[test]
fn reads_where_the_claims_are() {
    let provider = good(&claims(&json!({
        "groups": {"path": ["realm_access", "roles"], "whenAbsent": "Empty"},
        "email": {"path": ["mail"], "verifiedBy": {"path": ["ok"]}, "domain": {"path": ["hd"]}},
        "client": {"path": ["https://example.com/client"]},
        "actor": {"path": ["agent"]},
    })));
    let groups = provider.claims.groups.unwrap();
    assert_eq!(groups.path, path(&["realm_access", "roles"]));
    assert_eq!(groups.when_absent, WhenAbsent::Empty);
    assert_eq!(groups.overage, [path(&["_claim_names", "realm_access"])]);
    let expected = EmailClaim {
        path: path(&["mail"]),
        verified_by: Some(path(&["ok"])),
        verified_subjects: None,
        domain: Some(path(&["hd"])),
    };
    assert_eq!(provider.claims.email, Some(expected));
    assert_eq!(
        provider.claims.client,
        [path(&["https://example.com/client"])]
    );
    assert_eq!(provider.claims.actor, Some(path(&["agent"])));
}

/// Entra leaves out more than 200 groups, and says so in one of two ways.
#[test]
fn entra_says_when_groups_are_too_many() {
    let entra = good(&spec("Entra", &json!({})));
    let overage = entra.claims.groups.unwrap().overage;
    assert_eq!(
        overage,
        [path(&["_claim_names", "groups"]), path(&["hasgroups"])]
    );
}

/// What cannot be read is no claim: what asks for it is unknown, and all else stays.
#[test]
fn a_claim_that_cannot_be_read_is_unknown_by_itself() {
    for groups in [
        json!(null),
        json!({"path": []}),
        json!({"path": ["g"], "whenabsent": "Empty"}),
    ] {
        let (provider, found) = flawed(&claims(&json!({ "groups": groups })));
        assert_eq!(provider.claims.groups, None, "{groups}");
        assert!(
            provider.claims.email.is_some() && found.len() == 1,
            "{groups}"
        );
    }
    for client in [
        json!(null),
        json!({}),
        json!({"path": null}),
        json!({"path": ["a"], "x": 1}),
    ] {
        let (provider, found) = flawed(&claims(&json!({ "client": client })));
        assert!(
            provider.claims.client.is_empty() && found.len() == 1,
            "{client}"
        );
    }
    for email in [
        json!(null),
        json!({"path": []}),
        json!({"path": ["email"], "verifiedby": {"path": ["v"]}}),
        json!({"verifiedBy": null}),
        json!({"verifiedBy": {}}),
        json!({"verifiedBy": {"path": ["v"], "claim": "v"}}),
        json!({"domain": {"path": null}}),
    ] {
        let (lowered, found) = lowered(&claims(&json!({ "email": email })));
        assert_eq!(lowered.provider.unwrap().claims.email, None, "{email}");
        assert!(!lowered.domain_mapped, "{email}");
        assert_eq!(
            found
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .count(),
            1,
            "{email}"
        );
    }
}

#[test]
fn an_absence_that_cannot_be_read_is_unknown() {
    for (written, code) in [
        (json!("empty"), Code::InvalidValue),
        (json!(null), Code::UnreadableValue),
        (json!("Unknown "), Code::InvalidValue),
    ] {
        let (provider, found) = flawed(&claims(&json!({"groups": {"whenAbsent": written}})));
        assert_eq!(
            provider.claims.groups.unwrap().when_absent,
            WhenAbsent::Unknown
        );
        assert_eq!(found, [("spec.claims.groups.whenAbsent".to_owned(), code)]);
    }
}

/// An agent would pass for the person for whom it acts.
#[test]
fn an_actor_that_cannot_be_read_makes_the_provider_invalid() {
    for actor in [
        json!(null),
        json!({}),
        json!({"path": []}),
        json!({"path": ["a"], "b": 1}),
    ] {
        assert_eq!(
            invalid(&claims(&json!({ "actor": actor }))).len(),
            1,
            "{actor}"
        );
    }
    let misspelt = invalid(&claims(&json!({"actors": {"path": ["agent"]}})));
    assert_eq!(
        misspelt,
        [("spec.claims.actors".to_owned(), Code::UnknownField)]
    );
}

/// `email_verified` says nothing of another claim than `email`.
#[test]
fn what_shows_that_one_address_is_verified_shows_it_of_no_other() {
    let (lowered, found) = lowered(&claims(&json!({"email": {"path": ["upn"]}})));
    let email = lowered.provider.unwrap().claims.email.unwrap();
    assert_eq!((email.path, email.verified_by), (path(&["upn"]), None));
    let warnings: Vec<_> = found
        .iter()
        .map(|one| (one.path.to_string(), one.severity))
        .collect();
    assert_eq!(
        warnings,
        [("spec.claims.email.verifiedBy".to_owned(), Severity::Warning)]
    );
    let email = good(&claims(&json!({"email": {"path": ["email"]}})))
        .claims
        .email
        .unwrap();
    assert_eq!(email.verified_by, Some(path(&["email_verified"])));
}

/// Google speaks for a domain by `hd` alone, wherever else the address is taken from.
#[test]
fn a_domain_that_the_type_maps_stays_mapped() {
    let google = without(spec("Google", &json!({})), "issuer");
    assert!(lowered(&google).0.domain_mapped);
    assert!(!lowered(&okta(&json!({}))).0.domain_mapped);
    let mut other = google;
    other["claims"] = json!({"email": {"path": ["mail"], "verifiedBy": {"path": ["ok"]}}});
    let email = good(&other).claims.email.unwrap();
    assert_eq!(email.domain, Some(path(&["hd"])));
    let mapped = claims(&json!({"email": {"domain": {"path": ["hd"]}}}));
    assert!(lowered(&mapped).0.domain_mapped);
}
