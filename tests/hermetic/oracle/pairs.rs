//! Many pairs of a set of policies and a request: whether the edge answers as the oracle does.

use super::play::{ask, compiled, is_same, told, trial};
use super::{callers, recast, scenes};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

/// What pairs came to.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) scenes: u64,
    pub(crate) pairs: u64,
    /// How often each reason was given.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
    /// The pairs that were answered in two ways, by the two ways.
    pub(crate) differences: BTreeMap<String, Difference>,
}

/// Pairs that were answered in the same two ways.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(crate) times: u64,
    /// The shortest of them, as YAML.
    pub(crate) told: String,
}

impl Difference {
    fn add(&mut self, other: Self) {
        self.times = self.times.saturating_add(other.times);
        if self.told.is_empty() || other.told.len() < self.told.len() {
            self.told = other.told;
        }
    }
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.scenes = self.scenes.saturating_add(other.scenes);
        self.pairs = self.pairs.saturating_add(other.pairs);
        for (reason, times) in other.reasons {
            let count = self.reasons.entry(reason).or_default();
            *count = count.saturating_add(times);
        }
        for (ways, difference) in other.differences {
            self.differences.entry(ways).or_default().add(difference);
        }
    }
}

/// Holds so many pairs, each set of policies against several requests.
pub(crate) fn held(seed: u64, pairs: u64, requests: usize) -> Count {
    let mut bytes = [0; 32];
    bytes
        .iter_mut()
        .zip(seed.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let usual = (scenes::world(), vec(callers::asked(), requests)).boxed();
    // Every other scene has providers of other types.
    let kinds = [usual, recast::scene(requests).boxed()];
    let mut kinds = kinds.iter().cycle();
    let mut count = Count::default();
    while count.pairs < pairs {
        let scene = kinds.next().map(|kind| kind.new_tree(&mut runner));
        let (world, asked) = scene.expect("a kind").expect("a scene").current();
        let trial = trial(&world, &compiled(&world));
        count.scenes = count.scenes.saturating_add(1);
        for asked in &asked {
            let (expected, outcome) = (world.decide(asked), ask(&trial, asked));
            count.pairs = count.pairs.saturating_add(1);
            let times = count.reasons.entry(expected.reason).or_default();
            *times = times.saturating_add(1);
            if !is_same(&expected, &outcome) {
                let (reason, would) = (
                    &outcome.reason,
                    outcome.would.as_ref().map(|would| &*would.reason),
                );
                let (ours, shadow) = (expected.reason, expected.would);
                let (login, to) = (&expected.login, &outcome.login);
                let ways = format!(
                    "the oracle says {ours}, {shadow:?}, {login:?}, the edge {reason}, {would:?}, {to:?}"
                );
                let rules = (&expected.rules, &outcome.rules);
                let told = format!("{rules:?}\n{}", told(&world, asked));
                count
                    .differences
                    .entry(ways)
                    .or_default()
                    .add(Difference { times: 1, told });
            }
        }
    }
    count
}
