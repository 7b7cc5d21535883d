//! What a verified token says of its caller, each fact known, absent or unknown.
//!
//! ```text
//! token::verify ──► Claims ──┬─ facts      groups, email, client, actor, scopes, any claim by path
//!                            ├─ matches    a fact against a matcher of the rules: true, false, unknown
//!                            └─ clues      what an index over the rules looks up
//! ```
//!
//! Every fact is the word of one provider: compare nothing without [`Claims::provider`].
//!
//! Claims are evidence: only the verification of a token makes them.
//!
//! ```compile_fail,E0451
//! use countersign_enforcer::claims::Claims;
//! fn forge(real: Claims) -> Claims {
//!     Claims { subject: "root".into(), ..real }
//! }
//! ```
//!
//! ```compile_fail,E0624
//! let forged = countersign_enforcer::claims::Claims::of(loop {});
//! ```

use crate::token::{Authentic, Trusted};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::WhenAbsent;
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

mod clue;
mod email;
mod fact;
pub(crate) mod lookup;
mod matching;

pub use clue::{Clue, Kind};
pub use email::Email;
pub use fact::{Fact, Why};

/// The claims of a token whose every check was passed.
pub struct Claims {
    trusted: Arc<Trusted>,
    members: Map<String, Value>,
    key: Box<str>,
    issuer: Box<str>,
    subject: Box<str>,
    audiences: Vec<String>,
    issued_at: UnixTime,
    expires_at: UnixTime,
    of_session: bool,
    groups: Fact<Vec<Box<str>>>,
    email: Fact<Email>,
    domain: Option<Fact<Box<str>>>,
    actor: Fact<Box<str>>,
}

impl Claims {
    /// Reads the facts of a token that was verified. [`Authentic`] is the evidence for it.
    pub(crate) fn of(token: Authentic) -> Self {
        let Authentic {
            trusted,
            members,
            required,
            key,
            ..
        } = token;
        let mapped = trusted.claims();
        let email = mapped.email.as_ref();
        Self {
            groups: groups(&members, &trusted),
            email: Email::read(&members, email),
            domain: email.and_then(|claim| email::domain_claim(&members, claim)),
            actor: actor(&members, &trusted),
            key: key.as_str().into(),
            issuer: required.issuer.into(),
            subject: required.subject.into(),
            audiences: required.audiences,
            issued_at: required.issued_at,
            expires_at: required.expires_at,
            of_session: false,
            members,
            trusted,
        }
    }

    /// The same, of a login that is good until then: no longer than the session, whatever the ID token
    /// says of itself.
    pub(crate) fn of_session(token: Authentic, until: UnixTime) -> Self {
        Self {
            expires_at: until,
            of_session: true,
            ..Self::of(token)
        }
    }

    /// Whether they come of a session that was made for the application at hand, and not of a token
    /// that the request bears.
    pub const fn is_of_session(&self) -> bool {
        self.of_session
    }

    /// Whose word all of this is.
    pub fn provider(&self) -> &ProviderId {
        self.trusted.id()
    }

