//! What an index over rules can look up for a caller, without trying every rule.

use super::{Claims, Fact, lookup};
use countersign_ruleset::rules::Matcher;

/// One thing about a caller by which rules can be found.
///
/// Rules are filed under the values that a matcher lists, and a rule that acts on what is not known
/// (a Deny) also under the [`Clue::Unsettled`] of the matcher's kind. Looking up every clue of a
/// caller then finds all rules of which the matcher is not false; [`Claims::meets`] says whether
/// they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clue<'a> {
    /// The outermost actor.
    Actor(&'a str),
    /// A text at a claim's path.
    Claim(&'a [String], &'a str),
    /// The client.
    Client(&'a str),
    /// The verified e-mail address.
    Email(&'a str),
    /// The domain of the verified e-mail address.
    EmailDomain(&'a str),
    /// A group.
    Group(&'a str),
    /// A service account; `None` stands for every value, as in the matcher.
    ServiceAccount(Option<&'a str>, Option<&'a str>),
    /// `sub`.
    Subject(&'a str),
    /// Nothing is known of this kind of fact.
    Unsettled(Kind<'a>),
}

/// A kind of fact, by the matcher that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind<'a> {
    /// [`Matcher::Actors`]
    Actors,
    /// [`Matcher::Claim`] with this path.
    Claim(&'a [String]),
    /// [`Matcher::Clients`]
    Clients,
    /// [`Matcher::EmailDomains`]
    EmailDomains,
    /// [`Matcher::Emails`]
    Emails,
    /// [`Matcher::Groups`]
    Groups,
    /// [`Matcher::ServiceAccounts`]
    ServiceAccounts,
}

impl<'a> Clue<'a> {
    /// The clues under which a rule with this matcher is filed, if the matcher is one to file by.
    /// `None` for those of which only a trial can tell ([`Matcher::AnyOf`], [`Matcher::Unknown`]).
    pub fn of(matcher: &'a Matcher) -> Option<(Vec<Self>, Option<Kind<'a>>)> {
        let each = |any_of: &'a [String], clue: fn(&'a str) -> Self| {
            any_of.iter().map(|value| clue(value)).collect()
        };
        Some(match matcher {
            Matcher::Actors(any_of) => (each(any_of, Clue::Actor), Some(Kind::Actors)),
            Matcher::Claim { path, any_of } => (
                any_of.iter().map(|it| Clue::Claim(path, it)).collect(),
                Some(Kind::Claim(path)),
            ),
            Matcher::Clients(any_of) => (each(any_of, Clue::Client), Some(Kind::Clients)),
            Matcher::EmailDomains(any_of) => {
                (each(any_of, Clue::EmailDomain), Some(Kind::EmailDomains))
            }
            Matcher::Emails(any_of) => (each(any_of, Clue::Email), Some(Kind::Emails)),
            Matcher::Groups(any_of) => (each(any_of, Clue::Group), Some(Kind::Groups)),
            Matcher::ServiceAccounts(any_of) => {
                let clue = |it: &'a countersign_ruleset::rules::ServiceAccount| {
                    Clue::ServiceAccount(it.namespace.as_deref(), it.name.as_deref())
                };
                (
                    any_of.iter().map(clue).collect(),
                    Some(Kind::ServiceAccounts),
                )
            }
            // A token without `sub` is refused: there is no caller of whom it is unsettled.
            Matcher::Subjects(any_of) => (each(any_of, Clue::Subject), None),
            Matcher::AnyOf(_) | Matcher::Unknown => return None,
        })
    }
}

impl Claims {
    /// Every clue of this caller; for claims, at the paths by which rules are filed.
    pub fn clues<'a>(&'a self, paths: impl IntoIterator<Item = &'a [String]>) -> Vec<Clue<'a>> {
        let mut clues = vec![Clue::Subject(self.subject())];
        let mut file = |fact: Fact<&'a str>, clue: fn(&'a str) -> Clue<'a>, kind: Kind<'a>| {
            clues.push(fact.known().map_or(Clue::Unsettled(kind), clue));
        };
        if self.actor != Fact::Absent {
            file(self.actor(), Clue::Actor, Kind::Actors);
        }
        file(self.client(), Clue::Client, Kind::Clients);
        file(
            self.email().map(super::Email::address),
            Clue::Email,
            Kind::Emails,
        );
        file(
            self.email().map(super::Email::domain),
            Clue::EmailDomain,
            Kind::EmailDomains,
        );
        match self.groups() {
            Fact::Known(groups) => clues.extend(groups.iter().map(|group| Clue::Group(group))),
            Fact::Absent | Fact::Unknown(_) => clues.push(Clue::Unsettled(Kind::Groups)),
        }
        match self.service_account() {
            Ok(None) => {}
            Ok(Some((namespace, name))) => {
                for (namespace, name) in [
                    (None, None),
                    (Some(namespace), None),
                    (None, Some(name)),
                    (Some(namespace), Some(name)),
                ] {
                    clues.push(Clue::ServiceAccount(namespace, name));
                }
            }
            Err(_) => clues.push(Clue::Unsettled(Kind::ServiceAccounts)),
        }
        for path in paths {
            match self.claim(path).and_then(lookup::texts) {
                Fact::Known(texts) => {
                    clues.extend(texts.into_iter().map(|it| Clue::Claim(path, it)));
                }
                Fact::Absent | Fact::Unknown(_) => clues.push(Clue::Unsettled(Kind::Claim(path))),
            }
        }
        clues
    }
}
