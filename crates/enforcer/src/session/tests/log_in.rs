//! What makes a session: the ID token of the one login, for the one client.

use super::{
    GOOGLE, NAVIGATION, asked, google, id_token, id_token_by, log_in, okta_with_client, ruleset,
    session, trial, visit,
};
use crate::decision::Challenge;
use crate::session::{AuthenticationRequest, NoSession};
use crate::token::Invalid;
use crate::token::mint::{ES256, NOW, claims_with, provider};
use crate::trial::{APPLICATION, OKTA, Trial, policy, rule, rules, told};
use countersign_ruleset::provider::{Provider, Tenants, TokenType};
use countersign_ruleset::rules::Rules;
use serde_json::{Value, json};

#[test]
fn a_login_is_for_the_one_client_alone() {
    let refusal = |changes: Value| log_in(&trial(), APPLICATION, &id_token(&changes)).err();
    for good in [
        json!({}),
        json!({"azp": null}),
        json!({"aud": ["dashboards"], "azp": null}),
        json!({"aud": ["dashboards", "https://orders.example.com"]}),
    ] {
        assert_eq!(refusal(good.clone()), None, "{good}");
    }
    for bad in [
        json!({"aud": "other"}),
        json!({"aud": "Dashboards"}),
        json!({"aud": "https://orders.example.com"}),
        json!({"azp": "other"}),
        json!({"azp": 7}),
        json!({"azp": ["dashboards"]}),
        json!({"aud": ["dashboards", "other"], "azp": null}),
        json!({"aud": ["dashboards", "other"], "azp": "other"}),
    ] {
        assert_eq!(refusal(bad.clone()), Some(NoSession::OtherClient), "{bad}");
    }
}

/// Applications may share a client: then the ID token of a login to one is for the same client as that
/// to another, and whoever keeps it could log in with it elsewhere.
#[test]
fn a_login_is_the_one_that_the_browser_was_sent_to() {
    let refusal = |changes: Value| log_in(&trial(), APPLICATION, &id_token(&changes)).err();
    assert_eq!(refusal(json!({"nonce": "n"})), None);
    for bad in [
        json!({"nonce": "N"}),
        json!({"nonce": "n "}),
        json!({"nonce": ""}),
        json!({"nonce": ["n"]}),
        json!({"nonce": 7}),
        // of a provider whose ID tokens are known by another claim
        json!({"nonce": null, "at_hash": "x"}),
    ] {
        let mut okta = okta_with_client();
        okta.forms
            .iter_mut()
            .for_each(|form| form.present = Vec::new());
        okta.forms
            .retain(|form| form.token_type == TokenType::IDToken);
        let trial = Trial::ruling(&ruleset(&json!({})), vec![okta]);
        let refusal = log_in(&trial, APPLICATION, &id_token(&bad)).err();
        assert_eq!(refusal, Some(NoSession::OtherLogin), "{bad}");
    }
}

#[test]
fn a_login_takes_id_tokens_only_and_those_whatever_services_take() {
    let refusal = |changes: Value, header: Value| {
        log_in(&trial(), APPLICATION, &id_token_by(&changes, &header)).err()
    };
    let (plain, access) = (ES256.header(), json!({"scope": "openid"}));
    let wrong = Some(NoSession::Token(Invalid::WrongTokenType));
    assert_eq!(refusal(json!({}), plain.clone()), wrong);
    assert_eq!(refusal(access, plain.clone()), wrong);
    let mut id = plain;
    id["typ"] = json!("JWT");
    assert_eq!(refusal(json!({}), id.clone()), None);
    assert_eq!(refusal(json!({"nonce": null}), id.clone()), wrong);
    assert_eq!(refusal(json!({"events": {}}), id), wrong);
    let both = Provider {
        token_types: vec![TokenType::AccessToken, TokenType::IDToken],
        ..okta_with_client()
    };
    let trial = Trial::ruling(&ruleset(&json!({})), vec![both]);
    assert!(log_in(&trial, APPLICATION, &id_token(&json!({}))).is_ok());
    let access = ES256.token(&claims_with(&json!({"aud": "dashboards"})));
    assert_eq!(log_in(&trial, APPLICATION, &access).err(), wrong);
}

