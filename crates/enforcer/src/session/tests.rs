//! Logins and sessions by a whole enforcer: what makes one, what ends one, what it is good for.

use super::{AuthenticationRequest, NoSession, Session};
use crate::decision::{Challenge, Decision, Denial, Login, Verdict};
use crate::token::mint::{EDDSA, ES256, NOW, claims_with, provider};
use crate::trial::{APPLICATION, OKTA, Trial, okta, policy, rule, rules};
use countersign_ruleset::provider::{Client, Provider};
use countersign_ruleset::rules::Rules;
use countersign_ruleset::time::UnixTime;
use serde_json::{Value, json};

mod answer;
mod live;
mod log_in;

const NAVIGATION: [(&str, &str); 2] = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
const FETCH: [(&str, &str); 2] = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];

/// The provider, at which browsers log in as `dashboards`.
fn okta_with_client() -> Provider {
    Provider {
        client: Some(Client {
            id: "dashboards".into(),
            scopes: vec!["openid".into()],
        }),
        ..provider()
    }
}

const GOOGLE: &str = "ClusterTrustProvider/google";

/// The same provider as another.
fn google(provider: Provider) -> Provider {
    Provider {
        id: GOOGLE.parse().unwrap(),
        issuers: vec!["https://google.example".into()],
        ..provider
    }
}

/// An application whose browsers log in at okta; `more` stands in the place of what is there.
fn ruleset(more: &Value) -> Rules {
    let staff = okta(&json!([{"groups": ["staff"]}]));
    let list = json!([
        rule("staff", "Allow", staff, &json!({"to": [{"paths": ["/"]}]})),
        rule(
            "strong",
            "Allow",
            okta(&json!([])),
            &json!({
                "to": [{"paths": ["/pay"]}],
                "require": {"scopes": [], "acrValues": ["phr"], "amr": [], "maxAuthAge": 300,
                    "proofOfPossession": false, "unknown": false},
            })
        ),
    ]);
    let mut all =
        serde_json::to_value(rules(&json!([policy("orders", &list)]), &json!([]))).unwrap();
    all["applications"][0]["login"] = json!(OKTA);
    let mut other = all["applications"][0].clone();
    other["id"] = json!("Service/payroll");
    other["hosts"] = json!(["payroll.example.com"]);
    all["applications"].as_array_mut().unwrap().push(other);
    for (member, value) in more.as_object().unwrap() {
        if member == "login" {
            all["applications"][0]["login"] = value.clone();
        } else {
            all[member] = value.clone();
        }
    }
    serde_json::from_value(all).unwrap()
}

fn trial() -> Trial {
    Trial::ruling(&ruleset(&json!({})), vec![okta_with_client()])
}

fn id_token(changes: &Value) -> String {
    id_token_by(
        changes,
        &json!({"alg": "ES256", "kid": "es256", "typ": "JWT"}),
    )
}

fn id_token_by(changes: &Value, header: &Value) -> String {
    let mut claims = claims_with(&json!({"aud": "dashboards", "nonce": "n", "scope": null}));
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let signer = if header["alg"] == "EdDSA" {
        &*EDDSA
    } else {
        &*ES256
    };
    signer.sign(&header.to_string(), &claims.to_string())
}

fn log_in(trial: &Trial, application: &str, id_token: &str) -> Result<Session, NoSession> {
    let place = (&"shop".parse().unwrap(), &application.parse().unwrap());
    trial
        .0
        .log_in(place, id_token, asked(&Challenge::default()), NOW)
}

/// What a browser was sent with.
const fn asked(challenge: &Challenge) -> AuthenticationRequest<'_> {
    let nonce = "n";
    AuthenticationRequest { nonce, challenge }
}

/// A session of a login that was asked for that, at that time.
fn session_of(changes: &Value, challenge: &Challenge, at: UnixTime) -> Session {
    let place = (&"shop".parse().unwrap(), &APPLICATION.parse().unwrap());
    let mut claims = json!({"iat": at.0.saturating_sub(60), "exp": at.plus(300).0});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let id_token = id_token(&claims);
    trial()
        .0
        .log_in(place, &id_token, asked(challenge), at)
        .unwrap()
}

fn session(changes: &Value) -> Session {
    log_in(&trial(), APPLICATION, &id_token(changes)).unwrap()
}

fn visit(trial: &Trial, path: &str, session: &Session) -> Decision {
    trial.with_session("GET", path, &NAVIGATION, Some(session), NOW)
}

fn login(decision: &Decision) -> Option<(String, Challenge)> {
    match &decision.verdict {
        Verdict::Deny(Denial::Login(Login {
            provider,
            challenge,
        })) => Some((provider.to_string(), challenge.clone())),
        _ => None,
    }
}
