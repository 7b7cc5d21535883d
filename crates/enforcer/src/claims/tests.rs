//! What claims say, and what the matchers of rules make of it.

use super::{Claims, Clue, Fact, Kind, Why};
use crate::token::mint::{self, ES256, ISSUER, NOW, claims_with};
use crate::token::{Compact, verify};
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::{ClaimPaths, Provider, WhenAbsent};
use countersign_ruleset::rules::{Effect, Matcher, ServiceAccount};
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

mod matching;

/// The claims of a real token of a provider that is changed a little.
fn read_by(change: impl FnOnce(&mut ClaimPaths), changes: &Value) -> Claims {
    let mut provider = mint::provider();
    change(&mut provider.claims);
    let trusted = mint::trusted(provider, &[]);
    verify(
        Compact::new(&ES256.token(&claims_with(changes))),
        |_| Some(&trusted),
        NOW,
    )
    .unwrap()
}

fn read(changes: &Value) -> Claims {
    read_by(|_| {}, changes)
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn groups(claims: &Claims) -> Fact<Vec<&str>> {
    claims
        .groups()
        .map(|groups| groups.iter().map(|group| &**group).collect())
}

#[test]
fn groups_are_a_list_of_texts() {
    assert_eq!(
        groups(&read(&json!({}))),
        Fact::Known(vec!["order-support", "staff"])
    );
    assert_eq!(groups(&read(&json!({"groups": []}))), Fact::Known(vec![]));
    for odd in [
        json!("staff"),
        json!([1]),
        json!(["a", null]),
        json!({"a": true}),
        json!(true),
    ] {
        assert_eq!(
            groups(&read(&json!({ "groups": odd }))),
            Fact::Unknown(Why::WrongType)
        );
    }
}

#[test]
fn absent_groups_are_none_only_where_the_provider_says_so() {
    assert_eq!(groups(&read(&json!({"groups": null}))), Fact::Absent);
    let empty =
        |claims: &mut ClaimPaths| claims.groups.as_mut().unwrap().when_absent = WhenAbsent::Empty;
    assert_eq!(
        groups(&read_by(empty, &json!({"groups": null}))),
        Fact::Known(vec![])
    );
    let unmapped = read_by(|claims| claims.groups = None, &json!({}));
    assert_eq!(groups(&unmapped), Fact::Unknown(Why::NotMapped));
}

/// Attack 32: too many groups to be listed are not no groups.
#[test]
fn overage_is_not_the_absence_of_groups() {
    let empty =
        |claims: &mut ClaimPaths| claims.groups.as_mut().unwrap().when_absent = WhenAbsent::Empty;
    for said in [
        json!({"groups": null, "_claim_names": {"groups": "src1"}}),
        json!({"groups": null, "hasgroups": true}),
        json!({"_claim_names": {"groups": "src1"}}),
        json!({"_claim_names": "odd", "groups": null}),
    ] {
        assert_eq!(
            groups(&read_by(empty, &said)),
            Fact::Unknown(Why::Overage),
            "{said}"
        );
    }
    let other = json!({"_claim_names": {"address": "src1"}});
    assert_eq!(
        groups(&read(&other)),
        Fact::Known(vec!["order-support", "staff"])
    );
}

#[test]
fn the_client_is_the_first_claim_that_is_there() {
    assert_eq!(read(&json!({})).client(), Fact::Known("dashboards"));
    assert_eq!(
        read(&json!({"azp": null, "client_id": "c"})).client(),
        Fact::Known("c")
    );
    assert_eq!(read(&json!({"azp": null})).client(), Fact::Absent);
    assert_eq!(
        read(&json!({"azp": 1, "client_id": "c"})).client(),
        Fact::Unknown(Why::WrongType)
    );
    let unmapped = read_by(|claims| claims.client = vec![], &json!({}));
    assert_eq!(unmapped.client(), Fact::Unknown(Why::NotMapped));
}

#[test]
fn whatever_speaks_of_an_actor_makes_one() {
    let actor = |act: Value| {
        let claims = read(&json!({ "act": act }));
        let actor = claims.actor();
        actor.map(ToOwned::to_owned)
    };
    assert_eq!(read(&json!({})).actor(), Fact::Absent);
    assert_eq!(actor(json!({"sub": "agent"})), Fact::Known("agent".into()));
    let chain = json!({"sub": "outer", "act": {"sub": "inner"}});
    assert_eq!(actor(chain), Fact::Known("outer".into()));
    assert_eq!(
        actor(json!({"sub": "agent", "iss": ISSUER})),
        Fact::Known("agent".into())
    );
    let foreign = json!({"sub": "agent", "iss": "https://other.example.com"});
    assert_eq!(actor(foreign), Fact::Unknown(Why::Foreign));
    assert_eq!(
        actor(json!({"sub": "agent", "iss": 1})),
        Fact::Unknown(Why::Foreign)
    );
    for odd in [
        json!({}),
        json!("agent"),
        json!({"sub": 1}),
        json!({"sub": ""}),
        json!([]),
        json!({"sub": null}),
    ] {
        assert_eq!(actor(odd.clone()), Fact::Unknown(Why::WrongType), "{odd}");
    }
    // `null` is an actor that cannot be read.
    let mut provider = mint::provider();
    provider.claims.actor = Some(texts(&["act", "sub"]));
    let trusted = mint::trusted(provider, &[]);
    let mut nulled = mint::claims();
    nulled["act"] = Value::Null;
    let nulled = verify(Compact::new(&ES256.token(&nulled)), |_| Some(&trusted), NOW).unwrap();
    assert_eq!(nulled.actor(), Fact::Unknown(Why::WrongType));
}

#[test]
fn an_actor_that_the_provider_does_not_map_is_one_all_the_same() {
    let act = json!({"act": {"sub": "agent"}});
    let unmapped = read_by(|claims| claims.actor = None, &act);
    assert_eq!(unmapped.actor(), Fact::Unknown(Why::NotMapped));
    let elsewhere = |claims: &mut ClaimPaths| claims.actor = Some(texts(&["agent"]));
    assert_eq!(
        read_by(elsewhere, &act).actor(),
        Fact::Unknown(Why::WrongType)
    );
    assert_eq!(
        read_by(elsewhere, &json!({"agent": "x"})).actor(),
        Fact::Known("x")
    );
    assert_eq!(read_by(elsewhere, &json!({})).actor(), Fact::Absent);
}

#[test]
fn scopes_are_words_or_a_list() {
    let scopes = |changes: Value| {
        let claims = read(&changes);
        claims.scopes().map(|scopes| scopes.join("|"))
    };
    assert_eq!(scopes(json!({})), Fact::Known("openid|orders:read".into()));
    assert_eq!(
        scopes(json!({"scp": ["a", "b c"]})),
        Fact::Known("a|b c".into())
    );
    assert_eq!(
        scopes(json!({"scope": "  a  b "})),
        Fact::Known("a|b".into())
    );
    assert_eq!(scopes(json!({"scope": null})), Fact::Absent);
    assert_eq!(scopes(json!({"scp": 1})), Fact::Unknown(Why::WrongType));
}

#[test]
fn the_claims_of_a_login_are_read() {
    let login = read(&json!({"acr": "urn:mfa", "amr": ["pwd", "otp"], "auth_time": NOW.0 - 90}));
    assert_eq!(login.acr(), Fact::Known("urn:mfa"));
    assert_eq!(login.amr(), Fact::Known(vec!["pwd", "otp"]));
    assert_eq!(login.auth_time(), Fact::Known(UnixTime(NOW.0 - 90)));
    assert_eq!(
        (login.session(), login.token_id()),
        (Fact::Known("session-1"), Fact::Known("token-1"))
    );
    let odd = read(&json!({"acr": 1, "amr": [1], "auth_time": "now", "sid": 1, "jti": 1}));
    assert_eq!(odd.acr(), Fact::Unknown(Why::WrongType));
    assert_eq!(odd.amr(), Fact::Unknown(Why::WrongType));
    let text = read(&json!({"amr": "otp"}));
    assert_eq!(text.amr(), Fact::Unknown(Why::WrongType));
    assert_eq!(odd.auth_time(), Fact::Unknown(Why::WrongType));
    let wrong = Fact::Unknown(Why::WrongType);
    assert_eq!((odd.session(), odd.token_id()), (wrong, wrong));
    assert_eq!(read(&json!({})).acr(), Fact::Absent);
}

#[test]
fn a_claim_is_found_by_its_keys() {
    let claims = read(&json!({"realm_access": {"roles": ["a"]}}));
    let roles = texts(&["realm_access", "roles"]);
    assert_eq!(claims.claim(&roles), Fact::Known(&json!(["a"])));
    assert_eq!(claims.claim(&texts(&["realm_access.roles"])), Fact::Absent);
}
