//! What the scenes reach: every answer, and every part of the language where it decides.

use super::pool::{CLIENTS, NOW};
use super::properties::scene;
use super::truth::text;
use super::{Answer, Asked, MadeFor, Session, World};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every answer is reached, or what agrees would agree on little.
#[test]
fn the_scenes_reach_every_answer() {
    let mut count = BTreeMap::from(REASONS.map(|reason| (reason, 0_u32)));
    let both = |place: &&'static str| BOTH.map(|reason| ((*place).to_owned(), reason));
    let mut places: BTreeMap<_, _> = PLACES.iter().flat_map(both).map(|at| (at, 0_u32)).collect();
    for (world, asked) in scenes(4_096) {
        let place = world.target();
        let place = place.split('/').next().unwrap_or_default().to_owned();
        for asked in &asked {
            let reason = world.decide(asked).reason;
            *count.entry(reason).or_insert(0_u32) += 1;
            *places.entry((place.clone(), reason)).or_insert(0_u32) += 1;
        }
    }
    for (place, reason) in PLACES
        .iter()
        .flat_map(|place| BOTH.map(|reason| (place, reason)))
    {
        let times = places.get(&((*place).to_owned(), reason)).copied();
        assert!(times >= Some(2), "{place} {reason}: {places:?}");
    }
    for reason in REASONS {
        let times = count.get(reason).copied().unwrap_or_default();
        assert!(times >= 5, "{reason} {times} times: {count:?}");
    }
}

/// Each part of the language is what an answer depends on, in several scenes: without it another is given.
#[test]
fn every_part_of_the_language_decides() {
    let mut count = BTreeMap::from(PARTS.map(|(part, _)| (part, 0_u32)));
    for (world, asked) in scenes(2_048) {
        let answers: Vec<_> = asked.iter().map(|one| (one, world.decide(one))).collect();
        for (part, without) in PARTS {
            let times = count.entry(part).or_default();
            if *times < ENOUGH && decides(&world, &answers, without) {
                *times += 1;
            }
        }
        if count.values().all(|times| *times == ENOUGH) {
            return;
        }
    }
    panic!("too few scenes where each decides: {count:?}");
}

const ENOUGH: u32 = 3;

/// Where an edge stands; nowhere, if it goes by the host that is called.
const PLACES: [&str; 6] = [
    "",
    "GRPCRoute.gateway.networking.k8s.io",
    "HTTPRoute.gateway.networking.k8s.io",
    "Host",
    "Service",
    "Service.serving.knative.dev",
];

/// Both are answered in each of these places.
const BOTH: [&str; 2] = ["Allowed", "DeniedByRule"];

/// Every reason that a decision may have here.
const REASONS: [&str; 25] = [
    "Allowed",
    "AudienceMismatch",
    "BoundaryNotMet",
    "CredentialTwice",
    "DeniedByRule",
    "Expired",
    "HostAmbiguous",
    "InsufficientScope",
    "InsufficientUserAuthentication",
    "IssuedInTheFuture",
    "KeysUnavailable",
    "LifetimeTooLong",
    "MalformedClaim",
    "MissingClaim",
    "NoRuleMatched",
    "NoToken",
    "NotCovered",
    "NotYetValid",
    "PathMalformed",
    "ProofOfPossessionRequired",
    "Revoked",
    "TenantNotAllowed",
    "UnknownIssuer",
    "UnknownKey",
    "WrongTokenType",
];

/// Takes a part away from a scene.
type Without = fn(&mut World, &mut Asked);

