//! The answers below an example: who asks for what, and what becomes of it.
//!
//! ```text
//! GET /v1/orders/7  ana {aud: other}  → 401 AudienceMismatch
//! POST https://orders.example.com/    → Allowed by open, would be NoRuleMatched
//!   Origin: https://www.example.com
//! at Service/ledger in finance
//! check → AP0001 UnknownField
//! ```

use super::page::{AUDIENCE, Scene};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use tests::case::{Case, Challenge, Expect, OneOrMany, Would};
use tests::cast::Order;

pub(super) enum Step {
    /// Where the requests that follow arrive.
    At { namespace: String, called: String },
    /// What `countersign check` finds.
    Check(BTreeSet<String>),
    /// A request.
    Ask(Box<Case>),
}

pub(super) fn read(answers: &str, scene: &Scene) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in answers.lines().filter(|line| !line.is_empty()) {
        if let Some(more) = line.strip_prefix("  ") {
            let Some(Step::Ask(case)) = steps.last_mut() else {
                panic!("`{line}` belongs to no request");
            };
            add(case, more.trim());
        } else if let Some(place) = line.strip_prefix("at ") {
            let (called, namespace) = place.split_once(" in ").unwrap_or((place, "shop"));
            let [namespace, called] = [namespace, called].map(str::to_owned);
            steps.push(Step::At { namespace, called });
        } else {
            let (asked, answer) = line.split_once('→').expect("→ and the answer");
            let (asked, answer) = (asked.trim(), answer.trim());
            steps.push(if asked == "check" {
                let found = answer.split(", ").filter(|it| *it != "nothing");
                Step::Check(found.map(str::to_owned).collect())
            } else {
                Step::Ask(Box::new(ask(asked, answer, scene)))
            });
        }
    }
    steps
}

/// `METHOD TARGET CALLER {CLAIMS}`, and the answer.
fn ask(asked: &str, answer: &str, scene: &Scene) -> Case {
    let (method, rest) = asked.split_once(' ').expect("METHOD TARGET");
    let rest = rest.trim_start();
    let (target, caller) = rest.split_once(' ').unwrap_or((rest, ""));
    let (borne, kept) = match caller.trim().strip_prefix("session of ") {
        Some(kept) => ("", kept),
        None => (caller.trim(), ""),
    };
    let url = if target.starts_with('/') {
        format!("{AUDIENCE}{target}")
    } else {
        target.to_owned()
    };
    Case {
        title: asked.split_whitespace().collect::<Vec<_>>().join(" "),
        request: format!("{method} {url}"),
        token: token(borne, scene),
        session: token(kept, scene),
        expect: expected(answer),
        ..Case::default()
    }
}

/// A caller of the scene, perhaps with claims that are otherwise; a text in quotes is sent as it is.
fn token(caller: &str, scene: &Scene) -> Option<Order> {
    if caller.is_empty() {
        return None;
    }
    if let Some(raw) = caller.strip_prefix('"') {
        let raw = Some(raw.trim_end_matches('"').to_owned());
        return Some(Order {
            raw,
            ..Order::default()
        });
    }
    let (name, otherwise) = caller.split_once(' ').unwrap_or((caller, "{}"));
    let otherwise: Map<String, Value> =
        serde_saphyr::from_str(otherwise).unwrap_or_else(|error| panic!("`{caller}`: {error}"));
    Some(scene.token(name, otherwise))
}

/// `403 DeniedByRule by RULE and RULE, would be REASON, max_age=900`.
fn expected(answer: &str) -> Expect {
    let mut parts = answer.split(", ");
    let first = parts.next().unwrap_or_default();
    let (first, rules) = match first.split_once(" by ") {
        Some((first, by)) => (first, Some(by.split(" and ").map(str::to_owned).collect())),
        None => (first, None),
    };
    let (status, reason) = match first.split_once(' ') {
        Some((status, reason)) => (status.parse().expect("a status"), reason),
        None => (200, first),
    };
    let mut expect = Expect {
        reason: reason.to_owned(),
        status: Some(status),
        rules,
        ..Expect::default()
    };
    for part in parts {
        if let Some(reason) = part.strip_prefix("would be ") {
            expect.would = Some(Would {
                allow: reason == "Allowed",
                reason: reason.to_owned(),
                rules: None,
            });
        } else if let Some(provider) = part.strip_prefix("logs in at ") {
            expect.login = Some(format!("ClusterTrustProvider/{provider}"));
        } else if let Some(none) = part.strip_prefix("without a session: ") {
            expect.no_session = Some(none.to_owned());
        } else if let Some(told) = part.strip_prefix("forwards ") {
            expect.forward = Some(words(told));
        } else if let Some(told) = part.strip_prefix("discloses ") {
            expect.disclose = Some(told.to_owned());
        } else {
            let (name, value) = part.split_once('=').expect("NAME=VALUE");
            let challenge = expect.challenge.get_or_insert_with(|| Challenge {
                error: error(reason).map(str::to_owned),
                ..Challenge::default()
            });
            demand(challenge, name, value.trim_matches('"'));
        }
    }
    expect
}

/// RFC 6750 §3.1, RFC 9470 §3.
fn error(reason: &str) -> Option<&'static str> {
    match reason {
        "InsufficientScope" => Some("insufficient_scope"),
        "InsufficientUserAuthentication" => Some("insufficient_user_authentication"),
        _ => None,
    }
}

fn demand(challenge: &mut Challenge, name: &str, value: &str) {
    match name {
        "scope" => challenge.scope = words(value),
        "acr_values" => challenge.acr_values = words(value),
        "max_age" => challenge.max_age = Some(value.parse().expect("seconds")),
        _ => panic!("no challenge has `{name}`"),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A header, the caller's address, or the body.
fn add(case: &mut Case, more: &str) {
    if more.starts_with(['{', '[']) {
        case.body = Some(more.into());
    } else if let Some(address) = more.strip_prefix("from ") {
        case.source = Some(address.parse().expect("an address"));
    } else {
        let (name, value) = more.split_once(": ").expect("a header");
        let value = value.to_owned();
        let values = match case.headers.remove(name) {
            None => OneOrMany::One(value),
            Some(OneOrMany::One(first)) => OneOrMany::Many(vec![first, value]),
            Some(OneOrMany::Many(mut all)) => {
                all.push(value);
                OneOrMany::Many(all)
            }
        };
        case.headers.insert(name.to_owned(), values);
    }
}
