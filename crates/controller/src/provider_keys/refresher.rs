//! When each provider's keys are fetched, and which hold in the meantime: no clock, no network.

use super::Answer;
use countersign_policy::diagnostic::{Code, Diagnostic, FieldPath, ResourceId, Severity};
use countersign_policy::jwks::FetchedKeys;
use countersign_policy::resources::KeySource;
use countersign_ruleset::time::UnixTime;
use std::collections::BTreeMap;

/// The shortest and the longest time, in seconds, for which keys are kept, whatever their server says.
const KEPT: (u64, u64) = (300, 3_600);

/// The longest wait, in seconds, before a provider that failed is asked again, and the first.
const WAIT: (u64, u64) = (5, 300);

/// How many providers are asked at a time: in all, of those of namespaces, and of those of one. Whoever may
/// write one namespace's resources holds up no other's, and all of them together not the cluster's.
const AT_A_TIME: (usize, usize, usize) = (16, 12, 2);

/// The most providers of a namespace whose keys are fetched.
const MOST: usize = 64;

/// The latest, in seconds from now, that any is due: what is later was set down by a clock that was ahead.
const LATEST: u64 = 4_000;

/// What came of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Keys came or went: what is published is out of date.
    Keys,
    /// The same keys: only the time of the fetch is another.
    Nothing,
    /// It fails as of now, or for another reason than before.
    Trouble,
    /// The provider is another one by now, or gone: what was fetched is thrown away.
    Late,
}

/// The providers, with the keys that each had last.
///
/// A set of keys is taken whole and kept whole: a withdrawn key is gone with the next good fetch, and a
/// failed fetch changes nothing, not even the time of the last good one.
#[derive(Debug, Default)]
pub struct Refresher {
    providers: BTreeMap<ResourceId, Provider>,
    /// Those that are too many.
    beyond: BTreeMap<ResourceId, Diagnostic>,
    /// How many fetches are under way in each namespace; the cluster's own have none.
    under_way: BTreeMap<String, usize>,
    /// When it was each namespace's turn last, counted in turns.
    turns: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Provider {
    source: KeySource,
    keys: Option<FetchedKeys>,
    due: UnixTime,
    is_asked: bool,
    asked: UnixTime,
    failures: u32,
    trouble: Option<Diagnostic>,
}

impl Refresher {
    /// The providers there are now. One that is new or described otherwise is due at once, and begins
    /// with no keys: those of another place or another channel are not its own.
    pub fn follow(&mut self, sources: &[KeySource], now: UnixTime) {
        let mut before = std::mem::take(&mut self.providers);
        self.beyond.clear();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        // who is followed already stays so, whatever is added
        let is_old = |source: &&KeySource| before.contains_key(&source.resource);
        let (old, new): (Vec<_>, Vec<_>) = sources.iter().partition(is_old);
        for source in old.into_iter().chain(new) {
            let namespace = source.resource.namespace.as_str();
            let count = counts.entry(namespace).or_default();
            if !namespace.is_empty() && *count >= MOST {
                self.beyond.insert(source.resource.clone(), beyond(source));
                continue;
            }
            *count = count.saturating_add(1);
            let kept = before.remove(&source.resource);
            let provider = match kept {
                Some(kept) if kept.source == *source => kept,
                other => Provider::new(source, other.as_ref(), now),
            };
            self.providers.insert(source.resource.clone(), provider);
        }
        self.turns
            .retain(|name, _| counts.contains_key(name.as_str()));
    }

    /// The providers that are to be asked now, the cluster's first and then whose turn it is. Each is asked
    /// once at a time, and what came of each is to be told by [`Refresher::fetched`].
    pub fn due(&mut self, now: UnixTime) -> Vec<KeySource> {
        let mut due = Vec::new();
        while let Some(id) = self.first(now) {
            let Some(provider) = self.providers.get_mut(&id) else {
                break;
            };
            provider.is_asked = true;
            provider.asked = now;
            due.push(provider.source.clone());
            let count = self.under_way.entry(id.namespace.clone()).or_default();
            *count = count.saturating_add(1);
            let turn = self
                .turns
                .values()
                .max()
                .map_or(0, |it| it.saturating_add(1));
            self.turns.insert(id.namespace, turn);
        }
        due
    }

    /// Who is to be asked next, if there is room.
    fn first(&self, now: UnixTime) -> Option<ResourceId> {
        let (most, of_namespaces, of_one) = AT_A_TIME;
        let of = |namespace: &str| self.under_way.get(namespace).copied().unwrap_or(0);
        let all: usize = self.under_way.values().sum();
        let tenants = all.saturating_sub(of(""));
        let has_room = |namespace: &str| {
            let is_within = tenants < of_namespaces && of(namespace) < of_one;
            all < most && (namespace.is_empty() || is_within)
        };
        let waiting = self.providers.iter().filter(|(_, it)| it.is_due(now));
        let waiting = waiting.filter(|(id, _)| has_room(&id.namespace));
        let turn = |(id, provider): &(&ResourceId, &Provider)| {
            let name = id.namespace.as_str();
            let last = self.turns.get(name).copied();
            (!name.is_empty(), of(name), last, provider.due)
        };
        waiting.min_by_key(turn).map(|(id, _)| id.clone())
    }

