//! What holds of every set of resources: the oracle agrees, order is nothing, and no mistake widens.

use super::callers;
use super::mistakes::{self, Shuffle};
use super::play::{answer, ask, compiled, told, trial, yaml};
use super::pool::NAMESPACE;
use super::scenes;
use super::{Answer, Asked, World};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::json;
use tests::trial::Outcome;

/// A world and what is asked of it.
pub(crate) type Scene = (World, Vec<Asked>);

pub(crate) fn scene() -> impl Strategy<Value = Scene> {
    (scenes::world(), vec(callers::asked(), 12))
}

/// Invariant 6 and lines 1 to 28.
#[test]
fn what_is_enforced_is_what_the_manifests_say() {
    hold(scene(), |(world, asked)| {
        let trial = trial(&compiled(world));
        for asked in asked {
            let expected = world.decide(asked);
            let outcome = ask(&trial, asked);
            if answer(&outcome)? != expected {
                let told = told(world, asked);
                return Err(format!(
                    "the oracle says {expected:?}, the edge {outcome:?}\n{told}"
                ));
            }
        }
        Ok(())
    });
}

/// Every answer is reached, or what agrees would agree on little.
#[test]
fn the_scenes_reach_every_answer() {
    let mut answers = Vec::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..64 {
        let scene = scene().new_tree(&mut runner).expect("a scene").current();
        answers.extend(scene.1.iter().map(|asked| scene.0.decide(asked)));
    }
    for answer in [Answer::Allowed, Answer::Forbidden, Answer::Unauthenticated] {
        let count = answers.iter().filter(|one| **one == answer).count();
        assert!(count > 60, "{answer:?} {count} times of {}", answers.len());
    }
}

/// Invariant 8.
#[test]
fn order_changes_neither_the_bytes_nor_an_answer() {
    hold((scene(), any::<u64>()), |((world, asked), seed)| {
        let other = Shuffle::of(*seed).world(world);
        let (one, two) = (compiled(world), compiled(&other));
        if bytes(&one, NAMESPACE) != bytes(&two, NAMESPACE) {
            return Err(format!(
                "two orders, two rulesets:\n{}\nand\n{}",
                yaml(world),
                yaml(&other)
            ));
        }
        let (one, two) = (trial(&one), trial(&two));
        for asked in asked {
            let (one, two) = (ask(&one, asked), ask(&two, asked));
            if one != two {
                return Err(format!(
                    "{one:?} and, in another order, {two:?}\n{}",
                    told(world, asked)
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn one_more_deny_never_widens() {
    hold((scene(), scenes::deny()), |((world, asked), deny)| {
        let mut narrower = world.clone();
        narrower.resources.push(deny.clone());
        never_wider(world, &narrower, asked)
    });
}

#[test]
fn one_more_guardrail_never_widens() {
    hold(
        (scene(), scenes::guardrail("another")),
        |((world, asked), guardrail)| {
            let mut narrower = world.clone();
            narrower.resources.push(guardrail.clone());
            never_wider(world, &narrower, asked)
        },
    );
}

/// Invariant 6: null, empty and misspelt, anywhere.
#[test]
fn a_mistake_never_widens() {
    hold((scene(), mistakes::one()), |((world, asked), mistake)| {
        let (broken, what) = mistake.made(world);
        never_wider(world, &broken, asked).map_err(|why| format!("{what}: {why}"))
    });
}

/// The same, of everything that an Allow says, where it says much.
#[test]
fn a_mistake_in_any_part_of_an_allow_never_widens() {
    few(
        (scenes::narrow(), vec(callers::asked(), 4)),
        |(world, asked)| {
            let before = Before::of(world, asked);
            for (broken, what) in mistakes::all(world) {
                before
                    .never_wider(&broken)
                    .map_err(|why| format!("{what}: {why}"))?;
            }
            Ok(())
        },
    );
}

/// What one namespace writes changes no other's ruleset.
#[test]
fn a_namespace_is_nobody_elses_affair() {
    let elsewhere = (scenes::world(), any::<bool>());
    hold((scenes::world(), elsewhere), |(world, (other, squats))| {
        let mut both = world.clone();
        for resource in &other.resources {
            let mut resource = resource.clone();
            if resource["metadata"].get("namespace").is_some() {
                resource["metadata"]["namespace"] = json!("ops");
                if resource["kind"] == "TrustProvider" && *squats {
                    resource["spec"]["issuer"] = json!("https://okta.example.com");
                }
                both.resources.push(resource);
            }
        }
        if bytes(&compiled(world), NAMESPACE) == bytes(&compiled(&both), NAMESPACE) {
            return Ok(());
        }
        Err(format!(
            "another namespace changed this one:\n{}",
            yaml(&both)
        ))
    });
}

/// Nothing that was denied is allowed after a change.
fn never_wider(before: &World, after: &World, asked: &[Asked]) -> Result<(), String> {
    Before::of(before, asked).never_wider(after)
}

/// A world, and how it answers.
struct Before<'w> {
    world: &'w World,
    answers: Vec<(&'w Asked, Outcome)>,
}

impl<'w> Before<'w> {
    fn of(world: &'w World, asked: &'w [Asked]) -> Self {
        let trial = trial(&compiled(world));
        let answers = asked
            .iter()
            .map(|asked| (asked, ask(&trial, asked)))
            .collect();
        Self { world, answers }
    }

    fn never_wider(&self, after: &World) -> Result<(), String> {
        // A ruleset that is gone answers 503: nothing is let in.
        let is_allowed = |outcome: &Outcome| answer(outcome) == Ok(Answer::Allowed);
        let trial = trial(&compiled(after));
        for (asked, then) in self.answers.iter().filter(|(_, then)| !is_allowed(then)) {
            let now = ask(&trial, asked);
            if is_allowed(&now) {
                let told = told(self.world, asked);
                return Err(format!(
                    "{then:?} became {now:?}\n{told}\nafter:\n{}",
                    yaml(after)
                ));
            }
        }
        Ok(())
    }
}

/// The two blobs of a namespace.
fn bytes(compilation: &countersign_policy::Compilation, scope: &str) -> Option<[Vec<u8>; 2]> {
    let compiled = compilation.rulesets.get(&scope.parse().expect("a scope"))?;
    let rules = compiled.rules.to_bytes().expect("they can be written");
    Some([
        rules,
        compiled.keys.to_bytes().expect("they can be written"),
    ])
}

/// Holds a property to random scenes, 256 unless `PROPTEST_CASES` says otherwise; what fails is made
/// as small as may be, and told as YAML.
fn hold<S: Strategy>(scenes: S, property: impl Fn(&S::Value) -> Result<(), String>) {
    cases(Config::default().cases, scenes, property);
}

/// Fewer scenes, for a property that makes many of each.
fn few<S: Strategy>(scenes: S, property: impl Fn(&S::Value) -> Result<(), String>) {
    cases(Config::default().cases / 16, scenes, property);
}

fn cases<S: Strategy>(cases: u32, scenes: S, property: impl Fn(&S::Value) -> Result<(), String>) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_096,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&scenes, |scene| {
        property(&scene).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, _)) => panic!("{}", why.message()),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
