//! The oracle's reading of `from`: who is meant.

use super::truth::{Part, Truth, every, misspelt, part, some, text};
use super::{Token, World};
use serde_json::Value;

const ENTRY: [&str; 11] = [
    "actors",
    "anyone",
    "claims",
    "clients",
    "emailDomains",
    "emails",
    "groups",
    "providerRef",
    "roleRefs",
    "serviceAccounts",
    "subjects",
];

/// For which kind of rule an entry is read: an agent inherits nothing by silence, and escapes nothing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum For {
    Allow,
    Deny,
}

/// What surrounds an entry: the resources, the namespace (`None` for a cluster's policy), the effect.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) world: &'a World,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) effect: For,
}

impl Place<'_> {
    /// Whether an entry of `from` means the caller; `None` is the anonymous.
    pub(crate) fn entry(self, entry: &Value, caller: Option<&Token>) -> Truth {
        // 8: an entry with an unknown field is unknown for everyone; 1: so is `{}`.
        let members = entry.as_object().map_or(0, serde_json::Map::len);
        if members == 0 || misspelt(entry, &ENTRY) {
            return None;
        }
        let alone = members == 1;
        if let Some(anyone) = entry.get("anyone") {
            // 7: anyone matches agents too.
            return if alone && anyone == true {
                Some(true)
            } else {
                None
            };
        }
        // 4: roleRefs and serviceAccounts stand alone in their entry.
        match (part(entry, "roleRefs"), part(entry, "serviceAccounts")) {
            (Part::Absent, Part::Absent) => self.of_provider(entry, caller),
            (Part::List(roles), Part::Absent) if alone => {
                some(roles.iter().map(|role| self.role(role, caller)))
            }
            (Part::Absent, Part::List(accounts)) if alone => self.accounts(accounts, caller),
            _ => None,
        }
    }

    /// 4: the members of a role: or. 9: one that is missing is unknown for any verified caller.
    fn role(self, role: &Value, caller: Option<&Token>) -> Truth {
        let Some(role) = self.world.role(self.namespace, role) else {
            return missing(caller);
        };
        // A cluster's role takes the word of the cluster's providers only.
        let namespace = self.namespace.filter(|_| role["kind"] == "AccessRole");
        let place = Place { namespace, ..self };
        // 8: beside a field that there is not, it is unknown for everyone who its members are.
        match part(&role["spec"], "members") {
            _ if misspelt(&role["spec"], &["members"]) => None,
            Part::List(members) => some(members.iter().map(|member| place.entry(member, caller))),
            _ => None,
        }
    }

    /// 14: the provider `kubernetes`; `"*"` stands only for a whole value.
    fn accounts(self, accounts: &[Value], caller: Option<&Token>) -> Truth {
        let provider = "ClusterTrustProvider/kubernetes";
        if self.world.provider(provider, None).is_none() {
            return missing(caller);
        }
        let Some(token) = caller.filter(|token| token.provider == provider) else {
            return Some(false);
        };
        let Some(rest) = text(&token.claims, "sub").strip_prefix("system:serviceaccount:") else {
            return Some(false);
        };
        let Some((namespace, name)) = rest.split_once(':') else {
            return Some(false);
        };
        let named = some(accounts.iter().map(|account| {
            let is = |field, value| {
                let wanted = text(account, field);
                Some(wanted == "*" || wanted == value)
            };
            every([is("namespace", namespace), is("name", name)])
        }));
        every([named, self.actor(None, token)])
    }

    fn of_provider(self, entry: &Value, caller: Option<&Token>) -> Truth {
        // Without it there are matchers, and nobody whose word they take; 1: null is unknown.
        let id = reference(entry.get("providerRef")?, "ClusterTrustProvider")?;
        let Some(provider) = self.world.provider(&id, self.namespace) else {
            return missing(caller);
        };
        // 8, 10: false for the anonymous, and for every other provider's tokens.
        let Some(token) = caller.filter(|token| token.provider == id) else {
            return Some(false);
        };
        let claims = &provider["spec"]["claims"];
        every([
            self.actor(entry.get("actors"), token),
            matcher(entry, "groups", || groups(claims, token), |a, b| a == b),
            matcher(
                entry,
                "emails",
                || email(claims, token),
                str::eq_ignore_ascii_case,
            ),
            matcher(
                entry,
                "emailDomains",
                || domain(claims, token),
                str::eq_ignore_ascii_case,
            ),
            vouched(entry, claims, token),
            matcher(
                entry,
                "subjects",
                || strings(token.claims.get("sub")),
                |a, b| a == b,
            ),
            matcher(
                entry,
                "clients",
                || one(at(&token.claims, &claims["client"]["path"])),
                |a, b| a == b,
            ),
            match part(entry, "claims") {
                Part::Absent => Some(true),
                Part::List(items) => every(items.iter().map(|item| {
                    matcher(
                        item,
                        "anyOf",
                        || strings(at(&token.claims, &item["path"])),
                        |a, b| a == b,
                    )
                })),
                Part::Unknown | Part::Other => None,
            },
        ])
    }

    /// 7: in Allows and boundaries a token with an actor matches only where `actors` is named; a Deny
    /// ignores the actor unless it is.
    fn actor(self, named: Option<&Value>, token: &Token) -> Truth {
        let act = token.claims.get("act");
        match (named, self.effect) {
            (None, For::Deny) => Some(true),
            (None, For::Allow) => Some(act.is_none()),
            (Some(Value::Array(any_of)), _) if !any_of.is_empty() => {
                let Some(act) = act else { return Some(false) };
                let actor = act.get("sub").and_then(Value::as_str)?;
                Some(any_of.iter().any(|one| one == actor))
            }
            (Some(_), _) => None,
        }
    }
}

