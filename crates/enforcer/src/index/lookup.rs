//! Rules by path and caller: what is filed where, and what a caller looks up.

use super::Held;
use super::trie::Trie;
use crate::claims::{Claims, Clue};
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

    /// Goes through the candidates for a path, until `found` says that it is enough. A candidate
    /// may come twice.
    pub(crate) fn candidates<'i>(
        &'i self,
        path: &CanonicalPath,
        caller: &Caller,
        effect: Effect,
        mut found: impl FnMut(&'i Held) -> bool,
    ) {
        if self.rules.is_empty() {
            return;
        }
        let mut each = |filed: &'i Filed| {
            let verified = if caller.verified {
                filed.verified.as_slice()
            } else {
                &[]
            };
            let known = caller
                .facts
                .iter()
                .filter_map(|fact| filed.by_fact.get(fact))
                .flatten();
            let positions = filed.everyone.iter().chain(verified).chain(known);
            positions
                .filter_map(|&at| self.rules.get(at))
                .any(&mut found)
        };
        if self.trie.visit(path.as_str(), &mut each) {
            return;
        }
        // a Deny of `/admin` covers `/admin/` too
        if effect == Effect::Deny
            && let Some(shorter) = path.without_trailing_slash()
        {
            self.trie.visit(shorter, &mut each);
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
                Entry::Anyone => filed.everyone.push(at),
                Entry::Identity { provider, all } => {
                    self.file_identity(filed, (provider, all, effect), at, paths);
                }
                // what is unknown is found by what acts on it, and by nothing else
                Entry::Unknown if effect == Effect::Deny => filed.everyone.push(at),
                Entry::Missing(_) if effect == Effect::Deny => filed.verified.push(at),
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
        let mut push = |clue: Option<Clue<'_>>| {
            filed
                .by_fact
                .entry(hash(self, provider, clue))
                .or_default()
                .push(at);
        };
        // one matcher suffices to be found by; the others are asked of the candidate
        let Some((clues, kind)) = all.iter().find_map(Clue::of) else {
            return push(None);
        };
        for clue in clues {
            if let Clue::Claim(path, _) = clue {
                paths.insert(path.to_vec());
            }
            push(Some(clue));
        }
        if effect == Effect::Deny
            && let Some(kind) = kind
        {
            push(Some(Clue::Unsettled(kind)));
        }
    }
}

fn hash(state: &impl BuildHasher, provider: &ProviderId, clue: Option<Clue<'_>>) -> u64 {
    state.hash_one((provider, clue))
}
