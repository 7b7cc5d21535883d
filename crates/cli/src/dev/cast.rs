//! Sample people and workloads: for each entry of a rule someone for whom it holds, and for each provider
//! someone for whom none does.
//!
//! They are made from the rules themselves, so that they fit whatever manifests they are tried with.

use countersign_policy::Compiled;
use countersign_ruleset::names::{ProviderId, Scope};
use countersign_ruleset::provider::Provider;
use countersign_ruleset::rules::{Entry, Matcher, Require, Rule, Rules};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

mod person;

pub(super) use person::{Person, at, put};

/// What people are called, in order.
const NAMES: [&str; 12] = [
    "ana", "bo", "carol", "dan", "eve", "finn", "gia", "hugo", "ida", "jon", "kim", "lea",
];

/// The name of whoever holds nothing; there is one at each provider.
const NOBODY: &str = "zoe";

/// The most people: for more rules than that, the first.
const MOST: usize = 200;

/// Who there is, and whose word they go by.
#[derive(Debug, Clone, Default)]
pub(super) struct Cast {
    /// In order.
    pub(super) people: Vec<Person>,
    /// The providers, by scope and name: a namespaced one counts only in its scope.
    pub(super) providers: Vec<(Scope, Provider)>,
    /// Every audience of every policy.
    pub(super) audiences: Vec<String>,
    /// What each was called who was ever made, by what was asked for: who edits a rule finds the
    /// others called as before.
    names: BTreeMap<(ProviderId, Vec<Matcher>), String>,
    /// Who was made for rules that are no longer there, and can still be called as.
    former: Vec<Person>,
}

impl Cast {
    /// Who fits these rules, called as before.
    pub(super) fn of(rulesets: &BTreeMap<Scope, Compiled>, before: Self) -> Self {
        let mut cast = Self {
            names: before.names,
            ..Self::default()
        };
        for (scope, compiled) in rulesets {
            let providers = compiled.keys.providers.iter();
            cast.providers
                .extend(providers.map(|provider| (scope.clone(), provider.clone())));
        }
        let mut audiences = BTreeSet::new();
        for (scope, compiled) in rulesets {
            cast.join(scope, &compiled.rules);
            let policies = compiled.rules.applications.iter().flat_map(|a| &a.policies);
            audiences.extend(policies.flat_map(|policy| policy.audiences.iter().cloned()));
        }
        cast.audiences = audiences.into_iter().collect();
        cast.join_nobodies();
        let mut former = before.former;
        former.extend(before.people);
        former.retain(|person| {
            cast.find(&person.name, Some(person.provider.as_str()))
                .is_none()
        });
        cast.former = former;
        cast
    }

    /// The provider that a person goes by.
    pub(super) fn provider_of(&self, person: &Person) -> Option<&Provider> {
        let mut all = self.providers.iter();
        let found = all.find(|(scope, provider)| {
            provider.id == person.provider
                && (person.scope == *scope || !is_namespaced(&provider.id))
        });
        found.map(|(_, provider)| provider)
    }

    /// The person of that name, at that provider if one is said.
    pub(super) fn find(&self, name: &str, provider: Option<&str>) -> Option<&Person> {
        let goes_by = |person: &Person| {
            provider.is_none_or(|provider| {
                let id = person.provider.as_str();
                id == provider
                    || id
                        .split_once('/')
                        .is_some_and(|(_, short)| short == provider)
            })
        };
        let mut people = self.people.iter().chain(&self.former);
        people.find(|person| person.name == name && goes_by(person))
    }

    fn join(&mut self, scope: &Scope, rules: &Rules) {
        let demanded = demanded(rules);
        let policies = rules
            .applications
            .iter()
            .flat_map(|application| &application.policies);
        let denies = rules
            .guardrails
            .iter()
            .flat_map(|guardrail| &guardrail.deny);
        for rule in policies.flat_map(|policy| &policy.rules).chain(denies) {
            for entry in &rule.from {
                let members = match entry {
                    Entry::Role(role) => rules.roles.get(role).map_or(&[][..], Vec::as_slice),
                    entry => std::slice::from_ref(entry),
                };
                for member in members {
                    self.join_entry(scope, rule, member, &demanded);
                }
            }
        }
    }

    fn join_entry(&mut self, scope: &Scope, rule: &Rule, entry: &Entry, demanded: &Require) {
        let Entry::Identity { provider, all } = entry else {
            return;
        };
        if self.people.len() >= MOST {
            return;
        }
        let known = self
            .providers
            .iter()
            .find(|(of, p)| p.id == *provider && of == scope);
        let Some((_, known)) = known else { return };
        let key = (provider.clone(), all.clone());
        let name = self
            .names
            .get(&key)
            .cloned()
            .unwrap_or_else(|| self.next_name(all));
        let mut asked = demanded.clone();
        if let Some(require) = &rule.require {
            asked.scopes.extend(require.scopes.iter().cloned());
        }
        let person = Person::for_whom(all, name, scope.clone(), known, &asked);
        if let Some(person) = person
            && !self.people.iter().any(|other| other.is_like(&person))
        {
            self.names.insert(key, person.name.clone());
            self.people.push(person);
        }
    }

    /// A workload has its own name, people have the next that is free.
    fn next_name(&self, all: &[Matcher]) -> String {
        let own = all.iter().find_map(|matcher| match matcher {
            Matcher::ServiceAccounts(accounts) => accounts.first().and_then(|one| one.name.clone()),
            _ => None,
        });
        let taken = |name: &str| self.names.values().any(|taken| taken == name);
        if let Some(own) = own.filter(|own| !taken(own) && own != NOBODY) {
            return own;
        }
        let numbered = (2..).flat_map(|n| NAMES.iter().map(move |name| format!("{name}{n}")));
        let mut names = NAMES.iter().map(|&name| name.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    fn join_nobodies(&mut self) {
        let mut seen: BTreeSet<(Option<&Scope>, &ProviderId)> = BTreeSet::new();
        let mut nobodies = Vec::new();
        for (scope, provider) in &self.providers {
            let of = is_namespaced(&provider.id).then_some(scope);
            if seen.insert((of, &provider.id)) {
                let none = Require::default();
                let person =
                    Person::for_whom(&[], NOBODY.to_owned(), scope.clone(), provider, &none);
                nobodies.extend(person.map(|person| Person {
                    about: "holds nothing".to_owned(),
                    ..person
                }));
            }
        }
        self.people.extend(nobodies);
    }
}

fn is_namespaced(id: &ProviderId) -> bool {
    id.as_str().starts_with("TrustProvider/")
}

/// How well one must have logged in for anything at all: everyone here has.
fn demanded(rules: &Rules) -> Require {
    let mut demanded = Require::default();
    for require in rules.rules().filter_map(|rule| rule.require.as_ref()) {
        demanded
            .acr_values
            .extend(require.acr_values.iter().cloned());
        demanded.amr.extend(require.amr.iter().cloned());
    }
    demanded.amr.sort();
    demanded.amr.dedup();
    demanded
}

/// A text for people, of one word or several.
fn words(values: &[Value]) -> Value {
    let texts = values.iter().filter_map(Value::as_str);
    json!(texts.collect::<Vec<_>>().join(" "))
}

/// The members of a token's payload.
type Claims = Map<String, Value>;
