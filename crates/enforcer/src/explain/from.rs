//! `from`, shown: each entry with its matchers, and what the token said or why that is not known.

use super::Around;
use super::part::{ENTRY, Part, all_of, list, one_of, shown};
use crate::claims::{Claims, Email, Fact, Why, lookup};
use crate::decide::matching::{self, Setting};
use crate::index::Held;
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::rules::{Effect, Entry, Matcher, ServiceAccount};

/// `from`: one entry suffices. The entries of a role stand under its name.
pub(super) fn part(held: &Held, setting: &Setting<'_>, around: Around<'_>) -> Part {
    let mut each = held.from.iter();
    let mut next = |most: usize| {
        let entries = each.by_ref().take(most);
        entries
            .map(|it| entry(it, held.rule.effect, setting))
            .collect::<Vec<Part>>()
    };
    let mut parts = Vec::new();
    for written in &held.rule.from {
        match written {
            Entry::Role(role) => {
                let members = around.roles.get(role).copied().unwrap_or_default();
                parts.push(Part::any(role.as_str(), next(members)));
            }
            Entry::Anyone | Entry::Identity { .. } | Entry::Missing(_) | Entry::Unknown => {
                parts.extend(next(1));
            }
        }
    }
    Part::any("from", parts).flat()
}

fn entry(entry: &Entry, effect: Effect, setting: &Setting<'_>) -> Part {
    let truth = matching::entry(entry, effect, setting);
    match entry {
        Entry::Anyone => Part::leaf("anyone", truth),
        Entry::Identity { provider, all } => {
            identity(provider, all, effect, setting.claims).which_is(truth)
        }
        Entry::Missing(name) => Part::leaf(shown(name), truth)
            .expected("it to exist")
            .got("nothing of that name"),
        Entry::Role(role) => Part::leaf(role.as_str(), truth).got("a role that is not there"),
        Entry::Unknown => Part::leaf("what", truth).got("one that cannot be read"),
    }
}

fn identity(
    provider: &ProviderId,
    all: &[Matcher],
    effect: Effect,
    claims: Option<&Claims>,
) -> Part {
    let by = |got: &str, truth: bool| {
        Part::leaf("provider", truth)
            .expected(provider.as_str())
            .got(got)
    };
    let Some(claims) = claims else {
        return Part::all(ENTRY, vec![by("no token", false)]);
    };
    let mut parts = vec![by(
        claims.provider().as_str(),
        claims.provider() == provider,
    )];
    if claims.provider() == provider {
        parts.extend(all.iter().map(|one| matcher(one, claims)));
        let named = all.iter().any(|one| matches!(one, Matcher::Actors(_)));
        if effect == Effect::Allow && !named && claims.actor() != Fact::Absent {
            let actor = Part::leaf("actors", !claims.actor().has())
                .expected("no actor, for the entry names none")
                .got(fact(claims.actor(), shown));
            parts.push(actor);
        }
    }
    Part::all(ENTRY, parts)
}

fn matcher(matcher: &Matcher, claims: &Claims) -> Part {
    let truth = claims.matches(matcher);
    let part = |name: &str, any_of: &[String], got: String| {
        Part::leaf(name, truth).expected(one_of(any_of)).got(got)
    };
    match matcher {
        Matcher::Actors(any_of) => part("actors", any_of, fact(claims.actor(), shown)),
        Matcher::AnyOf(alternatives) => {
            let each = alternatives.iter().map(|all| {
                Part::all(
                    "alternative",
                    all.iter().map(|it| self::matcher(it, claims)).collect(),
                )
            });
            Part::any("any of", each.collect()).which_is(truth)
        }
        Matcher::Claim { path, any_of } => {
            let got = claims.claim(path).and_then(lookup::texts);
            part(
                &format!("claim {}", all_keys(path)),
                any_of,
                fact(got, list),
            )
        }
        Matcher::Clients(any_of) => part("clients", any_of, fact(claims.client(), shown)),
        Matcher::EmailDomains(any_of) => part("emailDomains", any_of, domains(claims)),
        Matcher::Emails(any_of) => {
            let address = claims.email().map(Email::address);
            part("emails", any_of, fact(address, shown))
        }
        Matcher::Groups(any_of) => part("groups", any_of, fact(claims.groups(), list)),
        Matcher::ServiceAccounts(any_of) => {
            let any_of: Vec<String> = any_of.iter().map(account).collect();
            part("serviceAccounts", &any_of, shown(claims.subject()))
        }
        Matcher::Subjects(any_of) => part("subjects", any_of, shown(claims.subject())),
        Matcher::Unknown => Part::leaf("matcher", truth).got("one that cannot be read"),
    }
}

