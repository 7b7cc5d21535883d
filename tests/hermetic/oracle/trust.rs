//! What holds of providers of every type, right and wrong; and what the scenes reach of it.

use super::World;
use super::mistakes;
use super::play::{ask, compiled, is_same, readable, trial};
use super::pool::NAMESPACE;
use super::preset::is_of_aws;
use super::properties::{Before, Scene, few, hold, is_as_said};
use super::provider::names;
use super::recast::scene;
use countersign_policy::Compilation;
use countersign_ruleset::provider::Provider;
use countersign_ruleset::rules::{Revoked, Rules};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::{panic, thread};

#[test]
fn what_a_provider_says_counts_as_its_type_has_it() {
    roomy(|| hold(scene(10), is_as_said));
}

/// Debug builds put whole scenes on the stack while they make one.
fn roomy(test: fn()) {
    let thread = thread::Builder::new().stack_size(64 << 20).spawn(test);
    let outcome = thread.expect("a thread").join();
    outcome.unwrap_or_else(|failure| panic::resume_unwind(failure));
}

/// Each type has tokens that let in, and tokens that are of the wrong type; and each reason is given for
/// which a provider's token does not count.
#[test]
fn every_type_of_provider_is_reached() {
    roomy(reach_every_type);
}

fn reach_every_type() {
    // What is still to be reached, how often: of a type, or of any.
    let of_types = TYPES.iter().flat_map(|kind| {
        [("Allowed", 1), ("DeniedByRule", 1), ("WrongTokenType", 3)]
            .map(|(reason, times)| ((*kind, reason), times))
    });
    let of_any = REASONS.iter().map(|reason| (("", *reason), 5));
    let mut left: BTreeMap<_, u32> = of_types.chain(of_any).collect();
    for (world, asked) in scenes(3_072) {
        let kind = okta(&world).map(kind).unwrap_or_default();
        let kind = TYPES.iter().find(|one| **one == kind).unwrap_or(&"other");
        let own = asked.iter().filter(|one| {
            let token = one.token.as_ref();
            token.is_some_and(|token| token.key == "okta")
        });
        for reason in own.map(|asked| world.decide(asked).reason) {
            for of in [*kind, ""] {
                if let Some((key, times)) = left.remove_entry(&(of, reason))
                    && times > 1
                {
                    left.insert(key, times - 1);
                }
            }
        }
        if left.is_empty() {
            return;
        }
    }
    panic!("too seldom: {left:?}");
}

const TYPES: [&str; 11] = [
    "AWS",
    "Auth0",
    "Entra",
    "GitHubActions",
    "Google",
    "GoogleIAP",
    "Keycloak",
    "Kubernetes",
    "OIDC",
    "Okta",
    "SPIFFE",
];

const REASONS: [&str; 10] = [
    "AlgorithmNotAllowed",
    "BoundToken",
    "DeniedByRule",
    "KeysUnavailable",
    "LifetimeTooLong",
    "NoToken",
    "Revoked",
    "TenantNotAllowed",
    "UnknownIssuer",
    "WrongTokenType",
];

/// A provider of type OIDC with the issuer of an account of AWS is of a type of its own.
fn kind(provider: &Value) -> String {
    let text = |name: &str| provider["spec"][name].as_str().unwrap_or_default();
    let aws = is_of_aws(text("issuer"));
    if aws { "AWS" } else { text("type") }.to_owned()
}

fn okta(world: &World) -> Option<&Value> {
    let mut all = world.resources.iter();
    all.find(|one| one["kind"] == "ClusterTrustProvider" && one["metadata"]["name"] == "okta")
}

/// Invariant 6, of everything that a provider says. What its type says too may be left out.
#[test]
fn a_mistake_in_a_provider_never_widens_and_changes_no_other() {
    roomy(break_providers);
}

fn break_providers() {
    few((scene(8), 0..4_usize), |((world, asked), first)| {
        // A provider that cannot be read claims what can be read, and so may make room for a rival.
        if has_rivals(world) {
            return Ok(());
        }
        let before = Before::of(world, asked);
        let others = others(&compiled(world));
        for (broken, what) in mistakes::those(world, is_okta).skip(*first).step_by(4) {
            let told = |why| format!("{what}: {why}");
            before.never_wider(&broken).map_err(told)?;
            if !has_rivals(&broken) && self::others(&compiled(&broken)) != others {
                return Err(told("another provider changed".to_owned()));
            }
        }
        Ok(())
    });
}

/// A provider that is cut after some line is refused whole, or means what is left of it, and its type says
/// the rest.
#[test]
fn a_cut_provider_is_refused_or_means_what_it_says() {
    roomy(cut_providers);
}

