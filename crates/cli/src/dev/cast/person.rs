//! One person or workload: the claims for which an entry's matchers hold.

use super::{Claims, words};
use countersign_ruleset::names::{ProviderId, Scope};
use countersign_ruleset::provider::Provider;
use countersign_ruleset::rules::{Matcher, Require, ServiceAccount};
use serde_json::{Map, Value, json};

/// Someone to try policies as.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::dev) struct Person {
    /// The name, unique at the provider.
    pub(in crate::dev) name: String,
    /// What the provider says of them, for people.
    pub(in crate::dev) about: String,
    /// Whose word it is.
    pub(in crate::dev) provider: ProviderId,
    /// In whose rules it was found.
    pub(in crate::dev) scope: Scope,
    /// What the provider says of them, in a token.
    pub(in crate::dev) claims: Claims,
}

impl Person {
    /// Someone for whom all of this holds; `None` if nobody can be told to.
    pub(super) fn for_whom(
        all: &[Matcher],
        name: String,
        scope: Scope,
        provider: &Provider,
        asked: &Require,
    ) -> Option<Self> {
        let mut made = Made {
            provider,
            name: &name,
            claims: Map::new(),
            about: Vec::new(),
        };
        all.iter().try_for_each(|matcher| made.meet(matcher))?;
        made.log_in(asked);
        made.have_address();
        made.be_in_a_group();
        let (claims, about) = (made.claims, made.about.join(", "));
        let about = if about.is_empty() {
            "any caller".to_owned()
        } else {
            about
        };
        Some(Self {
            provider: provider.id.clone(),
            scope,
            about,
            claims,
            name,
        })
    }

    /// Whether the same provider says the same of both.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.provider, &self.about) == (&other.provider, &other.about)
    }
}

struct Made<'p> {
    provider: &'p Provider,
    name: &'p str,
    claims: Claims,
    about: Vec<String>,
}

impl Made<'_> {
    /// Claims that meet the matcher; `None` if there are none that could.
    fn meet(&mut self, matcher: &Matcher) -> Option<()> {
        let paths = &self.provider.claims;
        match matcher {
            Matcher::Actors(names) => {
                self.say(paths.actor.as_ref()?, names.first()?, "acting through");
            }
            Matcher::AnyOf(alternatives) => {
                let first = alternatives.first()?;
                first.iter().try_for_each(|matcher| self.meet(matcher))?;
            }
            Matcher::Claim { path, any_of } => {
                let name = path.join(".");
                self.say(path, any_of.first()?, &name);
            }
            Matcher::Clients(names) => {
                self.say(paths.client.first()?, names.first()?, "the client");
            }
            Matcher::EmailDomains(domains) => {
                let address = format!("{}@{}", self.name, domains.first()?);
                self.address(&address)?;
                self.about.push(address);
            }
            Matcher::Emails(addresses) => {
                let address = addresses.first()?;
                self.address(address)?;
                self.about.push(address.clone());
            }
            Matcher::Groups(groups) => {
                let (path, group) = (&paths.groups.as_ref()?.path, groups.first()?);
                put(&mut self.claims, path, json!([group]));
                self.about.push(format!("group {group}"));
            }
            Matcher::ServiceAccounts(accounts) => self.run_as(accounts.first()?),
            Matcher::Subjects(subjects) => {
                let subject = subjects.first()?;
                self.say(&["sub".to_owned()], subject, "subject");
            }
            Matcher::Unknown => return None,
        }
        Some(())
    }

    fn say(&mut self, path: &[String], value: &str, what: &str) {
        put(&mut self.claims, path, json!(value));
        self.about.push(format!("{what} {value}"));
    }

    /// As a cluster writes it (Kubernetes, "Service account tokens").
    fn run_as(&mut self, account: &ServiceAccount) {
        let namespace = account.namespace.as_deref().unwrap_or("default");
        let name = account.name.as_deref().unwrap_or("default");
        let subject = format!("system:serviceaccount:{namespace}:{name}");
        self.claims.insert("sub".to_owned(), json!(subject));
        let own = json!({"namespace": namespace, "serviceaccount": {"name": name}});
        self.claims.insert("kubernetes.io".to_owned(), own);
        self.about
            .push(format!("service account {namespace}/{name}"));
    }

    /// A verified address, of the domain for which the provider speaks.
    fn address(&mut self, address: &str) -> Option<()> {
        let email = self.provider.claims.email.as_ref()?;
        put(&mut self.claims, &email.path, json!(address));
        put(&mut self.claims, email.verified_by.as_ref()?, json!(true));
        if let (Some(path), Some((_, domain))) = (&email.domain, address.split_once('@')) {
            put(&mut self.claims, path, json!(domain));
        }
        Some(())
    }

    /// Everyone at a provider of people has an address, which no policy is likely to name.
    fn have_address(&mut self) {
        let email = self.provider.claims.email.as_ref();
        let none = email.is_some_and(|email| at(&self.claims, &email.path).is_none());
        // a tenant that is told by a domain is settled when the token is made
        let settled = self.provider.tenants.is_none();
        if none && settled && email.is_some_and(|email| email.verified_by.is_some()) {
            let address = format!("{}@people.example", self.name);
            let _ = self.address(&address);
        }
    }

    /// Who is in no group that a rule names is in some other: where none are said, nothing is known of
    /// them, and a Deny that names one acts.
    fn be_in_a_group(&mut self) {
        if let Some(groups) = &self.provider.claims.groups
            && at(&self.claims, &groups.path).is_none()
        {
            put(&mut self.claims, &groups.path, json!(["everyone"]));
        }
    }

    fn log_in(&mut self, asked: &Require) {
        if !asked.amr.is_empty() {
            self.claims.insert("amr".to_owned(), json!(asked.amr));
        }
        if let Some(acr) = asked.acr_values.first() {
            self.claims.insert("acr".to_owned(), json!(acr));
        }
        if let (Some(path), false) = (self.provider.claims.scopes.first(), asked.scopes.is_empty())
        {
            let scopes: Vec<Value> = asked.scopes.iter().map(|scope| json!(scope)).collect();
            put(&mut self.claims, path, words(&scopes));
            self.about.push(format!("scope {}", asked.scopes.join(" ")));
        }
    }
}

/// Writes a claim at its place, making what is around it.
pub(in crate::dev) fn put(claims: &mut Claims, path: &[String], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        claims.insert(name.clone(), value);
        return;
    }
    let inner = claims.entry(name.clone()).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// What stands at a place.
pub(in crate::dev) fn at<'c>(claims: &'c Claims, path: &[String]) -> Option<&'c Value> {
    let (name, rest) = path.split_first()?;
    rest.iter()
        .try_fold(claims.get(name)?, |value, name| value.get(name))
}
