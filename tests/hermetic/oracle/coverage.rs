//! What the scenes reach: every answer, and every part of the language where it decides.

use super::properties::scene;
use super::{Answer, Asked, World};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every answer is reached, or what agrees would agree on little.
#[test]
fn the_scenes_reach_every_answer() {
    let mut count = BTreeMap::new();
    for (world, asked) in scenes(2_048) {
        for asked in &asked {
            *count.entry(world.decide(asked).reason).or_insert(0_u32) += 1;
        }
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

/// Every reason that a decision may have here.
const REASONS: [&str; 24] = [
    "Allowed",
    "AudienceMismatch",
    "BoundaryNotMet",
    "CredentialTwice",
    "DeniedByRule",
    "Expired",
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
const PARTS: [(&str, Without); 26] = [
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
    /// Of its token a claim.
    fn forget(&mut self, name: &str) {
        let claims = self.token.as_mut().map(|token| &mut token.claims);
        if let Some(claims) = claims.and_then(Value::as_object_mut) {
            claims.remove(name);
        }
    }
}

fn decides(world: &World, answers: &[(&Asked, Answer)], without: Without) -> bool {
    answers.iter().any(|(asked, answer)| {
        let (mut other, mut request) = (world.clone(), (*asked).clone());
        without(&mut other, &mut request);
        let claims = |asked: &Asked| asked.token.as_ref().map(|token| token.claims.clone());
        let is_there = other.resources != world.resources || claims(&request) != claims(asked);
        is_there && other.decide(&request) != *answer
    })
}

/// So many, the same every time.
fn scenes(count: usize) -> impl Iterator<Item = super::properties::Scene> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| scene().new_tree(&mut runner).expect("a scene").current())
}