/// The parts of the language.
const PARTS: [(&str, Without); 43] = [
    ("when", |world, _| world.lose("when")),
    ("captures", |world, _| world.each(uncaptured)),
    ("require", |world, _| world.lose("require")),
    ("scopes", |world, _| world.lose("scopes")),
    ("amr", |world, _| world.lose("amr")),
    ("acrValues", |world, _| world.lose("acrValues")),
    ("maxAuthAge", |world, _| world.lose("maxAuthAge")),
    ("workloads", |world, _| world.lose("workloads")),
    ("clients", |world, _| world.lose("clients")),
    ("actors", |world, _| world.lose("actors")),
    ("groups", |world, _| world.lose("groups")),
    ("subjects", |world, _| world.lose("subjects")),
    ("emails", |world, _| world.lose("emails")),
    ("emailDomains", |world, _| world.lose("emailDomains")),
    ("corsPreflight", |world, _| world.lose("corsPreflight")),
    ("mcp", |world, _| world.lose("mcp")),
    ("sections", |world, _| world.lose("sectionName")),
    ("calls of a GRPCRoute", |world, _| world.drop("GRPCRoute")),
    ("other routes of the host", |world, _| {
        let own = world.target();
        let is_own = |one: &Value| own.ends_with(&format!("/{}", text(&one["metadata"], "name")));
        let is_route = |one: &Value| text(one, "kind").ends_with("Route");
        world.resources.retain(|one| !is_route(one) || is_own(one));
    }),
    ("listeners of Gateways", |world, _| world.drop("Gateway")),
    ("what Gateways say", |world, _| {
        let routes = world.resources.iter_mut().filter_map(Value::as_object_mut);
        routes.for_each(|one| drop(one.remove("status")));
    }),
    ("Services", |world, _| world.drop("Service")),
    ("other targets of a policy", |world, _| {
        world.each(|value| {
            if let Some(references) = value.get_mut("targetRefs").and_then(Value::as_array_mut) {
                references.truncate(1);
            }
        });
    }),
    ("roles", |world, _| world.drop("AccessRole")),
    ("cluster roles", |world, _| world.drop("ClusterAccessRole")),
    ("guardrails", |world, _| world.drop("ClusterAccessPolicy")),
    ("namespace labels", |world, _| world.drop("Namespace")),
    ("revocations", |world, _| world.lose("revocations")),
    ("Observe", |world, _| world.lose("mode")),
    ("expiresAt", |world, _| world.lose("expiresAt")),
    ("overage", |_, asked| {
        for name in ["_claim_names", "hasgroups"] {
            asked.forget(name);
        }
    }),
    ("acting for another", |_, asked| asked.forget("act")),
    ("login", |world, _| world.lose("login")),
    ("which scopes are asked for at a login", |_, asked| {
        asked.kept(|session| session.scopes = vec!["email".to_owned(), "openid".to_owned()]);
    }),
    ("sessions", |_, asked| asked.session = None),
    ("for which application a session is", |_, asked| {
        asked.kept(|session| session.made_for = MadeFor::ThisOne);
    }),
    ("as whose client a session is", |_, asked| {
        asked.kept(|session| session.client = CLIENTS[0].to_owned());
    }),
    ("when a session ends", |_, asked| {
        asked.kept(|session| session.made_at = session.made_at.max(NOW - 3_600));
    }),
    ("when a session begins", |_, asked| {
        asked.kept(|session| session.made_at = session.made_at.min(NOW - 3_600));
    }),
    ("a token beside a session", |_, asked| {
        if asked.session.is_some() {
            asked.token = None;
        }
    }),
    ("who navigates", |_, asked| {
        asked.unsaid(&["sec-fetch-mode", "accept"]);
    }),
    ("whose page has a browser call", |_, asked| {
        asked.unsaid(&["sec-fetch-site", "origin"]);
    }),
    ("a WebSocket", |_, asked| asked.unsaid(&["upgrade"])),
];

impl World {
    fn drop(&mut self, kind: &str) {
        self.resources.retain(|one| one["kind"] != kind);
    }

    /// Without every member of this name.
    fn lose(&mut self, name: &str) {
        self.each(|value| {
            if let Some(members) = value.as_object_mut() {
                members.remove(name);
            }
        });
    }

    fn each(&mut self, change: impl Fn(&mut Value)) {
        for one in &mut self.resources {
            if one["apiVersion"] == "countersign.dev/v1alpha1" {
                each(&mut one["spec"], &change);
            }
        }
    }
}

fn each(value: &mut Value, change: &impl Fn(&mut Value)) {
    change(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(members) => members.values_mut().for_each(|one| each(one, change)),
        _ => {}
    }
}

/// `/a/{x}/c` is `/a/*/c`.
fn uncaptured(value: &mut Value) {
    let Some(text) = value.as_str().filter(|text| text.starts_with('/')) else {
        return;
    };
    let segment = |one: &str| if one.starts_with('{') { "*" } else { one }.to_owned();
    let segments: Vec<_> = text.split('/').map(segment).collect();
    *value = json!(segments.join("/"));
}

impl Asked {
    /// Without headers of these names.
    fn unsaid(&mut self, names: &[&str]) {
        self.headers.retain(|(name, _)| !names.contains(&&**name));
    }

    /// With another session.
    fn kept(&mut self, change: impl Fn(&mut Session)) {
        self.session.iter_mut().for_each(change);
    }

    /// Of its token a claim.
    fn forget(&mut self, name: &str) {
        let claims = self.token.as_mut().map(|token| &mut token.claims);
        if let Some(claims) = claims.and_then(Value::as_object_mut) {
            claims.remove(name);
        }
    }
}

fn decides(world: &World, answers: &[(&Asked, Answer)], without: Without) -> bool {
    let (mut other, mut is_other) = (world.clone(), None);
    answers.iter().any(|(asked, answer)| {
        let mut request = (*asked).clone();
        without(&mut other, &mut request);
        let is_other = *is_other.get_or_insert_with(|| other.resources != world.resources);
        (is_other || request != **asked) && other.decide(&request) != *answer
    })
}

/// So many, the same every time.
fn scenes(count: usize) -> impl Iterator<Item = super::properties::Scene> {
    let (mut runner, scene) = (TestRunner::deterministic(), scene());
    (0..count).map(move |_| scene.new_tree(&mut runner).expect("a scene").current())
}