fn cut_providers() {
    let read = Cell::new(0_u32);
    few(scene(6), |(world, asked)| {
        let provider = world.resources.iter().position(is_okta);
        let Some(provider) = provider else {
            return Ok(());
        };
        let text = serde_saphyr::to_string(&world.resources[provider]).expect("it can be written");
        let lines: Vec<&str> = text.lines().collect();
        for end in 1..lines.len() {
            let Ok(left) = serde_saphyr::from_str(&lines[..end].join("\n")) else {
                continue;
            };
            let mut cut = world.clone();
            cut.resources[provider] = left;
            if readable(&cut).is_some() {
                read.set(read.get() + 1);
                is_as_said(&(cut, asked.clone()))?;
            }
        }
        Ok(())
    });
    assert!(read.get() > 50, "only {} could be read", read.get());
}

fn is_okta(one: &Value) -> bool {
    one["kind"] == "ClusterTrustProvider" && one["metadata"]["name"] == "okta"
}

/// Whether two providers claim one issuer.
fn has_rivals(world: &World) -> bool {
    let is_provider = |one: &&Value| {
        let kind = one["kind"].as_str().unwrap_or_default();
        kind.ends_with("TrustProvider") && one["metadata"]["namespace"] != "ops"
    };
    let all = world.resources.iter().filter(is_provider);
    let mut names: Vec<String> = all.flat_map(|one| names(&one["spec"])).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    names.len() != count
}

/// The other providers, as the edge has them.
fn others(compilation: &Compilation) -> Option<Vec<Provider>> {
    let scope = NAMESPACE.parse().expect("a scope");
    let keys = &compilation.rulesets.get(&scope)?.keys;
    let others = keys.providers.iter();
    let others = others.filter(|one| one.id.to_string() != "ClusterTrustProvider/okta");
    Some(others.cloned().collect())
}

/// What is lost of a provider on the way.
type Loss = (&'static str, fn(&mut Provider, &mut Rules));

const LOSSES: [Loss; 14] = [
    ("how types of token are told apart", |one, _| {
        for form in &mut one.forms {
            form.present.clear();
            form.absent.clear();
        }
    }),
    ("which `typ` a token has", |one, _| {
        let all = ["", "at+jwt", "jose", "jwt"].map(str::to_owned);
        one.forms
            .iter_mut()
            .for_each(|form| form.typ = all.to_vec());
    }),
    ("which types of token are taken", |one, _| {
        one.token_types = one.forms.iter().map(|form| form.token_type).collect();
    }),
    ("whose customers count", |one, _| one.tenants = None),
    ("how long a token is good for", |one, _| {
        one.max_lifetime = 2_592_000;
    }),
    ("how far a clock may be off", |one, _| one.clock_skew = 0),
    ("the header that carries tokens", |one, _| one.header = None),
    ("other names of an issuer", |one, _| one.issuers.truncate(1)),
    ("by what an address is verified", |one, _| {
        if let Some(email) = &mut one.claims.email {
            email.verified_by = None;
            email.verified_subjects = Some("a".to_owned());
        }
    }),
    ("where the groups are", |one, _| one.claims.groups = None),
    ("where the client is", |one, _| one.claims.client.clear()),
    ("where the actor is", |one, _| one.claims.actor = None),
    ("where the scopes are", |one, _| one.claims.scopes.clear()),
    ("which keys are revoked", |_, rules| {
        let revocations = &mut rules.revocations;
        revocations.retain(|one| !matches!(one.revoked, Revoked::Key(_)));
    }),
];

#[test]
fn whatever_is_lost_of_a_provider_is_found_out() {
    roomy(lose_each);
}

fn lose_each() {
    let mut left = LOSSES.to_vec();
    for scene in scenes(2_048) {
        left.retain(|(_, loss)| !is_found_out(&scene, *loss));
        if left.is_empty() {
            return;
        }
    }
    let left: Vec<_> = left.iter().map(|(what, _)| what).collect();
    panic!("nobody missed {left:?}");
}

fn is_found_out((world, asked): &Scene, loss: fn(&mut Provider, &mut Rules)) -> bool {
    let mut compilation = compiled(world);
    let scope = NAMESPACE.parse().expect("a scope");
    let Some(compiled) = compilation.rulesets.get_mut(&scope) else {
        return false;
    };
    let before = (compiled.rules.clone(), compiled.keys.clone());
    for one in &mut compiled.keys.providers {
        loss(one, &mut compiled.rules);
    }
    if before == (compiled.rules.clone(), compiled.keys.clone()) {
        return false;
    }
    let trial = trial(world, &compilation);
    let mut asked = asked.iter();
    asked.any(|asked| !is_same(&world.decide(asked), &ask(&trial, asked)))
}

/// So many, the same every time.
fn scenes(count: usize) -> impl Iterator<Item = Scene> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| scene(12).new_tree(&mut runner).expect("a scene").current())
}