fn all_keys(path: &[String]) -> String {
    let keys: Vec<String> = path.iter().map(|key| shown(key)).collect();
    keys.join(" → ")
}

fn account(account: &ServiceAccount) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
    format!("{}/{}", part(&account.namespace), part(&account.name))
}

/// The domain of the address, and the one for which the provider speaks, where it says one.
fn domains(claims: &Claims) -> String {
    let address = fact(claims.email().map(Email::domain), shown);
    match claims.email_domain_claim() {
        None => address,
        Some(claim) => format!("{address}, and of the domain claim {}", fact(claim, shown)),
    }
}

/// A fact as it is told.
pub(super) fn fact<T>(fact: Fact<T>, show: impl FnOnce(T) -> String) -> String {
    match fact {
        Fact::Absent => "nothing: the token does not say".into(),
        Fact::Known(value) => show(value),
        Fact::Unknown(why) => because(why).into(),
    }
}

/// Why a fact is not known.
pub(super) const fn because(why: Why) -> &'static str {
    match why {
        Why::Foreign => "unknown: it belongs to another issuer",
        Why::NotAnAddress => "unknown: it is no plain address",
        Why::NotMapped => "unknown: the provider has no such claim",
        Why::NotVerified => "unknown: nothing shows that the address was verified",
        Why::Overage => "unknown: there are too many to be listed in the token",
        Why::WrongType => "unknown: the claim is of another type",
    }
}

/// `require`: each demand by itself.
pub(super) fn require(held: &Held, setting: &Setting<'_>) -> Option<Part> {
    use crate::decide::require::{Met, acr, amr, fresh, require, scopes};
    let demands = held.rule.require.as_ref()?;
    let truth = Kleene::from(require(held, setting) == Met::Fully);
    let Some(claims) = setting.claims else {
        let token = Part::leaf("token", truth).expected("one").got("none");
        return Some(Part::all("require", vec![token]));
    };
    let mut parts = Vec::new();
    let mut add = |asked: bool, part: Part| parts.extend(asked.then_some(part));
    let login = fact(claims.acr(), shown);
    add(
        !demands.acr_values.is_empty(),
        Part::leaf("acrValues", acr(demands, claims))
            .expected(one_of(&demands.acr_values))
            .got(login),
    );
    let methods = fact(claims.amr(), list);
    add(
        !demands.amr.is_empty(),
        Part::leaf("amr", amr(demands, claims))
            .expected(all_of(&demands.amr))
            .got(methods),
    );
    if let Some(age) = demands.max_auth_age {
        let got = fact(claims.auth_time(), |at| {
            format!("{} s", setting.now.since(at))
        });
        let fresh = Part::leaf("maxAuthAge", fresh(demands, claims, setting.now));
        add(true, fresh.expected(format!("at most {age} s")).got(got));
    }
    let granted = fact(claims.scopes(), list);
    add(
        !demands.scopes.is_empty(),
        Part::leaf("scopes", scopes(demands, claims))
            .expected(all_of(&demands.scopes))
            .got(granted),
    );
    let bound = Part::leaf("proofOfPossession", false);
    add(
        demands.proof_of_possession,
        bound
            .expected("a token bound to a key")
            .got("one that is not"),
    );
    let unread = Part::leaf("demand", false).got("one that cannot be read");
    add(demands.unknown, unread);
    let heard = Part::leaf("provider", held.trusts(claims));
    add(
        !held.trusts(claims),
        heard
            .expected("a provider of the cluster")
            .got(claims.provider().as_str()),
    );
    (!parts.is_empty()).then(|| Part::all("require", parts).which_is(truth))
}
