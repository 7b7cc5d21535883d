//! Rules by path and caller: what is filed where, and what a caller looks up.

use super::Held;
use super::positions::Positions;
use super::trie::Trie;
use crate::claims::{Claims, Clue};
use crate::condition::Budget;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::path::CanonicalPath;
use countersign_ruleset::rules::{Effect, Entry, Matcher};
use foldhash::{HashMap, HashSet};
use std::hash::BuildHasher;

/// Some rules of one effect, and where to find them.
#[derive(Debug, Default)]
pub(crate) struct RuleIndex {
    rules: Vec<Held>,
    trie: Trie<Filed>,
    claim_paths: Vec<Vec<String>>,
    hasher: foldhash::fast::RandomState,
}

/// The rules filed at one place of the trie, each by its position.
#[derive(Debug, Default)]
struct Filed {
    everyone: Vec<usize>,
    verified: Vec<usize>,
    by_fact: HashMap<u64, Vec<usize>>,
}

/// What a caller looks up: hashes of (provider, fact).
pub(crate) struct Caller {
    facts: Vec<u64>,
    verified: bool,
}

impl RuleIndex {
    pub(crate) fn new(rules: Vec<Held>) -> Self {
        let mut index = Self {
            rules,
            ..Self::default()
        };
        let mut claim_paths = HashSet::default();
        for (at, held) in index.rules.iter().enumerate() {
            for to in &held.rule.to {
                match &to.paths {
                    None => index
                        .hasher
                        .file(index.trie.at(None), held, at, &mut claim_paths),
                    Some(patterns) => {
                        for pattern in patterns {
                            let filed = index.trie.at(Some(pattern));
                            index.hasher.file(filed, held, at, &mut claim_paths);
                        }
                    }
                }
            }
        }
        index.claim_paths = claim_paths.into_iter().collect();
        index
    }

    /// All of them.
    pub(crate) fn rules(&self) -> &[Held] {
        &self.rules
    }

    /// What this caller looks up here; of the anonymous, nothing but what is filed for everyone.
    pub(crate) fn caller(&self, claims: Option<&Claims>) -> Caller {
        let Some(claims) = claims else {
            return Caller {
                facts: Vec::new(),
                verified: false,
            };
        };
        if self.rules.is_empty() {
            return Caller {
                facts: Vec::new(),
                verified: true,
            };
        }
        let provider = claims.provider();
        let mut facts = vec![self.hasher.hash_one((provider, None::<Clue<'_>>))];
        let clues = claims.clues(self.claim_paths.iter().map(Vec::as_slice));
        facts.extend(
            clues
                .into_iter()
                .map(|clue| self.hasher.hash_one((provider, Some(clue)))),
        );
        Caller {
            facts,
            verified: true,
        }
    }

    /// Goes through the candidates for a path in the order of the rules, each once, however often it is
    /// filed: until `found` says that it is enough, or the budget is spent.
    pub(crate) fn candidates<'i>(
        &'i self,
        path: &CanonicalPath,
        caller: &Caller,
        effect: Effect,
        budget: &Budget,
        mut found: impl FnMut(&'i Held) -> bool,
    ) {
        if self.rules.is_empty() || budget.is_spent() {
            return;
        }
        let mut positions = Positions::of(self.rules.len());
        let mut each = |filed: &Filed| {
            let verified = if caller.verified {
                filed.verified.as_slice()
            } else {
                &[]
            };
            let facts = if filed.by_fact.is_empty() {
                &[]
            } else {
                caller.facts.as_slice()
            };
            let known = facts.iter().filter_map(|fact| filed.by_fact.get(fact));
            let mut met = facts.len();
            for list in [filed.everyone.as_slice(), verified]
                .into_iter()
                .chain(known.map(Vec::as_slice))
            {
                met = met.saturating_add(list.len());
                for &at in list {
                    positions.insert(at);
                }
            }
            budget.spend_on(met);
            budget.is_spent()
        };
        let spent = self.trie.visit(path.as_str(), &mut each);
        // a Deny of `/admin` covers `/admin/` too
        if effect == Effect::Deny
            && !spent
            && let Some(shorter) = path.without_trailing_slash()
        {
            self.trie.visit(shorter, &mut each);
        }
        for held in positions.iter().filter_map(|at| self.rules.get(at)) {
            if found(held) || budget.is_spent() {
                return;
            }
        }
    }
}

trait File {
    fn file(&self, filed: &mut Filed, held: &Held, at: usize, paths: &mut HashSet<Vec<String>>);
    fn file_identity(
        &self,
        filed: &mut Filed,
        identity: (&ProviderId, &[Matcher], Effect),
        at: usize,
        paths: &mut HashSet<Vec<String>>,
    );
}

impl File for foldhash::fast::RandomState {
    fn file(&self, filed: &mut Filed, held: &Held, at: usize, paths: &mut HashSet<Vec<String>>) {
        let effect = held.rule.effect;
        for entry in &held.from {
            match entry {
                Entry::Anyone => push(&mut filed.everyone, at),
                Entry::Identity { provider, all } => {
                    self.file_identity(filed, (provider, all, effect), at, paths);
                }
                // what is unknown is found by what acts on it, and by nothing else
                Entry::Unknown if effect == Effect::Deny => push(&mut filed.everyone, at),
                Entry::Missing(_) if effect == Effect::Deny => push(&mut filed.verified, at),
                // roles have been put in place
                Entry::Unknown | Entry::Missing(_) | Entry::Role(_) => {}
            }
        }
    }

    fn file_identity(
        &self,
        filed: &mut Filed,
        (provider, all, effect): (&ProviderId, &[Matcher], Effect),
        at: usize,
        paths: &mut HashSet<Vec<String>>,
    ) {
        let mut by_clue = |clue: Option<Clue<'_>>| {
            let known = hash(self, provider, clue);
            push(filed.by_fact.entry(known).or_default(), at);
        };
        // one matcher suffices to be found by; the others are asked of the candidate
        let Some((clues, kind)) = all.iter().find_map(Clue::of) else {
            return by_clue(None);
        };
        for clue in clues {
            if let Clue::Claim(path, _) = clue {
                paths.insert(path.to_vec());
            }
            by_clue(Some(clue));
        }
        if effect == Effect::Deny
            && let Some(kind) = kind
        {
            by_clue(Some(Clue::Unsettled(kind)));
        }
    }
}

/// Files a rule once: they come one after the other, and a rule may come to one place by many patterns
/// that are alike but for the names of their captures.
fn push(positions: &mut Vec<usize>, at: usize) {
    if positions.last() != Some(&at) {
        positions.push(at);
    }
}

fn hash(state: &impl BuildHasher, provider: &ProviderId, clue: Option<Clue<'_>>) -> u64 {
    state.hash_one((provider, clue))
}