    /// When to look again, if nothing else happens.
    pub fn next(&self) -> Option<UnixTime> {
        let waiting = self.providers.values().filter(|it| !it.is_asked);
        waiting.map(|provider| provider.due).min()
    }

    /// Takes what came of a fetch. `spread` says where in its range of a tenth about the mean the next
    /// one lies, from 0 to 1,000: of many controllers and providers not all ask at once.
    pub fn fetched(
        &mut self,
        source: &KeySource,
        outcome: Result<Answer, Diagnostic>,
        now: UnixTime,
        spread: u64,
    ) -> Change {
        self.returned(&source.resource.namespace);
        let provider = self.providers.get_mut(&source.resource);
        let Some(provider) = provider.filter(|it| it.source == *source) else {
            return Change::Late;
        };
        provider.is_asked = false;
        match outcome {
            Ok(answer) => provider.renew(answer, now, spread),
            Err(trouble) => provider.fail(trouble, now, spread),
        }
    }

    fn returned(&mut self, namespace: &str) {
        if let Some(count) = self.under_way.get_mut(namespace) {
            *count = count.saturating_sub(1);
        }
        self.under_way.retain(|_, count| *count > 0);
    }

    /// The keys in use of one, and why its last fetch failed.
    pub fn of(&self, id: &ResourceId) -> (Option<&FetchedKeys>, Option<&Diagnostic>) {
        let provider = self.providers.get(id);
        let keys = provider.and_then(|it| it.keys.as_ref());
        (keys, provider.and_then(|it| it.trouble.as_ref()))
    }

    /// The keys in use.
    pub fn keys(&self) -> BTreeMap<ResourceId, FetchedKeys> {
        let all = self.providers.iter();
        all.filter_map(|(id, provider)| Some((id.clone(), provider.keys.clone()?)))
            .collect()
    }

    /// The providers whose last fetch failed, or that are too many to be asked, and why.
    pub fn troubles(&self) -> BTreeMap<ResourceId, Diagnostic> {
        let all = self.providers.iter();
        let mut all: BTreeMap<_, _> = all
            .filter_map(|(id, provider)| Some((id.clone(), provider.trouble.clone()?)))
            .collect();
        all.extend(self.beyond.clone());
        all
    }
}

impl Provider {
    /// One that begins. What fails, or is being asked, and is described otherwise is asked again no sooner
    /// for it, or a change of a letter would be a request; and it has failed as often.
    fn new(source: &KeySource, before: Option<&Self>, now: UnixTime) -> Self {
        let before = before.filter(|it| it.failures > 0 || it.is_asked);
        let soonest = before.map(|it| it.asked.plus(WAIT.0));
        Self {
            source: source.clone(),
            keys: None,
            due: soonest.unwrap_or(now).max(now),
            is_asked: false,
            asked: before.map_or(UnixTime::default(), |it| it.asked),
            failures: before.map_or(0, |it| it.failures),
            trouble: None,
        }
    }

    fn is_due(&self, now: UnixTime) -> bool {
        !self.is_asked && (self.due <= now || self.due > now.plus(LATEST))
    }

    fn renew(&mut self, answer: Answer, now: UnixTime, spread: u64) -> Change {
        let (shortest, longest) = KEPT;
        let kept = answer.max_age.unwrap_or(longest).clamp(shortest, longest);
        self.due = now.plus(about(kept, spread));
        self.failures = 0;
        let had_trouble = self.trouble.take().is_some();
        let before = self.keys.replace(answer.keys);
        let is_same = before.is_some_and(|before| {
            self.keys
                .as_ref()
                .is_some_and(|now| (&now.keys, &now.jwks_url) == (&before.keys, &before.jwks_url))
        });
        match (is_same, had_trouble) {
            (false, _) => Change::Keys,
            (true, true) => Change::Trouble,
            (true, false) => Change::Nothing,
        }
    }

    fn fail(&mut self, trouble: Diagnostic, now: UnixTime, spread: u64) -> Change {
        let (first, longest) = WAIT;
        let wait = first
            .saturating_mul(1 << self.failures.min(16))
            .min(longest);
        self.due = now.plus(about(wait, spread));
        self.failures = self.failures.saturating_add(1);
        let is_known = self.trouble.as_ref() == Some(&trouble);
        self.trouble = Some(trouble);
        if is_known {
            Change::Nothing
        } else {
            Change::Trouble
        }
    }
}

/// What is said of one that is too many.
fn beyond(source: &KeySource) -> Diagnostic {
    Diagnostic {
        resource: source.resource.clone(),
        path: FieldPath::spec().name("issuer"),
        span: None,
        code: Code::TooMany,
        severity: Severity::Error,
        message: format!(
            "expected at most {MOST} providers in a namespace whose keys are fetched, got more: its are not"
        ),
        help: Some("remove those that no policy names, or write `spec.keys.inline`".to_owned()),
    }
}

/// A time of nine to eleven tenths of that.
fn about(seconds: u64, spread: u64) -> u64 {
    let thousandths = spread.min(1_000).div_euclid(5).saturating_add(900);
    seconds.saturating_mul(thousandths).div_euclid(1_000)
}

#[cfg(test)]
mod tests;
