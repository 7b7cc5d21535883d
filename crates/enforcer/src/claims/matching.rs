//! The one place where facts about a caller meet the matchers of a rule.

use super::{Claims, Fact, lookup};
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::{ProviderId, is_dns_label, is_dns_subdomain};
use countersign_ruleset::rules::{Effect, Matcher, ServiceAccount};

/// How a Kubernetes service account is written in `sub`.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

impl Claims {
    /// Whether an entry of `from` holds: the provider is the one that it names, and every matcher
    /// holds.
    ///
    /// In Allows and boundaries a token with an actor holds no entry that does not name actors: an
    /// agent inherits nothing by silence. A Deny holds for agents too.
    pub fn meets(&self, provider: &ProviderId, all: &[Matcher], effect: Effect) -> Kleene {
        if self.provider() != provider {
            return Kleene::False;
        }
        let holds = Kleene::all(all.iter().map(|matcher| self.matches(matcher)));
        let names_actors = all
            .iter()
            .any(|matcher| matches!(matcher, Matcher::Actors(_)));
        match effect {
            Effect::Allow if !names_actors => holds.and(!self.actor.has()),
            Effect::Allow | Effect::Deny => holds,
        }
    }

    /// Whether one matcher holds. It says nothing of the provider: see [`Claims::meets`].
    pub fn matches(&self, matcher: &Matcher) -> Kleene {
        match matcher {
            // That there is no actor is known, and so is that he is none of these.
            Matcher::Actors(_) if self.actor == Fact::Absent => Kleene::False,
            Matcher::Actors(any_of) => self.actor().test(|actor| holds(any_of, actor)),
            Matcher::AnyOf(alternatives) => Kleene::any(
                alternatives
                    .iter()
                    .map(|all| Kleene::all(all.iter().map(|matcher| self.matches(matcher)))),
            ),
            Matcher::Claim { path, any_of } => {
                let texts = self.claim(path).and_then(lookup::texts);
                texts.test(|texts| texts.iter().any(|text| holds(any_of, text)))
            }
            Matcher::Clients(any_of) => self.client().test(|client| holds(any_of, client)),
            Matcher::EmailDomains(any_of) => {
                let address = self.email().test(|email| holds(any_of, email.domain()));
                let claim = self.email_domain_claim();
                address.and(claim.map_or(Kleene::True, |it| it.test(|it| holds(any_of, it))))
            }
            Matcher::Emails(any_of) => self.email().test(|email| holds(any_of, email.address())),
            Matcher::Groups(any_of) => self.groups().test(|groups| {
                any_of
                    .iter()
                    .any(|group| groups.binary_search_by(|it| (**it).cmp(group)).is_ok())
            }),
            Matcher::ServiceAccounts(any_of) => {
                self.service_account().map_or(Kleene::Unknown, |account| {
                    any_of.iter().any(|wanted| covers(wanted, account)).into()
                })
            }
            Matcher::Subjects(any_of) => holds(any_of, self.subject()).into(),
            Matcher::Unknown => Kleene::Unknown,
        }
    }

    /// Namespace and name, `Ok(None)` for a subject of another kind, `Err` for one that begins as a
    /// service account and cannot be one.
    pub(super) fn service_account(&self) -> Result<Option<(&str, &str)>, Unreadable> {
        let Some(account) = self.subject().strip_prefix(SERVICE_ACCOUNT) else {
            return Ok(None);
        };
        match account.split_once(':') {
            Some((namespace, name)) if is_dns_label(namespace) && is_dns_subdomain(name) => {
                Ok(Some((namespace, name)))
            }
            _ => Err(Unreadable),
        }
    }
}

/// A subject that looks like a service account, and is none.
pub(super) struct Unreadable;

fn covers(wanted: &ServiceAccount, account: Option<(&str, &str)>) -> bool {
    let fits = |wanted: &Option<String>, got| wanted.as_deref().is_none_or(|it| it == got);
    account.is_some_and(|(namespace, name)| {
        fits(&wanted.namespace, namespace) && fits(&wanted.name, name)
    })
}

/// Exactly: no folding of case, no trimming, no part of a word.
fn holds(any_of: &[String], value: &str) -> bool {
    any_of.iter().any(|listed| listed == value)
}