/// `KIND/NAME`; nothing if it cannot be read.
pub(crate) fn reference(named: &Value, kind: &'static str) -> Option<String> {
    let kind = named.get("kind").map_or(Some(kind), Value::as_str)?;
    let name = named.get("name")?.as_str()?;
    (!misspelt(named, &["kind", "name"])).then(|| format!("{kind}/{name}"))
}

/// 8, 9: what is missing is false for the anonymous, and unknown for whoever has a token.
fn missing(caller: Option<&Token>) -> Truth {
    if caller.is_some() { None } else { Some(false) }
}

/// 4: lists inside a matcher: or. What the token does not settle is unknown.
fn matcher(
    entry: &Value,
    name: &str,
    facts: impl Fn() -> Option<Vec<String>>,
    same: fn(&str, &str) -> bool,
) -> Truth {
    match part(entry, name) {
        Part::Absent => Some(true),
        Part::List(wanted) => {
            let facts = facts()?;
            let wanted: Option<Vec<&str>> = wanted.iter().map(Value::as_str).collect();
            Some(
                wanted?
                    .iter()
                    .any(|one| facts.iter().any(|fact| same(one, fact))),
            )
        }
        Part::Unknown | Part::Other => None,
    }
}

/// A claim, by its path of keys.
fn at<'a>(claims: &'a Value, path: &Value) -> Option<&'a Value> {
    let mut claim = claims;
    for key in path.as_array()? {
        claim = claim.get(key.as_str()?)?;
    }
    Some(claim)
}

fn one(claim: Option<&Value>) -> Option<Vec<String>> {
    Some(vec![claim?.as_str()?.to_owned()])
}

/// A string or an array of strings alike.
fn strings(claim: Option<&Value>) -> Option<Vec<String>> {
    match claim? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn groups(mapped: &Value, token: &Token) -> Option<Vec<String>> {
    let mapped = &mapped["groups"];
    // Overage: the list did not fit into the token.
    if token.claims["_claim_names"].get("groups").is_some() {
        return None;
    }
    match at(&token.claims, &mapped["path"]) {
        None if text(mapped, "whenAbsent") == "Empty" => Some(Vec::new()),
        Some(Value::Array(_)) => strings(at(&token.claims, &mapped["path"])),
        _ => None,
    }
}

/// 13: verified, ASCII, one `@`.
fn email(mapped: &Value, token: &Token) -> Option<Vec<String>> {
    let mapped = &mapped["email"];
    let verified = at(&token.claims, &mapped["verifiedBy"]["path"]) == Some(&Value::Bool(true));
    let address = at(&token.claims, &mapped["path"])?.as_str()?;
    let plain = address.is_ascii() && address.matches('@').count() == 1;
    (verified && plain).then(|| vec![address.to_owned()])
}

/// 13: the domain of the address.
fn domain(mapped: &Value, token: &Token) -> Option<Vec<String>> {
    let address = email(mapped, token)?.pop()?;
    let (_, domain) = address.split_once('@')?;
    Some(vec![domain.to_owned()])
}

/// 13: and, where the provider maps one, the domain claim too.
fn vouched(entry: &Value, mapped: &Value, token: &Token) -> Truth {
    match mapped["email"].get("domain") {
        None => Some(true),
        Some(claim) => {
            let said = || one(at(&token.claims, &claim["path"]));
            matcher(entry, "emailDomains", said, str::eq_ignore_ascii_case)
        }
    }
}