    /// `iss`: the provider's issuer, or one of its aliases.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`; never empty.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `aud`: for whom the token was issued. Which of them counts, each policy says for itself.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `iat`.
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`, without the clock skew, or the end of the session: when a connection that was opened with
    /// it is looked at again.
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// The RFC 7638 thumbprint of the key that signed it.
    pub fn key_thumbprint(&self) -> &str {
        &self.key
    }

    /// The groups, in order and each once.
    pub fn groups(&self) -> Fact<&[Box<str>]> {
        self.groups.as_ref().map(Vec::as_slice)
    }

    /// The verified e-mail address.
    pub const fn email(&self) -> Fact<&Email> {
        self.email.as_ref()
    }

    /// The domain for which the provider speaks; `None` if it has no such claim.
    pub fn email_domain_claim(&self) -> Option<Fact<&str>> {
        self.domain
            .as_ref()
            .map(|domain| domain.as_ref().map(|text| &**text))
    }

    /// The client to which the token was issued.
    pub fn client(&self) -> Fact<&str> {
        lookup::first(&self.members, &self.trusted.claims().client).and_then(lookup::text)
    }

    /// The outermost actor: who acts here on the subject's behalf (RFC 8693 §4.1).
    ///
    /// [`Fact::Absent`] only where the token says nothing of an actor. A malformed `act` is an actor
    /// that is not known.
    pub fn actor(&self) -> Fact<&str> {
        self.actor.as_ref().map(|text| &**text)
    }

    /// The claim at a path of keys. `null` is of the wrong type, not absent.
    pub fn claim(&self, path: &[String]) -> Fact<&Value> {
        lookup::at(&self.members, path)
    }

    /// The scopes: an array, or words with blanks between (RFC 8693 §4.2).
    pub fn scopes(&self) -> Fact<Vec<&str>> {
        let scopes = lookup::first(&self.members, &self.trusted.claims().scopes);
        scopes.and_then(|value| match value {
            Value::String(words) => {
                Fact::Known(words.split(' ').filter(|word| !word.is_empty()).collect())
            }
            other => lookup::texts(other),
        })
    }

    /// `acr`: how the caller was authenticated (OIDC Core §2).
    pub fn acr(&self) -> Fact<&str> {
        self.registered("acr").and_then(lookup::text)
    }

    /// `amr`: the methods of it, an array (RFC 8176 §1).
    pub fn amr(&self) -> Fact<Vec<&str>> {
        self.registered("amr").and_then(lookup::list)
    }

    /// `auth_time`: when (OIDC Core §2).
    pub fn auth_time(&self) -> Fact<UnixTime> {
        self.registered("auth_time").and_then(|value| {
            crate::token::numeric_date(value).map_or(Fact::Unknown(Why::WrongType), Fact::Known)
        })
    }

    /// `sid`: the session at the provider.
    pub fn session(&self) -> Fact<&str> {
        self.registered("sid").and_then(lookup::text)
    }

    /// `jti`: the token's own name.
    pub fn token_id(&self) -> Fact<&str> {
        self.registered("jti").and_then(lookup::text)
    }

    fn registered(&self, name: &str) -> Fact<&Value> {
        self.claim(&[name.to_owned()])
    }
}

impl fmt::Debug for Claims {
    /// Whose claims and until when; nothing that says who the caller is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("provider", self.provider())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// "Overage" comes first: a list that is there although it was too long is not the whole list.
fn groups(members: &Map<String, Value>, trusted: &Trusted) -> Fact<Vec<Box<str>>> {
    let Some(claim) = &trusted.claims().groups else {
        return Fact::Unknown(Why::NotMapped);
    };
    let said = |path: &Vec<String>| lookup::at(members, path) != Fact::Absent;
    if claim.overage.iter().any(said) {
        return Fact::Unknown(Why::Overage);
    }
    let groups = lookup::at(members, &claim.path).and_then(lookup::list);
    match groups {
        Fact::Absent if claim.when_absent == WhenAbsent::Empty => Fact::Known(Vec::new()),
        groups => groups.map(|groups| {
            let mut groups: Vec<Box<str>> = groups.into_iter().map(Into::into).collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        }),
    }
}

/// An agent inherits nothing by silence, so whatever speaks of an actor makes one: the claim that
/// the provider maps, a part of it, or an `act` that it does not map.
fn actor(members: &Map<String, Value>, trusted: &Trusted) -> Fact<Box<str>> {
    let mapped = trusted
        .claims()
        .actor
        .as_deref()
        .filter(|path| !path.is_empty());
    let registered = members.contains_key("act");
    let Some(path) = mapped else {
        return if registered {
            Fact::Unknown(Why::NotMapped)
        } else {
            Fact::Absent
        };
    };
    let begun = path.first().is_some_and(|key| members.contains_key(key));
    match lookup::at(members, path).and_then(lookup::text) {
        Fact::Absent if begun || registered => Fact::Unknown(Why::WrongType),
        // "the combination of the two claims "iss" and "sub" might be necessary to uniquely
        // identify an actor" (RFC 8693 §4.1): another issuer's actor only has the same name.
        Fact::Known(_) if is_foreign(members, path, trusted) => Fact::Unknown(Why::Foreign),
        actor => actor.map(Into::into),
    }
}

fn is_foreign(members: &Map<String, Value>, path: &[String], trusted: &Trusted) -> bool {
    let Some((_, parent @ [_, ..])) = path.split_last() else {
        return false; // a claim of the token itself, whose issuer is the token's
    };
    let issuer: Vec<String> = parent.iter().cloned().chain(["iss".to_owned()]).collect();
    match lookup::at(members, &issuer) {
        Fact::Absent => false,
        Fact::Known(Value::String(issuer)) => !trusted.issues_as(issuer),
        Fact::Known(_) | Fact::Unknown(_) => true,
    }
}

#[cfg(test)]
mod tests;