#[test]
fn a_login_passes_every_check_of_a_token() {
    let refusal = |token: &str| match log_in(&trial(), APPLICATION, token) {
        Err(NoSession::Token(invalid)) => invalid.as_str(),
        other => panic!("{other:?}"),
    };
    let of = |changes: Value| refusal(&id_token(&changes));
    assert_eq!(of(json!({"iss": "https://evil.example"})), "UnknownIssuer");
    assert_eq!(of(json!({"exp": NOW.0 - 60})), "Expired");
    assert_eq!(of(json!({"iat": NOW.0 + 60})), "IssuedInTheFuture");
    assert_eq!(of(json!({"cnf": {"jkt": "x"}})), "BoundToken");
    assert_eq!(of(json!({"sub": null})), "MissingClaim");
    assert_eq!(refusal("x"), "NotAJwt");
    let (head, _) = id_token(&json!({}))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.len()))
        .unwrap();
    let other = id_token(&json!({"sub": "bo"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(refusal(&format!("{head}.{signature}")), "BadSignature");
    let tenants = Tenants {
        paths: vec![vec!["hd".into()]],
        any_of: vec!["example.com".into()],
        domain_of_email: false,
    };
    let provider = Provider {
        tenants: Some(tenants),
        ..okta_with_client()
    };
    let trial = Trial::ruling(&ruleset(&json!({})), vec![provider]);
    let by = |hd: Value| log_in(&trial, APPLICATION, &id_token(&json!({"hd": hd}))).err();
    let foreign = Some(NoSession::Token(Invalid::TenantNotAllowed));
    assert_eq!(by(json!("example.com")), None);
    assert_eq!(by(json!("evil.example")), foreign);
    assert_eq!(by(Value::Null), foreign);
    let revoked =
        ruleset(&json!({"revocations": [{"provider": OKTA, "revoked": {"subject": "ana"}}]}));
    let trial = Trial::ruling(&revoked, vec![okta_with_client()]);
    let by = |sub: &str| log_in(&trial, APPLICATION, &id_token(&json!({"sub": sub}))).err();
    assert_eq!(by("ana"), Some(NoSession::Token(Invalid::Revoked)));
    assert_eq!(by("bo"), None);
}

#[test]
fn nobody_logs_in_where_there_is_no_login() {
    let token = id_token(&json!({}));
    let refusal = |rules: &Rules, provider, application| {
        log_in(&Trial::ruling(rules, vec![provider]), application, &token).err()
    };
    let none = Some(NoSession::WithoutLogin);
    let with = ruleset(&json!({}));
    assert_eq!(refusal(&with, okta_with_client(), APPLICATION), None);
    assert_eq!(refusal(&with, okta_with_client(), "Service/nothing"), none);
    assert_eq!(refusal(&with, provider(), APPLICATION), none);
    let without = ruleset(&json!({"login": null}));
    assert_eq!(refusal(&without, okta_with_client(), APPLICATION), none);
    let elsewhere = ruleset(&json!({"login": GOOGLE}));
    let refusal = |google: Provider| {
        let providers = vec![google, okta_with_client()];
        let trial = Trial::ruling(&elsewhere, providers);
        log_in(&trial, APPLICATION, &token).err()
    };
    assert_eq!(refusal(google(provider())), none);
    let foreign = refusal(google(okta_with_client()));
    let unknown = matches!(
        foreign,
        Some(NoSession::Token(Invalid::UnknownIssuer { .. }))
    );
    assert!(unknown, "{foreign:?}");
    let trial = Trial::ruling(&with, vec![okta_with_client()]);
    let nothing = Challenge::default();
    let plain = asked(&nothing);
    let place = (&"other".parse().unwrap(), &APPLICATION.parse().unwrap());
    assert_eq!(
        trial.0.log_in(place, &token, plain, NOW).err(),
        Some(NoSession::NoRuleset)
    );
    let place = (&"shop".parse().unwrap(), &APPLICATION.parse().unwrap());
    let late = trial.0.log_in(place, &token, plain, NOW.plus(9_000)).err();
    assert_eq!(late, Some(NoSession::NoRuleset));
}

#[test]
fn who_logged_in_where_nobody_lets_that_provider_in_is_not_sent_again() {
    let theirs = json!({"identity": {"provider": GOOGLE, "all": []}});
    let list = json!([
        rule("google", "Allow", theirs, &json!({})),
        rule(
            "open",
            "Allow",
            json!("anyone"),
            &json!({"to": [{"paths": ["/open"]}]})
        )
    ]);
    let mut all =
        serde_json::to_value(rules(&json!([policy("orders", &list)]), &json!([]))).unwrap();
    all["applications"][0]["login"] = json!(OKTA);
    let rules = serde_json::from_value(all).unwrap();
    let trial = Trial::ruling(&rules, vec![google(provider()), okta_with_client()]);
    let ana = log_in(&trial, APPLICATION, &id_token(&json!({}))).unwrap();
    assert_eq!(
        told(&visit(&trial, "/", &ana)),
        (403, "NoRuleMatched", vec![])
    );
    assert_eq!(
        told(&visit(&trial, "/open", &ana)),
        (200, "Allowed", vec!["open"])
    );
    assert_eq!(
        told(&trial.call("GET", "/", &NAVIGATION)),
        (302, "NoToken", vec![])
    );
}

#[test]
fn nothing_of_who_logged_in_is_printed() {
    let printed = format!("{:?}", session(&json!({"sub": "ana-the-first"})));
    assert_eq!(
        printed,
        "Session { provider: ProviderId(\"ClusterTrustProvider/okta\"), application: \
         ApplicationId(\"Service/orders\"), expires_at: UnixTime(1795528800), .. }"
    );
    let nothing = Challenge::default();
    let request = AuthenticationRequest {
        nonce: "hidden",
        challenge: &nothing,
    };
    assert!(!format!("{request:?}").contains("hidden"));
}
